"""The loss of class scores against one class that stops at a margin: multi_margin_loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import FLOAT, int64
from engine.errors import DTypeError, RuntimeArgumentError, ShapeError, ValueArgumentError
from engine.leading import behind
from engine.op import refused, sample
from engine.ops.dtype_checks import no_kernel
from engine.ops.losses import INVALID, MEAN, NONE, mean_loss, reduction_number, refuse_grad
from engine.signature import Array, Fixed, Index, Tensor
from engine.types import Type


def rows_of(input: Type) -> tuple[int, int]:
    """The number of rows of scores, and of classes; refused where they are no vector and no matrix."""
    if input.ndim > 2 or (input.ndim and not input.shape[-1]):
        raise ShapeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{list(input.shape)}"
        )
    return (input.shape[0] if input.ndim == 2 else 1), (input.shape[-1] if input.ndim else 1)


def check_dtypes(name: str, input: Type, target: Type) -> None:
    """Refuse scores and targets that torch's kernel `name` does not take."""
    if input.dtype.category != FLOAT or input.dtype.itemsize == 2:
        raise no_kernel(name, input.dtype)
    if target.dtype is not int64:
        raise DTypeError(f"expected scalar type Long but found {target.dtype.title}")


def _multi_type(
    input: Type, target: Type, weight: Type | None, p: int, margin: float, reduction: int
) -> Type:
    rows, classes = rows_of(input)
    if target.ndim > 1 or target.numel != rows:
        raise ShapeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples "
            f"(batch size). Expected target size [{rows}], but got {list(target.shape)}. Input has shape "
            f"{list(input.shape)}."
        )
    if weight is not None and (weight.ndim != 1 or weight.numel != classes):
        raise ShapeError(f"inconsistent weight size, expected {classes} but got {list(weight.shape)}")
    check_dtypes("multi_margin_loss_cpu_kernel", input, target)
    return Type((rows,) if reduction == NONE and target.ndim else (), input.dtype)


def shares(F: Any, g: Any, reduction: int, rows: int, classes: int) -> Any:
    """The cotangent of each row's sum over the classes, as a column."""
    share = F.div(g, classes * (max(rows, 1) if reduction == MEAN else 1))
    return F.reshape(share, (rows if reduction == NONE else 1, 1))


def _multi_vjp(F: Any, x: Any, y: Any, g: Any, p: int, margin: float, reduction: int) -> Any:
    input, target, weight = x

    def rule() -> Any:
        rows, classes = rows_of(input.meta)
        scores, chosen = F.reshape(input, (rows, classes)), F.reshape(target, (rows, 1))
        itself = F.eq(F.arange(classes), chosen)
        lacking = F.add(F.sub(scores, F.gather(scores, 1, chosen)), margin)
        lacks = F.logical_and(F.gt(lacking, 0), F.logical_not(itself))
        share = shares(F, g, reduction, rows, classes)
        if weight is not None:
            share = F.mul(share, F.reshape(F.index_select(weight, 0, F.reshape(target, (rows,))), (rows, 1)))
        slope = F.where(lacks, F.mul(F.mul(lacking, 2), share) if p == 2 else share, 0)
        found = F.where(itself, F.neg(F.sum(slope, 1, True)), slope)
        return F.reshape(found, input.meta.shape)

    return rule, None, None


@kernel(
    "_multi_margin_loss",
    kind="reduction",
    infer=_multi_type,
    vjp=_multi_vjp,
    grad_fn="MultiMarginLossBackward0",
    saves=("margin", "p", "reduction", "self", "target", "weight"),
    samples=lambda make: [],
)
def _multi_margin_loss(
    input: Tensor,
    target: Index,
    weight: Fixed | None,
    p: int,
    margin: float,
    reduction: int,
    *,
    meta: Any,
    lead: int,
) -> Array:
    """`multi_margin_loss` with its settings checked.

    As `multi_margin_loss`.
    """
    batch, own = input.shape[:lead], input.shape[lead:]
    classes = own[-1] if own else 1
    scores = input.reshape((*batch, own[0] if len(own) == 2 else 1, classes))
    chosen = np.broadcast_to(target.reshape((*target.shape[:lead], scores.shape[-2], 1)), scores.shape)[
        ..., :1
    ]
    if np.any((chosen < 0) | (chosen >= classes)):
        raise RuntimeArgumentError("target out of range")
    lacking = scores - np.take_along_axis(scores, chosen, -1) + input.dtype.type(margin)
    lacking[(lacking < 0) | (np.arange(classes) == chosen)] = 0
    each = lacking**p
    if weight is not None:
        weights = np.broadcast_to(behind(weight, lead, 2), scores.shape)
        each = each * np.take_along_axis(weights, chosen, -1)
    loss = np.asarray(np.sum(each, axis=-1) / input.dtype.type(classes))
    loss = loss.reshape(meta.shape) if reduction == NONE else loss
    return mean_loss(loss, reduction, input.dtype, lead)


@composite(
    "nn.functional.multi_margin_loss",
    samples=lambda make: [
        sample(make(2, 3), make.ints(2, high=3)),
        sample(make(2, 3), make.ints(2, high=3), 2, 0.7, reduction="none"),
        sample(make(3), make.ints(high=3), margin=2.0),
        sample(make(4, 3), make.ints(4, high=3), reduction="sum"),
    ],
    refusals=lambda make: [
        refused(INVALID, make(2, 3), make.ints(2, high=3), reduction="avg"),
        refused("only p == 1 and p == 2 supported", make(2, 3), make.ints(2, high=3), 3),
        refused("weight must be one-dimensional", make(2, 3), make.ints(2, high=3), weight=make(2, 3)),
        refused(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: [5, 0]",
            make(5, 0),
            make.ints(5, high=3),
        ),
        refused("Expected target size [2], but got [2, 3]", make(2, 3), make.ints(2, 3)),
        refused("expected scalar type Long but found Int", make(2, 3), make.ints(2).astype(np.int32)),
        refused("target out of range", make(2, 3), make.ints(2, low=3)),
        refused("\"multi_margin_loss_cpu_kernel\" not implemented for 'Long'", make.ints(2, 3), make.ints(2)),
    ],
)
def multi_margin_loss(
    F: Any,
    input: Tensor,
    target: Index,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """What the score of each row's class lacks to exceed the others by `margin`, averaged over the classes.

    What lacks is taken to the power `p`. Where it just stops lacking the gradient is 0.
    """
    number = reduction_number(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueArgumentError("only p == 1 and p == 2 supported", actual=p)
    if weight is not None and weight.meta.ndim != 1:
        raise ValueArgumentError("weight must be one-dimensional")
    refuse_grad("multi_margin_loss", "weight", weight)
    return F._multi_margin_loss(input, target, weight, p, margin, number)
