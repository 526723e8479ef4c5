"""A plan ready to run in one thread: straight-line calls, bound to memory that the frame keeps.

A small value has a place of its own in the frame, so that a call on small values is a ufunc with all its
arguments, the result's place included, known beforehand. What is large, or made by a kernel that allocates,
passes through numbered registers. A frame runs one computation at a time; a plan has as many as run at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from engine.bounded import Sizes
from engine.errors import EngineError, Site
from engine.graph import Value, locate
from engine.plan.arena import empty
from engine.plan.rows import full_shape

GENERATOR, SIZES = 0, 1  # the registers of the random generator and of the sizes of the run

Array = np.ndarray[Any, Any]


Step = partial[Any]  # a call with all its arguments: nothing is looked up but what passes through registers


class Frame(NamedTuple):
    """The steps of a plan and their registers. Inputs are `entered` into registers or `copied_in` to places,
    what is wanted is `left` in registers or `copied_out`, all by their numbers among the inputs and the
    wanted values, of which there are `wanted`. The registers `passing` are cleared after a run."""

    registers: list[Any]
    steps: list[Step]
    sites: list[Site]
    entered: list[tuple[int, int]]
    copied_in: list[tuple[int, Array]]
    left: list[tuple[int, int]]
    copied_out: list[tuple[int, Array]]
    wanted: int
    passing: list[int]

    def run(self, generator: Any, arrays: Sequence[Any], sizes: Sizes) -> list[Any]:
        """The wanted values for `arrays`."""
        registers, steps, sites, entered, copied_in, left, copied_out, wanted, passing = self
        registers[GENERATOR], registers[SIZES] = generator, sizes
        for at, number in entered:
            registers[number] = arrays[at]
        for at, place in copied_in:
            place[...] = arrays[at]
        step: Any = None
        try:
            for step in steps:
                step()
            found: list[Any] = [None] * wanted
            for at, number in left:
                found[at] = registers[number]
            for at, place in copied_out:
                found[at] = place.copy()
            return found
        except EngineError as error:  # what only values tell: an index out of bounds, a loop without end
            at = next(at for at, each in enumerate(steps) if each is step)
            raise locate(error, sites[at]) from None
        finally:
            for number in passing:
                registers[number] = None


def through(registers: list[Any], call: Callable[..., Any], sources: Sequence[int], target: int) -> Step:
    """A call whose arguments come from registers, and whose result goes to one."""
    if len(sources) > 1:
        taken: Callable[[Any], Any] = itemgetter(*sources)
    else:
        taken = itemgetter(slice(sources[0], sources[0] + 1) if sources else slice(0, 0))
    return partial(_through, registers, call, taken, target)


def _through(
    registers: list[Any], call: Callable[..., Any], taken: Callable[[Any], Any], target: int
) -> None:
    registers[target] = call(*taken(registers))


def clearing(registers: list[Any], target: int) -> Step:
    """What gives the array in a register back."""
    return partial(registers.__setitem__, target, None)


def on_its_own(call: Callable[..., Any], *, single: bool) -> Callable[..., Any]:
    """`call`, with results that are parts of other arrays copied: a place is written to again."""

    def run(*arrays: Any) -> Any:
        found = call(*arrays)
        if single:
            return found if found.flags.owndata else found.copy()
        return [each if each.flags.owndata else each.copy() for each in found]

    return run


def into_arena(call: Callable[..., Any], result: Value) -> Callable[..., Any]:
    """`call`, with memory of the arena for its result."""
    shape, dtype = full_shape(result), result.dtype.numpy
    return lambda *arrays: call(*arrays, out=empty(shape, dtype))
