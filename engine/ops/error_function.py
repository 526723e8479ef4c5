"""The error function and its complement: the integrals of a bell curve."""

from __future__ import annotations

import math
from typing import Any

from engine.define import unary
from engine.dtypes import COMPLEX
from engine.op import Op, refused, sample
from engine.ops.dtype_checks import without

_SLOPE = 2 / math.sqrt(math.pi)  # at 0


def _bell(name: str, slope: float, summary: str) -> Op:
    """`name`, whose derivative is `slope` times exp(-input^2)."""

    def rule(F: Any, x: Any, y: Any, g: Any) -> Any:
        return F.mul(g, F.mul(F.exp(F.neg(F.square(x))), slope))

    return unary(
        name,
        f"y = {name}(input)",
        doc=f"{summary}\n\nSmooth everywhere.",
        vjp=rule,
        grad_fn=f"{name.capitalize()}Backward0",
        saves=("self",),
        check=without(f"{name}_vml_cpu", COMPLEX),
        aliases=(f"special.{name}",),
        samples=lambda make: [sample(make(2, 3)), sample(make()), sample(make.ints(3))],
        refusals=lambda make: [refused(f'"{name}_vml_cpu" not implemented for', make(2) + 1j)],
    )


erf = _bell("erf", _SLOPE, "2/sqrt(pi) times the integral of exp(-t^2) from 0 to `input`.")
erfc = _bell("erfc", -_SLOPE, "1 - erf(input), exact also where that is next to nothing.")
