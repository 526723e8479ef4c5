"""Powers, in torch's three overloads: by a number, of a number, and of two tensors."""

from __future__ import annotations

import cmath
import math
from typing import Any

from engine.binding import no_overload
from engine.define import binary, composite, elementwise, pointwise
from engine.dtypes import BOOL, INTEGER
from engine.errors import RuntimeArgumentError
from engine.op import refused, sample
from engine.ops.arithmetic import MISMATCH
from engine.ops.dtype_checks import check_fits, without
from engine.signature import Number, Param, Tensor, is_number
from engine.types import Type

_OPERANDS = tuple(Param(name, "Tensor | Number", False, None, False) for name in ("input", "exponent"))
_power_type = pointwise(_OPERANDS, check=without("pow", BOOL))


def _scalar_type(input: Type, exponent: Number) -> Type:
    if input.dtype.category <= INTEGER and isinstance(exponent, int) and exponent < 0:
        raise RuntimeArgumentError("Integers to negative integer powers are not allowed.")
    check_fits(input.dtype, exponent)
    return _power_type(input, exponent)


def _is_zero(F: Any, base: Any, exponent: Any) -> Any:
    """Where 0 ** exponent is 0 or 1, so that its derivative by the exponent is taken as 0."""
    if exponent.dtype.is_complex:
        parts = F.view_as_real(exponent)
        real, imag = F.select(parts, -1, 0), F.select(parts, -1, 1)
        tame = F.logical_and(F.eq(imag, 0), F.ge(real, 0))
    else:
        tame = F.ge(exponent, 0)
    return tame if base is None else F.logical_and(F.eq(base, 0), tame)


def _by_base(F: Any, g: Any, base: Any, exponent: Any) -> Any:
    slope = F.mul(exponent, F.pow(base, F.sub(exponent, 1)))
    return F.mul(g, F.where(F.eq(exponent, 0.0), 0.0, F.conj(slope)))


def _by_exponent(F: Any, g: Any, base: Any, exponent: Any, result: Any) -> Any:
    slope = F.mul(result, F.log(F.to(base, result.dtype)))
    return F.mul(g, F.where(_is_zero(F, base, exponent), 0.0, F.conj(slope)))


_pow = binary(
    "_pow",
    "y = power(input, other)",
    check=without("pow", BOOL),
    doc="input ** other.\n\nAs `pow`.",
    vjp=lambda F, x, y, g: (lambda: _by_base(F, g, x[0], x[1]), lambda: _by_exponent(F, g, x[0], x[1], y)),
    grad_fn="PowBackward1",
    saves=("exponent=other", "result", "self"),
    samples=lambda make: [sample(make(2, 3, low=0.2), make(3))],
)


@elementwise(
    "_pow_scalar",
    "y = power(input, exponent)",
    infer=_scalar_type,
    vjp=lambda F, x, y, g: (lambda: _by_number(F, g, x[0], x[1]), None),
    grad_fn="PowBackward0",
    saves=("exponent", "self"),
    samples=lambda make: [sample(make(2, 3, low=0.2), 2.5), sample(make(3), 3)],
)
def pow_scalar(input: Tensor, exponent: Tensor | Number) -> None:
    """input ** exponent for a Python scalar.

    As `pow`.
    """


def _by_number(F: Any, g: Any, base: Any, exponent: Number) -> Any:
    if exponent == 0:
        return F.zeros_like(base)
    number = exponent if isinstance(exponent, complex) else float(exponent)
    return F.mul(g, F.conj(F.mul(F.pow(base, number - 1), number)))


@elementwise(
    "_pow_base",
    "y = power(self, exponent)",
    infer=_power_type,
    vjp=lambda F, x, y, g: (None, lambda: _of_number(F, g, x[0], x[1], y)),
    grad_fn="PowBackward2",
    saves=("exponent", "result", "self"),
    samples=lambda make: [sample(2, make(2, 3)), sample(2.5, make(3))],
)
def pow_base(self: Tensor | Number, exponent: Tensor) -> None:
    """self ** exponent for a Python scalar `self`.

    As `pow`.
    """


def _log(base: Number) -> Number:
    if isinstance(base, complex):
        return cmath.log(base) if base else complex(-math.inf, 0)
    return math.log(base) if base > 0 else -math.inf if base == 0 else math.nan


def _of_number(F: Any, g: Any, base: Number, exponent: Any, result: Any) -> Any:
    base = complex(base) if exponent.dtype.is_complex else base
    slope = F.conj(F.mul(result, _log(base)))
    return F.mul(g, F.where(_is_zero(F, None, exponent), 0.0, slope) if base == 0 else slope)


@composite(
    "pow",
    aliases=("power",),
    samples=lambda make: [
        sample(make(2, 3), 2),
        sample(make(2, 3, low=0.2), 0.5),
        sample(make(2, 3, low=0.2), make(3)),
        sample(2.5, make(3)),
        sample(make.ints(3), 3),
        sample(make(3) + 1j * make(3), 3),
        sample(make(2) + 1j * make(2), make(2) + 1j * make(2)),
        sample(1 + 2j, make(3)),
    ],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("Integers to negative integer powers are not allowed.", make.ints(2), -1),
        refused("\"pow\" not implemented for 'Bool'", make.bools(2), make.bools(2)),
    ],
)
def pow_(F: Any, input: Tensor | Number, exponent: Tensor | Number) -> Any:
    """input ** exponent; one of the two may be a number.

    By the base: 0 where the exponent is 0, even at NaN; infinite at 0 for exponents between 0 and 1. By the
    exponent: 0 where the base is 0 and the exponent is not negative; NaN where the base is negative.
    """
    if is_number(exponent):
        if is_number(input):
            raise no_overload("pow", (input, exponent))
        return F._pow_scalar(input, exponent)
    return F._pow_base(input, exponent) if is_number(input) else F._pow(input, exponent)


@composite(
    "square",
    samples=lambda make: [sample(make(2, 3)), sample(make.ints(3)), sample(make(2) + 1j * make(2))],
)
def square(F: Any, input: Tensor) -> Any:
    """input ** 2.

    Smooth everywhere.
    """
    return F.pow(input, 2)
