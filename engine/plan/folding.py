"""Constant folding: what depends on no input is computed once, when the plan is made."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.batched import compile_call
from engine.dtypes import FLOAT
from engine.errors import EngineError
from engine.graph import Value
from engine.levels import sizes
from engine.plan.identities import uniform
from engine.plan.instruction import Instruction
from engine.plan.late import is_late

MAX_ELEMENTS = 4096  # of a result that is kept; one that repeats a single number may be of any size
_FILLED = frozenset({"zeros", "ones", "full", "zeros_like", "ones_like", "full_like"})
_KINDS = frozenset({"elementwise", "view", "creation", "reduction"})


def folded(each: Instruction) -> Value | None:
    """The constant that a call always gives, or None where it is none or would be large."""
    if each.op.kind not in _KINDS or not each.op.single or is_late(each):
        return None
    filled = each.op.name in _FILLED
    if not filled and not all(_is_constant(x) for x in each.operands):
        return None
    (out,) = each.outputs
    try:
        with np.errstate(all="ignore"):
            array = _repeated(each, filled)
            if array is None and out.nbytes <= MAX_ELEMENTS * out.dtype.itemsize:
                operands = [getattr(x, "constant", x) for x in each.operands]
                call = compile_call(each.op, each.operands, (out.meta,), each.attrs, each.levels)
                array = np.asarray(call(*operands))
    except EngineError:  # a division by zero: the run will say so, if the value is read
        return None
    return None if array is None else _constant(out, array)


def _is_constant(operand: Any) -> bool:
    return not isinstance(operand, Value) or operand.constant is not None


def _repeated(each: Instruction, filled: bool) -> Any:
    """The result as one number that is repeated without memory; None where it is not known to be one."""
    (out,) = each.outputs
    numbers = [uniform(x) for x in each.operands]
    if filled:
        call = each.op.compile([getattr(x, "meta", x) for x in each.operands], (_scalar(out),), each.attrs)
        number = call(*[None for _ in each.operands])
    elif each.op.kind == "elementwise" and out.dtype.category >= FLOAT and None not in numbers:
        call = each.op.compile([getattr(x, "meta", x) for x in each.operands], (out.meta,), each.attrs)
        number = call(*map(np.asarray, numbers))
    elif each.op.kind == "view" and numbers[0] is not None:
        number = numbers[0]
    else:
        return None
    return np.broadcast_to(np.asarray(number), (*sizes(out.levels), *out.shape))


def _scalar(out: Value) -> Any:
    return type(out.meta)((), out.dtype)


def _constant(like: Value, array: Any) -> Value:
    found = Value(like.meta, levels=like.levels)
    found.constant = array
    return found
