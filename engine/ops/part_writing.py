"""A tensor with a part of it replaced: select_scatter, slice_scatter, diagonal_scatter."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import kernel
from engine.errors import ShapeError
from engine.op import refused, sample
from engine.ops.diagonals import _diagonal_type
from engine.ops.slicing import _at, _clamped, _select_type, _slice_type
from engine.signature import Array, Dim, Tensor
from engine.strides import preserved
from engine.types import Type


def _replaced(input: Type, src: Type, part: Type, name: str) -> Type:
    """The Type of `input` with `part` replaced; ShapeError if `src` has another shape."""
    if src.shape != part.shape:
        raise ShapeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(src.shape)}, slice size = {list(part.shape)}",
            expected=list(part.shape),
            actual=list(src.shape),
        )
    return preserved(input)


def _select_scatter_type(input: Type, src: Type, dim: int, index: int) -> Type:
    return _replaced(input, src, _select_type(input, dim, index), "slice")


def _slice_scatter_type(input: Type, src: Type, dim: int, start: Any, end: Any, step: int) -> Type:
    return _replaced(input, src, _slice_type(input, dim, start, end, step), "slice")


def _diagonal_scatter_type(input: Type, src: Type, offset: int, dim1: int, dim2: int) -> Type:
    return _replaced(input, src, _diagonal_type(input, offset, dim1, dim2), "slice")


def _zero(F: Any, x: Any) -> Any:
    return F.zeros(x[1].meta.shape, dtype=x[1].meta.dtype)


@kernel(
    "select_scatter",
    kind="index",
    infer=_select_scatter_type,
    vjp=lambda F, x, y, g, dim, index: (
        lambda: F.select_scatter(g, _zero(F, x), dim, index),
        lambda: F.select(g, dim, index),
    ),
    saves=("dim", "index"),
    samples=lambda make: [
        sample(make(2, 3), make(3), 0, 1),
        sample(make(2, 3), make(2), -1, -1),
        sample(make(3), make(), 0, 0),
    ],
    refusals=lambda make: [
        refused("src size = [2], slice size = [3]", make(2, 3), make(2), 0, 0),
        refused("select(): index 5 out of range for tensor of size [2, 3] at dimension 0",
                make(2, 3), make(3), 0, 5),
    ],
)  # fmt: skip
def select_scatter(input: Tensor, src: Tensor, dim: Dim, index: int) -> Array:
    """`input` with `src` in place of the slice at `index` along `dim`.

    What is written over has no gradient.
    """
    found = np.array(input)
    found[_at(found.ndim, dim, index)] = src
    return found


@kernel(
    "slice_scatter",
    kind="index",
    infer=_slice_scatter_type,
    vjp=lambda F, x, y, g, dim, start, end, step: (
        lambda: F.slice_scatter(g, _zero(F, x), dim, start, end, step),
        lambda: F.slice(g, dim, start, end, step),
    ),
    saves=("dim", "end", "start", "step"),
    samples=lambda make: [
        sample(make(4, 2), make(2, 2), 0, 1, 3),
        sample(make(2, 4), make(2, 2), -1, None, None, 2),
        sample(make(3), make(3)),
    ],
    refusals=lambda make: [
        refused("src size = [2], slice size = [1]", make(3), make(2), 0, 1, 2),
        refused("slice step must be positive", make(3), make(2), 0, 0, 2, 0),
    ],
)
def slice_scatter(
    input: Tensor, src: Tensor, dim: Dim = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Array:
    """`input` with `src` in place of every `step`-th slice along `dim` from `start` up to `end`.

    What is written over has no gradient.
    """
    found = np.array(input)
    first, last = _clamped(found.shape[dim], start, end)
    found[_at(found.ndim, dim, slice(first, last, step))] = src
    return found


@kernel(
    "diagonal_scatter",
    kind="index",
    infer=_diagonal_scatter_type,
    vjp=lambda F, x, y, g, offset, dim1, dim2: (
        lambda: F.diagonal_scatter(g, _zero(F, x), offset, dim1, dim2),
        lambda: F.diagonal(g, offset, dim1, dim2),
    ),
    saves=("dim1", "dim2", "offset"),
    samples=lambda make: [
        sample(make(3, 3), make(3)),
        sample(make(2, 3), make(2), 1),
        sample(make(2, 3, 2), make(3, 1), 1, 0, 2),
    ],
    refusals=lambda make: [
        refused("src size = [2], slice size = [3]", make(3, 3), make(2)),
        refused("diagonal dimensions cannot be identical 0, 0", make(2, 3), make(2), 0, 0, -2),
    ],
)
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: Dim = 0, dim2: Dim = 1) -> Array:
    """`input` with `src` on the `offset`-th diagonal of the matrices that `dim1` and `dim2` span.

    What is written over has no gradient.
    """
    found = np.array(input)
    target = np.diagonal(found, offset, dim1, dim2)
    target.flags.writeable = True
    target[...] = src
    return found
