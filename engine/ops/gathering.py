"""Reading at places along a dimension, and adding or writing there: gather, index_select and their reverses."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.bounded import is_bounded
from engine.define import kernel
from engine.dtypes import DType, int32, int64
from engine.errors import DimError, DTypeError, NotImplementedYet, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.places import check_bounds, gathered_type, numpy_key, out_of_bounds
from engine.signature import Array, Dim, Index, Indices, Number, Shape, Tensor
from engine.strides import preserved
from engine.types import Type


def _check_index(text: str, dtype: DType) -> None:
    if dtype not in (int64, int32):
        raise DTypeError(text, expected=["int64", "int32"], actual=dtype.name)


def _index_select_type(input: Type, index: Type, dim: Dim) -> Type:
    _check_index("index_select(): Expected dtype int32 or int64 for index", index.dtype)
    if index.ndim > 1:
        raise DimError("index_select(): Index is supposed to be a vector", expected=1, actual=index.ndim)
    if not input.shape:
        if index.numel != 1:
            raise RuntimeArgumentError(
                f"index_select(): Index to scalar can have only 1 value, got {index.numel} value(s)"
            )
        return Type((), input.dtype)
    axis = dim + input.ndim
    return Type((*input.shape[:axis], index.numel, *input.shape[axis + 1 :]), input.dtype)


@kernel(
    "index_select",
    kind="index",
    infer=_index_select_type,
    vjp=lambda F, x, y, g, dim: (
        lambda: F.index_add(F.zeros(x[0].meta.shape, dtype=g.meta.dtype), dim, x[1], g),
        None,
    ),
    saves=("dim", "index", "self_sym_sizes"),
    samples=lambda make: [
        sample(make(3, 4), 0, np.array([0, 2, 2])),
        sample(make(3, 4), -1, np.array([3])),
        sample(make(3), 0, np.array(1)),
    ],
    refusals=lambda make: [
        refused("index out of range in self", make(3, 4), 0, np.array([0, 5])),
        refused("INDICES element is out of DATA bounds, id=-1 axis_dim=4", make(3, 4), 1, np.array([0, -1])),
        refused("index_select(): Index is supposed to be a vector", make(3, 4), 0, np.array([[0]])),
    ],
)
def index_select(input: Tensor, dim: Dim, index: Index) -> Array:
    """The slices of `input` at the places `index` along `dim`.

    Smooth everywhere. A slice taken twice receives both gradients.
    """
    flat = index.reshape(-1)
    size = input.shape[dim] if input.ndim else 1
    wrong = flat[(flat < 0) | (flat >= size)]
    if wrong.size:
        if dim != -max(input.ndim, 1):
            raise RuntimeArgumentError(f"INDICES element is out of DATA bounds, id={wrong[0]} axis_dim={size}")
        raise DimError("index out of range in self")
    return np.take(input, flat, axis=dim) if input.ndim else input.copy()


def _gather_type(input: Type, index: Type, dim: Dim, sparse_grad: bool) -> Type:
    if index.numel:
        _check_index("gather(): Expected dtype int32/int64 for index", index.dtype)
    if sparse_grad:
        raise NotImplementedYet("gather with sparse_grad")
    _check_along("gather", input, index, dim)
    return Type(index.shape, input.dtype)


def _check_along(name: str, input: Type, index: Type, dim: Dim) -> None:
    """An index must not be larger than the tensor apart from the indexed dimension."""
    if index.numel == 0:
        return
    if max(input.ndim, 1) != max(index.ndim, 1):
        raise ShapeError("Index tensor must have the same number of dimensions as input tensor")
    axis = dim + max(input.ndim, 1)
    for at, (size, own) in enumerate(zip(input.shape, index.shape, strict=False)):
        if at != axis and own > size:
            raise ShapeError(
                f"Size does not match at dimension {at} expected index {list(index.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {axis}"
            )


def _along(index: Any, dim: int) -> tuple[Any, ...]:
    """The numpy index of the places `index` along `dim`."""
    grid = np.meshgrid(*(np.arange(size) for size in index.shape), indexing="ij", sparse=True)
    return tuple(index if at == dim + index.ndim else each for at, each in enumerate(grid))


@kernel(
    "gather",
    kind="index",
    infer=_gather_type,
    vjp=lambda F, x, y, g, dim, sparse_grad: (
        lambda: F.scatter_add(F.zeros(x[0].meta.shape, dtype=g.meta.dtype), dim, x[1], g),
        None,
    ),
    saves=("dim", "index", "self", "sparse_grad"),
    samples=lambda make: [
        sample(make(2, 3), 1, np.array([[0, 2], [1, 1]])),
        sample(make(2, 3), 0, np.array([[1, 0]])),
        sample(make(3), -1, np.array([2, 2, 0, 1])),
    ],
    refusals=lambda make: [
        refused("index 4 is out of bounds for dimension 1 with size 3", make(2, 3), 1, np.array([[0], [4]])),
        refused("Index tensor must have the same number of dimensions as input tensor", make(2, 3), 1, np.array([0])),
        refused(
            "Size does not match at dimension 1 expected index [1, 5] to be no larger than self [2, 3] apart from "
            "dimension 0",
            make(2, 3),
            0,
            np.array([[0, 0, 0, 0, 0]]),
        ),
    ],
)
def gather(input: Tensor, dim: Dim, index: Index, *, sparse_grad: bool = False) -> Array:
    """result[i][j] = input[index[i][j]][j] for dim 0, and so on: one place along `dim` for each element of `index`.

    Smooth everywhere. An element taken twice receives both gradients.
    """
    if index.size == 0:
        return np.zeros(index.shape, input.dtype)
    flat = input.reshape(1) if not input.ndim else input
    places = index.reshape(1) if not index.ndim else index
    check_bounds(places, flat.shape[dim], dim + flat.ndim)
    found: Array = flat[_along(places, dim)]
    return found.reshape(index.shape)


def _scatter_type(input: Type, index: Type, src: Type, dim: Dim) -> Type:
    _check_index("scatter(): Expected dtype int32/int64 for index", index.dtype)
    if input.dtype is not src.dtype:
        raise DTypeError(
            "scatter(): Expected self.dtype to be equal to src.dtype", expected=input.dtype.name, actual=src.dtype.name
        )
    if index.numel and max(index.ndim, 1) != max(src.ndim, 1):
        raise ShapeError("Index tensor must have the same number of dimensions as src tensor")
    axis = dim + max(input.ndim, 1)
    small = all(
        own <= size or at == axis for at, (own, size) in enumerate(zip(index.shape, input.shape, strict=False))
    ) and all(own <= size for own, size in zip(index.shape, src.shape, strict=False))
    if index.numel and max(index.ndim, 1) != max(input.ndim, 1):
        raise ShapeError("Index tensor must have the same number of dimensions as self tensor")
    if index.numel and not small:
        raise ShapeError(
            f"Expected index {list(index.shape)} to be no larger than self {list(input.shape)} apart from dimension "
            f"{axis} and to be no larger size than src {list(src.shape)}"
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
        refused("index 4 is out of bounds for dimension 1 with size 3", make(2, 3), 1, np.array([[4]]), make(1, 1))
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
        np.add.at(found, _along(places, dim), values)
    return found.reshape(input.shape)


def _index_add_type(input: Type, index: Type, source: Type, dim: Dim, alpha: Number) -> Type:
    _check_index("index_add_(): Expected dtype int32/int64 for index but got: " + index.dtype.title, index.dtype)
    if index.ndim > 1:
        raise DimError("index_add_(): Index is supposed to be a vector, but got dim: " + f"{index.ndim}")
    if input.dtype is not source.dtype:
        raise DTypeError(
            f"index_add_(): self ({input.dtype.title}) and source ({source.dtype.title}) must have the same scalar type"
        )
    wanted = (*input.shape[: dim + input.ndim], index.numel, *input.shape[dim + input.ndim + 1 :]) if input.shape else ()
    if source.shape != wanted and source.numel != index.numel:
        raise ShapeError(f"index_add_(): Number of indices ({index.numel}) should be equal to source.size(dim)")
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
        refused("index_add_(): Number of indices (2) should be equal to source.size(dim)", make(3), 0, np.array([0, 1]), make(3)),
    ],
)
def index_add(input: Tensor, dim: Dim, index: Index, source: Tensor, *, alpha: Number = 1) -> Array:
    """`input` with `alpha` times the slices of `source` added at the places `index` along `dim`.

    Smooth everywhere.
    """
    found = np.array(input, order="C", ndmin=1)
    flat = index.reshape(-1)
    if flat.size and (flat.min() < 0 or flat.max() >= found.shape[dim]):
        raise DimError("index out of range in self")
    moved = np.moveaxis(found, dim, 0)
    added = np.moveaxis(np.atleast_1d(source), dim, 0)
    np.add.at(moved, flat, added if alpha == 1 else added * np.asarray(alpha, input.dtype))
    return found.reshape(input.shape)


def _broadcasts_to(shape: Shape, size: Shape) -> bool:
    pairs = zip(reversed(shape), reversed(size), strict=False)
    return len(shape) <= len(size) and all(own in (1, want) for own, want in pairs)


def _index_put_type(input: Type, indices: Any, values: Type, accumulate: bool) -> Type:
    if input.dtype is not values.dtype:
        raise DTypeError(
            f"Index put requires the source and destination dtypes match, got {input.dtype.title} for the destination "
            f"and {values.dtype.title} for the source."
        )
    places = gathered_type(input, indices)
    if not is_bounded(places) and not _broadcasts_to(values.shape, places.shape):
        raise ShapeError(
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result of "
            f"shape {list(places.shape)}",
            expected=list(places.shape),
            actual=list(values.shape),
        )
    return preserved(input)


def _index_put_rule(F: Any, x: Any, y: Any, g: Any, accumulate: bool) -> Any:
    indices, values = x[1:-1], x[-1]

    def kept() -> Any:
        return g if accumulate else F.index_put(g, indices, F.zeros(values.shape, dtype=g.meta.dtype))

    return (kept, *(None,) * len(indices), lambda: F._index(g, indices))


def _written(input: Array, indices: Any, values: Array, accumulate: bool) -> Array:
    found = input.copy(order="K")
    try:
        if accumulate:
            np.add.at(found, numpy_key(indices, input.shape), values)
        else:
            found[numpy_key(indices, input.shape)] = values
    except (IndexError, ValueError):
        raise out_of_bounds(input.shape, indices) from None
    return found


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
def index_put(input: Tensor, indices: Indices, values: Tensor, accumulate: bool = False) -> Array:
    """`input` with `values` written at `indices` (added there if `accumulate`), a tensor or None per dimension.

    Smooth everywhere. Where a place is written twice the last value stays, and each of them receives the gradient.
    """
    return _written(input, indices, values, accumulate)


@kernel(
    "_index_put_impl",
    kind="index",
    infer=_index_put_type,
    vjp=_index_put_rule,
    saves=("accumulate", "indices"),
)
def index_put_impl(input: Tensor, indices: Indices, values: Tensor, accumulate: bool) -> Array:
    """`index_put` as the gradient of a gather has it.

    Smooth everywhere.
    """
    return _written(input, indices, values, accumulate)
