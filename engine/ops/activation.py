"""Activations: the elementwise nonlinearities of networks."""

from __future__ import annotations

from typing import Any

from engine.define import composite, elementwise, unary
from engine.dtypes import BOOL, COMPLEX, DType
from engine.errors import DTypeError, UnsupportedDType
from engine.op import refused, sample
from engine.ops.dtype_checks import floating
from engine.signature import Number, Tensor

_LONG = "not implemented for 'Long'"


def _check_relu(dtype: DType) -> None:
    if dtype.category == BOOL:
        raise DTypeError("Boolean inputs not supported for relu", actual=dtype.name)
    if dtype.category == COMPLEX:
        raise UnsupportedDType("clamp is not supported for complex types", actual=dtype.name)


@elementwise(
    "_threshold_backward",
    "m = less_equal(input, threshold); y = select(m, 0, grad_output)",
    vjp=lambda F, x, y, g, threshold: (
        lambda: F._threshold_backward(g, x[1], threshold),
        lambda: F.zeros_like(g),
    ),
    grad_fn="ThresholdBackwardBackward0",
    saves=("self=input", "threshold"),
    samples=lambda make: [sample(make(3), make(3), 0.1)],
)
def threshold_backward(grad_output: Tensor, input: Tensor, threshold: Number) -> None:
    """`grad_output` where `input` is above `threshold` or NaN, else 0.

    The gradient of `input` is 0.
    """


@elementwise(
    "_leaky_relu_backward",
    "m = greater(input, 0); t = multiply(grad_output, negative_slope); y = select(m, grad_output, t)",
    vjp=lambda F, x, y, g, negative_slope: (
        lambda: F._leaky_relu_backward(g, x[1], negative_slope),
        lambda: F.zeros_like(g),
    ),
    saves=("negative_slope", "self=input"),
    grad_fn="LeakyReluBackwardBackward0",
    samples=lambda make: [sample(make(3), make(3), 0.1)],
)
def leaky_relu_backward(grad_output: Tensor, input: Tensor, negative_slope: Number) -> None:
    """`grad_output` where `input` is positive, else `negative_slope` of it.

    The gradient of `input` is 0.
    """


relu = unary(
    "relu",
    "y = maximum(input, 0)",
    compute="promote",
    check=_check_relu,
    doc="`input` where it is positive, else 0.\n\nThe gradient at 0 is 0; at NaN it is 1.",
    vjp=lambda F, x, y, g: F._threshold_backward(g, y, 0),
    saves=("result",),
    aliases=("nn.functional.relu", "F.relu"),
    samples=lambda make: [sample(make(2, 3)), sample(make()), sample(make.ints(3, low=-5))],
    refusals=lambda make: [
        refused("Boolean inputs not supported for relu", make.bools(2)),
        refused("clamp is not supported for complex types", make(2) + 1j),
    ],
)


@elementwise(
    "nn.functional.leaky_relu",
    "m = greater(input, 0); t = multiply(input, negative_slope); y = select(m, input, t)",
    check=floating("leaky_relu_cpu"),
    vjp=lambda F, x, y, g, negative_slope: (lambda: F._leaky_relu_backward(g, x[0], negative_slope),),
    saves=("negative_slope", "self"),
    samples=lambda make: [sample(make(2, 3)), sample(make(3), 0.2)],
    refusals=lambda make: [refused(_LONG, make.ints(2))],
)
def leaky_relu(input: Tensor, negative_slope: Number = 0.01) -> None:
    """`input` where it is positive, else negative_slope * input.

    The gradient at 0 is `negative_slope`.
    """


def _elu_slope(F: Any, x: Any, g: Any, alpha: Number, scale: Number, input_scale: Number) -> Any:
    low = F.exp(F.mul(F.where(F.lt(x, 0), x, 0), input_scale))  # no overflow on the side not chosen
    return F.where(F.le(x, 0), F.mul(F.mul(g, low), alpha * scale * input_scale), F.mul(g, scale))


