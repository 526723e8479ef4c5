"""Smooth activations, and those with a weight or a gate of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, elementwise, kernel, unary
from engine.dtypes import DType
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.activation import _elu_slope
from engine.ops.dtype_checks import floating
from engine.ops.softmax import softmax
from engine.signature import Array, Dim, Number, Tensor
from engine.types import Type

_LONG = "not implemented for 'Long'"
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805


@elementwise(
    "_celu",
    "m = less_equal(input, 0); s = divide(1, alpha); t = multiply(input, s); t = expm1(t);"
    " t = multiply(t, alpha); y = select(m, t, input)",
    check=floating("elu_cpu"),
    vjp=lambda F, x, y, g, alpha: (lambda: _elu_slope(F, x[0], g, alpha, 1, 1 / alpha),),
    grad_fn="CeluBackward0",
    saves=("alpha", "self"),
    samples=lambda make: [],
)
def _celu(input: Tensor, alpha: Number) -> None:
    """`celu` for an alpha that is not 0.

    As `celu`.
    """


@composite(
    "nn.functional.celu",
    samples=lambda make: [sample(make(2, 3)), sample(make(), 1.5), sample(make(3), alpha=2)],
    refusals=lambda make: [
        refused(f'"elu_cpu" {_LONG}', make.ints(2)),
        refused("ZeroDivisionError: alpha cannot be 0 for CELU", make(2), 0),
    ],
)
def celu(F: Any, input: Tensor, alpha: Number = 1.0) -> Any:
    """`input` where it is positive, else alpha * (exp(input / alpha) - 1).

    Smooth but for the curvature at 0, where it is that of the lower side.
    """
    if alpha == 0:
        raise RuntimeArgumentError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return F._celu(input, alpha)


@composite(
    "nn.functional.selu",
    samples=lambda make: [sample(make(2, 3)), sample(make())],
    refusals=lambda make: [refused(f'"elu_cpu" {_LONG}', make.ints(2))],
)
def selu(F: Any, input: Tensor) -> Any:
    """`elu` scaled so that means and variances of layers stay 0 and 1.

    The gradient at 0 is that of the lower side, 1.758….
    """
    return F._elu(input, _SELU_ALPHA, _SELU_SCALE)


def _mish_slope(F: Any, x: Any, g: Any) -> Any:
    gate = F.tanh(F.softplus(x))
    steep = F.mul(F.mul(x, F.sigmoid(x)), F.rsub(F.mul(gate, gate), 1))
    return F.mul(g, F.add(gate, steep))


mish = unary(
    "nn.functional.mish",
    "t = exp(input); t = log1p(t); t = tanh(t); y = multiply(input, t)",
    compute="promote",
    check=floating("mish_cpu"),
    doc="input * tanh(softplus(input)).\n\nSmooth everywhere. At ±inf the gradient is NaN.",
    vjp=lambda F, x, y, g: _mish_slope(F, x, g),
    saves=("self",),
    samples=lambda make: [sample(make(2, 3)), sample(make())],
    refusals=lambda make: [refused(f'"mish_cpu" {_LONG}', make.ints(2))],
)

logsigmoid = unary(
    "nn.functional.logsigmoid",
    "t = negative(input); t = logaddexp(t, 0); y = negative(t)",
    compute="promote",
    check=floating("log_sigmoid_cpu"),
    doc="The logarithm of the sigmoid, without its underflow.\n\nSmooth everywhere.\n\n"
    "Unlike torch: its node saves no buffer.",
    vjp=lambda F, x, y, g: F.mul(g, F.sigmoid(F.neg(x))),
    grad_fn="LogSigmoidBackward0",
    saves=("self",),
    samples=lambda make: [sample(make(2, 3)), sample(make())],
    refusals=lambda make: [refused(f'"log_sigmoid_cpu" {_LONG}', make.ints(2))],
)


@composite(
    "nn.functional.softsign",
    samples=lambda make: [sample(make(2, 3)), sample(make()), sample(make.ints(3, low=-5))],
    refusals=lambda make: [refused("\"abs_cpu\" not implemented for 'Bool'", make.bools(2))],
)
def softsign(F: Any, input: Tensor) -> Any:
    """input / (1 + abs(input)).

    The slope at 0 is 1, the second derivative there 0.
    """
    return F.div(input, F.add(F.abs(input), 1))


@composite(
    "nn.functional.tanhshrink",
    samples=lambda make: [sample(make(2, 3)), sample(make()), sample(make.ints(3, low=-5))],
    refusals=lambda make: [refused("with a bool tensor is not supported", make.bools(2))],
)
def tanhshrink(F: Any, input: Tensor) -> Any:
    """input - tanh(input).

    Smooth everywhere.
    """
    return F.sub(input, F.tanh(input))


def _prelu_vjp(F: Any, x: Any, y: Any, g: Any) -> Any:
    return (
        lambda: F.where(F.gt(x[0], 0), g, F.mul(x[1], g)),
        lambda: F.where(F.gt(x[0], 0), 0, F.mul(x[0], g)),
    )


@elementwise(
    "_prelu_kernel",
    "m = greater(input, 0); t = multiply(input, weight); y = select(m, input, t)",
    check=floating("prelu_cpu"),
    vjp=_prelu_vjp,
    grad_fn="PreluKernelBackward0",
    saves=("self", "weight"),
    samples=lambda make: [],
)
def _prelu_kernel(input: Tensor, weight: Tensor) -> None:
    """`prelu` with a weight that broadcasts.

    As `prelu`.
    """


@composite(
    "nn.functional.prelu",
    samples=lambda make: [
        sample(make(2, 3), make(3)),
        sample(make(2, 3, 2), make(1)),
        sample(make(2, 2, 2), make(2)),
        sample(make(), make()),
        sample(make(3), make()),
    ],
    refusals=lambda make: [
        refused("Not allow zero-dim input tensor.", make(), make(2)),
        refused(
            "Mismatch of parameter numbers and input channel size. Found parameter numbers = 9 and channel "
            "size = 8.",
            make(2, 8, 3),
            make(9),
        ),
        refused(
            "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = 2",
            make(2, 8, 3),
            make(2, 4),
        ),
        refused("prelu: Type promoting not supported. Got Double and Long", make(2), make.ints(1)),
    ],
)
def prelu(F: Any, input: Tensor, weight: Tensor) -> Any:
    """`input` where it is positive, else weight * input; one weight, or one for each channel (dim 1).

    At 0 the gradient is the weight.
    """
    shape, weights = input.meta.shape, weight.meta
    if input.meta.dtype is not weights.dtype:
        raise RuntimeArgumentError(
            f"prelu: Type promoting not supported. Got {input.meta.dtype.title} and {weights.dtype.title}"
        )
    if weights.numel != 1:
        if not shape:
            raise ShapeError("Not allow zero-dim input tensor.")
        channels = shape[1] if len(shape) > 1 else 1
        if channels != weights.numel:
            raise ShapeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{weights.numel} and channel size = {channels}."
            )
    if weights.ndim > 1:
        raise ShapeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weights.ndim}"
        )
    if len(shape) != weights.ndim:
        spread = [weights.numel if at == 1 else 1 for at in range(len(shape))]
        weight = F.reshape(weight, tuple(spread))
    return F._prelu_kernel(input, weight)


def _glu_type(input: Type, dim: int) -> Type:
    if not input.shape:
        raise RuntimeArgumentError("glu does not support scalars because halving size must be even")
    size = input.shape[dim]
    if size % 2:
        raise ShapeError(f"Halving dimension must be even, but dimension {input.ndim + dim} is size {size}")
    floating("glu_cpu")(input.dtype)
    shape = list(input.shape)
    shape[dim] = size // 2
    return Type(tuple(shape), input.dtype)


def _glu_vjp(F: Any, x: Any, y: Any, g: Any, dim: int) -> Any:
    def rule() -> Any:
        half = x[0].meta.shape[dim] // 2
        gate = F.sigmoid(F.narrow(x[0], dim, half, half))
        opened = F.mul(g, gate)
        steep = F.mul(F.mul(opened, F.rsub(gate, 1)), F.narrow(x[0], dim, 0, half))
        return F.cat([opened, steep], dim)

    return (rule,)


@kernel(
    "nn.functional.glu",
    kind="structural",
    infer=_glu_type,
    vjp=_glu_vjp,
    saves=("dim", "self"),
    samples=lambda make: [sample(make(2, 4)), sample(make(4, 3), 0), sample(make(2, 2, 2), dim=1)],
    refusals=lambda make: [
        refused("glu does not support scalars because halving size must be even", make()),
        refused("Halving dimension must be even, but dimension 1 is size 3", make(2, 3)),
        refused(f'"glu_cpu" {_LONG}', make.ints(2)),
    ],
)
def glu(input: Tensor, dim: Dim = -1) -> Array:
    """The first half of `input` along `dim`, times the sigmoid of the other half.

    Smooth everywhere.
    """
    passed, gate = np.split(input, 2, axis=dim)
    return np.asarray(passed / (1 + np.exp(-gate)))


@composite(
    "nn.functional.softmin",
    samples=lambda make: [sample(make(2, 3), 1), sample(make(), 0), sample(make(3), 0, dtype="float64")],
    refusals=lambda make: [
        refused("Dimension out of range", make(2, 3), 2),
        refused(f'"softmax_lastdim_kernel_impl" {_LONG}', make.ints(2), 0),
    ],
)
def softmin(F: Any, input: Tensor, dim: int | None = None, *, dtype: DType | None = None) -> Any:
    """`softmax` of -input; without `dim` along dim 0 of a tensor of 0, 1 or 3 dims, else along dim 1.

    Smooth everywhere.
    """
    if dim is None:
        dim = 0 if input.meta.ndim in (0, 1, 3) else 1
    return softmax.expand(F, (F.neg(input), dim), {"dtype": dtype})
