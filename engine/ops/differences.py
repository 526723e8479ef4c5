"""Losses of the difference of input and target: l1_loss, smooth_l1_loss, huber_loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import FLOAT
from engine.errors import RuntimeArgumentError, ValueArgumentError
from engine.kernels import promoted
from engine.op import Op, refused, sample
from engine.ops.dtype_checks import no_kernel
from engine.ops.losses import INVALID, MEAN, NONE, loss_type, mean_loss, reduction_number
from engine.signature import Array, Tensor
from engine.types import Type, broadcast_shapes, elementwise_strides

_MISMATCH = "The size of tensor a (2) must match the size of tensor b (3)"
_WEIGHTS = "Weights and input must have the same size."


def reduced(F: Any, loss: Any, reduction: int) -> Any:
    """The elements of a loss, their mean or their sum, as nodes of their own."""
    if reduction == NONE:
        return loss
    return F.mean(loss) if reduction == MEAN else F.sum(loss)


def _expanded(F: Any, input: Any, target: Any) -> tuple[Any, Any]:
    shape = broadcast_shapes(input.meta.shape, target.meta.shape)
    left, right = (each if each.meta.shape == shape else F.expand(each, shape) for each in (input, target))
    return left, right


def _weighted(F: Any, loss: Any, weight: Any, input: Any) -> Any:
    if weight.meta.shape != input.meta.shape:
        raise ValueArgumentError(_WEIGHTS)
    return F.mul(loss, weight)


def _mode(reduction: str) -> int:
    """A reduction's number, where torch refuses others with its second sentence."""
    if reduction not in ("none", "mean", "sum"):
        raise ValueArgumentError(
            f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'.", actual=reduction
        )
    return reduction_number(reduction, None, None)


