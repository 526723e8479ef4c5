"""Arithmetic of two operands, and of one."""

from __future__ import annotations

from typing import Any

from engine.define import binary, elementwise, unary
from engine.dtypes import BOOL
from engine.errors import DTypeError
from engine.kernels import promoted
from engine.op import refused, sample
from engine.signature import Number, Tensor
from engine.types import Type

MISMATCH = "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0"


def _add_vjp(F: Any, x: Any, y: Any, g: Any, alpha: Number) -> Any:
    return lambda: g, lambda: g if alpha == 1 else F.mul(g, alpha)


def _subtract_type(*types: Any, alpha: Number = 1) -> Type:
    if promoted(list(types)).category == BOOL:
        raise DTypeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead."
        )
    return add.infer(*types)  # type: ignore[misc]


@elementwise(
    "add",
    "t = multiply(other, alpha); y = add(input, t)",
    vjp=_add_vjp,
    saves=("alpha",),
    samples=lambda make: [
        sample(make(2, 3), make(2, 3)),
        sample(make(2, 3), make(3), alpha=2),
        sample(make(2, 1), make(1, 3)),
        sample(make(), 2.5),
        sample(make.ints(3), make(3)),
    ],
    refusals=lambda make: [refused(MISMATCH, make(3), make(2))],
)
def add(input: Tensor, other: Tensor, *, alpha: Number = 1) -> None:
    """input + alpha * other.

    Smooth everywhere. Two bool tensors give their logical or.
    """


@elementwise(
    "sub",
    "t = multiply(other, alpha); y = subtract(input, t)",
    infer=_subtract_type,
    vjp=lambda F, x, y, g, alpha: (lambda: g, lambda: F.neg(g) if alpha == 1 else F.mul(g, -alpha)),
    saves=("alpha",),
    aliases=("subtract",),
    samples=lambda make: [sample(make(2, 3), make(3)), sample(make(2, 3), make(2, 1), alpha=0.5), sample(make(3), 1.5)],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("Subtraction, the `-` operator, with two bool tensors", make.bools(2), make.bools(2)),
    ],
)
def sub(input: Tensor, other: Tensor, *, alpha: Number = 1) -> None:
    """input - alpha * other.

    Smooth everywhere. Two bool tensors are refused.
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
    ],
    refusals=lambda make: [refused(MISMATCH, make(3), make(2))],
)

neg = unary(
    "neg",
    "y = negative(input)",
    compute="promote",
    doc="-input.\n\nSmooth everywhere. A bool tensor is refused.",
    vjp=lambda F, x, y, g: F.neg(g),
    aliases=("negative",),
    samples=lambda make: [sample(make(2, 3)), sample(make.ints(3))],
)
