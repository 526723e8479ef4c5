"""The normal distribution's integral and its kin, exact also in the tails."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from engine.define import composite, elementwise, unary
from engine.dtypes import COMPLEX, DType, float16, get_default_dtype
from engine.op import Op, refused, sample
from engine.ops.dtype_checks import no_kernel, without
from engine.signature import Number, Tensor

_SQRT_PI = math.sqrt(math.pi)
_SQRT_2_PI = math.sqrt(2 * math.pi)
_SMOOTH = "Smooth everywhere."


def wide(kernel: str) -> Callable[[DType], None]:
    """Refuse complex dtypes and float16: torch's `kernel` has none."""

    def check(dtype: DType) -> None:
        if dtype.category == COMPLEX or dtype is float16:
            raise no_kernel(kernel, dtype)

    return check


def _function(
    name: str,
    words: str,
    rule: Callable[..., Any],
    *saves: str,
    kinks: str = _SMOOTH,
    low: float = -2.0,
    high: float = 2.0,
) -> Op:
    """special.`name`, which scipy has under the same name."""
    return unary(
        f"special.{name}",
        f"y = {name}(input)",
        check=wide(f"{name}_cpu"),
        doc=f"{words}\n\n{kinks}",
        vjp=rule,
        grad_fn=f"Special{''.join(map(str.title, name.split('_')))}Backward0",
        saves=saves,
        samples=lambda make: [
            sample(make(2, 3, low=low, high=high)),
            sample(make(low=low, high=high)),
            sample(make.ints(3, high=1)),
        ],
        refusals=lambda make: [
            refused(f"\"{name}_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j),
            refused(f"\"{name}_cpu\" not implemented for 'Half'", make(2).astype("float16")),
        ],
    )


erfcx = _function(
    "erfcx",
    "exp(input^2) * erfc(input).",
    lambda F, x, y, g: F.mul(F.sub(F.mul(F.mul(x, 2.0), y), 2.0 / _SQRT_PI), g),
    "result",
    "self",
)
log_ndtr = _function(
    "log_ndtr",
    "The logarithm of the probability that a normal number is less than `input`.",
    lambda F, x, y, g: F.mul(F.div(g, _SQRT_2_PI), F.exp(F.neg(F.add(y, F.div(F.mul(x, x), 2))))),
    "result",
    "self",
)
ndtri = _function(
    "ndtri",
    "The inverse of ndtr: what a normal number is less than with probability `input`.",
    lambda F, x, y, g: F.mul(F.mul(g, _SQRT_2_PI), F.exp(F.div(F.mul(y, y), 2))),
    "result",
    kinks="Infinite at 0 and 1, its gradient too; NaN outside.",
    low=0.1,
    high=0.9,
)
erfinv = unary(
    "erfinv",
    "y = erfinv(input)",
    check=without("erfinv_vml_cpu", COMPLEX),
    doc="The inverse of the error function.\n\nInfinite at -1 and 1, its gradient too; NaN outside.",
    vjp=lambda F, x, y, g: F.mul(F.mul(F.exp(F.pow(F.erfinv(x), 2)), 0.5 * _SQRT_PI), g),
    saves=("self",),
    aliases=("special.erfinv",),
    samples=lambda make: [
        sample(make(2, 3, low=-0.8, high=0.8)),
        sample(make(low=-0.8, high=0.8)),
        sample(make.ints(3, high=1)),
    ],
    refusals=lambda make: [refused("\"erfinv_vml_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j)],
)


@elementwise(
    "_add_scalar",
    "y = add(input, other)",
    vjp=lambda F, x, y, g, other: (lambda: g,),
    grad_fn="AddBackward1",
    samples=lambda make: [sample(make(2, 3), 2.0)],
)
def add_scalar(input: Tensor, other: Number) -> None:
    """input + other.

    Smooth everywhere.
    """


@composite(
    "special.ndtr",
    samples=lambda make: [sample(make(2, 3)), sample(make()), sample(make.ints(3))],
    refusals=lambda make: [refused("\"erf_vml_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j)],
)
def ndtr(F: Any, input: Tensor) -> Any:
    """The probability that a normal number is less than `input`.

    Smooth everywhere. Far below 0 the digits go: log_ndtr keeps them.
    """
    scaled = F._mul_scalar(_as_float(F, input), math.sqrt(0.5))
    return F._mul_scalar(F._add_scalar(F.erf(scaled), 1.0), 0.5)


def _as_float(F: Any, input: Any) -> Any:
    return input if input.meta.dtype.differentiable else F.to(input, get_default_dtype())
