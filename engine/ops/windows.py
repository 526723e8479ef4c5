"""Windows that slide over the trailing dims: which elements of a tensor each tap of a kernel meets."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from engine.types import Shape


class Slide(NamedTuple):
    """How windows slide, one number for each dim: their size, step, the padding before, the gap of taps."""

    kernel: Shape
    stride: Shape
    padding: Shape
    dilation: Shape


def reach(size: int, out: int, first: int, stride: int) -> tuple[slice, slice]:
    """Where a tap that begins at `first` of `size` elements and moves by `stride` is inside: the slice of the
    `out` windows, and that of the elements they meet."""
    low = max(0, -(first // stride))
    high = max(low, min(out, (size - 1 - first) // stride + 1))
    start = low * stride + first
    return slice(low, high), slice(
        start, start + (high - low - 1) * stride + 1 if high > low else start, stride
    )


def taps(sizes: Shape, outs: Shape, slide: Slide) -> Iterator[tuple[tuple[int, ...], Any, Any]]:
    """Each tap of the kernel with the windows that have it inside, and the elements that they meet; both as
    numpy indices of the trailing dims. Taps that are outside for all windows are left out."""
    dims = zip(sizes, outs, *slide, strict=True)
    each = [
        [(at, *reach(size, out, at * dilation - padding, stride)) for at in range(kernel)]
        for size, out, kernel, stride, padding, dilation in dims
    ]
    for tap in itertools.product(*each):
        windows = tuple(found[1] for found in tap)
        if all(one.stop > one.start for one in windows):
            yield tuple(found[0] for found in tap), (..., *windows), (..., *(found[2] for found in tap))


def outputs(sizes: Shape, slide: Slide) -> Shape:
    """How many windows fit into each dim, with the padding on both sides."""
    return tuple(
        (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for size, kernel, stride, padding, dilation in zip(sizes, *slide, strict=True)
    )


def inputs(outs: Shape, slide: Slide, extra: Sequence[int]) -> Shape:
    """The sizes that a transposed convolution gives: those from which `outs` windows come, and `extra`."""
    return tuple(
        (out - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1 + more
        for out, more, kernel, stride, padding, dilation in zip(outs, extra, *slide, strict=True)
    )


def pooled(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> int:
    """How many windows a pool has in a dim; with `ceil` one may begin inside and end outside."""
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    count = (room + (stride - 1 if ceil else 0)) // stride + 1
    return count - 1 if ceil and (count - 1) * stride >= size + padding else count


def each_dim(value: Any, rank: int) -> Shape:
    """A setting of one number for all dims, or of one each, as a tuple."""
    found = (value,) if isinstance(value, int) else tuple(value)
    return found * rank if len(found) == 1 else found
