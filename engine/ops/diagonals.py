"""Diagonals of matrices."""

from __future__ import annotations

import numpy as np

from engine.define import kernel
from engine.errors import RuntimeArgumentError
from engine.op import refused, sample
from engine.signature import Array, Dim, Shape, Tensor
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
