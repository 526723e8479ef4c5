"""The largest element of each window, and where it is: max pools, plain and adaptive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import BOOL, COMPLEX, FLOAT, int64
from engine.errors import RuntimeArgumentError
from engine.op import Op
from engine.ops.dtype_checks import no_kernel
from engine.ops.pool_checks import check_adaptive, check_planes, check_pool, pool_sizes
from engine.signature import Array, Shape, Sizes, Tensor
from engine.types import Type


def _taps(size: int, out: int, kernel: int, stride: int, padding: int, dilation: int) -> Iterator[Array]:
    """The places of each tap; one that is outside counts as the nearest tap inside."""
    start = np.arange(out) * stride - padding
    first = start + np.maximum(-(start // dilation), 0) * dilation
    last = np.minimum(start + (kernel - 1) * dilation, start + (size - 1 - start) // dilation * dilation)
    for tap in range(kernel):
        yield np.clip(start + tap * dilation, first, last)


def bounds(size: int, out: int) -> tuple[Array, Array]:
    """Where the windows of an adaptive pool begin and end."""
    each = np.arange(out)
    return each * size // max(out, 1), -((-(each + 1) * size) // max(out, 1))


def _adaptive_taps(size: int, out: int) -> Iterator[Array]:
    """The places of each tap of windows that are not equally long."""
    start, end = bounds(size, out)
    for tap in range(int((end - start).max(initial=0))):
        yield np.minimum(start + tap, end - 1)


def _largest(input: Array, taps: Sequence[Iterator[Array]], sizes: Shape) -> tuple[Array, Array]:
    """The largest element of windows that are products of windows of each dim, the first of equals or the
    last nan, and its flat place: dim by dim, from the last."""
    rank, values, step = len(sizes), input, 1
    places: Any = None
    for dim in range(-1, -rank - 1, -1):
        tail = (1,) * (-dim - 1)
        best: Any = None
        where: Any = None
        for at in taps[dim]:
            found = np.take(values, at, axis=dim)
            place: Any = (at * step).reshape(-1, *tail)
            if places is not None:
                place = np.take(places, at, axis=dim) + place
            if best is None:
                best, where = found, np.broadcast_to(place, found.shape).copy()
                continue
            better = found > best
            if found.dtype.kind == "f":
                better |= np.isnan(found)
            np.copyto(best, found, where=better)
            np.copyto(where, place, where=better)
        if best is None:  # no windows
            best = np.take(values, np.zeros(0, np.int64), axis=dim)
            where = np.zeros(best.shape, np.int64)
        values, places, step = best, where, step * sizes[dim]
    return values, places


def _pool_rule(F: Any, x: Any, y: Any, g: Any, **settings: Any) -> Any:
    rank = 2 if len(next(iter(settings.values()))) == 2 else 3
    size = x[0].meta.shape[x[0].meta.ndim - rank :]
    return (lambda: F._plane_add(g[0], y[1], size),)


def _plain(rank: int) -> Op:
    def infer(
        input: Type, kernel_size: Shape, stride: Shape, padding: Shape, dilation: Shape, ceil_mode: bool
    ) -> tuple[Type, Type]:
        steps = stride or kernel_size
        check_pool(input, kernel_size, steps, padding, dilation)
        check_planes(input, rank)
        if input.dtype.category in (BOOL, COMPLEX):
            raise no_kernel(f"max_pool{rank}d", input.dtype)
        sizes = pool_sizes(input, kernel_size, steps, padding, dilation, ceil_mode)
        shape = (*input.shape[:-rank], *sizes)
        return Type(shape, input.dtype), Type(shape, int64)

    def run(
        input: Tensor,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes,
        dilation: Sizes,
        ceil_mode: bool,
        *,
        meta: Any,
    ) -> Any:
        """The largest element of each window, and its flat place in its plane.

        Of equals the first gets the gradient; nan counts as the largest.
        """
        sizes = input.shape[input.ndim - rank :]
        outs = meta[0].shape[meta[0].ndim - rank :]
        dims = zip(sizes, outs, kernel_size, stride or kernel_size, padding, dilation, strict=True)
        return _largest(input, [_taps(*dim) for dim in dims], sizes)

    define = kernel(
        f"_max_pool{rank}d_with_indices",
        kind="index",
        infer=infer,
        vjp=_pool_rule,
        grad_fn=f"MaxPool{rank}DWithIndicesBackward0",
        saves=("ceil_mode", "dilation", "kernel_size", "padding", "result1", "self", "stride"),
        outputs=("result0", "result1"),
    )
    return define(run)


def _adaptive(rank: int) -> Op:
    name = f"adaptive_max_pool{rank}d"

    def infer(input: Type, output_size: Shape) -> tuple[Type, Type]:
        check_adaptive(name, input, rank, ":")
        if len(output_size) != rank:
            raise RuntimeArgumentError(f"{name}(): internal error: output_size.size() must be {rank}")
        shape = (*input.shape[:-rank], *output_size)
        if min(output_size) < 0:
            raise RuntimeArgumentError(
                f"Trying to create tensor with negative dimension {min(output_size)}: {list(shape)}"
            )
        if input.dtype.category != FLOAT:
            raise no_kernel(name, input.dtype)
        return Type(shape, input.dtype), Type(shape, int64)

    def run(input: Tensor, output_size: Sizes) -> Any:
        """The largest element of each of `output_size` windows, and its flat place in its plane.

        Of equals the first gets the gradient; nan counts as the largest.
        """
        sizes = input.shape[input.ndim - rank :]
        dims = zip(sizes, output_size, strict=True)
        return _largest(input, [_adaptive_taps(*dim) for dim in dims], sizes)

    define = kernel(
        f"_adaptive_max_pool{rank}d",
        kind="index",
        infer=infer,
        vjp=_pool_rule,
        grad_fn=f"AdaptiveMaxPool{rank}DBackward0",
        saves=("result1", "self"),
        outputs=("result0", "result1"),
    )
    return define(run)


max_pool2d_with_indices, max_pool3d_with_indices = _plain(2), _plain(3)
adaptive_max_pool2d, adaptive_max_pool3d = _adaptive(2), _adaptive(3)
