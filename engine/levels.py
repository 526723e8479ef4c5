"""Batch levels: axes that a value has in front of its per-sample type.

A level is one batch. Shapes are inferred and rules written for one sample; what an op gives has the levels of
all its operands, in the order in which they were opened, outermost first, and its array has one leading axis
for each. Three linear ops lead from an axis to a level and back; they are each other's transposes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

from engine.errors import RuntimeArgumentError
from engine.op import Op
from engine.signature import MISSING, Param
from engine.types import Type

_numbers = itertools.count()
_RANDOMNESS_ERROR = (
    "vmap: called random operation while in randomness error mode. Please either use the 'same' or "
    "'different' randomness flags on vmap or perform the randomness operation out of vmap"
)


class Level:
    """One batch axis of `size` samples. `randomness` says what a random op gives them: "same" or "different"
    numbers, or the refusal "error". Where it is `summed`, what is asked for is the derivative of the sum of
    all samples."""

    __slots__ = ("number", "randomness", "size", "summed")

    def __init__(self, size: int, randomness: str = "error", *, summed: bool = False) -> None:
        self.size = size
        self.summed = summed
        self.randomness = randomness
        self.number = next(_numbers)

    def __repr__(self) -> str:
        return f"<level of {self.size}>"


Levels = tuple[Level, ...]


def union(operands: Iterable[Any]) -> Levels:
    """The levels of all `operands` together, outermost first."""
    found: Levels = ()
    for each in operands:
        levels: Levels = getattr(each, "levels", ())
        if levels and levels is not found:
            found = merged(found, levels) if found else levels
    return found


def merged(left: Levels, right: Levels) -> Levels:
    """The levels of both, outermost first."""
    if left == right:
        return left
    return tuple(sorted({*left, *right}, key=lambda level: level.number))


def sizes(levels: Levels) -> tuple[int, ...]:
    """The leading axes of an array with these levels."""
    return tuple(level.size for level in levels)


def count(levels: Levels) -> int:
    """How many samples there are."""
    return math.prod(sizes(levels))


def levels_of(op: Op, operands: Sequence[Any], attrs: dict[str, Any], active: Levels) -> Levels:
    """The levels of what `op` gives, called where the levels `active` are open.

    What is created does not depend on the sample; random numbers do so where a level wants different ones.
    RuntimeArgumentError in torch's words where it wants none.
    """
    if op.kind == "creation":
        return ()
    if op.kind == "random":
        if any(level.randomness == "error" for level in active):
            raise RuntimeArgumentError(_RANDOMNESS_ERROR)
        return tuple(level for level in active if level.randomness == "different")
    found = union(operands)
    if op is INTO:
        return merged(found, (attrs["level"],))
    if op in (OUT_OF, SUM_OVER):
        return tuple(level for level in found if level is not attrs["level"])
    return found


def into(F: Any, value: Any, level: Level, dim: int = 0) -> Any:
    """`value` with its axis `dim` as `level`: one sample is what stands at a place of that axis."""
    return F.apply_op(INTO, value, level, dim)


def out_of(F: Any, value: Any, level: Level, dim: int = 0) -> Any:
    """`value` with `level` as its axis `dim`; samples that are all the same are repeated."""
    if level in value.levels:
        return F.apply_op(OUT_OF, value, level, dim)
    value = F.unsqueeze(value, dim)
    place = dim if dim >= 0 else dim + value.meta.ndim
    shape = value.meta.shape
    return F.expand(value, (*shape[:place], level.size, *shape[place + 1 :]))


def sum_over(F: Any, value: Any, level: Level) -> Any:
    """The sum of all samples of `level`."""
    if level in value.levels:
        return F.apply_op(SUM_OVER, value, level)
    return F.mul(value, level.size)


def without(F: Any, value: Any, gone: Iterable[Level]) -> Any:
    """`value` summed over the levels in `gone`."""
    for level in gone:
        value = sum_over(F, value, level)
    return value


_INPUT = Param("input", "Tensor", False, MISSING, False)
_LEVEL = Param("level", "Level", False, MISSING, False)


def _without_axis(input: Type, level: Level, dim: int) -> Type:
    place = dim + input.ndim
    return Type(input.shape[:place] + input.shape[place + 1 :], input.dtype)


def _with_axis(input: Type, level: Level, dim: int) -> Type:
    place = dim + input.ndim + 1
    return Type((*input.shape[:place], level.size, *input.shape[place:]), input.dtype)


def _unplanned(*_: Any, **__: Any) -> Any:
    raise TypeError("a level op moves axes: engine.batched compiles it")


INTO = Op(
    "_level_in",
    (_INPUT, _LEVEL, Param("dim", "Dim", False, MISSING, False)),
    "An axis becomes a level.",
    "level",
    _unplanned,
    _without_axis,
    vjp=lambda F, x, y, g, level, dim: (lambda: out_of(F, g, level, dim),),
    grad_fn="LevelInBackward0",
)
OUT_OF = Op(
    "_level_out",
    (_INPUT, _LEVEL, Param("dim", "NewDim", False, MISSING, False)),
    "A level becomes an axis.",
    "level",
    _unplanned,
    _with_axis,
    vjp=lambda F, x, y, g, level, dim: (lambda: into(F, g, level, dim),),
    grad_fn="LevelOutBackward0",
)
SUM_OVER = Op(
    "_level_sum",
    (_INPUT, _LEVEL),
    "The sum over a level.",
    "level",
    _unplanned,
    lambda input, level: Type(input.shape, input.dtype),
    vjp=lambda F, x, y, g, level: (lambda: g,),  # the same for every sample
    grad_fn="LevelSumBackward0",
)
