"""fmod, the larger and smaller number of two where NaN is none, the hypotenuse and its angle."""

from __future__ import annotations

from typing import Any

from engine.binding import no_overload
from engine.define import binary, composite, elementwise, pointwise
from engine.dtypes import BOOL, COMPLEX, complex128, float64
from engine.errors import DTypeError
from engine.op import Op, refused, sample
from engine.ops.arithmetic import MISMATCH
from engine.ops.dtype_checks import floating, not_complex, without
from engine.ops.tensor_checks import tensors_only
from engine.signature import Number, Param, Tensor, is_number

_PAIR = tuple(Param(name, "Tensor", False, None, False) for name in ("input", "other"))
_NAMES = ("input", "other")
_check_fmod = without("fmod_cpu", COMPLEX, BOOL)
_fmod = binary(
    "_fmod",
    "y = modulo_trunc(input, other)",
    check=_check_fmod,
    doc="input - trunc(input / other) * other.\n\nThe jumps are ignored.",
    vjp=lambda F, x, y, g: (lambda: g, lambda: F.neg(F.mul(g, F.div(x[0], x[1], rounding_mode="trunc")))),
    grad_fn="FmodBackward1",
    saves=("other for other", "self for other"),
    samples=lambda make: [sample(make(2, 3), make(3, low=0.5))],
)


@elementwise(
    "_fmod_scalar",
    "y = modulo_trunc(input, other)",
    check=_check_fmod,
    vjp=lambda F, x, y, g: (lambda: g, None),
    grad_fn="FmodBackward0",
    samples=lambda make: [sample(make(2, 3), 0.7)],
)
def fmod_scalar(input: Tensor, other: Tensor | Number) -> None:
    """The remainder by a Python scalar.

    The jumps are ignored: the gradient is 1 everywhere.
    """


@composite(
    "fmod",
    samples=lambda make: [
        sample(make(2, 3), make(3, low=0.5)),
        sample(make(3), -0.7),
        sample(make(), make(low=0.5)),
        sample(make.ints(3, low=-5), 3),
    ],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("ZeroDivisionError", make.ints(2), 0),
        refused("\"fmod_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j * make(2), 2),
        refused("fmod() received an invalid combination of arguments - got (int, Tensor)", 2, make(2)),
    ],
)
def fmod(F: Any, input: Tensor | Number, other: Tensor | Number) -> Any:
    """The remainder of input / other, with the sign of `input`.

    The jumps are ignored: the gradient is 1 for `input` and -trunc(input / other) for `other` everywhere.
    """
    if is_number(input):
        raise no_overload("fmod", (input, other))
    return F._fmod_scalar(input, other) if is_number(other) else F._fmod(input, other)


def _extreme(name: str, wins: str, words: str) -> Op:
    """`name`: of two numbers the one that `wins`."""

    def first(F: Any, x: Any) -> Any:
        return F.logical_or(getattr(F, wins)(x[0], x[1]), F.isnan(x[1]))

    def declaration(input: Tensor, other: Tensor) -> None: ...

    declaration.__doc__ = (
        f"{words} of `input` and `other`; NaN only where both are.\n\n"
        "At a tie `input` gets all of the gradient, also where both are NaN."
    )
    check = not_complex(f"{name} not implemented for complex tensors.", DTypeError)
    return elementwise(
        name,
        f"y = {name}(input, other)",
        infer=tensors_only(name, _NAMES, pointwise(_PAIR, check=check)),
        vjp=lambda F, x, y, g: (
            lambda: F.where(first(F, x), g, 0),
            lambda: F.where(first(F, x), 0, g),
        ),
        saves=("other", "self"),
        samples=lambda make: [
            sample(make(2, 3), make(3)),
            sample(make(), make()),
            sample(make.ints(3), make(3)),
            sample(make.ints(3), make.ints(3)),
        ],
        refusals=lambda make: [
            refused(MISMATCH, make(3), make(2)),
            refused(f"{name} not implemented for complex tensors.", make(2) + 1j, make(2)),
            refused(f"{name}(): argument 'other' (position 2) must be Tensor, not int", make(2), 2),
        ],
    )(declaration)


fmax = _extreme("fmax", "ge", "The larger")
fmin = _extreme("fmin", "le", "The smaller")


@elementwise(
    "hypot",
    "y = hypot(input, other)",
    infer=tensors_only("hypot", _NAMES, pointwise(_PAIR, check=floating("hypot_cpu"))),
    vjp=lambda F, x, y, g: (
        lambda: F.mul(g, F.div(x[0], y)),
        lambda: F.mul(g, F.div(x[1], y)),
    ),
    saves=("other for other", "result", "self for self"),
    samples=lambda make: [sample(make(2, 3), make(3)), sample(make(), make()), sample(make(2), make.ints(2))],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("\"hypot_cpu\" not implemented for 'Long'", make.ints(2), make.ints(2)),
        refused("hypot(): argument 'other' (position 2) must be Tensor, not int", make(2), 2),
    ],
)
def hypot(input: Tensor, other: Tensor) -> None:
    """sqrt(input^2 + other^2), without overflow.

    The gradient is NaN where both are 0.
    """


def _angle_rule(F: Any, x: Any, y: Any, g: Any) -> Any:
    square = F.add(F.mul(x[0], x[0]), F.mul(x[1], x[1]))
    zero = F.eq(square, 0.0)
    inverse = F.where(zero, 0, F.reciprocal(F.where(zero, 1, square)))
    return (
        lambda: F.mul(F.mul(g, x[1]), inverse),
        lambda: F.mul(F.mul(g, F.neg(x[0])), inverse),
    )


@elementwise(
    "atan2",
    "y = arctan2(input, other)",
    compute="float",
    infer=tensors_only(
        "atan2", _NAMES, pointwise(_PAIR, compute="float", check=without("atan2_cpu", COMPLEX))
    ),
    vjp=_angle_rule,
    saves=("other", "self"),
    aliases=("arctan2",),
    samples=lambda make: [
        sample(make(2, 3), make(3)),
        sample(make(), make()),
        sample(make.ints(3), make(3)),
        sample(make.ints(3), make.ints(3)),
    ],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("\"atan2_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j, make(2)),
        refused("atan2(): argument 'other' (position 2) must be Tensor, not int", make(2), 2),
    ],
)
def atan2(input: Tensor, other: Tensor) -> None:
    """The angle of the point (other, input), from -pi to pi.

    The gradient is 0 where both are 0.
    """


@composite(
    "float_power",
    samples=lambda make: [
        sample(make(2, 3, low=0.2), make(3)),
        sample(make(3), 2),
        sample(2, make(3)),
        sample(make.ints(3), 3),
        sample(make(2, low=0.3).astype("float32"), 1.5),
        sample(make(2) + 1j, 2),
    ],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("float_power() received an invalid combination of arguments - got (int, int)", 2, 3),
    ],
)
def float_power(F: Any, input: Tensor | Number, exponent: Tensor | Number) -> Any:
    """input ** exponent in float64, or complex128 where one of the two is complex.

    As `pow`.
    """
    pair = (input, exponent)
    if all(map(is_number, pair)):
        raise no_overload("float_power", pair)
    dtype = complex128 if any(map(_is_complex, pair)) else float64
    return F.pow(*(_as(F, each, dtype) for each in pair))


def _is_complex(operand: Any) -> bool:
    return isinstance(operand, complex) if is_number(operand) else bool(operand.meta.dtype.is_complex)


def _as(F: Any, operand: Any, dtype: Any) -> Any:
    if not is_number(operand):
        return F.to(operand, dtype)
    return complex(operand) if dtype is complex128 else float(operand)
