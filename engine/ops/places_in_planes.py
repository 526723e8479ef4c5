"""Elements at flat places of the trailing dims: taken, added up and put, each the others' adjoint."""

from __future__ import annotations

import math

import numpy as np

from engine.define import kernel
from engine.errors import RuntimeArgumentError
from engine.ops.reductions import wide
from engine.signature import Array, Index, Shape, Sizes, Tensor
from engine.types import Type


def _planes(array: Array, rank: int) -> Array:
    """The last `rank` dims as one."""
    return array.reshape(*array.shape[: array.ndim - rank], math.prod(array.shape[array.ndim - rank :]))


def _numbered(indices: Array, size: int) -> Array:
    """Places in one plane that has all planes behind each other."""
    first = np.arange(math.prod(indices.shape[:-1])).reshape(*indices.shape[:-1], 1) * size
    return np.asarray(indices + first).reshape(-1)


def _check(indices: Array, size: Shape) -> None:
    if indices.size and (indices.min() < 0 or indices.max() >= math.prod(size)):
        wrong = indices[(indices < 0) | (indices >= math.prod(size))].reshape(-1)[0]
        raise RuntimeArgumentError(
            f"Found an invalid max index: {wrong} (output volumes are of size {'x'.join(map(str, size))})"
        )


@kernel(
    "_plane_gather",
    kind="index",
    infer=lambda input, indices, rank: Type(indices.shape, input.dtype),
    vjp=lambda F, x, y, g, rank: (
        lambda: F._plane_add(g, x[1], x[0].meta.shape[x[0].meta.ndim - rank :]),
        None,
    ),
    saves=("indices",),
)
def plane_gather(input: Tensor, indices: Index, rank: int) -> Array:
    """The elements of each plane, of `rank` dims, at flat `indices`.

    Smooth everywhere.
    """
    found = np.take_along_axis(_planes(input, rank), _planes(indices, rank), -1)
    return found.reshape(indices.shape)


@kernel(
    "_plane_add",
    kind="index",
    infer=lambda input, indices, size: Type((*input.shape[: input.ndim - len(size)], *size), input.dtype),
    vjp=lambda F, x, y, g, size: (lambda: F._plane_gather(g, x[1], len(size)), None),
    saves=("indices",),
)
def plane_add(input: Tensor, indices: Index, size: Sizes) -> Array:
    """Planes of zeros of `size`, with `input` added at flat `indices`.

    Smooth everywhere.
    """
    values, places = _planes(input, len(size)), _planes(indices, len(size))
    found = np.zeros((*values.shape[:-1], math.prod(size)), wide(input.dtype))
    np.add.at(found.reshape(-1), _numbered(places, found.shape[-1]), values.reshape(-1))
    return found.reshape(*values.shape[:-1], *size).astype(input.dtype, copy=False)


@kernel(
    "_plane_put",
    kind="index",
    infer=lambda input, indices, size: Type((*input.shape[: input.ndim - len(size)], *size), input.dtype),
    vjp=lambda F, x, y, g, size: (lambda: F._plane_gather(g, x[1], len(size)), None),
    grad_fn=lambda operands, given: f"MaxUnpool{len(given['size'])}DBackward0",
    saves=("indices",),
)
def plane_put(input: Tensor, indices: Index, size: Sizes) -> Array:
    """Planes of zeros of `size`, with `input` put at flat `indices`.

    Of elements put at one place the last one stays; the gradient goes to all.
    """
    _check(indices, size)
    values, places = _planes(input, len(size)), _planes(indices, len(size))
    found = np.zeros((*values.shape[:-1], math.prod(size)), input.dtype)
    found.reshape(-1)[_numbered(places, found.shape[-1])] = values.reshape(-1)
    return found.reshape(*values.shape[:-1], *size)
