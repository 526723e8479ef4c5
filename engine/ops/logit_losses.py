"""The cross entropy of logits against targets between 0 and 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, elementwise, kernel
from engine.dtypes import FLOAT
from engine.errors import DTypeError, NotImplementedYet, ValueArgumentError
from engine.leading import behind
from engine.op import refused, sample
from engine.ops.binary_losses import check_weight
from engine.ops.losses import INVALID, loss_type, mean_loss, reduction_number, refuse_grad, shared
from engine.signature import Array, Fixed, Tensor
from engine.types import Type, elementwise_strides


@elementwise(
    "_log_sigmoid",
    "t = negative(input); t = logaddexp(t, 0); y = negative(t)",
    compute="float",
    vjp=lambda F, x, y, g: (lambda: F.mul(g, F.sigmoid(F.neg(x[0]))),),
    grad_fn="LogSigmoidBackward0",
    saves=("self",),
    samples=lambda make: [],
)
def _log_sigmoid(input: Tensor) -> None:
    """The logarithm of the sigmoid, without its underflow.

    Smooth everywhere.
    """


def _logits_type(
    input: Type, target: Type, weight: Type | None, pos_weight: Type | None, reduction: int
) -> Type:
    if input.dtype.category != FLOAT:
        raise NotImplementedYet(f"\"log_sigmoid_cpu\" not implemented for '{input.dtype.title}'")
    if target.dtype.category < FLOAT:
        raise DTypeError(
            f"result type {input.dtype.title} can't be cast to the desired output type {target.dtype.title}",
            expected=input.dtype.name,
            actual=target.dtype.name,
        )
    check_weight(target.shape, pos_weight, weight)
    return loss_type(
        reduction, Type(target.shape, target.dtype, elementwise_strides(target.shape, (target, input)))
    )


def _logits_vjp(F: Any, x: Any, y: Any, g: Any, reduction: int) -> Any:
    input, target, weight, pos_weight = x

    def share() -> Any:
        return shared(F, g, reduction, input.meta.numel, weight)

    def of_input() -> Any:
        likely = F.sigmoid(input)
        if pos_weight is None:
            return F.mul(F.sub(likely, target), share())
        positive = F.mul(pos_weight, target)
        return F.mul(F.sub(F.mul(F.sub(F.add(positive, 1), target), likely), positive), share())

    def of_target() -> Any:
        if pos_weight is None:
            return F.mul(F.neg(input), share())
        log = F._log_sigmoid(input)
        return F.mul(F.sub(F.sub(log, input), F.mul(pos_weight, log)), share())

    return of_input, of_target, None, None


@kernel(
    "_binary_cross_entropy_with_logits",
    kind="reduction",
    infer=_logits_type,
    vjp=_logits_vjp,
    grad_fn="BinaryCrossEntropyWithLogitsBackward0",
    saves=("pos_weight", "reduction", "self", "target", "weight"),
    samples=lambda make: [],
)
def _binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Fixed | None,
    pos_weight: Fixed | None,
    reduction: int,
    *,
    meta: Any,
    lead: int,
) -> Array:
    """The cross entropy of each element, reduced.

    Smooth everywhere.
    """
    log = -np.logaddexp(-input, input.dtype.type(0))
    if pos_weight is not None:
        log = log * ((behind(pos_weight, lead, input.ndim - lead) - 1) * target + 1)
    loss = (1 - target) * input - log
    if weight is not None:
        loss = loss * behind(weight, lead, input.ndim - lead)
    return mean_loss(loss.astype(meta.dtype.numpy, copy=False), reduction, meta.dtype.numpy, lead)


@composite(
    "nn.functional.binary_cross_entropy_with_logits",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3, low=0, high=1)),
        sample(make(2, 3), make(2, 3, low=0, high=1), reduction="none"),
        sample(make(3), make(3, low=0, high=1), reduction="sum"),
    ],
    refusals=lambda make: [
        refused(
            "Target size (torch.Size([3])) must be the same as input size (torch.Size([2]))", make(2), make(3)
        ),
        refused(INVALID, make(2), make(2), reduction="avg"),
        refused(
            "is not differentiable with respect to argument 'pos_weight'",
            make(2),
            make(2),
            pos_weight=make(2),
        ),
        refused("result type Double can't be cast to the desired output type Long", make(2), make.ints(2)),
    ],
)
def binary_cross_entropy_with_logits(
    F: Any,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Any:
    """binary_cross_entropy of sigmoid(input), without its overflow; `pos_weight` weighs the positive targets.

    Smooth everywhere.
    """
    number = reduction_number(reduction, size_average, reduce)
    if target.meta.shape != input.meta.shape:
        raise ValueArgumentError(
            f"Target size (torch.Size({list(target.meta.shape)})) must be the same as input size "
            f"(torch.Size({list(input.meta.shape)}))",
            expected=list(input.meta.shape),
            actual=list(target.meta.shape),
        )
    for name, each in (("weight", weight), ("pos_weight", pos_weight)):
        refuse_grad("binary_cross_entropy_with_logits", name, each)
    return F._binary_cross_entropy_with_logits(input, target, weight, pos_weight, number)
