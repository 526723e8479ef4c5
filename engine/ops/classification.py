"""Losses of class scores against class indices or probabilities: nll_loss and cross_entropy."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import FLOAT, int64, uint8
from engine.errors import DimError, DTypeError, NotImplementedYet, ShapeError, ValueArgumentError
from engine.leading import behind, flat, whole
from engine.op import Op, refused, sample
from engine.ops.keys import read
from engine.ops.losses import INVALID, MEAN, NONE, reduction_number, refuse_grad
from engine.ops.reductions import wide
from engine.signature import Array, Fixed, Index, Tensor
from engine.types import Type


def _check_dtypes(input: Type, target: Type, weight: Type | None) -> None:
    if input.dtype.category != FLOAT:
        raise NotImplementedYet(f"\"nll_loss_out_frame\" not implemented for '{input.dtype.title}'")
    if target.dtype not in (int64, uint8):
        raise DTypeError(f"expected target dtype to be Long or Byte, but got {target.dtype.title}")
    if weight is not None and weight.dtype is not input.dtype:
        raise DTypeError(f"expected scalar type {input.dtype.title} but found {weight.dtype.title}")


def _rows_type(
    input: Type, target: Type, weight: Type | None, reduction: int, ignore_index: int
) -> tuple[Type, Type]:
    if input.ndim == 1 and target.numel != 1:
        raise ValueArgumentError(
            f"For 1D input, 1D target must have size 1, but got target size: {target.numel}"
        )
    if target.ndim > 1:
        raise ShapeError("0D or 1D target tensor expected, multi-target not supported")
    _check_dtypes(input, target, weight)
    classes = input.shape[-1]
    if weight is not None and weight.shape != (classes,):
        raise ShapeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got "
            f"weight tensor of shape: {list(weight.shape)}"
        )
    one = Type((), input.dtype)
    return Type(input.shape[:1], input.dtype) if reduction == NONE and input.ndim == 2 else one, one


def _maps_type(
    input: Type, target: Type, weight: Type | None, reduction: int, ignore_index: int
) -> tuple[Type, Type]:
    if target.ndim != 3:
        raise ShapeError(
            "only batches of spatial targets supported (3D tensors) but got targets of dimension: "
            f"{target.ndim}"
        )
    if weight is not None and weight.numel != input.shape[1]:
        raise ShapeError("weight tensor should be defined either for all or no classes")
    if (input.shape[0], *input.shape[2:]) != target.shape:
        raise ShapeError(f"size mismatch (got input: {list(input.shape)} , target: {list(target.shape)}")
    _check_dtypes(input, target, weight)
    one = Type((), input.dtype)
    return Type(target.shape, input.dtype) if reduction == NONE else one, one


def _chosen(
    target: Array, weight: Array | None, ignore_index: int, classes: int, dtype: Any, lead: int
) -> tuple[Array, Array]:
    """The class of each target (0 where it is ignored), and its weight (0 where it is ignored)."""
    counted = target != ignore_index
    outside = counted & ((target < 0) | (target >= classes))
    if outside.any():
        raise DimError(f"Target {target[outside][0]} is out of bounds.")
    chosen = np.where(counted, target, 0).astype(np.int64)
    if weight is None or not classes:
        weights = np.ones(chosen.shape, dtype)
    else:
        weights = read(weight, [chosen], lead)
    return chosen, np.where(counted, weights, dtype.type(0))


def _forward(
    input: Tensor,
    target: Index,
    weight: Fixed | None,
    reduction: int,
    ignore_index: int,
    *,
    meta: Any,
    lead: int,
) -> Any:
    """The negated scores of the target classes, reduced; and the sum of their weights.

    Smooth everywhere.
    """
    axis = lead + (input.ndim > lead + 1)
    classes, target = input.shape[axis], target.reshape((*input.shape[:axis], *input.shape[axis + 1 :]))
    chosen, weights = _chosen(target, weight, ignore_index, classes, input.dtype, lead)
    if classes:
        scores = np.take_along_axis(input, np.expand_dims(chosen, axis), axis).squeeze(axis)
        loss = np.where(target == ignore_index, 0, -scores * weights)
    else:
        loss = np.zeros_like(weights)
    wider = wide(input.dtype)
    summed = np.sum(flat(weights, lead), axis=whole(lead), dtype=wider)
    if reduction != NONE:
        loss = np.sum(flat(loss, lead), axis=whole(lead), dtype=wider)
        loss = np.divide(loss, summed) if reduction == MEAN else loss
    return np.asarray(loss).astype(input.dtype), np.asarray(summed).astype(input.dtype)


def _forward_vjp(F: Any, x: Any, y: Any, g: Any, reduction: int, ignore_index: int) -> Any:
    def rule() -> Any:
        if g[0] is None:
            return None
        return F._nll_loss_backward(g[0], x[0], x[1], x[2], y[1], reduction, ignore_index)

    return rule, None, None


def _define(name: str, grad_fn: str, infer: Any) -> Op:
    return kernel(
        name,
        kind="index",
        infer=infer,
        vjp=_forward_vjp,
        grad_fn=grad_fn,
        saves=("ignore_index", "reduction", "self", "target", "total_weight", "weight"),
        outputs=("output", "total_weight"),
        samples=lambda make: [],
    )(_forward)


_nll_loss_forward = _define("_nll_loss_forward", "NllLossBackward0", _rows_type)
_nll_loss2d_forward = _define("_nll_loss2d_forward", "NllLoss2DBackward0", _maps_type)


def _backward_vjp(F: Any, x: Any, y: Any, g: Any, reduction: int, ignore_index: int) -> Any:
    forward = F._nll_loss_forward if x[1].meta.ndim < 3 else F._nll_loss2d_forward
    return (
        lambda: forward(g, x[2], x[3], reduction, ignore_index)[0],
        lambda: F.zeros_like(g),
        None,
        None,
        None,
    )


@kernel(
    "_nll_loss_backward",
    kind="index",
    infer=lambda grad_output, scores, *others, **settings: Type(scores.shape, scores.dtype),
    vjp=_backward_vjp,
    saves=("target", "weight"),
    samples=lambda make: [],
)
def _nll_loss_backward(
    grad_output: Tensor,
    scores: Tensor,
    target: Index,
    weight: Fixed | None,
    total_weight: Fixed,
    reduction: int,
    ignore_index: int,
    *,
    lead: int,
) -> Array:
    """The cotangent of the scores: that of the loss, negated and weighed, at the target classes.

    Smooth everywhere.
    """
    size = scores.shape
    axis = lead + (len(size) > lead + 1)
    found = np.zeros(size, scores.dtype)
    if not size[axis]:
        return found
    target = target.reshape((*size[:axis], *size[axis + 1 :]))
    chosen, weights = _chosen(target, weight, ignore_index, size[axis], scores.dtype, lead)
    share = np.negative(np.divide(grad_output, total_weight) if reduction == MEAN else grad_output)
    values = np.where(target == ignore_index, 0, behind(share, lead, target.ndim - lead) * weights)
    np.put_along_axis(found, np.expand_dims(chosen, axis), np.expand_dims(values, axis), axis)
    return found


def class_samples(make: Any) -> list[Any]:
    """Scores against class indices."""
    classes = make.ints(2, high=3)
    return [
        sample(make(2, 3), classes),
        sample(make(2, 3), classes, reduction="none"),
        sample(make(2, 3), classes, reduction="sum", ignore_index=int(classes[0])),
        sample(make(3), make.ints(high=3)),
        sample(make(2, 3, 2, 2), make.ints(2, 2, 2, high=3)),
        sample(make(2, 3, 2), make.ints(2, 2, high=3), reduction="none"),
    ]


def class_refusals(make: Any) -> list[Any]:
    """Scores against class indices that do not fit."""
    classes = make.ints(2, high=3)
    return [
        refused("Target 7 is out of bounds.", make(2, 3), classes * 0 + 7),
        refused(
            "Expected input batch_size (2) to match target batch_size (3).", make(2, 3), make.ints(3, high=3)
        ),
        refused(INVALID, make(2, 3), classes, reduction="avg"),
        refused("expected target dtype to be Long or Byte, but got Double", make(2, 3), make(2)),
        refused("Expected target size [2, 2], got [2, 1]", make(2, 3, 2), make.ints(2, 1, high=3)),
        refused("is not differentiable with respect to argument 'weight'", make(2, 3), classes, make(3)),
    ]


def nll(F: Any, input: Any, target: Any, weight: Any, reduction: int, ignore_index: int) -> Any:
    """nll_loss of any rank: two spatial dims are a record of their own, others are folded into them."""
    shape, classes = input.meta.shape, target.meta.shape
    if not shape:
        raise ValueArgumentError("Expected 1 or more dimensions (got 0)")
    if len(shape) > 1 and shape[0] != (classes[0] if classes else 0):
        batch = classes[0] if classes else 0
        raise ValueArgumentError(
            f"Expected input batch_size ({shape[0]}) to match target batch_size ({batch}).",
            expected=shape[0],
            actual=batch,
        )
    refuse_grad("nll_loss_forward" if len(shape) < 3 else "nll_loss2d_forward", "weight", weight)
    if len(shape) < 3:
        return F._nll_loss_forward(input, target, weight, reduction, ignore_index)[0]
    if len(shape) == 4:
        return F._nll_loss2d_forward(input, target, weight, reduction, ignore_index)[0]
    out = (shape[0], *shape[2:])
    if classes != out:
        raise ShapeError(
            f"Expected target size {list(out)}, got {list(classes)}", expected=list(out), actual=list(classes)
        )
    rows, columns = (1, -1) if target.meta.numel else (0, 0)
    folded = (rows, columns) if input.meta.numel else (0, 0)
    scores = F.view(F.contiguous(input), (*shape[:2], *folded))
    found = F._nll_loss2d_forward(
        scores, F.view(F.contiguous(target), (shape[0], rows, columns)), weight, reduction, ignore_index
    )[0]
    return F.view(found, out) if reduction == NONE else found


@composite("nn.functional.nll_loss", samples=class_samples, refusals=class_refusals)
def nll_loss(
    F: Any,
    input: Tensor,
    target: Index,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The negated log-probability of each target class: each, their weighted mean or their sum.

    Smooth everywhere. Targets equal to `ignore_index` do not count; if none count, the mean is nan.
    """
    return nll(F, input, target, weight, reduction_number(reduction, size_average, reduce), ignore_index)
