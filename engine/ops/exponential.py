"""Exponentials, logarithms, roots, and the trigonometric and hyperbolic functions nearest to them."""

from __future__ import annotations

from typing import Any

from engine.define import unary
from engine.op import sample


def _samples(low: float = -2.0, *, ints: bool = True) -> Any:
    def samples(make: Any) -> list[Any]:
        found = [sample(make(2, 3, low=low)), sample(make(low=low)), sample(make(3) + 1j * make(3, low=0.2))]
        return [*found, sample(make.ints(3, low=1))] if ints else found

    return samples


exp = unary(
    "exp",
    "y = exp(input)",
    doc="e to the power of `input`.\n\nSmooth everywhere.",
    vjp=lambda F, x, y, g: F.mul(g, F.conj(y)),
    saves=("result",),
    samples=_samples(),
)
log = unary(
    "log",
    "y = log(input)",
    doc="The natural logarithm.\n\nThe gradient is infinite at 0; below it is 1 / input, the value NaN.",
    vjp=lambda F, x, y, g: F.div(g, F.conj(x)),
    saves=("self",),
    samples=_samples(0.2),
)
sqrt = unary(
    "sqrt",
    "y = sqrt(input)",
    doc="The square root.\n\nThe gradient is infinite at 0; NaN below 0.",
    vjp=lambda F, x, y, g: F.div(g, F.mul(F.conj(y), 2)),
    saves=("result",),
    samples=_samples(0.2),
)
rsqrt = unary(
    "rsqrt",
    "t = sqrt(input); y = reciprocal(t)",
    doc="1 / sqrt(input).\n\nInfinite at 0, its gradient minus infinity; NaN below 0.",
    vjp=lambda F, x, y, g: F.mul(F.mul(g, -0.5), F.conj(F.pow(y, 3))),
    saves=("result",),
    samples=_samples(0.2),
)
sin = unary(
    "sin",
    "y = sin(input)",
    doc="The sine, of radians.\n\nSmooth everywhere.",
    vjp=lambda F, x, y, g: F.mul(g, F.conj(F.cos(x))),
    saves=("self",),
    samples=_samples(),
)
cos = unary(
    "cos",
    "y = cos(input)",
    doc="The cosine, of radians.\n\nSmooth everywhere.",
    vjp=lambda F, x, y, g: F.mul(g, F.neg(F.conj(F.sin(x)))),
    saves=("self",),
    samples=_samples(),
)
tanh = unary(
    "tanh",
    "y = tanh(input)",
    doc="The hyperbolic tangent.\n\nSmooth everywhere.",
    vjp=lambda F, x, y, g: F.mul(g, F.conj(F.rsub(F.mul(y, y), 1))),
    saves=("result",),
    aliases=("nn.functional.tanh", "F.tanh"),
    samples=_samples(),
)
sigmoid = unary(
    "sigmoid",
    "t = negative(input); t = exp(t); t = add(t, 1); y = reciprocal(t)",
    doc="1 / (1 + exp(-input)).\n\nSmooth everywhere.",
    vjp=lambda F, x, y, g: F.mul(g, F.conj(F.mul(F.rsub(y, 1), y))),
    saves=("result",),
    aliases=("nn.functional.sigmoid", "F.sigmoid", "special.expit", "expit"),
    samples=_samples(),
)