@composite(
    "nn.functional.l1_loss",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3)),
        sample(make(2, 3), make(2, 3), reduction="none"),
        sample(make(2, 3), make(3), reduction="sum"),
        sample(make(2, 3), make(2, 3), weight=make(2, 3, low=0.5)),
    ],
    refusals=lambda make: [
        refused(_MISMATCH, make(2), make(3)),
        refused(INVALID, make(2), make(2), reduction="avg"),
        refused(_WEIGHTS, make(2, 3), make(2, 3), weight=make(3)),
        refused("mean(): could not infer output dtype.", make.ints(2), make.ints(2)),
    ],
)
def l1_loss(
    F: Any,
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Any:
    """The absolute difference of `input` and `target`: each, their mean or their sum.

    Where they are equal the gradient is 0.
    """
    left, right = _expanded(F, input, target)
    if weight is None:
        number = reduction_number(reduction, size_average, reduce)
        return reduced(F, F.abs(F.sub(left, right)), number)
    older = size_average is not None or reduce is not None
    weighted = _weighted(F, F.abs(F.sub(left, right)), weight, input)
    number = reduction_number(reduction, size_average, reduce) if older else _mode(reduction)
    if number == MEAN:
        return F.div(F.sum(weighted), F.sum(weight))
    return reduced(F, weighted, number)


def _coarse_type(kernel_name: str) -> Any:
    def infer(input: Type, target: Type, reduction: int, width: float) -> Type:
        dtype = promoted([input, target])
        if dtype.category != FLOAT:
            raise no_kernel(kernel_name, dtype)
        shape = broadcast_shapes(input.shape, target.shape)
        return loss_type(reduction, Type(shape, dtype, elementwise_strides(shape, (input, target))))

    return infer


def _define(name: str, grad_fn: str, kernel_name: str, bent: Any, slope: Any, setting: str) -> Op:
    """A loss that is quadratic where the difference is less than `width`, and linear beyond."""

    def run(input: Tensor, target: Tensor, reduction: int, width: float, *, meta: Any, lead: int) -> Array:
        """Quadratic near 0, linear beyond `width`.

        Smooth but for the curvature at `width`.
        """
        dtype = meta.dtype.numpy
        apart = np.abs(np.subtract(input.astype(dtype, copy=False), target.astype(dtype, copy=False)))
        return mean_loss(bent(apart, dtype.type(width)), reduction, dtype, lead)

    def rule(F: Any, x: Any, y: Any, g: Any, reduction: int, width: float) -> Any:
        def of_input() -> Any:
            share = F.div(g, max(x[0].meta.numel, 1)) if reduction == MEAN else g
            return F.mul(slope(F, F.sub(x[0], x[1]), width), share)

        return of_input, lambda: F.neg(of_input())

    return kernel(
        name,
        kind="reduction",
        infer=_coarse_type(kernel_name),
        vjp=rule,
        grad_fn=grad_fn,
        saves=(f"{setting}=width", "reduction", "self", "target"),
        samples=lambda make: [],
    )(run)


_smooth_l1_loss = _define(
    "_smooth_l1_loss",
    "SmoothL1LossBackward0",
    "smooth_l1_cpu",
    lambda apart, beta: np.where(apart < beta, 0.5 * apart * apart / beta, apart - 0.5 * beta),
    lambda F, apart, beta: F.clamp(F.div(apart, beta), -1, 1),
    "beta",
)
_huber_loss = _define(
    "_huber_loss",
    "HuberLossBackward0",
    "huber_cpu",
    lambda apart, delta: np.where(apart < delta, 0.5 * apart * apart, delta * (apart - 0.5 * delta)),
    lambda F, apart, delta: F.clamp(apart, -delta, delta),
    "delta",
)


@composite(
    "nn.functional.smooth_l1_loss",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3)),
        sample(make(2, 3), make(2, 3), reduction="none"),
        sample(make(2, 3), make(3), reduction="sum", beta=0.5),
        sample(make(2, 3), make(2, 3), beta=0.0),
    ],
    refusals=lambda make: [
        refused(_MISMATCH, make(2), make(3)),
        refused(INVALID, make(2), make(2), reduction="avg"),
        refused("smooth_l1_loss does not support negative values for beta.", make(2), make(2), beta=-1.0),
        refused("\"smooth_l1_cpu\" not implemented for 'Long'", make.ints(2), make.ints(2)),
    ],
)
def smooth_l1_loss(
    F: Any,
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """l1_loss less beta / 2, and quadratic where the difference is below `beta`; beta 0 is l1_loss.

    Smooth but for the curvature at ±beta; for beta 0 the gradient of equal elements is 0.
    """
    number = reduction_number(reduction, size_average, reduce)
    left, right = _expanded(F, input, target)
    if beta == 0:
        return reduced(F, F.abs(F.sub(left, right)), number)
    if beta < 0:
        raise RuntimeArgumentError("smooth_l1_loss does not support negative values for beta.")
    return F._smooth_l1_loss(left, right, number, beta)


@composite(
    "nn.functional.huber_loss",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3)),
        sample(make(2, 3), make(2, 3), reduction="none"),
        sample(make(2, 3), make(3), reduction="sum", delta=0.5),
        sample(make(2, 3), make(2, 3), weight=make(2, 3, low=0.5)),
    ],
    refusals=lambda make: [
        refused(_MISMATCH, make(2), make(3)),
        refused(INVALID, make(2), make(2), reduction="avg"),
        refused("huber_loss does not support non-positive values for delta.", make(2), make(2), delta=0.0),
        refused("\"huber_cpu\" not implemented for 'Long'", make.ints(2), make.ints(2)),
        refused(_WEIGHTS, make(2, 3), make(2, 3), weight=make(3)),
    ],
)
def huber_loss(
    F: Any,
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Any:
    """Half the squared difference where it is below `delta`, else delta * (difference - delta / 2).

    Smooth but for the curvature at ±delta.
    """
    left, right = _expanded(F, input, target)
    number = reduction_number(reduction, None, None) if weight is None else NONE
    if weight is not None and weight.meta.shape != input.meta.shape:
        raise ValueArgumentError(_WEIGHTS)
    if delta <= 0:
        raise RuntimeArgumentError("huber_loss does not support non-positive values for delta.")
    loss = F._huber_loss(left, right, number, delta)
    return loss if weight is None else reduced(F, F.mul(loss, weight), _mode(reduction))
