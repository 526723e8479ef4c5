"""Losses of signs and of labels without a margin's edge: soft_margin_loss, multilabel_soft_margin_loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import BOOL, FLOAT
from engine.errors import DTypeError, ValueArgumentError
from engine.kernels import promoted
from engine.leading import behind
from engine.op import refused, sample
from engine.ops.differences import reduced
from engine.ops.losses import INVALID, MEAN, loss_type, mean_loss, reduction_number, refuse_grad
from engine.signature import Array, Fixed, Tensor
from engine.types import Type, broadcast_shapes, elementwise_strides


def _soft_type(input: Type, target: Type, reduction: int) -> Type:
    dtype = promoted([input, target])
    if dtype.category == BOOL:
        raise DTypeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a "
            "mask, use the `~` or `logical_not()` operator instead."
        )
    if dtype.category < FLOAT:
        raise DTypeError(f"result type Float can't be cast to the desired output type {dtype.title}")
    shape = broadcast_shapes(input.shape, target.shape)
    return loss_type(reduction, Type(shape, dtype, elementwise_strides(shape, (input, target))))


def _soft_vjp(F: Any, x: Any, y: Any, g: Any, reduction: int) -> Any:
    input, target = x

    def rule() -> Any:
        count = int(np.prod(broadcast_shapes(input.meta.shape, target.meta.shape), dtype=int))
        share = F.div(g, max(count, 1)) if reduction == MEAN else g
        wrong = F.sigmoid(F.neg(F.mul(target, input)))
        return F.mul(F.neg(F.mul(target, wrong)), share)

    return rule, None


@kernel(
    "_soft_margin_loss",
    kind="reduction",
    infer=_soft_type,
    vjp=_soft_vjp,
    grad_fn="SoftMarginLossBackward0",
    saves=("reduction", "self", "target"),
    samples=lambda make: [],
)
def _soft_margin_loss(input: Tensor, target: Fixed, reduction: int, *, meta: Any, lead: int) -> Array:
    """log(1 + exp(-target * input)), reduced.

    Smooth everywhere.
    """
    rank = max(input.ndim, target.ndim) - lead
    scores, labels = behind(input, lead, rank), behind(target, lead, rank)
    loss = np.log1p(np.exp(np.multiply(-labels, scores).astype(meta.dtype.numpy, copy=False)))
    return mean_loss(np.asarray(loss), reduction, meta.dtype.numpy, lead)


@composite(
    "nn.functional.soft_margin_loss",
    samples=lambda make: [
        sample(make(2, 3), make.ints(2, 3, high=2) * 2 - 1),
        sample(make(2, 3), make.ints(2, 3, high=2) * 2 - 1, reduction="none"),
        sample(make(3), make.ints(3, high=2) * 2 - 1, reduction="sum"),
    ],
    refusals=lambda make: [
        refused(INVALID, make(2), make(2), reduction="avg"),
        refused("The size of tensor a (2) must match the size of tensor b (3)", make(2), make.ints(3)),
        refused("is not differentiable with respect to argument 'target'", make(2), make(2)),
    ],
)
def soft_margin_loss(
    F: Any,
    input: Tensor,
    target: Fixed,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """log(1 + exp(-target * input)) for targets -1 and 1: each, their mean or their sum.

    Smooth everywhere.
    """
    number = reduction_number(reduction, size_average, reduce)
    refuse_grad("soft_margin_loss", "target", target)
    return F._soft_margin_loss(input, target, number)


@composite(
    "nn.functional.multilabel_soft_margin_loss",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3, low=0, high=1)),
        sample(make(2, 3), make.ints(2, 3, high=2), reduction="none"),
        sample(make(3), make(3, low=0, high=1), make(3, low=0.5), reduction="sum"),
    ],
    refusals=lambda make: [
        refused("avg is not valid", make(2), make(2), reduction="avg"),
        refused("The size of tensor a (3) must match the size of tensor b (2)", make(2), make(3)),
    ],
)
def multilabel_soft_margin_loss(
    F: Any,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The mean over the classes of the cross entropy of sigmoid(input) against labels.

    Smooth everywhere.
    """
    positive = F.mul(target, F.logsigmoid(input))
    negative = F.mul(F.rsub(target, 1), F.logsigmoid(F.neg(input)))
    loss = F.neg(F.add(positive, negative))
    if weight is not None:
        loss = F.mul(loss, weight)
    loss = F.div(F.sum(loss, input.meta.ndim - 1), input.meta.shape[-1])
    if size_average is None and reduce is None and reduction not in ("none", "mean", "sum"):
        raise ValueArgumentError(f"{reduction} is not valid", actual=reduction)
    return reduced(F, loss, reduction_number(reduction, size_average, reduce))
