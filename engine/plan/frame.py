"""A plan ready to run in one thread: straight-line calls, bound to memory that the frame keeps.

A small value has a place of its own in the frame, so that a call on small values is a ufunc with all its
arguments, the result's place included, known beforehand. What is large, or made by a kernel that allocates,
passes through numbered registers. A frame runs one computation at a time; a plan has as many as run at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from engine.bounded import Sizes
from engine.errors import EngineError, Site
from engine.graph import locate

GENERATOR, SIZES = 0, 1  # the registers of the random generator and of the sizes of the run

Array = np.ndarray[Any, Any]


CHUNK = 1 << 11  # bytes that are carved into small arrays, at first
MAX_BYTES = 8 << 20  # of all of them
_ALIGNED = 16


class Memory:
    """Places for small arrays, close to each other. No array owns its memory, nor does a view of it."""

    def __init__(self) -> None:
        self._chunk = np.empty(0, np.uint8)
        self._used = self._all = 0

    def array(self, shape: tuple[int, ...], dtype: Any) -> Array | None:
        """A new one; None if there are too many already."""
        size = -(-dtype.itemsize * math.prod(shape) // _ALIGNED) * _ALIGNED
        if self._used + size > self._chunk.nbytes:
            more = max(CHUNK, self._all)
            if self._all + more > MAX_BYTES:
                return None
            self._chunk, self._used = np.empty(more, np.uint8), 0
            self._all += more
        found: Array = np.ndarray(shape, dtype, self._chunk, self._used)
        self._used += size
        return found


class Step(NamedTuple):
    """A call. With a `target`, the register that its result goes to, `args` takes the arguments from the
    registers; without, they are always the same, and the result is written to one of them."""

    call: Callable[..., Any]
    args: Any
    target: int | None


class Frame(NamedTuple):
    """The steps of a plan and their registers. `entered` are those of the inputs, with the places that small
    ones are copied to; `left` those of what is wanted, and whether it must be copied out; `passing` those to
    clear after a run."""

    registers: list[Any]
    steps: list[Step]
    sites: list[Site]
    entered: list[tuple[int, Array | None]]
    left: list[tuple[int, bool] | None]
    passing: list[int]

    def run(self, generator: Any, arrays: Sequence[Any], sizes: Sizes) -> list[Any]:
        """The wanted values for `arrays`."""
        registers = self.registers
        registers[GENERATOR], registers[SIZES] = generator, sizes
        for (number, place), array in zip(self.entered, arrays, strict=True):
            if place is None:
                registers[number] = array
            else:
                place[...] = array
        step: Any = None
        try:
            for step in self.steps:
                call, args, target = step
                if target is None:
                    call(*args)
                else:
                    registers[target] = call(*args(registers))
            return [each and self._left(*each) for each in self.left]
        except EngineError as error:  # what only values tell: an index out of bounds, a loop without end
            at = next(at for at, each in enumerate(self.steps) if each is step)
            raise locate(error, self.sites[at]) from None
        finally:
            for number in self.passing:
                registers[number] = None

    def _left(self, number: int, copied: bool) -> Any:
        found = self.registers[number]
        return found.copy() if copied else found


def takes(registers: Sequence[int]) -> Callable[[Any], Any]:
    """What takes the values in `registers`, as a sequence."""
    if len(registers) > 1:
        return itemgetter(*registers)
    return itemgetter(slice(registers[0], registers[0] + 1) if registers else slice(0, 0))
