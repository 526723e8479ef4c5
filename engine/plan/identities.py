"""Algebraic identities that hold for every IEEE number, signed zeros, infinities and NaN among them.

Each rule is given a call and what made its operands, and gives the value that it equals, better calls (the
last of which makes its result), or None. What would round differently (a product taken in another order, a
division as a product) has no place here: the same request is answered with the same bits, however often its
plan was looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from engine.dtypes import COMPLEX
from engine.graph import Value
from engine.plan.instruction import Instruction
from engine.registry import lookup

Found = Value | Instruction | list[Instruction] | None


class Made(NamedTuple):
    """What made a value, how many calls read it (one more where it is wanted), and the results of all calls
    by their keys."""

    by: dict[Value, Instruction]
    reads: Mapping[Value, int]
    seen: Mapping[Any, tuple[Value, ...]]


def uniform(operand: Any) -> Any:
    """The one number that all elements of a constant or a scalar operand are, as a numpy scalar or a Python
    number; None if it is none or not known."""
    if not isinstance(operand, Value):
        return operand
    constant = operand.constant
    if not isinstance(constant, np.ndarray) or constant.size == 0:
        return None
    return constant[(0,) * constant.ndim] if not any(constant.strides) or constant.size == 1 else None


def _same_type(value: Any, each: Instruction) -> Found:
    """`value`, if the call's result is of the same type and levels."""
    (out,) = each.outputs
    same = isinstance(value, Value) and value.meta == out.meta and value.levels == out.levels
    return value if same else None


def _negated(value: Any, made: Made) -> Any:
    """What `value` is the negative of, if a call says so."""
    maker = made.by.get(value) if isinstance(value, Value) else None
    return maker.operands[0] if maker is not None and maker.op.name == "neg" else None


def _product(each: Instruction, made: Made) -> Found:
    first, second = each.operands
    for value, factor in ((first, second), (second, first)):
        if uniform(factor) == 1:
            return _same_type(value, each)
    left, right = _negated(first, made), _negated(second, made)
    if left is not None and right is not None:
        return each._replace(operands=(left, right))
    positive = each._replace(operands=(first if left is None else left, second if right is None else right))
    known = made.seen.get(positive.key) if positive != each else None
    return None if known is None else each._replace(op=lookup("neg"), operands=known, attrs={})


def _quotient(each: Instruction, made: Made) -> Found:
    return _same_type(each.operands[0], each) if uniform(each.operands[1]) == 1 else None


def _power(each: Instruction, made: Made) -> Found:
    base, exponent = each.operands
    if exponent == 1:
        return _same_type(base, each)
    real = each.outputs[0].dtype.category < COMPLEX  # complex products round as they stand in an array
    squared = exponent == 2 and real and _same_type(base, each) is not None
    return each._replace(op=lookup("mul"), operands=(base, base)) if squared else None


def _negative(each: Instruction, made: Made) -> Found:
    found: Value | None = _negated(each.operands[0], made)
    return found


def _sum(each: Instruction, made: Made) -> Found:
    first, second = each.operands
    if not _is_one(each.attrs["alpha"]):
        return None
    left, right = _negated(first, made), _negated(second, made)
    if left is not None and left is right:  # of others the sum may be 0, and its negative -0
        (out,) = each.outputs
        whole = Value(out.meta, out.node, -1, levels=out.levels)
        positive = each._replace(operands=(left, right), outputs=(whole,))
        return [positive, Instruction(lookup("neg"), (whole,), {}, (out,), each.levels)]
    if right is not None:
        return each._replace(op=lookup("sub"), operands=(first, right))
    if left is not None and isinstance(second, Value):
        return each._replace(op=lookup("sub"), operands=(second, left))
    return None


def _difference(each: Instruction, made: Made) -> Found:
    first, second = each.operands
    right = _negated(second, made)
    if right is None or not _is_one(each.attrs["alpha"]):
        return None
    return each._replace(op=lookup("add"), operands=(first, right))


def _is_one(alpha: Any) -> bool:
    return type(alpha) is not bool and bool(alpha == 1)


IDENTITIES: dict[str, Callable[[Instruction, Made], Found]] = {
    "add": _sum,
    "sub": _difference,
    "mul": _product,
    "_div": _quotient,
    "_pow_scalar": _power,
    "neg": _negative,
}
