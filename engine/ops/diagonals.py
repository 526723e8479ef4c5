"""Diagonals of matrices, read and made."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Array, Dim, NewDim, Shape, Tensor
from engine.types import Type, strided


def _diagonal_type(input: Type, offset: int, dim1: int, dim2: int) -> Type:
    if dim1 == dim2:
        dim = dim1 + input.ndim
        raise RuntimeArgumentError(f"diagonal dimensions cannot be identical {dim}, {dim}")
    rows, columns = input.shape[dim1], input.shape[dim2]
    size = max(min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns), 0)
    kept = [axis for axis in range(-input.ndim, 0) if axis not in (dim1, dim2)]
    steps = input.stride()
    shape = (*(input.shape[axis] for axis in kept), size)
    return strided(shape, input.dtype, (*(steps[axis] for axis in kept), steps[dim1] + steps[dim2]))


@kernel(
    "_diagonal_backward",
    kind="structural",
    infer=lambda input, size, offset, dim1, dim2: Type(size, input.dtype),
    vjp=lambda F, x, y, g, size, offset, dim1, dim2: (lambda: F.diagonal(g, offset, dim1, dim2),),
    saves=("offset", "dim1", "dim2"),
    samples=lambda make: [],
)
def _diagonal_backward(input: Tensor, size: Shape, offset: int, dim1: int, dim2: int) -> Array:
    """Zeros of `size` with `input` on a diagonal.

    Smooth everywhere.
    """
    found = np.zeros(size, input.dtype)
    target = np.diagonal(found, offset, dim1, dim2)
    target.flags.writeable = True
    target[...] = input
    return found


@kernel(
    "diagonal",
    kind="view",
    infer=_diagonal_type,
    vjp=lambda F, x, y, g, offset, dim1, dim2: (
        lambda: F._diagonal_backward(g, x[0].meta.shape, offset, dim1, dim2),
    ),
    saves=("dim1", "dim2", "offset", "self_sym_sizes"),
    aliases=("linalg.diagonal",),
    samples=lambda make: [
        sample(make(3, 3)),
        sample(make(2, 3), 1),
        sample(make(2, 3, 3), -1, 0, 2),
        sample(make(2, 3), 5),
    ],
    refusals=lambda make: [
        refused("diagonal dimensions cannot be identical 0, 0", make(2, 3), 0, 0, -2),
        refused("Dimension out of range", make(2, 3), 0, 0, 2),
    ],
)
def diagonal(input: Tensor, offset: int = 0, dim1: Dim = 0, dim2: Dim = 1) -> Array:
    """The `offset`-th diagonal of the matrices that `dim1` and `dim2` span, as a last dimension.

    Smooth everywhere.
    """
    found = np.diagonal(input, offset, dim1, dim2)
    if input.flags.writeable:
        found.flags.writeable = True
    return found


@kernel(
    "_diagonal_copy",
    kind="structural",
    infer=lambda input, offset, dim1, dim2: _copied(_diagonal_type(input, offset, dim1, dim2)),
    vjp=lambda F, x, y, g, offset, dim1, dim2: (
        lambda: F._diagonal_backward(g, x[0].meta.shape, offset, dim1, dim2),
    ),
    grad_fn="DiagonalBackward0_copy",
    saves=("dim1", "dim2", "offset", "self_sym_sizes"),
)
def _diagonal_copy(input: Tensor, offset: int, dim1: Dim, dim2: Dim) -> Array:
    """`diagonal`, with memory of its own.

    Smooth everywhere.
    """
    return np.diagonal(input, offset, dim1, dim2).copy()


def _copied(view: Type) -> Type:
    return Type(view.shape, view.dtype)


def _embed_type(input: Type, offset: int, dim1: int, dim2: int) -> Type:
    rank = input.ndim + 1
    if dim1 == dim2:
        dim = dim1 + rank
        raise RuntimeArgumentError(f"diagonal dimensions cannot be identical {dim}, {dim}")
    size = input.shape[-1] + abs(offset)
    rest = iter(input.shape[:-1])
    matrix = (dim1 + rank, dim2 + rank)
    return Type(tuple(size if axis in matrix else next(rest) for axis in range(rank)), input.dtype)


@kernel(
    "diag_embed",
    kind="structural",
    infer=_embed_type,
    vjp=lambda F, x, y, g, offset, dim1, dim2: (lambda: F.diagonal(g, offset, dim1, dim2),),
    saves=("dim1", "dim2", "offset"),
    samples=lambda make: [
        sample(make(3)),
        sample(make(2, 3), 1),
        sample(make(2, 3), -1, 0, 2),
        sample(make(2, 2), 0, -1, 0),
        sample(make(2, 0)),
    ],
    refusals=lambda make: [
        refused("diagonal dimensions cannot be identical 0, 0", make(2), 0, 0, -2),
        refused("Dimension out of range (expected to be in range of [-2, 1], but got 2)", make(2), 0, 0, 2),
    ],
)
def diag_embed(input: Tensor, offset: int = 0, dim1: NewDim = -2, dim2: NewDim = -1, *, meta: Type) -> Array:
    """Matrices of zeros with the last dimension of `input` on a diagonal; `dim1` and `dim2` span them.

    Smooth everywhere.
    """
    found = np.zeros(meta.shape, input.dtype)
    target = np.diagonal(found, offset, dim1, dim2)
    target.flags.writeable = True
    target[...] = input
    return found


@composite(
    "diag",
    samples=lambda make: [sample(make(3)), sample(make(3), -1), sample(make(2, 3)), sample(make(3, 3), 1)],
    refusals=lambda make: [refused("diag(): Supports 1D or 2D tensors. Got 3D", make(2, 2, 2))],
)
def diag(F: Any, input: Tensor, diagonal: int = 0) -> Any:
    """A matrix with `input` on a diagonal; of a matrix, that diagonal.

    Smooth everywhere.
    """
    rank = input.meta.ndim
    if rank not in (1, 2):
        raise ShapeError(f"diag(): Supports 1D or 2D tensors. Got {rank}D", actual=rank)
    return F.diag_embed(input, diagonal) if rank == 1 else F._diagonal_copy(input, diagonal, 0, 1)


@composite("diagflat", samples=lambda make: [sample(make(2)), sample(make(2, 2), 1), sample(make(), -1)])
def diagflat(F: Any, input: Tensor, offset: int = 0) -> Any:
    """A matrix with all elements of `input` on a diagonal.

    Smooth everywhere.
    """
    return F.diag(F.view(F.contiguous(input), (-1,)), offset)
