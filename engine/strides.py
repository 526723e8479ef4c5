"""Strides of views and of copies, as torch computes them; all in elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.types import Shape, Type, contiguous_strides, elementwise_strides


def view_strides(shape: Shape, strides: Shape, size: Shape) -> Shape | None:
    """The strides of a tensor seen as `size`, of as many elements, without a copy; None if there are none.

    Dimensions are viewed in chunks that lie evenly in memory (torch's `computeStride`).
    """
    if 0 in shape:
        return strides if shape == size else contiguous_strides(size)
    if not shape:
        return (1,) * len(size)
    found = [0] * len(size)
    at = len(size) - 1
    step, there, here = strides[-1], 1, 1
    for axis in range(len(shape) - 1, -1, -1):
        there *= shape[axis]
        if axis and (shape[axis - 1] == 1 or strides[axis - 1] == there * step):
            continue  # the next dimension belongs to this chunk
        while at >= 0 and (here < there or size[at] == 1):
            found[at] = here * step
            here *= size[at]
            at -= 1
        if here != there:
            return None
        if axis:
            step, there, here = strides[axis - 1], 1, 1
    return tuple(found) if at == -1 else None


def expanded_strides(input: Type, size: Shape) -> Shape:
    """The strides of `input` seen as the larger `size`: 0 where a dimension repeats."""
    if not input.shape:
        return (0,) * len(size)
    lead = len(size) - input.ndim
    strides = [0] * lead + list(input.stride())
    for axis in range(len(size) - 1, -1, -1):
        if axis < lead:
            strides[axis] = size[axis + 1] * strides[axis + 1]
        if size[axis] != (1 if axis < lead else input.shape[axis - lead]):
            strides[axis] = 0
    return tuple(strides)


def is_dense(meta: Type) -> bool:
    """Whether its elements fill their memory, in some order of the axes, once each."""
    if meta.strides is None:
        return True
    expected = 1
    for stride, size in sorted(
        (stride, size) for size, stride in zip(meta.shape, meta.strides, strict=True) if size != 1
    ):
        if stride != expected:
            return False
        expected *= size
    return True


def preserved(meta: Type) -> Type:
    """The Type of a new tensor like one of type `meta`: torch's preserve_format."""
    return meta if is_dense(meta) else Type(meta.shape, meta.dtype, elementwise_strides(meta.shape, [meta]))


def laid_out(array: np.ndarray[Any, Any], meta: Type) -> np.ndarray[Any, Any]:
    """`array`, copied if its memory order is not that of `meta`: views of it then share memory."""
    if meta.strides is None:
        return array if array.flags.c_contiguous else np.ascontiguousarray(array)
    strides = meta.strides
    pairs = zip(strides, array.strides, meta.shape, strict=True)
    if array.size == 0 or all(want * array.itemsize == have for want, have, size in pairs if size != 1):
        return array
    order = sorted(range(array.ndim), key=lambda axis: -strides[axis])
    return array.transpose(order).copy(order="C").transpose(np.argsort(order))
