"""Index tensors and masks: the type of what they gather, and torch's errors for places that do not exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.bounded import Bounded
from engine.dtypes import DType, dtype, int32, int64
from engine.errors import DimError, DTypeError, ShapeError
from engine.subscript import selects
from engine.types import Shape, Type, elementwise_strides


def is_mask(each: Any) -> bool:
    """Whether an index (a Type or an array) is a mask."""
    return selects(dtype(each.dtype))


def spread(indices: Sequence[Any], lead: int = 0) -> list[Any]:
    """One entry per dimension behind `lead` batch axes: a mask of n dimensions stands n times."""
    found: list[Any] = []
    for each in indices:
        found.extend([each] * (each.ndim - lead if each is not None and is_mask(each) else 1))
    return found


def _check_masks(input: Type, indices: Sequence[Type | None]) -> None:
    used = len(spread(indices))
    if used > input.ndim:
        raise DimError(f"too many indices for tensor of dimension {input.ndim} (got {used})")
    axis = 0
    for each in indices:
        if each is None or not is_mask(each):
            axis += 1
            continue
        for own, size in enumerate(each.shape):
            if size != input.shape[axis + own]:
                raise DimError(
                    f"The shape of the mask {list(each.shape)} at index {own} does not match the shape of "
                    f"the indexed tensor {list(input.shape)} at index {axis + own}",
                    expected=list(input.shape),
                    actual=list(each.shape),
                )
        axis += each.ndim


def _mismatch(shapes: Sequence[Shape]) -> DimError:
    listed = ", ".join(str(list(shape)) for shape in shapes)
    return DimError(f"shape mismatch: indexing tensors could not be broadcast together with shapes {listed}")


def _broadcast(shapes: Sequence[Shape]) -> Shape:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise _mismatch(shapes) from None


def gathered_type(input: Type, indices: Sequence[Type | None]) -> Type:
    """The type of `input[indices]`. A mask gives a bounded size, unless another index tells it."""
    _check_masks(input, indices)
    entries = spread(indices)
    entries += [None] * (input.ndim - len(entries))
    at = [axis for axis, each in enumerate(entries) if each is not None]
    plain = [each.shape for each in indices if each is not None and not is_mask(each)]
    common = _broadcast(plain) if plain else ()
    masks = [each.numel for each in indices if each is not None and is_mask(each)]
    if masks and (not common or common[-1] == 1):
        common = (*common[:-1], Bounded(max(masks)))
    together = at == list(range(at[0], at[-1] + 1))
    lead = at[0] if together else 0
    rest = [axis for axis in range(input.ndim) if axis not in at]
    shape = (
        *(input.shape[axis] for axis in rest[:lead]),
        *common,
        *(input.shape[axis] for axis in rest[lead:]),
    )
    strides = _strides(input, shape, rest, lead, common, [each for each in indices if each is not None])
    return Type(shape, input.dtype, strides)


def _strides(
    input: Type, shape: Shape, rest: list[int], lead: int, common: Shape, indices: list[Type]
) -> Shape | None:
    """torch iterates over the result with the source at stride 0 along the gathered dimensions."""
    if input.strides is None and all(each.strides is None for each in indices):
        return None
    own = input.stride()
    moves = [own[axis] for axis in rest]
    operands = [Type(shape, input.dtype, (*moves[:lead], *(0,) * len(common), *moves[lead:]))]
    for each in indices:
        if not is_mask(each):
            padded = (0,) * (len(common) - each.ndim) + tuple(
                0 if size == 1 else step for size, step in zip(each.shape, each.stride(), strict=True)
            )
            operands.append(Type(shape, each.dtype, (*(0,) * lead, *padded, *(0,) * (len(rest) - lead))))
    return elementwise_strides(shape, operands)


def numpy_key(indices: Sequence[Any]) -> tuple[Any, ...]:
    """The numpy index for `indices`: uint8 masks as bools, None as a full slice."""
    arrays = [each.astype(bool) if each is not None and each.dtype == np.uint8 else each for each in indices]
    return tuple(slice(None) if each is None else each for each in arrays)


def written_elsewhere(values: Shape, places: Shape) -> ShapeError:
    """torch's error for values that do not fit what an index selects."""
    return ShapeError(
        f"shape mismatch: value tensor of shape {list(values)} cannot be broadcast to indexing "
        f"result of shape {list(places)}",
        expected=list(places),
        actual=list(values),
    )


def out_of_bounds(shape: Shape, indices: Sequence[Any], lead: int) -> DimError:
    """torch's error for an index that numpy refused: dimensions are counted among the indexed ones. `lead`
    batch axes stand in front of the indices."""
    axis = number = 0
    for each in indices:
        if each is None:
            axis += 1
        elif is_mask(each):
            axis, number = axis + each.ndim - lead, number + each.ndim - lead
        else:
            bad = each[(each < -shape[axis]) | (each >= shape[axis])]
            if bad.size:
                return DimError(
                    f"index {bad.flat[0]} is out of bounds for dimension {number} with size {shape[axis]}"
                )
            axis, number = axis + 1, number + 1
    found = [
        (int(np.count_nonzero(each)),) if is_mask(each) else each.shape[lead:]
        for each in indices
        if each is not None
    ]
    return _mismatch(found)


def check_bounds(index: Any, size: int, dim: int) -> None:
    """Refuse a place outside 0 … size, in the words of torch's gather and scatter."""
    if index.size and (index.min() < 0 or index.max() >= size):
        bad = index[(index < 0) | (index >= size)].flat[0]
        raise ShapeError(f"index {bad} is out of bounds for dimension {dim} with size {size}")


def check_index(text: str, dtype: DType) -> None:
    """An index tensor is int64 or int32; else DTypeError with `text`."""
    if dtype not in (int64, int32):
        raise DTypeError(text, expected=["int64", "int32"], actual=dtype.name)


def along(index: Any, dim: int) -> tuple[Any, ...]:
    """The numpy index of the places `index` along `dim`."""
    grid = np.meshgrid(*(np.arange(size) for size in index.shape), indexing="ij", sparse=True)
    return tuple(index if at == dim + index.ndim else each for at, each in enumerate(grid))
