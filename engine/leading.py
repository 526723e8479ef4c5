"""What kernels do with leading batch axes: `lead` of them stand in front of each operand, usually none."""

from __future__ import annotations

import math

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
