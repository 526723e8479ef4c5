"""Activations with random numbers: rrelu and gumbel_softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, elementwise, kernel
from engine.dtypes import BOOL, COMPLEX, FLOAT, INTEGER
from engine.errors import DTypeError, RuntimeArgumentError
from engine.op import refused, sample
from engine.ops.dtype_checks import floating, without
from engine.signature import Array, Fixed, Number, Tensor
from engine.types import Type


def _noise_type(input: Type, lower: Number, upper: Number) -> Type:
    without("rrelu_with_noise_out_cpu", BOOL, INTEGER, COMPLEX)(input.dtype)
    if input.dtype.itemsize == 2:
        without("rrelu_with_noise_out_cpu", FLOAT)(input.dtype)
    return Type(input.shape, input.dtype)


@kernel("_rrelu_noise", kind="random", infer=_noise_type, batched="loop")
def _rrelu_noise(generator: Any, input: Fixed, lower: Number, upper: Number, *, meta: Any) -> Array:
    """1 where `input` is positive, else a slope between `lower` and `upper`; only these are drawn.

    Constant: nothing flows back.
    """
    alone = input.shape == meta.shape  # else there are samples of a batch, which share what is drawn
    leaky = (np.ascontiguousarray(input) if alone else np.zeros(meta.shape)).reshape(-1) <= 0
    noise = np.ones(leaky.shape, np.float64)
    drawn = generator.uniform(int(np.count_nonzero(leaky)), np.float64)
    noise[leaky] = drawn * (upper.real - lower.real) + lower.real
    return noise.reshape(meta.shape).astype(meta.dtype.numpy)


def _rrelu_vjp(F: Any, x: Any, y: Any, g: Any, lower: Number, upper: Number, training: bool) -> Any:
    def rule() -> Any:
        if training and upper.real - lower.real > 1e-6:
            return F.where(F.gt(x[0], 0), g, F.mul(g, x[1]))
        return F._leaky_relu_backward(g, x[0], (lower + upper) / 2)

    return rule, None


@elementwise(
    "_rrelu_with_noise",
    "m = greater(input, 0); t = multiply(input, noise); y = select(m, input, t)",
    check=floating("leaky_relu_cpu"),
    vjp=_rrelu_vjp,
    grad_fn="RreluWithNoiseBackward0",
    saves=("lower", "noise", "self", "training", "upper"),
    samples=lambda make: [],
)
def _rrelu_with_noise(input: Tensor, noise: Fixed, lower: Number, upper: Number, training: bool) -> None:
    """`input` where it is positive, else noise * input.

    At 0 the gradient is the noise.
    """


@composite(
    "nn.functional.rrelu",
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(), 0.2, 0.4),
        sample(make(2, 3, high=-0.1), training=True),
    ],
    refusals=lambda make: [
        refused("Lower bound should be less than or equal to the upper bound", make(2), 0.3, 0.1),
        refused("\"leaky_relu_cpu\" not implemented for 'Long'", make.ints(2)),
        refused("\"rrelu_with_noise_out_cpu\" not implemented for 'Long'", make.ints(2), training=True),
    ],
)
def rrelu(F: Any, input: Tensor, lower: Number = 0.125, upper: Number = 1 / 3, training: bool = False) -> Any:
    """`input` where it is positive, else input times a slope between the bounds: in training a random one.

    At 0 the gradient is the slope. The same seed draws the same slopes as torch; for a
    batch of samples slopes are drawn for positive elements, too.
    """
    if lower.real > upper.real:
        raise RuntimeArgumentError("Lower bound should be less than or equal to the upper bound")
    if training:
        noise = F._rrelu_noise(input, lower, upper)
    else:
        floating("leaky_relu_cpu")(input.meta.dtype)
        noise = F.full_like(input, (lower + upper) / 2)
    return F._rrelu_with_noise(input, noise, lower, upper, training)


def _exponential_type(input: Type) -> Type:
    if input.dtype.category != FLOAT:
        raise DTypeError(
            "Exponential distribution is a continuous probability distribution. dtype must be a floating "
            f"point but you specified {input.dtype.title}",
            actual=input.dtype.name,
        )
    return Type(input.shape, input.dtype)


@kernel("_exponential_like", kind="random", infer=_exponential_type)
def _exponential_like(generator: Any, input: Fixed, *, meta: Any) -> Array:
    """Numbers of the exponential distribution of mean 1, in the shape of `input`.

    Constant: nothing flows back.
    """
    uniform = generator.uniform(int(np.prod(meta.shape, dtype=int)), np.float64)
    found: Array = -np.log1p(-uniform)
    return found.reshape(meta.shape).astype(meta.dtype.numpy)


@composite(
    "nn.functional.gumbel_softmax",
    samples=lambda make: [sample(make(2, 3)), sample(make(3), 2.0), sample(make(2, 3), dim=0)],
    refusals=lambda make: [
        refused("dtype must be a floating point but you specified Long", make.ints(2)),
        refused("Dimension out of range", make(2), dim=1),
    ],
)
def gumbel_softmax(
    F: Any, logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Any:
    """The softmax along `dim` of logits with Gumbel noise, over `tau`; `hard` gives the class as 0 and 1.

    Smooth everywhere; `hard` has the gradient of the softmax. The same seed draws the same noise as torch.
    """
    noise = F.neg(F.log(F._exponential_like(logits)))
    soft = F.softmax(F.div(F.add(logits, noise), tau), dim)
    if not hard:
        return soft
    classes = soft.meta.shape[dim] if soft.meta.ndim else 1
    best = F.argmax(soft, dim, True)
    column = [1] * soft.meta.ndim
    if column:
        column[dim] = classes
    places = F.reshape(F.arange(classes), tuple(column))
    chosen = F.to(F.eq(places, best), soft.meta.dtype)
    return F.add(F.sub(chosen, F.detach(soft)), soft)
