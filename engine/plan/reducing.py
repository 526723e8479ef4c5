"""Reductions as calls of a ufunc's `reduce`, which says where to write the result."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from engine.graph import Value
from engine.levels import SUM_OVER
from engine.plan.instruction import Instruction


class Reduction(NamedTuple):
    """Which op gives the part of a tile, and what puts parts together; their sum is divided by the number of
    elements where it is a `mean`."""

    op: str
    combine: np.ufunc
    mean: bool = False


REDUCTIONS = {
    "_sum_all": Reduction("_sum_all", np.add),
    "_sum_dim": Reduction("_sum_dim", np.add),
    "_mean_all": Reduction("_sum_all", np.add, mean=True),
    "_mean_dim": Reduction("_sum_dim", np.add, mean=True),
    "amax": Reduction("amax", np.maximum),
    "amin": Reduction("amin", np.minimum),
    SUM_OVER.name: Reduction(SUM_OVER.name, np.add),
}


def reduction(each: Instruction) -> Reduction | None:
    """The reduction that a call is, if its result is of the dtype that it is computed in."""
    found = REDUCTIONS.get(each.op.name)
    if found is None:
        return None
    operand, out = each.operands[0], each.outputs[0]
    return found if operand.dtype is out.dtype and out.dtype.itemsize > 2 else None


def axes(each: Instruction) -> tuple[int, ...] | None:
    """The axes of the operand's array that a reduction runs over; None for all."""
    operand = each.operands[0]
    if each.op is SUM_OVER:
        return (operand.levels.index(each.attrs["level"]),)
    dim: Any = each.attrs.get("dim")
    if dim is None or dim == () or not operand.meta.shape:
        return tuple(range(-operand.meta.ndim, 0)) if operand.levels else None
    return (dim,) if isinstance(dim, int) else tuple(dim)


def share(operand: Value, out: Value) -> int:
    """How many elements one of the result is made of."""
    whole, parts = (math.prod(each.meta.shape) * _samples(each) for each in (operand, out))
    return whole // max(parts, 1)


def _samples(value: Value) -> int:
    return math.prod(level.size for level in value.levels)
