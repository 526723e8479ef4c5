"""cross_entropy: log_softmax, and the loss of class indices or of class probabilities."""

from __future__ import annotations

from typing import Any

from engine.define import composite
from engine.dtypes import FLOAT
from engine.errors import DimError, DTypeError, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.classification import class_refusals, class_samples, nll
from engine.ops.losses import MEAN, NONE, reduction_number
from engine.signature import Tensor
from engine.types import Type


def _along_classes(F: Any, weight: Any, input: Type) -> Any:
    """The weights of the classes in a shape that broadcasts along the classes of `input`."""
    if input.ndim == 1:
        return weight
    return F.view(weight, (1, weight.meta.shape[0], *(1,) * (input.ndim - 2)))


def _check_smoothing(smoothing: float) -> None:
    if smoothing > 1:
        raise RuntimeArgumentError(
            f"label_smoothing must be between 0.0 and 1.0. Got: {smoothing:g}", actual=smoothing
        )


def _of_probabilities(F: Any, input: Any, target: Any, weight: Any, reduction: int, smoothing: float) -> Any:
    shape = input.meta.shape
    if not shape:
        raise DimError("Dimension specified as 1 but tensor has no dimensions")
    axis = 1 if len(shape) > 1 else 0
    classes = shape[axis]
    if weight is not None and weight.meta.shape != (classes,):
        raise ShapeError(
            f"cross_entropy: weight tensor should be defined either for all {classes} classes or no "
            f"classes but got weight tensor of shape: {list(weight.meta.shape)}"
        )
    log = F.log_softmax(input, axis)
    if smoothing > 0:
        _check_smoothing(smoothing)
        target = F.add(F.mul(target, 1 - smoothing), smoothing / max(classes, 1))
    loss = F.mul(log, target)
    if weight is not None:
        loss = F.mul(loss, _along_classes(F, weight, input.meta))
    if reduction == NONE:
        return F.neg(F.sum(loss, axis))
    summed = F.neg(F.sum(loss))
    return F._div_scalar(summed, input.meta.numel // max(classes, 1)) if reduction == MEAN else summed


def _smoothed(
    F: Any, input: Any, target: Any, weight: Any, reduction: int, ignore_index: int, smoothing: float
) -> Any:
    axis = 1 if input.meta.ndim > 1 else 0
    log = F.log_softmax(input, axis)
    plain = nll(F, log, target, weight, reduction, ignore_index)
    each = log if weight is None else F.mul(log, _along_classes(F, weight, input.meta))
    ignored = F.eq(target, ignore_index)
    smooth = F._masked_fill_in_place(F.neg(F.sum(each, axis)), ignored, 0.0)
    if reduction != NONE:
        smooth = F.sum(smooth)
    if reduction == MEAN:
        counted = (
            F.sum(F.logical_not(ignored)) if weight is None else _total_weight(F, target, ignored, weight)
        )
        smooth = F.div(smooth, counted)
    smooth = F._mul_scalar(smooth, smoothing / max(input.meta.shape[axis], 1))
    return F.add(F._mul_scalar(plain, 1 - smoothing), smooth)


def _total_weight(F: Any, target: Any, ignored: Any, weight: Any) -> Any:
    """The sum of the weights of the targets that count."""
    chosen = F.reshape(F.where(ignored, 0, target), (-1,))
    return F.sum(F.where(F.reshape(ignored, (-1,)), 0, F.gather(weight, 0, chosen)))


@composite(
    "nn.functional.cross_entropy",
    samples=lambda make: [
        *class_samples(make),
        sample(make(2, 3), make(2, 3, low=0, high=1)),
        sample(make(2, 3), make(2, 3, low=0, high=1), make(3, low=0.5), reduction="sum", label_smoothing=0.2),
        sample(make(2, 3, 2), make(2, 3, 2, low=0, high=1), reduction="none"),
        sample(make(2, 3), make.ints(2, high=3), label_smoothing=0.1),
        sample(make(2, 3, 2), make.ints(2, 2, high=3), label_smoothing=0.1, reduction="none"),
    ],
    refusals=lambda make: [
        *class_refusals(make),
        refused(
            "label_smoothing must be between 0.0 and 1.0. Got: 1.5",
            make(2, 3),
            make(2, 3),
            label_smoothing=1.5,
        ),
        refused(
            "cross_entropy: weight tensor should be defined either for all 3", make(2, 3), make(2, 3), make(2)
        ),
        refused("Expected floating point type for target with class", make(2, 3), make.ints(2, 3)),
        refused(
            "ignore_index is not supported for floating point target", make(2, 3), make(2, 3), ignore_index=1
        ),
    ],
)
def cross_entropy(
    F: Any,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The cross entropy of softmax(input) along dim 1, against class indices, or probabilities of its shape.

    Smooth everywhere. Targets equal to `ignore_index` do not count; if none count, the mean is nan.
    """
    number = reduction_number(reduction, size_average, reduce)
    if input.meta.shape == target.meta.shape:
        if target.meta.dtype.category != FLOAT:
            raise DTypeError(
                "Expected floating point type for target with class probabilities, got "
                f"{target.meta.dtype.title}"
            )
        if ignore_index >= 0:
            raise RuntimeArgumentError("ignore_index is not supported for floating point target")
        return _of_probabilities(F, input, target, weight, number, label_smoothing)
    if label_smoothing > 0:
        _check_smoothing(label_smoothing)
        return _smoothed(F, input, target, weight, number, ignore_index, label_smoothing)
    log = F.log_softmax(input, 1 if input.meta.ndim > 1 else 0)
    return nll(F, log, target, weight, number, ignore_index)
