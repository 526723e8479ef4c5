"""What kernels do with leading batch axes: `lead` of them stand in front of each operand, usually none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.signature import Array


def flat(array: Array, lead: int) -> Array:
    """Each sample in one axis; without batch axes, `array` as it is, whose axes are all the sample's."""
    return array.reshape((*array.shape[:lead], math.prod(array.shape[lead:]))) if lead else array


def whole(lead: int) -> int | None:
    """The axis of numpy's reductions that is all of a sample made `flat`."""
    return -1 if lead else None


def behind(array: Array, lead: int, rank: int) -> Array:
    """`array` whose samples have `rank` dims, so that they broadcast behind the batch axes."""
    missing = rank - (array.ndim - lead)
    return array.reshape((*array.shape[:lead], *(1,) * missing, *array.shape[lead:])) if lead else array


def shared(array: Array, lead: int) -> Array | None:
    """One sample, where all are the same memory, as those of an operand without batch axes are; else None."""
    axes = zip(array.shape[:lead], array.strides[:lead], strict=True)
    if any(size > 1 and step for size, step in axes):
        return None
    if 0 in array.shape[:lead]:
        return np.zeros(array.shape[lead:], array.dtype)
    first: Any = (*(0,) * lead, Ellipsis)
    found: Array = array[first]
    return found


def positions(batch: tuple[int, ...], rank: int) -> tuple[Any, ...]:
    """The place of each sample, one index array for each axis of `batch`, in front of `rank` dims."""
    open_ = np.ix_(*map(np.arange, batch))
    return tuple(each.reshape((*each.shape, *(1,) * rank)) for each in open_)
