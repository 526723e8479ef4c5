"""sinc, the spherical Bessel function and Airy's: waves that decay."""

from __future__ import annotations

import math
from typing import Any

from engine.define import unary
from engine.op import refused, sample
from engine.ops.normal import wide


def _samples(make: Any) -> list[Any]:
    return [sample(make(2, 3)), sample(make()), sample(make.ints(3, low=1)), sample(make(2, low=4, high=6))]


def _sinc_rule(F: Any, x: Any, y: Any, g: Any) -> Any:
    zero = F.eq(F.mul(F.mul(x, x), math.pi), 0.0)
    safe = F.where(zero, 1.0, x)
    turned = F.mul(safe, math.pi)
    slope = F.div(F.sub(F.mul(turned, F.cos(turned)), F.sin(turned)), F.mul(F.mul(safe, safe), math.pi))
    near = F.mul(x, -(math.pi**2) / 3)
    return F.mul(g, F.conj(F.where(zero, near, slope)))


sinc = unary(
    "sinc",
    f"t = multiply(input, {math.pi}); s = sin(t); z = equal(input, 0); q = divide(s, t); y = select(z, 1, q)",
    doc=(
        "sin(pi * input) / (pi * input), and 1 at 0.\n\nSmooth everywhere: its slope at 0 is 0."
        "\n\nUnlike torch: its second derivative at 0 is -pi^2 / 3, not NaN."
    ),
    vjp=_sinc_rule,
    saves=("self",),
    aliases=("special.sinc",),
    samples=lambda make: [*_samples(make), sample(make(2) + 1j * make(2))],
)


def _refusals(name: str) -> Any:
    return lambda make: [refused(f"\"{name}_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j)]


def _spherical_rule(F: Any, x: Any, y: Any, g: Any) -> Any:
    zero = F.eq(x, 0.0)
    share = F.where(zero, 1 / 3, F.div(y, F.where(zero, 1.0, x)))
    return F.mul(g, F.sub(getattr(F, "special.spherical_bessel_j0")(x), F.mul(share, 2.0)))


_spherical_bessel_j1 = unary(
    "_spherical_bessel_j1",
    "y = spherical_j1(input)",
    doc="The spherical Bessel function of order 1.\n\nSmooth everywhere.",
    vjp=_spherical_rule,
    saves=("result", "self"),
    samples=lambda make: [sample(make(2, 3))],
)
spherical_bessel_j0 = unary(
    "special.spherical_bessel_j0",
    "s = sin(input); q = divide(s, input); i = isinf(input); v = select(i, 0, q); z = equal(input, 0);"
    "y = select(z, 1, v)",
    check=wide("spherical_bessel_j0_cpu"),
    doc=(
        "sin(input) / input, and 1 at 0: the spherical Bessel function of order 0.\n\nSmooth everywhere."
        "\n\nUnlike torch: there is a derivative."
    ),
    vjp=lambda F, x, y, g: F.mul(g, F.neg(F._spherical_bessel_j1(x))),
    grad_fn="SpecialSphericalBesselJ0Backward0",
    saves=("self",),
    samples=_samples,
    refusals=_refusals("spherical_bessel_j0"),
)
_airy_slope = unary(
    "_airy_slope",
    "y = airy_slope(input)",
    doc="The derivative of the Airy function Ai.\n\nSmooth everywhere.",
    vjp=lambda F, x, y, g: F.mul(g, F.mul(x, getattr(F, "special.airy_ai")(x))),
    saves=("self",),
    samples=lambda make: [sample(make(2, 3))],
)
airy_ai = unary(
    "special.airy_ai",
    "y = airy_value(input)",
    check=wide("airy_ai_cpu"),
    doc=(
        "The Airy function Ai.\n\nSmooth everywhere."
        "\n\nUnlike torch: there is a derivative, and the sixth digit is right everywhere."
    ),
    vjp=lambda F, x, y, g: F.mul(g, F._airy_slope(x)),
    grad_fn="SpecialAiryAiBackward0",
    saves=("self",),
    samples=_samples,
    refusals=_refusals("airy_ai"),
)