@elementwise(
    "_elu",
    "m = less_equal(input, 0); t = multiply(input, input_scale); t = expm1(t); t = multiply(t, alpha);"
    " t = multiply(t, scale); s = multiply(input, scale); y = select(m, t, s)",
    check=floating("elu_cpu"),
    vjp=lambda F, x, y, g, alpha, scale, input_scale: (
        lambda: _elu_slope(F, x[0], g, alpha, scale, input_scale),
    ),
    grad_fn="EluBackward0",
    saves=("alpha", "input_scale", "scale", "self"),
    samples=lambda make: [sample(make(2, 3)), sample(make(3), 1.5, 1.1, 0.7)],
)
def scaled_elu(input: Tensor, alpha: Number = 1.0, scale: Number = 1, input_scale: Number = 1) -> None:
    """scale * input where it is positive, else scale * alpha * (exp(input_scale * input) - 1).

    At 0 the gradient is that of the lower side.
    """


@composite(
    "nn.functional.elu",
    samples=lambda make: [sample(make(2, 3)), sample(make(3), 1.5)],
    refusals=lambda make: [refused("\"elu_cpu\" not implemented for 'Long'", make.ints(2))],
)
def elu(F: Any, input: Tensor, alpha: Number = 1.0) -> Any:
    """`input` where it is positive, else alpha * (exp(input) - 1).

    The gradient at 0 is `alpha`.
    """
    return F._elu(input, alpha)


@elementwise(
    "nn.functional.softplus",
    "s = multiply(input, beta); m = greater(s, threshold); t = exp(s); t = log1p(t); t = divide(t, beta);"
    " y = select(m, input, t)",
    check=floating("softplus_cpu"),
    vjp=lambda F, x, y, g, beta, threshold: (lambda: _softplus_slope(F, F.mul(x[0], beta), g, threshold),),
    saves=("beta", "self", "threshold"),
    samples=lambda make: [sample(make(2, 3)), sample(make(3), 2), sample(make(3, low=-3, high=3), 2, 3)],
    refusals=lambda make: [refused("\"softplus_cpu\" not implemented for 'Long'", make.ints(2))],
)
def softplus(input: Tensor, beta: Number = 1, threshold: Number = 20) -> None:
    """log(1 + exp(beta * input)) / beta; `input` itself where beta * input is above `threshold`.

    The gradient jumps to 1 above the threshold.

    Unlike torch: where beta * input is exactly `threshold`, the second derivative is that of the first, of
    the side below; torch's is not.
    """


def _softplus_slope(F: Any, scaled: Any, g: Any, threshold: Number) -> Any:
    return F.where(F.gt(scaled, threshold), g, F.mul(g, F.sigmoid(scaled)))


_FAR = 1000  # beyond it silu is 0 or the identity, in every dtype


def _silu_slope(F: Any, x: Any, g: Any) -> Any:
    near = F.clamp(x, -_FAR, _FAR)
    s = F.sigmoid(near)
    return F.mul(g, F.mul(s, F.add(F.mul(near, F.rsub(s, 1)), 1)))


silu = unary(
    "nn.functional.silu",
    "c = maximum(input, -1000); t = negative(c); t = exp(t); t = add(t, 1); y = divide(c, t)",
    compute="promote",
    check=floating("silu_cpu"),
    doc="input * sigmoid(input).\n\nSmooth everywhere. At -inf its gradient is 0, at inf 1.\n\n"
    "Unlike torch: at -inf the value is 0, not NaN, and the gradients at ±inf are 0 and 1: the limits.",
    vjp=lambda F, x, y, g: _silu_slope(F, x, g),
    saves=("self",),
    samples=lambda make: [sample(make(2, 3)), sample(make())],
    refusals=lambda make: [refused("\"silu_cpu\" not implemented for 'Long'", make.ints(2))],
)
