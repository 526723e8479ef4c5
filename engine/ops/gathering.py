"""Reading at places: index_select, gather, and the gathers behind x[…]."""

from __future__ import annotations

import numpy as np

from engine.define import kernel
from engine.errors import DimError, NotImplementedYet, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.keys import read, taken
from engine.ops.places import along, check_bounds, check_index, gathered_type
from engine.signature import Array, Dim, Index, Indices, Tensor
from engine.types import Type


def _index_select_type(input: Type, index: Type, dim: Dim) -> Type:
    check_index("index_select(): Expected dtype int32 or int64 for index", index.dtype)
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
def index_select(input: Tensor, dim: Dim, index: Index, *, lead: int) -> Array:
    """The slices of `input` at the places `index` along `dim`.

    Smooth everywhere. A slice taken twice receives both gradients.
    """
    rank = input.ndim - lead
    size = input.shape[dim] if rank else 1
    wrong = index[(index < 0) | (index >= size)]
    if wrong.size:
        if dim != -max(rank, 1):
            raise RuntimeArgumentError(
                f"INDICES element is out of DATA bounds, id={wrong[0]} axis_dim={size}"
            )
        raise DimError("index out of range in self")
    return taken(input, index if index.ndim > lead else index[..., None], dim, lead) if rank else input.copy()


def _gather_type(input: Type, index: Type, dim: Dim, sparse_grad: bool) -> Type:
    if index.numel:
        check_index("gather(): Expected dtype int32/int64 for index", index.dtype)
    if sparse_grad:
        raise NotImplementedYet("gather with sparse_grad")
    _check_along(input, index, dim)
    return Type(index.shape, input.dtype)


def _check_along(input: Type, index: Type, dim: Dim) -> None:
    """An index must not be larger than the tensor apart from the indexed dimension."""
    if index.numel == 0:
        return
    if max(input.ndim, 1) != max(index.ndim, 1):
        raise ShapeError("Index tensor must have the same number of dimensions as input tensor")
    axis = dim + max(input.ndim, 1)
    for at, (size, own) in enumerate(zip(input.shape, index.shape, strict=False)):
        if at != axis and own > size:
            raise ShapeError(
                f"Size does not match at dimension {at} expected index {list(index.shape)} to be no larger "
                f"than self {list(input.shape)} apart from dimension {axis}"
            )


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
        refused(
            "Index tensor must have the same number of dimensions as input tensor",
            make(2, 3),
            1,
            np.array([0]),
        ),
        refused(
            "Size does not match at dimension 1 expected index [1, 5] to be no larger than self [2, 3] "
            "apart from dimension 0",
            make(2, 3),
            0,
            np.array([[0, 0, 0, 0, 0]]),
        ),
    ],
)
def gather(input: Tensor, dim: Dim, index: Index, *, sparse_grad: bool = False) -> Array:
    """result[i][j] = input[index[i][j]][j] for dim 0, and so on: a place along `dim` per element of `index`.

    Smooth everywhere. An element taken twice receives both gradients.
    """
    if index.size == 0:
        return np.zeros(index.shape, input.dtype)
    flat = input.reshape(1) if not input.ndim else input
    places = index.reshape(1) if not index.ndim else index
    check_bounds(places, flat.shape[dim], dim + flat.ndim)
    found: Array = flat[along(places, dim)]
    return found.reshape(index.shape)


@kernel(
    "_index",
    kind="index",
    infer=gathered_type,
    vjp=lambda F, x, y, g: (
        lambda: F._index_put_impl(F.zeros(x[0].meta.shape, dtype=g.meta.dtype), x[1:], g, True),
        *(None,) * (len(x) - 1),
    ),
    grad_fn="IndexBackward0",
    saves=("indices", "self_sym_sizes"),
)
def index(input: Tensor, indices: Indices, *, lead: int) -> Array:
    """The elements at `indices`, a tensor or None per dimension; a mask stands for where it is true.

    Smooth everywhere.
    """
    return read(input, indices, lead)


@kernel(
    "_select_at",
    kind="index",
    infer=lambda input, index, dim: Type(
        input.shape[:dim] + input.shape[input.ndim + dim + 1 :], input.dtype
    ),
    vjp=lambda F, x, y, g, dim: (
        lambda: F.index_put(
            F.zeros(x[0].meta.shape, dtype=g.meta.dtype), (*(None,) * (dim + x[0].meta.ndim), x[1]), g, True
        ),
        None,
    ),
    grad_fn="SelectBackward0",
    saves=("dim", "index", "self_sym_sizes"),
)
def select_at(input: Tensor, index: Index, dim: Dim, *, lead: int) -> Array:
    """`select` at a place that is known only when the graph runs.

    Smooth everywhere.
    """
    size = input.shape[dim]
    wrong = index[(index < -size) | (index >= size)]
    if wrong.size:
        axis = dim + input.ndim - lead
        raise DimError(f"index {wrong.flat[0]} is out of bounds for dimension {axis} with size {size}")
    return np.squeeze(taken(input, index[..., None], dim, lead), dim)
