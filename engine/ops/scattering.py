"""Adding and writing at places along a dimension: the reverses of gathering."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.bounded import is_bounded
from engine.define import kernel
from engine.errors import DimError, DTypeError, ShapeError
from engine.op import refused, sample
from engine.ops.keys import key_of, write
from engine.ops.places import along, check_bounds, check_index, gathered_type, written_elsewhere
from engine.signature import Array, Dim, Index, Indices, Number, Shape, Tensor
from engine.strides import preserved
from engine.types import Type


def _scatter_type(input: Type, index: Type, src: Type, dim: Dim) -> Type:
    if index.numel:
        check_index("scatter(): Expected dtype int32/int64 for index", index.dtype)
    if input.dtype is not src.dtype:
        raise DTypeError(
            "scatter(): Expected self.dtype to be equal to src.dtype",
            expected=input.dtype.name,
            actual=src.dtype.name,
        )
    if index.numel and max(index.ndim, 1) != max(src.ndim, 1):
        raise ShapeError("Index tensor must have the same number of dimensions as src tensor")
    axis = dim + max(input.ndim, 1)
    small = all(
        own <= size or at == axis
        for at, (own, size) in enumerate(zip(index.shape, input.shape, strict=False))
    ) and all(own <= size for own, size in zip(index.shape, src.shape, strict=False))
    if index.numel and max(index.ndim, 1) != max(input.ndim, 1):
        raise ShapeError("Index tensor must have the same number of dimensions as self tensor")
    if index.numel and not small:
        raise ShapeError(
            f"Expected index {list(index.shape)} to be no larger than self {list(input.shape)} apart from "
            f"dimension {axis} and to be no larger size than src {list(src.shape)}"
        )
    return Type(input.shape, input.dtype)


@kernel(
    "scatter_add",
    kind="index",
    infer=_scatter_type,
    vjp=lambda F, x, y, g, dim: (lambda: g, None, lambda: F.gather(g, dim, x[1])),
    saves=("dim", "index"),
    samples=lambda make: [
        sample(make(2, 3), 1, np.array([[0, 2], [1, 1]]), make(2, 2)),
        sample(make(3), 0, np.array([2, 2, 0, 1]), make(4)),
    ],
    refusals=lambda make: [
        refused(
            "index 4 is out of bounds for dimension 1 with size 3", make(2, 3), 1, np.array([[4]]), make(1, 1)
        )
    ],
)
def scatter_add(input: Tensor, dim: Dim, index: Index, src: Tensor) -> Array:
    """`input` with the elements of `src` added at the places `index` along `dim`.

    Smooth everywhere.
    """
    found = np.array(input, order="C", ndmin=1)
    if index.size:
        places = np.atleast_1d(index)
        check_bounds(places, found.shape[dim], dim + found.ndim)
        values = np.atleast_1d(src)[tuple(slice(0, size) for size in places.shape)]
        np.add.at(found, along(places, dim), values)
    return found.reshape(input.shape)


def _index_add_type(input: Type, index: Type, source: Type, dim: Dim, alpha: Number) -> Type:
    check_index(
        "index_add_(): Expected dtype int32/int64 for index but got: " + index.dtype.title, index.dtype
    )
    if index.ndim > 1:
        raise DimError("index_add_(): Index is supposed to be a vector, but got dim: " + f"{index.ndim}")
    if input.dtype is not source.dtype:
        raise DTypeError(
            f"index_add_(): self ({input.dtype.title}) and source ({source.dtype.title}) must have the "
            "same scalar type"
        )
    wanted = (
        (*input.shape[: dim + input.ndim], index.numel, *input.shape[dim + input.ndim + 1 :])
        if input.shape
        else ()
    )
    if source.shape != wanted and source.numel != index.numel:
        raise ShapeError(
            f"index_add_(): Number of indices ({index.numel}) should be equal to source.size(dim)"
        )
    if input.ndim and source.ndim and source.shape != wanted:
        raise ShapeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. "
            f"Got self.shape = {list(input.shape)} source.shape = {list(source.shape)}",
            expected=list(wanted),
            actual=list(source.shape),
        )
    return Type(input.shape, input.dtype)


def _index_add_rule(F: Any, x: Any, y: Any, g: Any, dim: Dim, alpha: Number) -> Any:
    def source() -> Any:
        taken = F.expand_as(F.index_select(g, dim, x[1]), x[2]) if x[2].ndim else F.reshape(g, ())
        return taken if alpha == 1 else F.mul(taken, alpha)

    return (lambda: g, None, source)


@kernel(
    "index_add",
    kind="index",
    infer=_index_add_type,
    vjp=_index_add_rule,
    saves=("alpha", "dim", "index", "source", "source_dim"),
    samples=lambda make: [
        sample(make(3, 4), 0, np.array([0, 2, 2]), make(3, 4)),
        sample(make(3, 4), -1, np.array([3]), make(3, 1), alpha=2),
    ],
    refusals=lambda make: [
        refused("index out of range in self", make(3), 0, np.array([5]), make(1)),
        refused(
            "index_add_(): Number of indices (2) should be equal to source.size(dim)",
            make(3),
            0,
            np.array([0, 1]),
            make(3),
        ),
    ],
)
def index_add(
    input: Tensor, dim: Dim, index: Index, source: Tensor, *, alpha: Number = 1, lead: int
) -> Array:
    """`input` with `alpha` times the slices of `source` added at the places `index` along `dim`.

    Smooth everywhere.
    """
    found, added = np.array(input, order="C"), source
    found, added, index = (each if each.ndim > lead else each[..., None] for each in (found, added, index))
    if index.size and (index.min() < 0 or index.max() >= found.shape[dim]):
        raise DimError("index out of range in self")
    if alpha != 1:
        added = added * np.asarray(alpha, input.dtype)
    moved, added = (np.moveaxis(each, dim, lead) for each in (found, added))
    key = key_of([index], input.shape[:lead])
    np.add.at(moved, key.places, key.ordered(added, moved.ndim - lead, lead))
    return found.reshape(input.shape)


def _broadcasts_to(shape: Shape, size: Shape) -> bool:
    pairs = zip(reversed(shape), reversed(size), strict=False)
    return len(shape) <= len(size) and all(own in (1, want) for own, want in pairs)


def _index_put_type(input: Type, indices: Any, values: Type, accumulate: bool) -> Type:
    if input.dtype is not values.dtype:
        raise DTypeError(
            f"Index put requires the source and destination dtypes match, got {input.dtype.title} for the "
            f"destination and {values.dtype.title} for the source."
        )
    places = gathered_type(input, indices)
    if not is_bounded(places) and not _broadcasts_to(values.shape, places.shape):
        raise written_elsewhere(values.shape, places.shape)
    return preserved(input)


def _index_put_rule(F: Any, x: Any, y: Any, g: Any, accumulate: bool) -> Any:
    indices, values = x[1:-1], x[-1]

    def kept() -> Any:
        return g if accumulate else F.index_put(g, indices, F.zeros(values.shape, dtype=g.meta.dtype))

    return (kept, *(None,) * len(indices), lambda: F._index(g, indices))


@kernel(
    "index_put",
    kind="index",
    infer=_index_put_type,
    vjp=_index_put_rule,
    saves=("accumulate", "indices"),
    samples=lambda make: [
        sample(make(3, 4), (np.array([0, 2]),), make(2, 4)),
        sample(make(3, 4), (np.array([0, 2, 2]), np.array([1, 1, 1])), make(3), True),
        sample(make(3, 4), (None, np.array([1, 2])), make(1)),
        sample(make(3), (np.array([True, False, True]),), make(2)),
    ],
    refusals=lambda make: [
        refused("index 5 is out of bounds for dimension 0 with size 3", make(3), (np.array([5]),), make(1)),
        refused(
            "shape mismatch: value tensor of shape [2] cannot be broadcast to indexing result of shape [3]",
            make(3),
            (np.array([0, 1, 2]),),
            make(2),
        ),
    ],
)
def index_put(
    input: Tensor, indices: Indices, values: Tensor, accumulate: bool = False, *, lead: int
) -> Array:
    """`input` with `values` written at `indices` (added if `accumulate`), a tensor or None per dimension.

    Smooth everywhere. Where a place is written twice the last value stays, and each receives the gradient.
    """
    return write(input, indices, values, accumulate, lead)


@kernel(
    "_index_put_impl",
    kind="index",
    infer=_index_put_type,
    vjp=_index_put_rule,
    saves=("accumulate", "indices"),
)
def index_put_impl(input: Tensor, indices: Indices, values: Tensor, accumulate: bool, *, lead: int) -> Array:
    """`index_put` as the gradient of a gather has it.

    Smooth everywhere.
    """
    return write(input, indices, values, accumulate, lead)
