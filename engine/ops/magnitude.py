"""Absolute value, sign and rounding."""

from __future__ import annotations

from typing import Any

from engine.define import composite, elementwise, unary, zero_rule
from engine.dtypes import BOOL, COMPLEX, FLOAT
from engine.op import refused, sample
from engine.ops.choice import over
from engine.ops.dtype_checks import Check, every, no_kernel, not_complex, without
from engine.signature import Tensor
from engine.types import Type

abs_ = unary(
    "abs",
    "y = absolute(input)",
    compute="promote",
    result="real",
    check=without("abs_cpu", BOOL),
    doc="The absolute value; of a complex tensor the modulus.\n\nThe gradient at 0 is 0.",
    vjp=lambda F, x, y, g: F.mul(g, F.sgn(x)),
    saves=("self",),
    aliases=("absolute",),
    samples=lambda make: [sample(make(2, 3)), sample(make(3) + 1j * make(3)), sample(make.ints(3))],
    refusals=lambda make: [refused("\"abs_cpu\" not implemented for 'Bool'", make.bools(2))],
)


def _sgn_vjp(F: Any, x: Any, y: Any, g: Any) -> Any:
    if not x.dtype.is_complex:
        return F.zeros_like(g)
    modulus = F.abs(x)
    turned = F.sub(g, F.mul(F.mul(y, y), F.conj(g)))
    return over(F, turned, F.mul(modulus, 2), F.eq(modulus, 0))


sgn = unary(
    "sgn",
    "y = signum(input)",
    compute="promote",
    doc="The sign; of a complex tensor input / |input|.\n\nThe gradient is 0 for real tensors, and at 0.",
    vjp=_sgn_vjp,
    saves=("result", "self"),
    samples=lambda make: [sample(make(2, 3)), sample(make(3) + 1j * make(3)), sample(make.ints(3))],
)
sign = unary(
    "sign",
    "y = signum(input)",
    compute="promote",
    check=not_complex(
        "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead."
    ),
    doc="-1, 0 or 1; 0 for NaN.\n\nThe gradient is 0 everywhere.",
    vjp=lambda F, x, y, g: F.zeros_like(g),
    samples=lambda make: [sample(make(2, 3)), sample(make.ints(3))],
    refusals=lambda make: [refused("Unlike NumPy, torch.sign is not intended", make(2) + 1j)],
)


def _rounding_check(name: str) -> Check:
    return every(not_complex(f"{name} is not supported for complex inputs"), without(f"{name}_vml_cpu", BOOL))


_CONSTANT = "The gradient is 0 everywhere, at the jumps too."
floor = unary(
    "floor",
    "y = floor(input)",
    compute="promote",
    check=_rounding_check("floor"),
    doc=f"The largest integer that is not above; integers stay as they are.\n\n{_CONSTANT}",
    vjp=lambda F, x, y, g: F.zeros_like(g),
    samples=lambda make: [sample(make(2, 3)), sample(make.ints(3))],
    refusals=lambda make: [refused("floor is not supported for complex inputs", make(2) + 1j)],
)
ceil = unary(
    "ceil",
    "y = ceil(input)",
    compute="promote",
    check=_rounding_check("ceil"),
    doc=f"The smallest integer that is not below; integers stay as they are.\n\n{_CONSTANT}",
    vjp=lambda F, x, y, g: F.zeros_like(g),
    samples=lambda make: [sample(make(2, 3)), sample(make.ints(3))],
    refusals=lambda make: [refused("\"ceil_vml_cpu\" not implemented for 'Bool'", make.bools(2))],
)
_round = unary(
    "_round",
    "y = nearest(input)",
    compute="promote",
    check=without("round_vml_cpu", BOOL, COMPLEX),
    doc=f"`round` to an integer.\n\n{_CONSTANT}",
    vjp=lambda F, x, y, g: F.zeros_like(g),
    grad_fn="RoundBackward0",
    samples=lambda make: [sample(make(2, 3))],
)


def _decimals_type(input: Type, decimals: int) -> Type:
    if input.dtype.category != FLOAT:
        raise no_kernel("round_cpu" if decimals else "round_vml_cpu", input.dtype)
    return input


@elementwise(
    "_round_decimals",
    "y = nearest_decimals(input, decimals)",
    infer=_decimals_type,
    vjp=zero_rule(1),
    grad_fn="RoundBackward1",
    samples=lambda make: [sample(make(2, 3), 1)],
)
def round_decimals(input: Tensor, decimals: int) -> None:
    """`round` to a number of decimals.

    The gradient is 0 everywhere, at the jumps too.
    """


@composite(
    "round",
    aliases=("special.round",),
    samples=lambda make: [sample(make(2, 3)), sample(make(3), decimals=1), sample(make.ints(3))],
    refusals=lambda make: [
        refused("\"round_vml_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j),
        refused("\"round_cpu\" not implemented for 'Long'", make.ints(2), decimals=1),
    ],
)
def round_(F: Any, input: Tensor, *, decimals: int | None = None) -> Any:
    """The nearest integer, or number of `decimals` decimals (negative: tens, hundreds …); halves to even.

    The gradient is 0 everywhere, at the jumps too.
    """
    return F._round(input) if decimals is None else F._round_decimals(input, decimals)
