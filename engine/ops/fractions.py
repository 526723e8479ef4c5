"""The parts of numbers: whole and broken, mantissa and exponent, sign; and their neighbours."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.binding import no_overload
from engine.define import elementwise, kernel, pointwise, unary
from engine.dtypes import BOOL, COMPLEX, FLOAT, int32
from engine.errors import DTypeError
from engine.op import NoDerivative, refused, sample
from engine.ops.arithmetic import MISMATCH
from engine.ops.dtype_checks import every, floating, not_complex, without
from engine.ops.tensor_checks import tensors_only
from engine.signature import Number, Param, Tensor, is_number
from engine.types import Type

_PAIR = tuple(Param(name, "Tensor", False, None, False) for name in ("input", "other"))
_NAMES = ("input", "other")
_CONSTANT = "The gradient is 0 everywhere, at the jumps too."
trunc = unary(
    "trunc",
    "y = trunc(input)",
    compute="promote",
    check=every(not_complex("trunc is not supported for complex inputs"), without("trunc_vml_cpu", BOOL)),
    doc=f"The integer next to `input` on the side of 0; integers stay as they are.\n\n{_CONSTANT}",
    vjp=lambda F, x, y, g: F.zeros_like(g),
    aliases=("fix",),
    samples=lambda make: [sample(make(2, 3)), sample(make()), sample(make.ints(3))],
    refusals=lambda make: [
        refused("trunc is not supported for complex inputs", make(2) + 1j),
        refused("\"trunc_vml_cpu\" not implemented for 'Bool'", make.bools(2)),
    ],
)
frac = unary(
    "frac",
    "t = trunc(input); y = subtract(input, t)",
    compute="promote",
    check=floating("frac_cpu"),
    doc="What `trunc` takes away, with the sign of `input`.\n\nThe jumps are ignored: the gradient is 1.",
    vjp=lambda F, x, y, g: g,
    samples=lambda make: [sample(make(2, 3)), sample(make())],
    refusals=lambda make: [refused("\"frac_cpu\" not implemented for 'Long'", make.ints(2))],
)


def _parts_type(input: Type) -> tuple[Type, Type]:
    if input.dtype.category != FLOAT:
        raise DTypeError("torch.frexp() only supports floating-point dtypes", actual=input.dtype.name)
    return input, input.with_dtype(int32)


@kernel(
    "frexp",
    kind="structural",
    infer=_parts_type,
    vjp=lambda F, x, y, g: (lambda: F.div(g[0], F.exp2(F.to(F.detach(y[1]), x[0].dtype))),),
    saves=("exponent",),
    outputs=("mantissa", "exponent"),
    samples=lambda make: [sample(make(2, 3)), sample(make())],
    refusals=lambda make: [refused("torch.frexp() only supports floating-point dtypes", make.ints(2))],
)
def frexp(input: Tensor) -> Any:
    """(mantissa, exponent), so that input = mantissa * 2 ** exponent and the mantissa is from 0.5 to 1.

    The jumps are ignored: the gradient is 2 ** -exponent.

    Unlike torch: also where that is no float32.
    """
    return np.frexp(input)


@elementwise(
    "ldexp",
    "t = power_of_two(other); y = multiply(input, t)",
    compute="float",
    infer=tensors_only("ldexp", _NAMES, pointwise(_PAIR, compute="float")),
    vjp=lambda F, x, y, g: (
        lambda: F.mul(g, F.conj(F.exp2(F.to(x[1], y.dtype)))),
        lambda: F.mul(F.mul(g, F.conj(y)), math.log(2)),
    ),
    saves=("other for self", "result"),
    samples=lambda make: [
        sample(make(2, 3), make.ints(3)),
        sample(make(2, 3), make(2, 1)),
        sample(make.ints(3), make.ints(3)),
        sample(make(2) + 1j * make(2), make(2)),
    ],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("ldexp(): argument 'other' (position 2) must be Tensor, not int", make(2), 2),
    ],
)
def ldexp(input: Tensor, other: Tensor) -> None:
    """input * 2 ** other.

    Smooth everywhere.

    Unlike torch: where `other` is a negative integer the gradient of `input` is 2 ** other, not 0; of float16
    2 ** other may be more than float16 can hold.
    """


_signed_type = pointwise(_PAIR, compute="float", check=without("copysign_cpu", COMPLEX))


def _copysign_type(input: Any, other: Any) -> Type:
    if type(input) is not Type:
        raise no_overload("copysign", (input, other))
    found: Type = _signed_type(input, other)
    return found


@elementwise(
    "copysign",
    "y = copysign(input, other)",
    compute="float",
    infer=_copysign_type,
    vjp=lambda F, x, y, g: (
        lambda: F.mul(g, _turn(F, x[0], y)),
        None if is_number(x[1]) else lambda: F.zeros_like(g),
    ),
    grad_fn=lambda x, given: "CopysignBackward1" if is_number(x[1]) else "CopysignBackward0",
    saves=("result", "self for self"),
    samples=lambda make: [
        sample(make(2, 3), make(3)),
        sample(make(3), -2),
        sample(make(), make()),
        sample(make.ints(3), make.ints(3, low=-4)),
    ],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("\"copysign_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j, make(2)),
        refused("copysign() received an invalid combination of arguments - got (int, Tensor)", 2, make(2)),
    ],
)
def copysign(input: Tensor | Number, other: Tensor | Number) -> None:
    """The absolute value of `input` with the sign of `other`, that of -0.0 too.

    The gradient is 0 where `input` is 0; by `other` it is 0 everywhere.
    """


def _turn(F: Any, x: Any, y: Any) -> Any:
    zero = F.eq(x, 0.0)
    return F.where(zero, 0, F.div(y, F.where(zero, 1, x)))


@elementwise(
    "nextafter",
    "y = nextafter(input, other)",
    infer=tensors_only("nextafter", _NAMES, pointwise(_PAIR, check=floating("nextafter_cpu"))),
    vjp=lambda F, x, y, g: (lambda: F.where(F.ne(x[0], x[1]), g, 0), lambda: F.zeros_like(g)),
    saves=("other for self", "self for self"),
    samples=lambda make: [sample(make(2, 3), make(3)), sample(make(), make())],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("\"nextafter_cpu\" not implemented for 'Long'", make.ints(2), make.ints(2)),
        refused("nextafter(): argument 'other' (position 2) must be Tensor, not int", make(2), 2),
    ],
)
def nextafter(input: Tensor, other: Tensor) -> None:
    """The floating number next to `input` on the side of `other`.

    The gradient by `input` is 1, and 0 where both are equal; by `other` it is 0.
    """


def _finite_rule(F: Any, x: Any, y: Any, g: Any, **settings: Any) -> Any:
    return (lambda: F.mul(g, F.isfinite(x[0])),)


@elementwise(
    "nan_to_num",
    "y = finite(input, nan, posinf, neginf)",
    vjp=_finite_rule,
    saves=("self",),
    samples=lambda make: [
        sample(make(2, 3)),
        sample(np.array([math.nan, math.inf, -math.inf, 0.5]), 1.0, 2.0, -3.0),
        sample(make(), nan=1.5),
        sample(make.ints(3)),
    ],
)
def nan_to_num(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> None:
    """`input` with numbers for NaN and the infinities: 0, the largest and the smallest unless given.

    The gradient is 0 where a number was put.

    Unlike torch: complex tensors have a gradient, too.
    """


_check_step = not_complex("heaviside is not yet implemented for complex tensors.", DTypeError)


def _step_type(input: Type, values: Type) -> Type:
    for each in (input, values):
        _check_step(each.dtype)
    if input.dtype is not values.dtype:
        raise DTypeError("heaviside is not yet implemented for tensors with different dtypes.")
    found: Type = pointwise(_PAIR)(input, values)
    return found


@elementwise(
    "heaviside",
    "y = step_at(input, values)",
    infer=tensors_only("heaviside", ("input", "values"), _step_type),
    vjp=NoDerivative("derivative for aten::heaviside is not implemented"),
    grad_fn="NotImplemented",
    samples=lambda make: [sample(make(2, 3), make(3)), sample(make.ints(3), make.ints(3))],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("heaviside is not yet implemented for tensors with different dtypes.", make(2), make.ints(2)),
        refused("heaviside is not yet implemented for complex tensors.", make(2) + 1j, make(2) + 1j),
        refused("heaviside(): argument 'values' (position 2) must be Tensor, not int", make(2), 2),
    ],
)
def heaviside(input: Tensor, values: Tensor) -> None:
    """0 where `input` is negative or NaN, 1 where it is positive, `values` where it is 0.

    No derivative.
    """
