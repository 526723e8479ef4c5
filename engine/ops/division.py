"""Quotients and remainders."""

from __future__ import annotations

from typing import Any

from engine.binding import no_overload
from engine.define import binary, composite, elementwise, unary, zero_rule
from engine.dtypes import BOOL, COMPLEX
from engine.errors import RuntimeArgumentError
from engine.op import NoDerivative, refused, sample
from engine.ops.arithmetic import MISMATCH
from engine.ops.dtype_checks import without
from engine.signature import Number, Tensor, is_number

_div = binary(
    "_div",
    "y = divide(input, other)",
    compute="float",
    doc="input / other.\n\nInfinite where `other` is 0, NaN where both are.",
    vjp=lambda F, x, y, g: (
        lambda: F._div(g, F.conj(x[1])),
        lambda: F.mul(F.neg(g), F.conj(F._div(F._div(x[0], x[1]), x[1]))),
    ),
    grad_fn="DivBackward0",
    saves=("other", "self for other"),
    samples=lambda make: [sample(make(2, 3), make(3, low=0.5)), sample(2, make(3, low=0.5))],
)
_ROUNDED = "The quotient of `div`, rounded.\n\nPiecewise constant: the gradient is 0, at the jumps too."


def _rounded(mode: str) -> Any:
    def declaration(input: Tensor, other: Tensor, *, rounding_mode: str = mode) -> None: ...

    declaration.__doc__ = _ROUNDED
    return elementwise(
        f"_div_{mode}",
        f"y = divide_{mode}(input, other)",
        check=without(f"div_{mode}_cpu", COMPLEX, BOOL),
        vjp=zero_rule(2),
        grad_fn="DivBackward2",
        saves=("other", "rounding_mode", "self for other"),
        samples=lambda make: [sample(make(2, 3), make(3))],
    )(declaration)


_div_floor = _rounded("floor")
_div_trunc = _rounded("trunc")


@composite(
    "div",
    aliases=("divide", "true_divide"),
    samples=lambda make: [
        sample(make(2, 3), make(2, 3, low=0.5)),
        sample(make(2, 1), make(3, low=0.5)),
        sample(make(2, 3), 2.5),
        sample(2, make(3, low=0.5)),
        sample(make(3), make(3), rounding_mode="floor"),
        sample(make(3), 0.7, rounding_mode="trunc"),
        sample(make.ints(3), make.ints(3, low=1)),
        sample(make(2) + 1j * make(2), make(2, low=0.5) + 1j * make(2)),
    ],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("div expected rounding_mode to be one of", make(2), 2, rounding_mode="up"),
        refused("ZeroDivisionError", make.ints(2), 0, rounding_mode="floor"),
    ],
)
def div(F: Any, input: Tensor | Number, other: Tensor | Number, *, rounding_mode: str | None = None) -> Any:
    """input / other: the true quotient, or rounded to "floor" or "trunc".

    Infinite where `other` is 0 and NaN where both are. A rounded quotient is piecewise constant: its gradient
    is 0, at the jumps too.
    """
    if rounding_mode is None:
        return F._div(input, other)
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeArgumentError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    return getattr(F, f"_div_{rounding_mode}")(input, other)


reciprocal = unary(
    "reciprocal",
    "y = reciprocal(input)",
    doc="1 / input.\n\nInfinite at 0, its gradient minus infinity.",
    vjp=lambda F, x, y, g: F.mul(F.neg(g), F.conj(F.mul(y, y))),
    saves=("result",),
    samples=lambda make: [
        sample(make(2, 3, low=0.5)),
        sample(make(2, low=0.5) + 1j * make(2)),
        sample(make.ints(3, low=1)),
    ],
)


@composite("_rtruediv", samples=lambda make: [sample(make(3, low=0.5), 2)])
def rtruediv(F: Any, input: Tensor, other: Tensor | Number) -> Any:
    """What Python's `other / input` does for a number `other`: a reciprocal, then a product.

    Infinite at 0.
    """
    return F.mul(F.reciprocal(input), other)


@elementwise(
    "floor_divide",
    "y = divide_floor(input, other)",
    check=without("div_floor_cpu", COMPLEX, BOOL),
    vjp=NoDerivative("derivative for aten::floor_divide is not implemented"),
    grad_fn="NotImplemented",
    samples=lambda make: [
        sample(make(2, 3), make(3, low=0.5)),
        sample(make(3), 2),
        sample(make.ints(3, low=-5), make.ints(3, low=1)),
    ],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("ZeroDivisionError", make.ints(2), 0),
        refused("\"div_floor_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j * make(2), 2),
    ],
)
def floor_divide(input: Tensor | Number, other: Tensor | Number) -> None:
    """The quotient rounded towards minus infinity.

    No derivative: `div` with rounding_mode="floor" has one, which is 0.
    """


_remainder_check = without("remainder_cpu", COMPLEX, BOOL)
_remainder = binary(
    "_remainder",
    "y = modulo(input, other)",
    check=_remainder_check,
    doc="input - floor(input / other) * other.\n\nThe jumps are ignored.",
    vjp=lambda F, x, y, g: (lambda: g, lambda: F.neg(F.mul(g, F.div(x[0], x[1], rounding_mode="floor")))),
    grad_fn="RemainderBackward1",
    saves=("other for other", "self for other"),
    samples=lambda make: [sample(make(2, 3), make(3, low=0.5))],
)


@elementwise(
    "_remainder_scalar",
    "y = modulo(input, other)",
    check=_remainder_check,
    vjp=lambda F, x, y, g: (lambda: g, None),
    grad_fn="RemainderBackward0",
    samples=lambda make: [sample(make(2, 3), 0.7)],
)
def remainder_scalar(input: Tensor, other: Tensor | Number) -> None:
    """The remainder by a Python scalar.

    The jumps are ignored: the gradient is 1 everywhere.
    """


@composite(
    "remainder",
    aliases=("mod",),
    samples=lambda make: [
        sample(make(2, 3), make(3, low=0.5)),
        sample(make(3), -0.7),
        sample(2, make(3, low=0.5)),
        sample(make.ints(3, low=-5), 3),
    ],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("ZeroDivisionError", make.ints(2), 0),
        refused("\"remainder_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j * make(2), 2),
    ],
)
def remainder(F: Any, input: Tensor | Number, other: Tensor | Number) -> Any:
    """The remainder of input / other, with the sign of `other`.

    The jumps are ignored: the gradient is 1 for `input` and -floor(input / other) for `other` everywhere.
    """
    if is_number(input) and is_number(other):
        raise no_overload("remainder", (input, other))
    return F._remainder_scalar(input, other) if is_number(other) else F._remainder(input, other)
