"""Convolution and its adjoints on arrays: one product of matrices for each tap of the weight."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.ops.reductions import wide
from engine.ops.windows import Slide, taps
from engine.signature import Array
from engine.types import Shape


def slide_of(weight: Shape, stride: Shape, padding: Shape, dilation: Shape) -> Slide:
    """How the windows of a convolution with `weight` slide."""
    return Slide(weight[2:], stride, padding, dilation)


def _tap_matrices(weight: Array, rank: int, groups: int, lead: int) -> Array:
    """The weight as matrices (out, in) for each tap, batch, sample (1 of them) and group."""
    shape = weight.shape
    batch = shape[:lead]
    grouped = weight.reshape(*batch, 1, groups, shape[lead] // groups, *shape[lead + 1 :])
    moved = np.moveaxis(grouped, range(-rank, 0), range(rank))
    return np.ascontiguousarray(moved)


def _columns(part: Array, rank: int, groups: int) -> Array:
    """A tensor (batch, sample, channel, places) as matrices (channel of the group, place)."""
    front, channels = part.shape[: -rank - 1], part.shape[-rank - 1]
    places = math.prod(part.shape[-rank:])
    return np.ascontiguousarray(part).reshape(*front, groups, channels // groups, places)


def convolve(input: Array, weight: Array, slide: Slide, groups: int, outs: Shape, lead: int) -> Array:
    """The convolution of `input`, as many windows as `outs` says."""
    rank = len(outs)
    matrices = _tap_matrices(weight, rank, groups, lead)
    dtype = wide(input.dtype)
    front = np.broadcast_shapes(input.shape[: lead + 1], (*weight.shape[:lead], 1))
    found = np.zeros((*front, weight.shape[lead], *outs), dtype)
    for tap, windows, places in taps(input.shape[-rank:], outs, slide):
        target = found[windows]
        product = matrices[tap].astype(dtype, copy=False) @ _columns(input[places], rank, groups).astype(
            dtype, copy=False
        )
        target += product.reshape(target.shape)
    return found


def spread(input: Array, weight: Array, slide: Slide, groups: int, size: Shape, lead: int) -> Array:
    """The adjoint of a convolution to its input of `size`."""
    rank = len(size)
    matrices = np.swapaxes(_tap_matrices(weight, rank, groups, lead), -1, -2)
    dtype = wide(input.dtype)
    front = np.broadcast_shapes(input.shape[: lead + 1], (*weight.shape[:lead], 1))
    found = np.zeros((*front, weight.shape[lead + 1] * groups, *size), dtype)
    for tap, windows, places in taps(size, input.shape[-rank:], slide):
        target = found[places]
        matrix = np.ascontiguousarray(matrices[tap]).astype(dtype, copy=False)
        product = matrix @ _columns(input[windows], rank, groups).astype(dtype, copy=False)
        target += product.reshape(target.shape)
    return found


def correlate(input: Array, other: Array, slide: Slide, groups: int, lead: int) -> Array:
    """The adjoint of a convolution to its weight."""
    rank = len(slide.kernel)
    dtype = wide(input.dtype)
    batch = np.broadcast_shapes(input.shape[:lead], other.shape[:lead])
    channels = (other.shape[lead + 1], input.shape[lead + 1] // groups)
    found = np.zeros((*batch, *channels, *slide.kernel), dtype)
    for tap, windows, places in taps(input.shape[-rank:], other.shape[-rank:], slide):
        left = _columns(other[windows], rank, groups).astype(dtype, copy=False)
        right = _columns(input[places], rank, groups).astype(dtype, copy=False)
        product = left @ np.swapaxes(right, -1, -2)
        at: Any = (..., *tap)
        place = found[at]
        for sample in range(product.shape[lead]):
            place[...] += product.take(sample, axis=lead).reshape(*batch, *channels)
    return found
