"""Places in an order: searchsorted, bucketize."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import BOOL, COMPLEX, int32, int64
from engine.errors import DTypeError, NotImplementedYet, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Array, Fixed, Number, Tensor
from engine.types import Type

NAME = "torch.searchsorted()"


def _check_search(edges: Type, values: Type, right: bool, side: str | None) -> None:
    if side not in (None, "left", "right"):
        raise RuntimeArgumentError(f"{NAME}: side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeArgumentError(
            f"{NAME}: side and right can't be set to opposites, got side of left while right was True"
        )
    if edges.ndim != 1 and not values.shape:
        raise ShapeError(
            f"{NAME}: input value can be a scalar only when boundaries tensor dimension is 1, but we got "
            f"boundaries tensor dim({edges.ndim}) and input value's dim(0) numel(1)"
        )
    if not edges.shape or (
        edges.ndim > 1 and (edges.ndim != values.ndim or edges.shape[:-1] != values.shape[:-1])
    ):
        raise ShapeError(
            f"{NAME}: boundaries tensor should be 1 dimension or the first N-1 dimensions of "
            f"boundaries tensor and input value tensor must match, but we got boundaries tensor "
            f"{list(edges.shape)} and input value tensor {list(values.shape)}"
        )


def _search_type(
    edges: Type, values: Any, sorter: Type | None, out_int32: bool, right: bool, side: str | None
) -> Type:
    found = values if isinstance(values, Type) else Type((), edges.dtype)
    _check_search(edges, found, right, side)
    if sorter is not None and sorter.shape != edges.shape:
        raise ShapeError(
            f"{NAME}: boundary and sorter must have the same size, but got boundary tensor "
            f"{list(edges.shape)}and got sorter tensor {list(sorter.shape)}"
        )
    if sorter is not None and sorter.dtype is not int64:
        raise DTypeError(f"{NAME}: sorter must be a tensor of long dtype but got dtype {sorter.dtype.title}")
    if isinstance(values, Type) and values.dtype is not edges.dtype:
        raise DTypeError(
            f"{NAME}: boundary tensor and input value tensor should have same dtype, but got boundary "
            f"tensor's dtype {edges.dtype.title} and input value tensor's dtype {found.dtype.title}"
        )
    if edges.dtype.category in (COMPLEX, BOOL):
        raise NotImplementedYet(f"\"searchsorted_out_cpu\" not implemented for '{edges.dtype.title}'")
    return Type(found.shape, int32 if out_int32 else int64)


def _found(edges: Array, values: Array, side: Any, dtype: Any) -> Array:
    """Each value's place in its row of `edges`."""
    if edges.ndim == 1:
        return np.asarray(np.searchsorted(edges, values, side), dtype)
    rows, wanted = edges.reshape(-1, edges.shape[-1]), values.reshape(-1, values.shape[-1])
    found = np.zeros(wanted.shape, dtype)
    for at, (row, each) in enumerate(zip(rows, wanted, strict=True)):
        found[at] = np.searchsorted(row, each, side)
    return found.reshape(values.shape)


@kernel(
    "searchsorted",
    kind="index",
    infer=_search_type,
    samples=lambda make: [
        sample(np.sort(make(5)), make(2, 3)),
        sample(np.sort(make(2, 4)), make(2, 3), right=True),
        sample(np.array([1, 3, 3, 5]), 3, side="right"),
        sample(np.array([1, 3, 3, 5]), np.array([3, 9]), out_int32=True),
        sample(np.array([5.0, 1.0, 3.0]), make(4), sorter=np.array([1, 2, 0])),
    ],
    refusals=lambda make: [
        refused("side can only be 'left' or 'right' but got foo", make(3), make(2), side="foo"),
        refused("got side of left while right was True", make(3), make(2), right=True, side="left"),
        refused("input value can be a scalar only when boundaries tensor", make(3, 4), 1.0),
        refused("boundaries tensor should be 1 dimension or the first N-1", make(3, 4), make(3)),
        refused("boundary and sorter must have the same size", make(3), make(2), sorter=make.ints(2)),
        refused("sorter must be a tensor of long dtype but got dtype", make(3), make(2), sorter=make(3)),
        refused("sorter index out of range", make(3), make(2), sorter=make.ints(3, low=3)),
        refused("should have same dtype, but got", make(3), make.ints(2)),
    ],
    batched="loop",
)
def searchsorted(
    sorted_sequence: Fixed,
    input: Tensor | Number,
    sorter: Fixed | None = None,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    meta: Any,
) -> Array:
    """Where each element would go in a sequence in order, its last dimension: before its equals, or behind.

    Constant: nothing flows back.
    """
    edges = np.asarray(sorted_sequence)
    if sorter is not None:
        if sorter.size and (sorter.min() < 0 or sorter.max() >= edges.shape[-1]):
            raise RuntimeArgumentError(f"{NAME}: sorter index out of range")
        edges = np.take_along_axis(edges, sorter, -1)
    way = "right" if right or side == "right" else "left"
    return _found(edges, np.asarray(input), way, meta.dtype.numpy)


def _bucket_type(input: Any, boundaries: Type, out_int32: bool, right: bool) -> Type:
    if boundaries.ndim != 1:
        raise ShapeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return _search_type(boundaries, input, None, out_int32, right, None)


@kernel(
    "bucketize",
    kind="index",
    infer=_bucket_type,
    samples=lambda make: [
        sample(make(2, 3), np.sort(make(4))),
        sample(np.array([1, 3, 9]), np.array([1, 3, 5]), right=True),
        sample(2.0, np.array([1.0, 3.0]), out_int32=True),
        sample(make(), np.sort(make(4))),
    ],
    refusals=lambda make: [
        refused("boundaries tensor must be 1 dimension, but got dim(2)", make(3), make(3, 4))
    ],
    batched="loop",
)
def bucketize(
    input: Tensor | Number,
    boundaries: Fixed,
    *,
    out_int32: bool = False,
    right: bool = False,
    meta: Any,
) -> Array:
    """The number of the interval between `boundaries`, which are in order, that each element is in.

    Constant: nothing flows back. What is equal to a boundary is before it, with `right` behind it.
    """
    return _found(boundaries, np.asarray(input), "right" if right else "left", meta.dtype.numpy)
