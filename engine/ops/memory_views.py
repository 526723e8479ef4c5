"""The memory of a tensor seen with other strides: as_strided and as_strided_scatter."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Array, Shape, Tensor
from engine.strides import laid_out, preserved
from engine.types import Type, contiguous_strides, strided


def _extent(size: Shape, stride: Shape) -> int:
    """How many elements of memory a tensor of these strides reaches over."""
    if 0 in size:
        return 0
    return 1 + sum((own - 1) * step for own, step in zip(size, stride, strict=True))


def _check_strided(input: Type, size: Shape, stride: Shape, offset: int) -> None:
    if len(size) != len(stride):
        raise RuntimeArgumentError("mismatch in length of strides and shape")
    if any(step < 0 for step in stride):
        raise RuntimeArgumentError(
            f"as_strided: Negative strides are not supported at the moment, got strides: {list(stride)}"
        )
    if offset < 0:
        raise RuntimeArgumentError("Tensor: invalid storage offset " + str(offset))
    item = input.dtype.itemsize
    needed, there = _extent(size, stride), _extent(input.shape, input.stride())
    if needed and needed + offset > there:
        raise ShapeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and itemsize "
            f"{item} requiring a storage size of {(needed + offset) * item} are out of bounds for storage of "
            f"size {there * item}"
        )


def _strided_type(input: Type, size: Shape, stride: Shape, storage_offset: int | None, own: Shape) -> Type:
    _check_strided(Type(input.shape, input.dtype, own), size, stride, storage_offset or 0)
    return strided(size, input.dtype, stride)


def _as_strided_rule(
    F: Any, x: Any, y: Any, g: Any, size: Shape, stride: Shape, storage_offset: int | None, own: Shape
) -> Any:
    shape = x[0].meta.shape
    return (lambda: F._as_strided_backward(g, shape, stride, storage_offset or 0, own),)


def _spots(shape: Shape, stride: Shape, offset: int = 0) -> Any:
    """Where in memory each element is."""
    found: Any = np.asarray(offset)
    for size, step in zip(shape, stride, strict=True):
        found = found[..., None] + np.arange(size) * step
    return found


@kernel(
    "_as_strided",
    kind="view",
    infer=_strided_type,
    vjp=_as_strided_rule,
    grad_fn="AsStridedBackward0",
    saves=("size", "storage_offset", "stride"),
    batched="loop",
)
def as_strided_from(
    input: Tensor, size: Shape, stride: Shape, storage_offset: int | None, own: Shape, *, meta: Type
) -> Array:
    """`as_strided` of a tensor with the strides `own`.

    Smooth everywhere.
    """
    array = laid_out(input, Type(input.shape, meta.dtype, own))
    if 0 in size or not array.size:
        return array.reshape(-1)[:0].reshape(size)
    item = array.itemsize
    steps = [step * item for step in own]
    if steps != list(array.strides):
        array = np.lib.stride_tricks.as_strided(array, array.shape, steps)
    extent = _extent(input.shape, own)
    memory = np.lib.stride_tricks.as_strided(array, (extent,), (item,))[storage_offset or 0 :]
    return np.lib.stride_tricks.as_strided(memory, size, [step * item for step in stride])


@kernel(
    "_as_strided_backward",
    kind="structural",
    infer=lambda input, shape, stride, offset, own: Type(shape, input.dtype),
    vjp=lambda F, x, y, g, shape, stride, offset, own: (
        lambda: F._as_strided_of(g, x[0].meta.shape, stride, offset, own),
    ),
    batched="loop",
)
def as_strided_backward(input: Tensor, shape: Shape, stride: Shape, offset: int, own: Shape) -> Array:
    """The gradient of `as_strided`: added up in memory, and shared among elements that are one in memory.

    Smooth everywhere.
    """
    memory = np.zeros(max(_extent(shape, own), 1), input.dtype)
    np.add.at(memory, _spots(input.shape, stride, offset), input)
    spots = _spots(shape, own)
    counts = np.bincount(spots.reshape(-1), minlength=memory.size)
    return np.asarray((memory / np.maximum(counts, 1))[spots].astype(input.dtype, copy=False))


@kernel(
    "_as_strided_of",
    kind="structural",
    infer=lambda input, size, stride, offset, own: Type(size, input.dtype),
    vjp=lambda F, x, y, g, size, stride, offset, own: (
        lambda: F._as_strided_backward(g, x[0].meta.shape, stride, offset, own),
    ),
    batched="loop",
)
def as_strided_of(input: Tensor, size: Shape, stride: Shape, offset: int, own: Shape) -> Array:
    """`as_strided` of what `input` would be with other strides, copied.

    Smooth everywhere.
    """
    memory = np.zeros(max(_extent(input.shape, own), 1), input.dtype)
    spots = _spots(input.shape, own)
    np.add.at(memory, spots, input)
    counts = np.bincount(spots.reshape(-1), minlength=memory.size)
    return np.asarray(
        (memory / np.maximum(counts, 1))[_spots(size, stride, offset)].astype(input.dtype, copy=False)
    )


@composite(
    "as_strided",
    samples=lambda make: [
        sample(make(3, 3), (2, 2), (1, 2)),
        sample(make(6), (2, 2), (2, 1), 1),
        sample(make(4), (2, 3), (0, 1)),
        sample(make(3), (), (), 2),
    ],
    refusals=lambda make: [
        refused("mismatch in length of strides and shape", make(3), (2,), (1, 1)),
        refused("are out of bounds for storage of size 24", make(3), (2, 2), (2, 1)),
        refused("as_strided: Negative strides are not supported at the moment, got strides: [-1]",
                make(3), (2,), (-1,)),
    ],
)  # fmt: skip
def as_strided(F: Any, input: Tensor, size: Shape, stride: Shape, storage_offset: int | None = None) -> Any:
    """The memory of `input` seen with other sizes and strides, from `storage_offset` on.

    Smooth everywhere. Places that are one in memory add up their gradients.

    Unlike torch: memory begins and ends where `input` does, which the offset counts from.
    """
    return F._as_strided(input, size, stride, storage_offset, input.meta.stride())


def _strided_scatter_type(
    input: Type, src: Type, size: Shape, stride: Shape, storage_offset: int | None
) -> Type:
    _check_strided(Type(input.shape, input.dtype), size, stride, storage_offset or 0)
    if src.shape != size:
        raise ShapeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(src.shape)}, slice size = {list(size)}"
        )
    return preserved(input)


def _strided_scatter_rule(
    F: Any, x: Any, y: Any, g: Any, size: Shape, stride: Shape, storage_offset: int | None
) -> Any:
    own, src = x[0].meta, x[1].meta

    def kept() -> Any:
        return F.as_strided_scatter(
            F.contiguous(g), F.zeros(src.shape, dtype=src.dtype), size, stride, storage_offset
        )

    return (
        kept,
        lambda: F._as_strided_of(g, size, stride, storage_offset or 0, contiguous_strides(own.shape)),
    )


@kernel(
    "as_strided_scatter",
    kind="index",
    infer=_strided_scatter_type,
    vjp=_strided_scatter_rule,
    saves=("size", "storage_offset", "stride"),
    samples=lambda make: [
        sample(make(3, 3), make(2, 2), (2, 2), (1, 2)),
        sample(make(6), make(2, 2), (2, 2), (2, 1), 1),
        sample(make(3), make(), (), ()),
    ],
    refusals=lambda make: [
        refused("src size = [3], slice size = [2]", make(3), make(3), (2,), (1,)),
        refused("are out of bounds for storage of size 24", make(3), make(2, 2), (2, 2), (2, 1)),
    ],
    batched="loop",
)  # fmt: skip
def as_strided_scatter(
    input: Tensor, src: Tensor, size: Shape, stride: Shape, storage_offset: int | None = None
) -> Array:
    """`input` with `src` in place of what `as_strided` would show of it.

    What is written over has no gradient.

    Unlike torch: the strides are those of a contiguous `input`, and its gradient is that of what is kept, not
    of what is written over.
    """
    found = np.array(input, order="C")
    found.reshape(-1)[_spots(size, stride, storage_offset or 0)] = src
    return found
