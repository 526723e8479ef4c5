"""Elements in another order along dimensions: flip, roll, rot90."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.errors import DimError, RuntimeArgumentError, ShapeError
from engine.leading import flat
from engine.op import refused, sample
from engine.signature import Array, Dims, Order, Shape, Tensor
from engine.strides import preserved
from engine.types import Type, strided, wrap_dim


@kernel(
    "flip",
    kind="structural",
    infer=lambda input, dims: preserved(input),
    vjp=lambda F, x, y, g, dims: (lambda: F.flip(g, dims),),
    saves=("dims",),
    samples=lambda make: [
        sample(make(2, 3), (0,)),
        sample(make(2, 3, 2), (-1, 0)),
        sample(make(3), ()),
        sample(make(0, 2), 1),
    ],
    refusals=lambda make: [
        refused("dim 0 appears multiple times in the list of dims", make(2, 3), (0, 0)),
        refused("Dimension out of range (expected to be in range of [-2, 1], but got 3)", make(2, 3), (3,)),
    ],
)
def flip(input: Tensor, dims: Dims, *, lead: int) -> Array:
    """`input` with the elements along `dims` in reverse order, copied.

    Smooth everywhere.
    """
    rank = input.ndim - lead
    return np.array(np.flip(input, tuple(dims) if rank else ()))


@composite(
    "fliplr",
    samples=lambda make: [sample(make(2, 3))],
    refusals=lambda make: [refused("Input must be >= 2-d.", make(2))],
)
def fliplr(F: Any, input: Tensor) -> Any:
    """`input` with its columns in reverse order.

    Smooth everywhere.
    """
    if input.meta.ndim < 2:
        raise ShapeError("Input must be >= 2-d.", actual=input.meta.ndim)
    return F.flip(input, (1,))


@composite(
    "flipud",
    samples=lambda make: [sample(make(2, 3)), sample(make(3))],
    refusals=lambda make: [refused("Input must be >= 1-d.", make())],
)
def flipud(F: Any, input: Tensor) -> Any:
    """`input` with its rows in reverse order.

    Smooth everywhere.
    """
    if input.meta.ndim < 1:
        raise ShapeError("Input must be >= 1-d.", actual=input.meta.ndim)
    return F.flip(input, (0,))


def _roll_type(input: Type, shifts: Shape, dims: tuple[int, ...]) -> Type:
    if not shifts:
        raise RuntimeArgumentError("`shifts` required")
    if len(dims) != len(shifts) and (dims or len(shifts) > 1):
        raise RuntimeArgumentError(
            f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}",
            expected=len(shifts),
            actual=len(dims),
        )
    if dims and not input.shape:
        raise DimError(f"Dimension specified as {dims[0]} but tensor has no dimensions", actual=dims[0])
    for dim in dims:
        wrap_dim(dim, input.ndim)
    return Type(input.shape, input.dtype)


@kernel(
    "roll",
    kind="structural",
    infer=_roll_type,
    vjp=lambda F, x, y, g, shifts, dims: (lambda: F.roll(g, tuple(-each for each in shifts), dims),),
    saves=("dims", "shifts"),
    samples=lambda make: [
        sample(make(2, 3), 1),
        sample(make(2, 3), -1, 1),
        sample(make(2, 3), (1, 4), (0, -1)),
        sample(make(2, 3), (1, 1), (0, 0)),
        sample(make(), 1),
    ],
    refusals=lambda make: [
        refused("`shifts` required", make(3), ()),
        refused("Dimension specified as 0 but tensor has no dimensions", make(), 1, 0),
        refused("shifts and dimensions must align. shifts: 2, dims:1", make(3), (1, 2), (0,)),
        refused("Dimension out of range (expected to be in range of [-1, 0], but got 1)", make(3), 1, 1),
    ],
)
def roll(input: Tensor, shifts: Shape, dims: Order = (), *, lead: int) -> Array:
    """`input` moved on by `shifts` along `dims`, from the end to the beginning; without dims, as one row.

    Smooth everywhere.
    """
    if not dims:
        rolled = np.roll(flat(input, lead) if lead else input.ravel(), shifts[0], -1)
        return np.asarray(rolled.reshape(input.shape))
    return np.roll(input, shifts, dims)


def _rot90_type(input: Type, k: int, dims: tuple[int, ...]) -> Type:
    if len(dims) != 2:
        raise RuntimeArgumentError(
            f"expected total rotation dims == 2, but got dims = {len(dims)}", expected=2, actual=len(dims)
        )
    if input.ndim < 2:
        raise RuntimeArgumentError(
            f"expected total dims >= 2, but got total dims = {input.ndim}", actual=input.ndim
        )
    first, second = (dim + input.ndim if dim < 0 else dim for dim in dims)
    if first == second:
        raise RuntimeArgumentError(
            f"expected rotation dims to be different, but got dim0 = {dims[0] % input.ndim} and dim1 = "
            f"{dims[1] % input.ndim}"
        )
    for which, dim in zip(("0", "1"), dims, strict=True):
        if not -input.ndim <= dim < input.ndim:
            raise RuntimeArgumentError(f"Rotation dim{which} out of range, dim{which} = {dim}")
    if not k % 2:
        return Type(input.shape, input.dtype) if not k % 4 else preserved(input)
    flipped = preserved(input)
    shape, steps = list(input.shape), list(flipped.stride())
    for each in (shape, steps):
        each[first], each[second] = each[second], each[first]
    return strided(tuple(shape), input.dtype, tuple(steps))


@kernel(
    "rot90",
    kind="structural",
    infer=_rot90_type,
    vjp=lambda F, x, y, g, k, dims: (lambda: F.rot90(g, -k, dims),),
    saves=("dims", "k"),
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 3), 2),
        sample(make(2, 3, 2), -1, (1, 2)),
        sample(make(2, 3), 4, (1, 0)),
    ],
    refusals=lambda make: [
        refused("expected total rotation dims == 2, but got dims = 3", make(2, 3, 2), 1, (0, 1, 2)),
        refused("expected total dims >= 2, but got total dims = 1", make(2)),
        refused(
            "expected rotation dims to be different, but got dim0 = 1 and dim1 = 1", make(2, 3), 1, (1, -1)
        ),
        refused("Rotation dim1 out of range, dim1 = 2", make(2, 3), 1, (0, 2)),
    ],
)
def rot90(input: Tensor, k: int = 1, dims: Order = (0, 1)) -> Array:
    """`input` turned by 90 degrees `k` times in the plane of two dimensions, from the first to the second.

    Smooth everywhere.
    """
    return np.array(np.rot90(input, k, dims))
