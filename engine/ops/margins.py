"""Losses that stop at a margin: hinge, ranking, cosine and triplet losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite
from engine.errors import ShapeError, ValueArgumentError
from engine.op import refused, sample
from engine.ops.differences import reduced
from engine.ops.losses import INVALID, reduction_number
from engine.signature import Fixed, Tensor

_EPSILON = 1e-12  # keeps the cosine of a zero vector finite


@composite(
    "nn.functional.hinge_embedding_loss",
    samples=lambda make: [
        sample(make(2, 3), make.ints(2, 3, high=2) * 2 - 1),
        sample(make(2, 3), make.ints(2, 3, high=2) * 2 - 1, 0.5, reduction="none"),
        sample(make(3), make.ints(3, high=2) * 2 - 1, reduction="sum"),
    ],
    refusals=lambda make: [refused(INVALID, make(2), make(2), reduction="avg")],
)
def hinge_embedding_loss(
    F: Any,
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """`input` where `target` is 1, and what it lacks of `margin` where `target` is -1.

    Where `input` is at the margin the gradient is that below it.
    """
    number = reduction_number(reduction, size_average, reduce)
    zeros = F.zeros_like(input)
    lacking = F.clamp_min(F.sub(float(margin), input), 0)
    loss = F.add(F.where(F.ne(target, 1), lacking, zeros), F.where(F.ne(target, -1), input, zeros))
    return reduced(F, loss, number)


def _sizes(each: Any) -> str:
    return f"torch.Size({list(each.meta.shape)})"


@composite(
    "nn.functional.margin_ranking_loss",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3), make.ints(2, 3, high=2) * 2 - 1),
        sample(make(2, 3), make(2, 3), make(2, 3), 0.5, reduction="none"),
        sample(make(3), make(3), make(3), reduction="sum"),
    ],
    refusals=lambda make: [
        refused(INVALID, make(2), make(2), make(2), reduction="avg"),
        refused(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            "torch.Size([5, 4]), input2: torch.Size([5, 4]), target: torch.Size([5]) ",
            make(5, 4),
            make(5, 4),
            make(5),
        ),
    ],
)
def margin_ranking_loss(
    F: Any,
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """What `input1` lacks to be above `input2` by `margin` where `target` is 1; the reverse where it is -1.

    Where it just stops lacking the gradient is that of lacking.
    """
    number = reduction_number(reduction, size_average, reduce)
    if not input1.meta.ndim == input2.meta.ndim == target.meta.ndim:
        raise ShapeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            f"{_sizes(input1)}, input2: {_sizes(input2)}, target: {_sizes(target)} "
        )
    apart = F.mul(F.neg(target), F.sub(input1, input2))
    return reduced(F, F.clamp_min(F.add(apart, float(margin)), 0), number)


def _check_target(input1: Any, input2: Any, target: Any) -> int:
    """The rank of a target of cosine_embedding_loss."""
    rank: int = target.meta.ndim
    if rank > 1:
        raise ShapeError("0D or 1D target tensor expected, multi-target not supported")
    if input1.meta.ndim != rank + 1 or input2.meta.ndim != rank + 1:
        raise ShapeError(
            f"{rank}D target tensor expects {rank + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.meta.shape)} and {list(input2.meta.shape)}."
        )
    return rank


@composite(
    "nn.functional.cosine_embedding_loss",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3), make.ints(2, high=2) * 2 - 1),
        sample(make(4, 3), make(4, 3), make.ints(4, high=2) * 2 - 1, 0.1, reduction="none"),
        sample(make(3), make(3), np.asarray(1), reduction="sum"),
    ],
    refusals=lambda make: [
        refused(INVALID, make(2, 3), make(2, 3), make.ints(2), reduction="avg"),
        refused(
            "1D target tensor expects 2D input tensors, but found inputs with sizes [3] and [3].",
            make(3),
            make(3),
            make.ints(3),
        ),
        refused("0D or 1D target tensor expected, multi-target", make(2, 3), make(2, 3), make.ints(2, 2)),
    ],
)
def cosine_embedding_loss(
    F: Any,
    input1: Tensor,
    input2: Tensor,
    target: Fixed,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """1 - cosine of the angle between rows where `target` is 1, the cosine above `margin` where it is -1.

    Where the cosine is at the margin the gradient is that above it.
    """
    number = reduction_number(reduction, size_average, reduce)
    dim = _check_target(input1, input2, target)
    product = F.sum(F.mul(input1, input2), dim)
    squares = [F.add(F.sum(F.mul(each, each), dim), _EPSILON) for each in (input1, input2)]
    cosine = F.div(product, F.sqrt(F.mul(*squares)))
    zeros = F.zeros_like(cosine)
    above = F.clamp_min(F.sub(cosine, float(margin)), 0)
    like = F.where(F.eq(target, 1), F.sub(1.0, cosine), zeros)
    return reduced(F, F.add(like, F.where(F.eq(target, -1), above, zeros)), number)


def _distance(F: Any, left: Any, right: Any, p: float, eps: float) -> Any:
    """The p-norm of the rows' difference, `eps` added to each element."""
    return getattr(F, "linalg.vector_norm")(F.add(F.sub(left, right), eps), p, -1)


