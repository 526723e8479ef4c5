"""gelu, in its two forms."""

from __future__ import annotations

import math
from typing import Any

from engine.define import composite, elementwise, unary
from engine.errors import RuntimeArgumentError
from engine.op import Op, refused, sample
from engine.ops.dtype_checks import floating
from engine.signature import Tensor

_EDGE = 40  # beyond it the normal density and the lower tail are 0 in float64
_DENSITY = 1 / math.sqrt(2 * math.pi)
_CUBIC = 0.044715


def _gelu_curvature(F: Any, x: Any, g: Any) -> Any:
    near = F.clamp(x, -_EDGE, _EDGE)
    squared = F.mul(near, near)
    density = F.mul(F.exp(F.mul(squared, -0.5)), _DENSITY)
    return F.mul(g, F.mul(density, F.rsub(squared, 2)))


_gelu_slope = unary(
    "_gelu_slope",
    "c = maximum(input, -40); c = minimum(c, 40); e = multiply(c, -0.7071067811865476); e = erfc(e);"
    " e = multiply(e, 0.5); p = square(c); p = multiply(p, -0.5); p = exp(p);"
    " p = multiply(p, 0.3989422804014327); p = multiply(p, c); y = add(e, p)",
    compute="promote",
    doc="The derivative of gelu.\n\nSmooth everywhere.",
    vjp=lambda F, x, y, g: _gelu_curvature(F, x, g),
    saves=("self",),
    samples=lambda make: [sample(make(2, 3))],
)


def _gelu(name: str, program: str, rule: Any, mode: str) -> Op:
    def declaration(input: Tensor, approximate: str = mode) -> None: ...

    declaration.__doc__ = "`gelu`, one of its two forms.\n\nSmooth everywhere."
    return elementwise(
        name,
        program,
        check=floating("GeluKernelImpl"),
        vjp=lambda F, x, y, g, approximate: (lambda: rule(F, x[0], g),),
        grad_fn="GeluBackward0",
        saves=("approximate", "self"),
        samples=lambda make: [sample(make(2, 3))],
    )(declaration)


def _tanh_slope(F: Any, x: Any, g: Any) -> Any:
    near = F.clamp(x, -_EDGE, _EDGE)
    squared = F.mul(near, near)
    tanh = F.tanh(F.mul(F.mul(near, F.add(F.mul(squared, _CUBIC), 1)), 2 * _DENSITY))
    inner = F.mul(F.add(F.mul(squared, 3 * _CUBIC), 1), 2 * _DENSITY)
    steep = F.mul(F.rsub(F.mul(tanh, tanh), 1), inner)
    return F.mul(g, F.mul(F.add(F.add(tanh, 1), F.mul(near, steep)), 0.5))


_gelu_none = _gelu(
    "_gelu_none",
    "c = maximum(input, -40); e = multiply(c, -0.7071067811865476); e = erfc(e); e = multiply(e, 0.5);"
    " y = multiply(e, c)",
    lambda F, x, g: F.mul(g, F._gelu_slope(x)),
    "none",
)
_gelu_tanh = _gelu(
    "_gelu_tanh",
    "c = maximum(input, -40); t = square(c); t = multiply(t, 0.044715); t = add(t, 1); t = multiply(t, c);"
    " t = multiply(t, 0.7978845608028654); t = tanh(t); t = add(t, 1); t = multiply(t, c);"
    " y = multiply(t, 0.5)",
    _tanh_slope,
    "tanh",
)


@composite(
    "nn.functional.gelu",
    samples=lambda make: [sample(make(2, 3)), sample(make(3), approximate="tanh")],
    refusals=lambda make: [
        refused("\"GeluKernelImpl\" not implemented for 'Long'", make.ints(2)),
        refused("approximate argument must be either none or tanh.", make(2), approximate="fast"),
    ],
)
def gelu(F: Any, input: Tensor, *, approximate: str = "none") -> Any:
    """input * P(N < input) for a standard normal N; "tanh" is the usual approximation of it.

    Smooth everywhere; at -inf the value and the gradient are 0, at inf the gradient is 1.

    Unlike torch: at ±inf the values are inf and 0 and the gradients 1 and 0, the limits, not NaN.
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeArgumentError("approximate argument must be either none or tanh.")
    return F._gelu_none(input) if approximate == "none" else F._gelu_tanh(input)
