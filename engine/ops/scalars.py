"""What torch does with C++ numbers: the same as mul, div and where, under names of their own in the graph."""

from __future__ import annotations

from typing import Any

from engine.define import elementwise
from engine.signature import Mask, Number, Tensor
from engine.types import Type


@elementwise(
    "_mul_scalar",
    "y = multiply(input, other)",
    vjp=lambda F, x, y, g, other: (lambda: F.mul(g, other),),
    grad_fn="MulBackward1",
    saves=("other",),
    samples=lambda make: [],
)
def mul_scalar(input: Tensor, other: Number) -> None:
    """input * other.

    Smooth everywhere.
    """


@elementwise(
    "_div_scalar",
    "y = divide(input, other)",
    vjp=lambda F, x, y, g, other: (lambda: F.div(g, other),),
    grad_fn="DivBackward1",
    saves=("other",),
    samples=lambda make: [],
)
def div_scalar(input: Tensor, other: Number) -> None:
    """input / other.

    Smooth everywhere.
    """


def _filled_type(input: Type, mask: Type, value: Any) -> Type:
    return input


@elementwise(
    "_masked_fill_in_place",
    "y = select(mask, value, input)",
    infer=_filled_type,
    vjp=lambda F, x, y, g, value: (lambda: F.where(x[1], 0, g), None),
    grad_fn="MaskedFillBackward0",
    saves=("mask",),
    samples=lambda make: [],
)
def masked_fill_in_place(input: Tensor, mask: Mask, value: Number) -> None:
    """`input` with `value` where `mask`, of the same shape.

    Smooth everywhere; nothing flows back from where it was replaced.
    """
