"""Which calls can be run on some rows at a time, and how.

An array's rows are what stands along its first axis, a batch level's or the sample's own. A call works by
rows if each row of its result comes from the same row of its operands: it can then run on a tile, a few rows
of all of them, together with others, while everything is in the cache. An operand without the rows is read
whole in every tile. A reduction over the rows ends such a run: its parts are put together afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from engine.batched import compile_call
from engine.graph import Value
from engine.kernels import Kernel
from engine.levels import SUM_OVER, Level, Levels, sizes
from engine.plan.identities import uniform
from engine.plan.instruction import Instruction
from engine.plan.reducing import Reduction, reduction
from engine.registry import lookup
from engine.types import Type

_RESHAPING = frozenset(
    {"expand", "unsqueeze", "view", "_unsafe_view", "_squeeze", "_squeeze_dim", "_squeeze_dims"}
)
# Of integers, for some values:
_RAISING = frozenset({"divide_floor", "divide_trunc", "modulo", "modulo_trunc", "power"})
MAX_ROW = 8192  # elements; the parts of a reduction over rows are as large as one


class Use(NamedTuple):
    """How a call reads its operands: `carried` says of each whether it has the rows; `joins` if the call is a
    reduction over them."""

    rows: int
    carried: tuple[bool, ...]
    joins: Reduction | None = None


def full_shape(value: Value) -> tuple[int, ...]:
    """The shape of a value's array: the axes of its levels, then its own."""
    return (*sizes(value.levels), *value.meta.shape) if value.levels else value.meta.shape


def use_of(each: Instruction) -> Use | None:
    """How `each` works by rows; None if it does not, or raises for some values."""
    values = [x for x in (*each.operands, *each.outputs) if isinstance(x, Value)]
    if not each.op.single or any(0 in full_shape(x) for x in values):
        return None
    out = each.outputs[0]
    run, kind = each.op.run, each.op.kind
    if isinstance(run, Kernel):
        return None if _raises(run, out) else _elementwise(each, out)
    if kind == "reduction" or each.op is SUM_OVER:
        return _reduction(each, out)
    if each.op.name in _RESHAPING or each.op.name in ("_softmax", "_log_softmax"):
        return _same_rows(each, out)
    return None


def _raises(run: Kernel, out: Value) -> bool:
    return out.dtype.category < 2 and any(step.ufunc in _RAISING for step in run.steps)


def _elementwise(each: Instruction, out: Value) -> Use | None:
    shape = full_shape(out)
    if not shape or shape[0] < 2:
        return None
    return Use(shape[0], tuple([_has_rows(x, out, shape) for x in each.operands]))


def _has_rows(operand: Any, out: Value, shape: tuple[int, ...]) -> bool:
    """Whether the first axis of an operand's array, aligned as it is read, is that of the result."""
    if not isinstance(operand, Value) or uniform(operand) is not None:
        return False
    if out.levels:
        return out.levels[0] in operand.levels
    own = operand.meta.shape
    return len(own) == len(shape) and own[0] == shape[0]


def _reduction(each: Instruction, out: Value) -> Use | None:
    operand = each.operands[0]
    if len(each.operands) != 1 or not isinstance(operand, Value):
        return None
    shape = full_shape(operand)
    if not shape or shape[0] < 2:
        return None
    if _keeps_rows(each, operand, out):
        return Use(shape[0], (True,))
    joins = reduction(each)
    return Use(shape[0], (True,), joins) if joins and math.prod(full_shape(out)) <= MAX_ROW else None


def _keeps_rows(each: Instruction, operand: Value, out: Value) -> bool:
    if operand.levels:
        return bool(out.levels) and out.levels[0] is operand.levels[0]
    dim: Any = each.attrs.get("dim")
    dims = (dim,) if isinstance(dim, int) else dim
    return bool(dims) and operand.meta.ndim > 1 and -operand.meta.ndim not in dims


def _same_rows(each: Instruction, out: Value) -> Use | None:
    operand = each.operands[0]
    shape = full_shape(out)
    if not isinstance(operand, Value) or operand.constant is not None or not shape or shape[0] < 2:
        return None
    own = full_shape(operand)
    if out.levels:
        return Use(shape[0], (True,)) if out.levels == operand.levels else None
    if not own or own[0] != shape[0] or -len(own) == each.attrs.get("dim"):
        return None
    if each.op.name == "expand" and len(own) != len(shape):
        return None
    return Use(shape[0], (True,))


class Tile(NamedTuple):
    """An operand or result with fewer rows."""

    meta: Type
    levels: Levels


def on_tile(each: Instruction, use: Use, size: int) -> Callable[..., Any]:
    """The call of an instruction on `size` rows; of a reduction over rows, its part."""
    op = lookup(use.joins.op) if use.joins and each.op is not SUM_OVER else each.op
    (out,) = each.outputs
    first = next((x.levels[0] for x in each.operands if isinstance(x, Value) and x.levels), None)
    level = None if first is None else _smaller(first, size)
    operands = [_cut(x, size, level) if has else x for x, has in zip(each.operands, use.carried, strict=True)]
    made = Tile(out.meta, out.levels) if use.joins else _cut(out, size, level)
    attrs = dict(each.attrs)
    if each.op is SUM_OVER:
        attrs["level"] = level if use.joins else attrs["level"]
    elif not out.levels and not use.joins and isinstance(attrs.get("size"), tuple):
        attrs["size"] = (size, *attrs["size"][1:])
    return compile_call(op, operands, (made.meta,), attrs, made.levels)


def _smaller(level: Level, size: int) -> Level:
    found = Level(size, level.randomness, summed=level.summed)
    found.number = level.number  # it stands where the other stood
    return found


def _cut(value: Value, size: int, level: Level | None) -> Tile:
    """`value`, which has the rows, with `size` of them: its outermost level, or its first axis."""
    if value.levels and level is not None:
        return Tile(value.meta, (level, *value.levels[1:]))
    return Tile(Type((size, *value.meta.shape[1:]), value.meta.dtype), ())
