"""A window whose place along a dimension is a tensor, known when it is computed: what `narrow` then is."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import INTEGER
from engine.errors import DimError, RuntimeArgumentError
from engine.op import sample
from engine.signature import Array, Dim, Index, Tensor
from engine.types import Type


def _resized(input: Type, start: Type, dim: Dim, size: int) -> Type:
    if start.ndim or start.dtype.category != INTEGER:
        raise RuntimeArgumentError("start must be an 0-dim integral Tensor.")
    axis = dim + input.ndim
    return Type((*input.shape[:axis], size, *input.shape[axis + 1 :]), input.dtype)


def _window(size: int, start: Array, dim: Dim, length: int) -> Any:
    """The index of `length` elements from `start` on along a dimension of `size`."""
    asked = int(start)
    if not -size <= asked <= size:
        raise DimError(
            f"start out of range (expected to be in range of [{-size}, {size}], but got {asked})",
            expected=[-size, size],
            actual=asked,
        )
    first = asked + size if asked < 0 else asked
    if first + length > size:
        raise RuntimeArgumentError(f"start ({first}) + length ({length}) exceeds dimension size ({size}).")
    return (..., slice(first, first + length), *(slice(None),) * (-1 - dim))


@kernel(
    "_narrow_at",
    kind="index",
    infer=_resized,
    vjp=lambda F, x, y, g, dim, size: (
        lambda: F._narrow_at_backward(g, x[1], dim, x[0].meta.shape[dim]),
        None,
    ),
    grad_fn="SliceBackward0",
    saves=("dim", "size", "start"),
    samples=lambda make: [sample(make(4, 3), np.array(1), 0, 2), sample(make(3), np.array(-2), -1, 1)],
    batched="loop",
)
def _narrow_at(input: Tensor, start: Index, dim: Dim, size: int) -> Array:
    """`size` slices along `dim` from `start` on.

    Smooth everywhere.
    """
    return np.array(input[_window(input.shape[dim], start, dim, size)])


@kernel(
    "_narrow_at_backward",
    kind="index",
    infer=_resized,
    vjp=lambda F, x, y, g, dim, size: (lambda: F._narrow_at(g, x[1], dim, x[0].meta.shape[dim]), None),
    grad_fn="SliceBackwardBackward0",
    saves=("dim", "start"),
    samples=lambda make: [sample(make(2, 3), np.array(1), 0, 4)],
    batched="loop",
)
def _narrow_at_backward(grad: Tensor, start: Index, dim: Dim, size: int, *, meta: Type) -> Array:
    """Zeros with `grad` in the window that it is the gradient of.

    Smooth everywhere.
    """
    found = np.zeros(meta.shape, grad.dtype)
    found[_window(size, start, dim, grad.shape[dim])] = grad
    return found