def _check_triplet(margin: float, *tensors: Any) -> None:
    if margin <= 0:
        raise ValueArgumentError(f"margin must be greater than 0, got {margin}", actual=margin)
    ranks = [each.meta.ndim for each in tensors]
    if len(set(ranks)) > 1:
        raise ShapeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, "
            f"but got: anchor {ranks[0]}D, positive {ranks[1]}D, and negative {ranks[2]}D inputs"
        )


def _triplet(F: Any, points: Any, margin: float, p: float, eps: float, swap: bool, number: int) -> Any:
    anchor, positive, negative = points
    near, far = _distance(F, anchor, positive, p, eps), _distance(F, anchor, negative, p, eps)
    if swap:
        far = F.minimum(far, _distance(F, positive, negative, p, eps))
    return reduced(F, F.clamp_min(F.sub(F.add(near, margin), far), 0), number)


def _triplets(make: Any) -> tuple[Any, Any, Any]:
    return make(2, 3), make(2, 3), make(2, 3)


_RANKS = "but got: anchor 1D, positive 2D, and negative 2D inputs"


@composite(
    "nn.functional.triplet_margin_loss",
    samples=lambda make: [
        sample(*_triplets(make), 5.0),
        sample(*_triplets(make), 5.0, 3, reduction="none"),
        sample(make(3), make(3), make(3), 5.0, swap=True, reduction="sum"),
    ],
    refusals=lambda make: [
        refused(INVALID, *_triplets(make), reduction="avg"),
        refused("margin must be greater than 0, got -1.0", *_triplets(make), -1.0),
        refused(_RANKS, make(3), make(2, 3), make(2, 3)),
        refused("The size of tensor a (4) must match the size of tensor b (3)", make(4), make(3), make(3)),
    ],
)
def triplet_margin_loss(
    F: Any,
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """What the distance to `negative` lacks to exceed that to `positive` by `margin`.

    `swap` takes the smaller of its distances to `anchor` and `positive`. Where
    it just stops lacking the gradient is that of lacking.
    """
    number = reduction_number(reduction, size_average, reduce)
    _check_triplet(margin, anchor, positive, negative)
    return _triplet(F, (anchor, positive, negative), margin, p, eps, swap, number)


@composite(
    "nn.functional.triplet_margin_with_distance_loss",
    samples=lambda make: [
        sample(*_triplets(make), margin=5.0),
        sample(*_triplets(make), margin=5.0, swap=True, reduction="none"),
    ],
    refusals=lambda make: [
        refused(INVALID, *_triplets(make), reduction="avg"),
        refused("margin must be greater than 0, got -1.0", *_triplets(make), margin=-1.0),
        refused(_RANKS, make(3), make(2, 3), make(2, 3)),
    ],
)
def triplet_margin_with_distance_loss(
    F: Any,
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """`triplet_margin_loss` with the Euclidean distance.

    As `triplet_margin_loss`.

    Unlike torch: there is no `distance_function`; write the distance and the loss as statements.
    """
    number = reduction_number(reduction, None, None)
    _check_triplet(margin, anchor, positive, negative)
    return _triplet(F, (anchor, positive, negative), margin, 2.0, 1e-6, swap, number)
