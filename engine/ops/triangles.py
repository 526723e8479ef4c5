"""Triangles of matrices, and where their elements are."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import DType, int32, int64
from engine.errors import RuntimeArgumentError, ShapeError, UnsupportedDType
from engine.op import refused, sample
from engine.signature import Array, Tensor
from engine.types import Type


def _triangle_type(name: str) -> Any:
    def infer(input: Type, diagonal: int) -> Type:
        if input.ndim < 2:
            raise ShapeError(f"{name}: input tensor must have at least 2 dimensions", actual=input.ndim)
        return Type(input.shape, input.dtype)

    return infer


@kernel(
    "tril",
    kind="structural",
    infer=_triangle_type("tril"),
    vjp=lambda F, x, y, g, diagonal: (lambda: F.tril(g, diagonal),),
    saves=("diagonal",),
    samples=lambda make: [
        sample(make(3, 3)),
        sample(make(2, 3), 1),
        sample(make(2, 3, 2), -1),
        sample(make(0, 3)),
    ],
    refusals=lambda make: [refused("tril: input tensor must have at least 2 dimensions", make(2))],
)
def tril(input: Tensor, diagonal: int = 0) -> Array:
    """Each matrix's elements on and below a diagonal, and 0 above.

    Smooth everywhere.
    """
    return np.tril(input, diagonal)


@kernel(
    "triu",
    kind="structural",
    infer=_triangle_type("triu"),
    vjp=lambda F, x, y, g, diagonal: (lambda: F.triu(g, diagonal),),
    saves=("diagonal",),
    samples=lambda make: [
        sample(make(3, 3)),
        sample(make(2, 3), 1),
        sample(make(2, 3, 2), -1),
        sample(make(0, 3)),
    ],
    refusals=lambda make: [refused("triu: input tensor must have at least 2 dimensions", make(2))],
)
def triu(input: Tensor, diagonal: int = 0) -> Array:
    """Each matrix's elements on and above a diagonal, and 0 below.

    Smooth everywhere.
    """
    return np.triu(input, diagonal)


def _below(row: int, col: int, offset: int) -> int:
    """How many elements of a matrix are on and below the diagonal `offset`."""
    if not row or not col:
        return 0
    first = min(col, 1 + offset) if offset > 0 else int(row + offset > 0)
    last = max(0, min(col, row + offset))
    rows = max(0, min(row, row + offset))
    lower = (first + last) * (last - first + 1) // 2
    rest = rows - (last - first + 1)
    return max(0, lower + (rest * col if rest > 0 else 0))


def _check_indices(name: str, row: int, col: int, dtype: DType | None) -> DType:
    for size, what in ((row, "row"), (col, "col")):
        if size < 0:
            raise RuntimeArgumentError(f"{what} must be non-negative, got{size}", actual=size)
    if dtype not in (None, int64, int32):
        assert dtype is not None
        raise UnsupportedDType(f"\"{name}\" not implemented for '{dtype.title}'")
    return dtype or int64


def _tril_indices_type(row: int, col: int, offset: int, dtype: DType | None) -> Type:
    found = _check_indices("tril_indices", row, col, dtype)
    return Type((2, _below(row, col, offset)), found)


def _triu_indices_type(row: int, col: int, offset: int, dtype: DType | None) -> Type:
    found = _check_indices("triu_indices", row, col, dtype)
    return Type((2, row * col - _below(row, col, offset - 1)), found)


@kernel(
    "tril_indices",
    kind="creation",
    infer=_tril_indices_type,
    samples=lambda make: [sample(3, 3), sample(4, 3, 1), sample(3, 2, offset=-1, dtype="int32")],
    refusals=lambda make: [refused("row must be non-negative, got-1", -1, 2)],
)
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: DType | None = None, meta: Type) -> Array:
    """The rows and the columns of the elements on and below a diagonal of a matrix, row by row.

    Constant: nothing flows back.
    """
    return np.asarray(np.tril_indices(row, offset, col), meta.dtype.numpy)


@kernel(
    "triu_indices",
    kind="creation",
    infer=_triu_indices_type,
    samples=lambda make: [sample(3, 3), sample(4, 3, 1), sample(3, 2, offset=-1, dtype="int32")],
    refusals=lambda make: [refused("col must be non-negative, got-1", 2, -1)],
)
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: DType | None = None, meta: Type) -> Array:
    """The rows and the columns of the elements on and above a diagonal of a matrix, row by row.

    Constant: nothing flows back.
    """
    return np.asarray(np.triu_indices(row, offset, col), meta.dtype.numpy)
