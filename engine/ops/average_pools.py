"""The mean of each window: average pools, plain and adaptive, and their adjoints."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import FLOAT, int64
from engine.errors import RuntimeArgumentError
from engine.op import Op
from engine.ops.dtype_checks import no_kernel
from engine.ops.max_pools import bounds
from engine.ops.pool_checks import check_adaptive, check_planes, check_pool, pool_sizes
from engine.ops.reductions import wide
from engine.ops.windows import reach
from engine.signature import Array, Number, Shape, Sizes, Tensor
from engine.types import Type


def _counts(size: int, out: int, kernel: int, stride: int, padding: int, include: bool) -> Array:
    """How many elements the windows of a dim have, with those of the padding if they are to be included."""
    start = np.arange(out) * stride - padding
    end = np.minimum(start + kernel, size + padding)
    return end - start if include else np.minimum(end, size) - np.maximum(start, 0)


def _outer(counts: list[Array]) -> Array:
    """The products of the counts of all dims."""
    return functools.reduce(np.multiply.outer, counts)


def _at(dim: int, key: slice) -> Any:
    return (..., key, *(slice(None),) * (-dim - 1))


def _sums(input: Array, sizes: Shape, slides: list[tuple[int, int, int]], adjoint: bool) -> Array:
    """The sums of windows of each dim (kernel, stride, padding); or, as the adjoint, each number added to all
    elements of its window."""
    found = input.astype(wide(input.dtype), copy=False)
    for dim in range(-1, -len(sizes) - 1, -1):
        kernel, stride, padding = slides[dim]
        shape = list(found.shape)
        have, shape[dim] = shape[dim], sizes[dim]
        made = np.zeros(shape, found.dtype)
        outs, size = (have, sizes[dim]) if adjoint else (sizes[dim], have)
        for tap in range(kernel):
            windows, places = reach(size, outs, tap - padding, stride)
            if windows.stop > windows.start:
                one, other = (places, windows) if adjoint else (windows, places)
                made[_at(dim, one)] += found[_at(dim, other)]
        found = made
    return found


def _divided(sums: Array, by: Any) -> Array:
    """Integers are cut, as in C."""
    if sums.dtype.kind == "f":
        return np.asarray(sums / np.asarray(by).astype(sums.dtype))
    return np.asarray(np.sign(sums) * (np.abs(sums) // by))


def _plain(rank: int) -> Op:
    def infer(
        input: Type,
        kernel_size: Shape,
        stride: Shape,
        padding: Shape,
        ceil_mode: bool,
        count_include_pad: bool,
        divisor_override: Any,
    ) -> Type:
        steps = stride or kernel_size
        if divisor_override == 0:
            raise RuntimeArgumentError("divisor must be not zero")
        check_pool(input, kernel_size, steps, padding, (1,) * rank)
        check_planes(input, rank, late=True)
        if input.dtype.category != FLOAT and input.dtype is not int64:
            raise no_kernel(f"avg_pool{rank}d", input.dtype)
        sizes = pool_sizes(input, kernel_size, steps, padding, (1,) * rank, ceil_mode)
        return Type((*input.shape[:-rank], *sizes), input.dtype)

    def rule(F: Any, x: Any, y: Any, g: Any, **settings: Any) -> Any:
        return (lambda: F._avg_pool_backward(g, *settings.values(), x[0].meta.shape[-rank:]),)

    def run(
        input: Tensor,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes,
        ceil_mode: bool,
        count_include_pad: bool,
        divisor_override: Number | None,
        *,
        meta: Type,
    ) -> Array:
        """The mean of each window.

        Smooth everywhere.
        """
        sizes, outs = input.shape[input.ndim - rank :], meta.shape[meta.ndim - rank :]
        slides = list(zip(kernel_size, stride or kernel_size, padding, strict=True))
        by = divisor_override or _divisors(sizes, outs, slides, count_include_pad)
        return _divided(_sums(input, outs, slides, False), by).astype(input.dtype, copy=False)

    define = kernel(
        f"_avg_pool{rank}d",
        kind="reduction",
        infer=infer,
        vjp=rule,
        grad_fn=f"AvgPool{rank}DBackward0",
        saves=(
            "ceil_mode",
            "count_include_pad",
            "divisor_override",
            "kernel_size",
            "padding",
            "self",
            "stride",
        ),
    )
    return define(run)


def _divisors(sizes: Shape, outs: Shape, slides: list[tuple[int, int, int]], include: bool) -> Array:
    dims = zip(sizes, outs, slides, strict=True)
    return _outer([_counts(size, out, *slide, include) for size, out, slide in dims])


def _backward_rule(F: Any, x: Any, y: Any, g: Any, size: Shape, **settings: Any) -> Any:
    return (lambda: getattr(F, f"_avg_pool{len(size)}d")(g, *settings.values()),)


@kernel(
    "_avg_pool_backward",
    kind="structural",
    infer=lambda input, size, **settings: Type((*input.shape[: -len(size)], *size), input.dtype),
    vjp=_backward_rule,
)
def avg_pool_backward(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: Number | None,
    size: Sizes,
) -> Array:
    """The adjoint of an average pool of planes of `size`.

    Smooth everywhere.
    """
    outs = input.shape[input.ndim - len(size) :]
    slides = list(zip(kernel_size, stride or kernel_size, padding, strict=True))
    by = divisor_override or _divisors(size, outs, slides, count_include_pad)
    shared = _divided(input.astype(wide(input.dtype), copy=False), by)
    return _sums(shared, size, slides, True).astype(input.dtype, copy=False)


def _windowed(input: Array, dim: int, start: Array, end: Array) -> Array:
    """The sums of the elements from `start` to `end`."""
    padding = [(0, 0)] * input.ndim
    padding[dim] = (0, 1)
    places = np.stack([start, end], 1).reshape(-1)
    if not places.size:
        return np.asarray(np.take(input, places, axis=dim))
    found: Array = np.add.reduceat(np.pad(input, padding), places, axis=dim)
    windows: Array = found[_at(dim, slice(None, None, 2))]
    return windows


def _adaptive(rank: int) -> Op:
    name = f"adaptive_avg_pool{rank}d"

    def infer(input: Type, output_size: Shape) -> Type:
        if len(output_size) != rank:
            raise RuntimeArgumentError(f"{name}: output_size must be {rank}")
        if min(output_size) < 0:
            shown = ", ".join(map(str, output_size[:2])) + "".join(f",{each}" for each in output_size[2:])
            raise RuntimeArgumentError(
                f"{name}: elements of output_size must be greater than or equal to 0 but received {{{shown}}}"
            )
        check_adaptive(name, input, rank, "")
        if input.dtype.category != FLOAT:
            raise no_kernel(name, input.dtype)
        return Type((*input.shape[:-rank], *output_size), input.dtype)

    def run(input: Tensor, output_size: Sizes) -> Array:
        """The mean of each of `output_size` windows.

        Smooth everywhere.
        """
        found = input.astype(wide(input.dtype), copy=False)
        ends = [bounds(*dim) for dim in zip(input.shape[input.ndim - rank :], output_size, strict=True)]
        for dim in range(-1, -rank - 1, -1):
            found = _windowed(found, dim, *ends[dim])
        by = _outer([end - start for start, end in ends])
        return _divided(found, by).astype(input.dtype, copy=False)

    define = kernel(
        f"_adaptive_avg_pool{rank}d",
        kind="reduction",
        infer=infer,
        vjp=lambda F, x, y, g, output_size: (
            lambda: F._adaptive_avg_pool_backward(g, x[0].meta.shape[-rank:]),
        ),
        grad_fn=f"AdaptiveAvgPool{rank}DBackward0",
        saves=("self",),
    )
    return define(run)


@kernel(
    "_adaptive_avg_pool_backward",
    kind="structural",
    infer=lambda input, size: Type((*input.shape[: -len(size)], *size), input.dtype),
    vjp=lambda F, x, y, g, size: (
        lambda: getattr(F, f"_adaptive_avg_pool{len(size)}d")(g, x[0].meta.shape[-len(size) :]),
    ),
)
def adaptive_avg_pool_backward(input: Tensor, size: Sizes) -> Array:
    """The adjoint of an adaptive average pool of planes of `size`.

    Smooth everywhere.
    """
    rank = len(size)
    front, outs = input.shape[: input.ndim - rank], input.shape[input.ndim - rank :]
    if 0 in outs:
        return np.zeros((*front, *size), input.dtype)
    ends = [bounds(*dim) for dim in zip(size, outs, strict=True)]
    by = _outer([end - start for start, end in ends])
    found = _divided(input.astype(wide(input.dtype), copy=False), by)
    for dim in range(-1, -rank - 1, -1):
        start, end = ends[dim]
        each = np.arange(size[dim])
        first, last = np.searchsorted(end, each, "right"), np.searchsorted(start, each, "right")
        found = _windowed(found, dim, first, last)
    return found.astype(input.dtype, copy=False)


avg_pool2d, avg_pool3d = _plain(2), _plain(3)
adaptive_avg_pool2d, adaptive_avg_pool3d = _adaptive(2), _adaptive(3)
