"""Slices reduced into others at places along a dim: index_reduce."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import kernel
from engine.errors import DimError, DTypeError, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.places import check_index
from engine.ops.reducing_at import Places, reduced_at, reduction_rule
from engine.signature import Array, Dim, Index, Tensor
from engine.types import Type


def _reduce_type(input: Type, index: Type, source: Type, dim: int, reduce: str, include_self: bool) -> Type:
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeArgumentError(
            f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}."
        )
    text = f"index_reduce_(): Expected dtype int32/int64 for index but got: {index.dtype.title}"
    check_index(text, index.dtype)
    if index.ndim > 1:
        raise DimError(
            f"index_reduce_(): Index is supposed to be a vector, but got dim: {index.ndim} with type: "
            f"{index.dtype.title} and size: {list(index.shape)}"
        )
    if input.dtype is not source.dtype:
        raise DTypeError(
            f"index_reduce_(): self ({input.dtype.title}) and source ({source.dtype.title}) must have the "
            "same scalar type"
        )
    place = dim + max(input.ndim, 1)
    if source.ndim and place >= source.ndim:
        raise DimError(
            f"Dimension out of range (expected to be in range of [{-source.ndim}, {source.ndim - 1}], "
            f"but got {place})"
        )
    size = source.shape[place] if source.ndim else 1
    if index.numel != size:
        raise ShapeError(
            f"index_reduce_(): Number of indices ({index.numel}) should be equal to source.size(dim): "
            f"({size}), for dim: {place}"
        )
    return Type(input.shape, input.dtype)


def _rule(F: Any, x: Any, y: Any, g: Any, dim: int, reduce: str, include_self: bool) -> Any:
    places = Places(
        lambda whole: F.index_select(whole, dim, x[1]),
        lambda whole, values: F.index_add(whole, dim, x[1], values),
        lambda own, src: F.index_reduce(own, dim, x[1], src, reduce, include_self=include_self),
        lambda whole: F.index_fill(whole, dim, x[1], 0),
    )
    return reduction_rule(F, x, y, g, places, reduce, include_self)


@kernel(
    "index_reduce",
    kind="index",
    infer=_reduce_type,
    vjp=_rule,
    saves=("dim", "include_self", "index", "reduce", "result", "self", "source"),
    samples=lambda make: [
        sample(make(3, 2), 0, np.array([0, 2, 0]), make(3, 2), reduce)
        for reduce in ("prod", "mean", "amax", "amin")
    ]
    + [
        sample(make(2, 3), -1, np.array([1, 1]), make(2, 2), reduce, include_self=False)
        for reduce in ("prod", "mean", "amin")
    ],
    refusals=lambda make: [
        refused("Expected reduce to be one of prod, mean, amax or amin but got foo.",
                make(3), 0, np.array([0]), make(1), "foo"),
        refused("index out of range in self", make(3), 0, np.array([5]), make(1), "prod"),
        refused("Number of indices (1) should be equal to source.size(dim): (2), for dim: 0",
                make(3), 0, np.array([0]), make(2), "prod"),
    ],
    batched="loop",
)  # fmt: skip
def index_reduce(
    input: Tensor, dim: Dim, index: Index, source: Tensor, reduce: str, *, include_self: bool = True
) -> Array:
    """`input` with the slices of `source` reduced into those at the places `index` along `dim`.

    "amax" and "amin" share the gradient evenly among equals. "prod": of several zeros, none has any.
    """
    whole = np.atleast_1d(input)
    if index.size and (index.min() < 0 or index.max() >= whole.shape[dim]):
        raise DimError("index out of range in self")
    key = (*(slice(None),) * (whole.ndim + dim), np.atleast_1d(index))
    return reduced_at(whole, key, np.atleast_1d(source), reduce, include_self).reshape(input.shape)
