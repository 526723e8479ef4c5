"""Sums, differences and products."""

from __future__ import annotations

from typing import Any

from engine.define import binary, composite, elementwise, pointwise, unary
from engine.dtypes import BOOL, DType
from engine.errors import DTypeError, RuntimeArgumentError
from engine.kernels import promoted
from engine.op import refused, sample
from engine.ops.dtype_checks import check_alpha
from engine.signature import Number, Param, Tensor, is_number
from engine.types import Type

MISMATCH = "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0"
INVERT = "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
_PAIR = tuple(Param(name, "Tensor", False, None, False) for name in ("input", "other"))
_promoted_type = pointwise(_PAIR)


def _scaled(F: Any, g: Any, alpha: Number) -> Any:
    return g if alpha == 1 else F.mul(g, alpha.conjugate())


def _sum_type(input: Any, other: Any, alpha: Number = 1) -> Type:
    if type(alpha) is not int:
        check_alpha(promoted([input, other]), alpha)
    return _promoted_type(input, other)


def _is_bool(operand: Any) -> bool:
    return isinstance(operand, bool) or (type(operand) is Type and operand.dtype.category == BOOL)


def _difference_type(input: Any, other: Any, alpha: Number = 1) -> Type:
    if _is_bool(input) or _is_bool(other):
        if _is_bool(input) and _is_bool(other):
            raise DTypeError(
                "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
                "`logical_xor()` operator instead."
            )
        raise DTypeError(f"Subtraction, the `-` operator, with a bool tensor is not supported. {INVERT}")
    return _sum_type(input, other, alpha)


@elementwise(
    "add",
    "t = multiply(other, alpha); y = add(input, t)",
    infer=_sum_type,
    vjp=lambda F, x, y, g, alpha: (lambda: g, lambda: _scaled(F, g, alpha)),
    saves=("alpha",),
    samples=lambda make: [
        sample(make(2, 3), make(2, 3)),
        sample(make(2, 3), make(3), alpha=2),
        sample(make(2, 1), make(1, 3)),
        sample(make(), 2.5),
        sample(make.ints(3), make(3)),
        sample(make(3) + 1j * make(3), make(3), alpha=2j),
    ],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("argument alpha must not be a floating", make.ints(1), make.ints(1), alpha=0.5),
        refused("Boolean alpha only supported for Boolean results.", make(1), make(1), alpha=True),
        refused("argument alpha must not be a complex number.", make(1), make(1), alpha=1j),
    ],
)
def add(input: Tensor, other: Tensor, *, alpha: Number = 1) -> None:
    """input + alpha * other.

    Smooth everywhere. Two bool tensors give their logical or.
    """


@elementwise(
    "sub",
    "t = multiply(other, alpha); y = subtract(input, t)",
    infer=_difference_type,
    vjp=lambda F, x, y, g, alpha: (lambda: g, lambda: _scaled(F, F.neg(g), alpha)),
    saves=("alpha",),
    aliases=("subtract",),
    samples=lambda make: [
        sample(make(2, 3), make(3)),
        sample(make(2, 3), make(2, 1), alpha=0.5),
        sample(make(3), 1.5),
    ],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("Subtraction, the `-` operator, with two bool tensors", make.bools(2), make.bools(2)),
        refused("Subtraction, the `-` operator, with a bool tensor", make(2), True),
    ],
)
def sub(input: Tensor, other: Tensor, *, alpha: Number = 1) -> None:
    """input - alpha * other.

    Smooth everywhere. Bool tensors are refused.
    """


@elementwise(
    "rsub",
    "t = multiply(input, alpha); y = subtract(other, t)",
    infer=lambda input, other, alpha=1: _difference_type(other, input, alpha),
    numbers=False,
    vjp=lambda F, x, y, g, alpha: (lambda: _scaled(F, F.neg(g), alpha), lambda: g),
    grad_fn=lambda x, given: "RsubBackward1" if is_number(x[1]) else "RsubBackward0",
    saves=("alpha",),
    samples=lambda make: [sample(make(2, 3), make(3)), sample(make(2, 3), 2), sample(make(3), 1.5, alpha=2)],
    refusals=lambda make: [
        refused("The size of tensor a (2) must match the size of tensor b (3)", make(3), make(2)),
        refused("Subtraction, the `-` operator, with a bool tensor", make.bools(2), 2),
        refused("rsub() received an invalid combination of arguments - got (int, Tensor)", 2, make(2)),
    ],
)
def rsub(input: Tensor, other: Tensor | Number, *, alpha: Number = 1) -> None:
    """other - alpha * input.

    Smooth everywhere. Bool tensors are refused.
    """


mul = binary(
    "mul",
    "y = multiply(input, other)",
    doc="input * other.\n\nSmooth everywhere. Two bool tensors give their logical and.",
    vjp=lambda F, x, y, g: (lambda: F.mul(g, F.conj(x[1])), lambda: F.mul(g, F.conj(x[0]))),
    saves=("other for self", "self for other"),
    aliases=("multiply",),
    samples=lambda make: [
        sample(make(2, 3), make(2, 3)),
        sample(make(2, 1), make(3)),
        sample(make(2, 3), 2.5),
        sample(make(), make(3)),
        sample(make.ints(3), make(3)),
        sample(make(3) + 1j * make(3), make(3)),
    ],
    refusals=lambda make: [refused(MISMATCH, make(3), make(2))],
)


def _check_negatable(dtype: DType) -> None:
    if dtype.category == BOOL:
        raise DTypeError(f"Negation, the `-` operator, on a bool tensor is not supported. {INVERT}")


neg = unary(
    "neg",
    "y = negative(input)",
    compute="promote",
    check=_check_negatable,
    doc="-input.\n\nSmooth everywhere. A bool tensor is refused.",
    vjp=lambda F, x, y, g: F.neg(g),
    aliases=("negative",),
    samples=lambda make: [sample(make(2, 3)), sample(make.ints(3)), sample(make(2) + 1j * make(2))],
    refusals=lambda make: [refused("Negation, the `-` operator, on a bool tensor", make.bools(2))],
)


@composite(
    "positive",
    samples=lambda make: [sample(make(2, 3)), sample(make.ints(3))],
    refusals=lambda make: [refused("The `+` operator, on a bool tensor is not supported.", make.bools(2))],
)
def positive(F: Any, input: Tensor) -> Any:
    """input itself.

    Smooth everywhere. A bool tensor is refused.
    """
    if input.meta.dtype.category == BOOL:
        raise RuntimeArgumentError("The `+` operator, on a bool tensor is not supported.")
    return input
