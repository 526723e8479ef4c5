"""Losses of class scores against several labels that stop at a margin: multilabel_margin_loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.label_margins import check_dtypes, rows_of, shares
from engine.ops.losses import INVALID, NONE, mean_loss, reduction_number
from engine.signature import Array, Fixed, Index, Tensor
from engine.types import Type


def _labels_type(input: Type, target: Type, reduction: int) -> Type:
    rows, classes = rows_of(input)
    fits = target.shape == input.shape if input.ndim == 2 else target.ndim < 2 and target.numel == classes
    if not fits:
        raise ShapeError(
            f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}"
        )
    check_dtypes("multilabel_margin_loss_forward_out_frame", input, target)
    return Type((rows,) if reduction == NONE and target.ndim == 2 else (), input.dtype)


def _counted(target: Array, dtype: Any) -> Array:
    """How often each class is among the labels of its row, which end at the first -1."""
    classes = target.shape[-1]
    if np.any((target < -1) | (target >= classes)):
        raise RuntimeArgumentError("argument #2 'target' is out of range")
    labels = np.where(np.logical_or.accumulate(target < 0, axis=-1), -1, target)
    counts = np.zeros(target.shape, dtype)
    flat_counts, flat_labels = counts.reshape(-1, classes), labels.reshape(-1, classes)
    row, place = np.nonzero(flat_labels >= 0)
    np.add.at(flat_counts, (row, flat_labels[row, place]), 1)
    return counts


@kernel(
    "_label_counts",
    kind="index",
    infer=lambda target, like: Type(target.shape, like.dtype),
    samples=lambda make: [],
)
def _label_counts(target: Index, like: Fixed) -> Array:
    """How often each class is among the labels of its row, in the dtype of `like`.

    Constant: nothing flows back.
    """
    return _counted(target, like.dtype)


def _labels_vjp(F: Any, x: Any, y: Any, g: Any, reduction: int) -> Any:
    input, target = x

    def rule() -> Any:
        rows, classes = rows_of(input.meta)
        scores = F.reshape(input, (rows, classes))
        counts = F._label_counts(F.reshape(target, (rows, classes)), input)
        lacking = F.add(F.sub(F.unsqueeze(scores, 1), F.unsqueeze(scores, 2)), 1)
        other = F.unsqueeze(F.eq(counts, 0), 1)
        slope = F.where(F.logical_and(F.gt(lacking, 0), other), F.unsqueeze(counts, 2), 0)
        slope = F.mul(slope, F.unsqueeze(shares(F, g, reduction, rows, classes), 2))
        return F.reshape(F.sub(F.sum(slope, 1), F.sum(slope, 2)), input.meta.shape)

    return rule, None


@kernel(
    "_multilabel_margin_loss",
    kind="reduction",
    infer=_labels_type,
    vjp=_labels_vjp,
    grad_fn="MultilabelMarginLossBackward0",
    saves=("reduction", "self", "target"),
    samples=lambda make: [],
)
def _multilabel_margin_loss(input: Tensor, target: Index, reduction: int, *, meta: Any, lead: int) -> Array:
    """`multilabel_margin_loss` with its settings checked.

    As `multilabel_margin_loss`.
    """
    batch, own = input.shape[:lead], input.shape[lead:]
    shape = (own[0] if len(own) == 2 else 1, own[-1] if own else 1)
    scores = input.reshape((*batch, *shape))
    counts = np.broadcast_to(
        _counted(target.reshape((*target.shape[:lead], *shape)), input.dtype), scores.shape
    )
    lacking = np.maximum(scores[..., None, :] - scores[..., :, None] + 1, 0)
    each = lacking * counts[..., :, None] * (counts == 0)[..., None, :]
    loss = np.asarray(np.sum(each, axis=(-1, -2)) / input.dtype.type(shape[1]))
    loss = loss.reshape(meta.shape) if reduction == NONE else loss
    return mean_loss(loss, reduction, input.dtype, lead)


@composite(
    "nn.functional.multilabel_margin_loss",
    samples=lambda make: [
        sample(make(2, 3), np.array([[0, -1, 1], [2, 1, -1]])),
        sample(make(2, 3), np.array([[0, 0, -1], [-1, 1, 2]]), reduction="none"),
        sample(make(3), np.array([1, -1, 0]), reduction="sum"),
    ],
    refusals=lambda make: [
        refused(INVALID, make(2, 3), make.ints(2, 3, high=3), reduction="avg"),
        refused("but got: [5, 0]", make(5, 0), make.ints(5, 0)),
        refused("inconsistent target size: [4] for input of size: [5, 4]", make(5, 4), make.ints(4, high=3)),
        refused("argument #2 'target' is out of range", make(2, 3), make.ints(2, 3, low=3)),
    ],
)
def multilabel_margin_loss(
    F: Any,
    input: Tensor,
    target: Index,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """What each score of a row's labels lacks to exceed each other score by 1, over the number of classes.

    A row of labels ends at its first -1. Where it just stops lacking the gradient is 0.
    """
    return F._multilabel_margin_loss(input, target, reduction_number(reduction, size_average, reduce))
