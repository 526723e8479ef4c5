"""Products of vectors: cross, vdot, vecdot, inner."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import BOOL
from engine.errors import DTypeError, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.dtype_checks import no_kernel
from engine.ops.linalg import _dot_type, product
from engine.ops.matrices import check_floating
from engine.signature import Array, Dim, Tensor
from engine.types import Type, broadcast_shapes


def _cross_type(input: Type, other: Type, dim: int) -> Type:
    if input.ndim != other.ndim:
        raise ShapeError("linalg.cross: inputs must have the same number of dimensions.")
    sizes = input.shape[dim], other.shape[dim]
    if sizes != (3, 3):
        raise ShapeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {sizes[0]} and {sizes[1]}",
            expected=3,
            actual=list(sizes),
        )
    shape = broadcast_shapes(input.shape, other.shape)
    if input.dtype is not other.dtype:
        raise DTypeError(f"expected scalar type {input.dtype.title} but found {other.dtype.title}")
    if input.dtype.category == BOOL:
        raise no_kernel("cross", input.dtype)
    return Type(shape, input.dtype)


@kernel(
    "_linalg_cross",
    kind="contraction",
    infer=_cross_type,
    vjp=lambda F, x, y, g, dim: (
        lambda: F._linalg_cross(F.conj(x[1]), g, dim),
        lambda: F._linalg_cross(g, F.conj(x[0]), dim),
    ),
    saves=("dim", "other for input", "self for other"),
    grad_fn="LinalgCrossBackward0",
    samples=lambda make: [],
)
def _linalg_cross(input: Tensor, other: Tensor, dim: Dim) -> Array:
    """The cross product along `dim`.

    Smooth everywhere. The rule is a cross product too.
    """
    left, right = np.moveaxis(input, dim, 0), np.moveaxis(other, dim, 0)
    parts = [left[a] * right[b] - left[b] * right[a] for a, b in ((1, 2), (2, 0), (0, 1))]
    return np.stack(parts, dim)


_CROSS = [
    ("linalg.cross: inputs must have the same number of dimensions.", (2, 2, 3), (2, 3)),
    ("must have length 3. Got 2 and 2", (5, 2), (5, 2)),
]


@composite(
    "linalg.cross",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3)),
        sample(make(3, 2), make(3, 1), dim=0),
        sample(make(3) + 1j * make(3), make(3) + 1j * make(3)),
        sample(make(0, 3), make(0, 3)),
        sample(make.ints(3), make.ints(3)),
    ],
    refusals=lambda make: [
        *(refused(text, make(*left), make(*right)) for text, left, right in _CROSS),
        refused("linalg.cross: inputs dimension -1 must have length 3. Got 3 and 1", make(5, 3), make(5, 1)),
        refused("Dimension out of range", make(5, 3), make(5, 3), dim=2),
        refused("expected scalar type Double but found Long", make(3), make.ints(3)),
    ],
)
def linalg_cross(F: Any, input: Tensor, other: Tensor, *, dim: Dim = -1) -> Any:
    """The cross products of vectors of 3 along `dim`; the other dims broadcast.

    Smooth everywhere. The operands have one dtype; there is no promotion.
    """
    return F._linalg_cross(input, other, dim)


@composite(
    "cross",
    samples=lambda make: [
        sample(make(3, 2), make(3, 2)),
        sample(make(2, 3), make(2, 3), 1),
        sample(make(2, 3), make(1, 3)),
    ],
    refusals=lambda make: [
        refused("no dimension of size 3 in input", make(2), make(2)),
        refused(_CROSS[0][0], make(2, 2, 3), make(2, 3)),
    ],
)
def cross(F: Any, input: Tensor, other: Tensor, dim: Dim | None = None) -> Any:
    """The cross products of vectors of 3 along `dim`, or along the first dim of size 3.

    Smooth everywhere. The operands have one dtype; there is no promotion.
    """
    if dim is None:
        found = [at for at, size in enumerate(input.meta.shape) if size == 3]
        if not found:
            raise RuntimeArgumentError("no dimension of size 3 in input")
        dim = found[0]
    return F._linalg_cross(input, other, dim)


@kernel(
    "vdot",
    kind="contraction",
    infer=_dot_type,
    vjp=lambda F, x, y, g: (lambda: F.mul(F.conj(g), x[1]), lambda: F.mul(g, x[0])),
    saves=("other for input", "self for other"),
    samples=lambda make: [
        sample(make(3), make(3)),
        sample(make(0), make(0)),
        sample(make(3) + 1j * make(3), make(3) + 1j * make(3)),
    ],
    refusals=lambda make: [
        refused("inconsistent tensor size, expected tensor [2] and src [3]", make(2), make(3)),
        refused("1D tensors expected, but got 2D and 1D tensors", make(2, 2), make(2)),
        refused("dot : expected both vectors to have same dtype", make(2), make.ints(2)),
    ],
)
def vdot(input: Tensor, other: Tensor, *, meta: Any, lead: int) -> Array:
    """The sum of the products of two vectors' elements, those of the first conjugated.

    Smooth everywhere. The operands have one dtype; there is no promotion.
    """
    input = np.conj(input) if input.dtype.kind == "c" else input
    if lead:
        found = product(input[..., None, :], other[..., None])[..., 0, 0]
    else:
        found = product(input, other)
    return found.astype(meta.dtype.numpy, copy=False)


@composite(
    "linalg.vecdot",
    samples=lambda make: [
        sample(make(3), make(3)),
        sample(make(2, 3), make(3)),
        sample(make(3, 2), make(3, 1), dim=0),
        sample(make(2, 3) + 1j * make(2, 3), make(2, 3) + 1j * make(2, 3)),
        sample(make(2, 0), make(2, 0)),
    ],
    refusals=lambda make: [
        refused("linalg.vecdot: Expected a floating point", make.ints(3), make.ints(3)),
        refused("linalg.vecdot: Expected x and y to have the same dtype", make(3), make(3).astype("f4")),
        refused("The size of tensor a (3) must match the size of tensor b (2)", make(3, 3), make(3, 2)),
    ],
)
def vecdot(F: Any, x: Tensor, y: Tensor, *, dim: Dim = -1) -> Any:
    """The sums over `dim` of the products of elements, those of `x` conjugated; the other dims broadcast.

    Smooth everywhere. The operands have one dtype; there is no promotion.
    """
    check_floating("linalg.vecdot", x.meta)
    if x.meta.dtype is not y.meta.dtype:
        raise DTypeError(
            f"linalg.vecdot: Expected x and y to have the same dtype, but found x of type "
            f"{x.meta.dtype.title} and y of type {y.meta.dtype.title} instead"
        )
    if x.meta.ndim == y.meta.ndim == 1:
        return F.vdot(x, y)
    return F.sum(F.mul(F.conj(x) if x.meta.dtype.is_complex else x, y), dim)


@composite(
    "inner",
    samples=lambda make: [
        sample(make(3), make(3)),
        sample(make(2, 3), make(3)),
        sample(make(2, 3), make(4, 3)),
        sample(make(), make(2)),
    ],
    refusals=lambda make: [
        refused("inner() the last dimension must match on both input tensors", make(3, 3), make(3, 2))
    ],
)
def inner(F: Any, input: Tensor, other: Tensor) -> Any:
    """The sums over the last dims of the products of all vectors along them; of a number, its multiples.

    Smooth everywhere. The operands have one dtype; there is no promotion.
    """
    left, right = input.meta.shape, other.meta.shape
    if not left or not right:
        return F.mul(input, other)
    if left[-1] != right[-1]:
        raise ShapeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(left)} and {list(right)}",
            expected=left[-1],
            actual=right[-1],
        )
    return F.tensordot(input, other, [[-1], [-1]])
