"""Exponentials and logarithms of other bases, near 0 and 1, and of sums."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from engine.define import elementwise, pointwise, unary
from engine.dtypes import BOOL, COMPLEX, INTEGER
from engine.op import Op, refused, sample
from engine.ops.arithmetic import MISMATCH
from engine.ops.dtype_checks import without
from engine.ops.tensor_checks import tensors_only
from engine.signature import Param, Tensor

_LN2, _LN10 = math.log(2), math.log(10)
_POLE = "The gradient is infinite at {}; below it is as above, the value NaN."


def _samples(low: float) -> Callable[[Any], list[Any]]:
    return lambda make: [
        sample(make(2, 3, low=low)),
        sample(make(low=low)),
        sample(make(3, low=low) + 1j * make(3, low=0.2)),
        sample(make.ints(3, low=1)),
    ]


exp2 = unary(
    "exp2",
    "y = power_of_two(input)",
    doc="2 to the power of `input`.\n\nSmooth everywhere.",
    vjp=lambda F, x, y, g: F.mul(F.mul(g, F.conj(y)), _LN2),
    saves=("result",),
    aliases=("special.exp2",),
    samples=_samples(-2),
)
expm1 = unary(
    "expm1",
    "y = expm1(input)",
    doc="exp(input) - 1, exact also where that is next to nothing.\n\nSmooth everywhere.",
    vjp=lambda F, x, y, g: F.mul(g, F.add(F.conj(y), 1)),
    saves=("result",),
    aliases=("special.expm1",),
    samples=_samples(-2),
)
log1p = unary(
    "log1p",
    "y = log1p(input)",
    doc=f"log(1 + input), exact also where input is next to nothing.\n\n{_POLE.format(-1)}",
    vjp=lambda F, x, y, g: F.div(g, F.conj(F.add(x, 1))),
    grad_fn="Log1PBackward0",
    saves=("self",),
    aliases=("special.log1p",),
    samples=_samples(-0.8),
)
log2 = unary(
    "log2",
    "y = log2(input)",
    doc=f"The logarithm to base 2.\n\n{_POLE.format(0)}",
    vjp=lambda F, x, y, g: F.div(g, F.mul(F.conj(x), _LN2)),
    saves=("self",),
    samples=_samples(0.2),
)
log10 = unary(
    "log10",
    "y = log10(input)",
    doc=f"The logarithm to base 10.\n\n{_POLE.format(0)}",
    vjp=lambda F, x, y, g: F.div(g, F.mul(F.conj(x), _LN10)),
    saves=("self",),
    samples=_samples(0.2),
)

_PAIR = tuple(Param(name, "Tensor", False, None, False) for name in ("input", "other"))


def _of_sum(name: str, step: str, base: str, *refuses: int) -> Op:
    """`name`, the logarithm of a sum of two powers of `base`."""
    infer = pointwise(_PAIR, check=without(f"{name}_cpu", BOOL, INTEGER, *refuses))

    def share(F: Any, g: Any, one: Any, other: Any) -> Any:
        difference = F.sub(other, one)
        power = F.exp(difference) if base == "e" else F.exp2(difference)
        return F.div(g, F.conj(F.add(power, 1)))

    def samples(make: Any) -> list[Any]:
        found = [sample(make(2, 3), make(3)), sample(make(), make(2)), sample(make(2), make.ints(2))]
        return found if refuses else [*found, sample(make(2) + 1j * make(2), make(2) - 1j)]

    def declaration(input: Tensor, other: Tensor) -> None: ...

    declaration.__doc__ = (
        f"The logarithm to base {base} of {base}**input + {base}**other, without overflow.\n\n"
        "Smooth everywhere; the gradient is NaN where both are the same infinity."
    )
    return elementwise(
        name,
        f"y = {step}(input, other)",
        infer=tensors_only(name, ("input", "other"), infer),
        vjp=lambda F, x, y, g: (lambda: share(F, g, x[0], x[1]), lambda: share(F, g, x[1], x[0])),
        saves=("other", "self"),
        samples=samples,
        refusals=lambda make: [
            refused(MISMATCH, make(3), make(2)),
            refused(f"\"{name}_cpu\" not implemented for 'Long'", make.ints(2), make.ints(2)),
            refused(f"{name}(): argument 'other' (position 2) must be Tensor, not int", make(2), 2),
        ],
    )(declaration)


logaddexp = _of_sum("logaddexp", "log_of_sum", "e")
logaddexp2 = _of_sum("logaddexp2", "logaddexp2", "2", COMPLEX)
