"""The other trigonometric and hyperbolic functions, and their inverses."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from engine.define import unary
from engine.dtypes import COMPLEX, DType
from engine.errors import DTypeError
from engine.op import Op, refused, sample

_SMOOTH = "Smooth everywhere."


def _samples(low: float, high: float) -> Callable[[Any], list[Any]]:
    def samples(make: Any) -> list[Any]:
        return [
            sample(make(2, 3, low=low, high=high)),
            sample(make(low=low, high=high)),
            sample(make(3, low=0.3, high=0.8) + 1j * make(3, low=0.2, high=0.9)),
            sample(make.ints(3, low=1, high=2)),
        ]

    return samples


def _function(
    name: str,
    step: str,
    words: str,
    rule: Callable[..., Any],
    *,
    kinks: str = _SMOOTH,
    saves: str = "self",
    low: float = -0.9,
    high: float = 0.9,
) -> Op:
    return unary(
        name,
        f"y = {step}(input)",
        doc=f"{words}\n\n{kinks}",
        vjp=rule,
        saves=(saves,),
        aliases=() if step == name else (step,),
        samples=_samples(low, high),
    )


def _circle(F: Any, x: Any) -> Any:
    """1 / sqrt(1 - x^2), conjugated."""
    return F.conj(F.rsqrt(F.add(F.mul(F.neg(x), x), 1)))


def _hyperbola(F: Any, x: Any) -> Any:
    """1 / sqrt(x^2 - 1), conjugated; of complex x by two roots, for the sake of the branch."""
    if x.dtype.is_complex:
        return F.conj(F.mul(F.rsqrt(F.add(x, 1)), F.rsqrt(F.sub(x, 1))))
    return F.rsqrt(F.sub(F.mul(x, x), 1))


_ENDS = "The gradient is infinite at -1 and 1; NaN outside."
tan = _function(
    "tan",
    "tan",
    "The tangent, of radians.",
    lambda F, x, y, g: F.mul(g, F.conj(F.add(F.mul(y, y), 1))),
    kinks="Smooth between its poles.",
    saves="result",
)
asin = _function(
    "asin",
    "arcsin",
    "The inverse of the sine, from -pi/2 to pi/2.",
    lambda F, x, y, g: F.mul(g, _circle(F, x)),
    kinks=_ENDS,
)
acos = _function(
    "acos",
    "arccos",
    "The inverse of the cosine, from 0 to pi.",
    lambda F, x, y, g: F.mul(g, F.neg(_circle(F, x))),
    kinks=_ENDS,
)
atan = _function(
    "atan",
    "arctan",
    "The inverse of the tangent, from -pi/2 to pi/2.",
    lambda F, x, y, g: F.div(g, F.conj(F.add(F.mul(x, x), 1))),
)
sinh = _function(
    "sinh", "sinh", "The hyperbolic sine.", lambda F, x, y, g: F.mul(g, F.conj(F.cosh(x))), high=2
)
cosh = _function(
    "cosh", "cosh", "The hyperbolic cosine.", lambda F, x, y, g: F.mul(g, F.conj(F.sinh(x))), high=2
)
asinh = _function(
    "asinh",
    "arcsinh",
    "The inverse of the hyperbolic sine.",
    lambda F, x, y, g: F.mul(g, F.conj(F.rsqrt(F.add(F.mul(x, x), 1)))),
    high=2,
)
acosh = _function(
    "acosh",
    "arccosh",
    "The inverse of the hyperbolic cosine, not negative.",
    lambda F, x, y, g: F.mul(g, _hyperbola(F, x)),
    kinks="The gradient is infinite at 1; NaN below.",
    low=1.2,
    high=3,
)
atanh = _function(
    "atanh",
    "arctanh",
    "The inverse of the hyperbolic tangent.",
    lambda F, x, y, g: F.div(g, F.conj(F.rsub(F.mul(x, x), 1))),
    kinks="Infinite at -1 and 1, its gradient too; NaN outside.",
)


def _refuse_complex(name: str) -> Callable[[DType], None]:
    def check(dtype: DType) -> None:
        if dtype.category == COMPLEX:
            raise DTypeError(f"{name} is not supported for complex tensors.", actual=dtype.name)

    return check


def _unit(name: str, factor: float, words: str) -> Op:
    return unary(
        name,
        f"y = multiply(input, {factor!r})",
        check=_refuse_complex(name),
        doc=f"{words}\n\n{_SMOOTH}",
        vjp=lambda F, x, y, g: F.mul(g, factor),
        grad_fn=f"{name[:3].title()}2{name[4:].title()}Backward0",
        samples=lambda make: [sample(make(2, 3)), sample(make()), sample(make.ints(3))],
        refusals=lambda make: [refused(f"{name} is not supported for complex tensors.", make(2) + 1j)],
    )


deg2rad = _unit("deg2rad", math.pi / 180, "Degrees as radians.")
rad2deg = _unit("rad2deg", 180 / math.pi, "Radians as degrees.")
