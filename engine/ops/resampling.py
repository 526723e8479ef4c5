"""Planes at another size: each dim apart, every new element from a few old ones, and the adjoint of that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.define import kernel
from engine.ops.reductions import wide
from engine.signature import Array, Data, Shape, Sizes, Tensor
from engine.types import Type

_CUBIC = -0.75
Table = list[tuple[Array, Array | None]]  # for each tap the elements that are read, and their shares


def _scale(size: int, out: int, align: bool, scale: float | None) -> float:
    """The step between the places of new elements."""
    if align:
        return (size - 1) / (out - 1) if out > 1 else 0.0
    return 1.0 / scale if scale is not None and scale > 0 else size / out


def _nearest(size: int, out: int, exact: bool, scale: float | None) -> Table:
    """In single precision, whatever the dtype, as torch does."""
    each = np.arange(out)
    step = np.float32(_scale(size, out, False, scale))
    if not exact and out == size:
        return [(each, None)]
    if not exact and out == 2 * size:
        return [(each // 2, None)]
    places = (each.astype(np.float32) + np.float32(0.5 if exact else 0)) * step
    return [(np.minimum(np.floor(places).astype(np.int64), size - 1), None)]


def _linear(size: int, out: int, align: bool, scale: float | None, dtype: Any) -> Table:
    each, step = np.arange(out).astype(dtype), dtype(_scale(size, out, align, scale))
    places = each * step if align else np.maximum((each + dtype(0.5)) * step - dtype(0.5), 0)
    left = np.minimum(places.astype(np.int64), size - 1)
    share = np.clip(places - left, 0, 1)
    return [(left, 1 - share), (np.minimum(left + 1, size - 1), share)]


def cubic_shares(at: Any) -> list[Any]:
    """The shares of four neighbours of a place `at` behind the second of them."""
    a = _CUBIC

    def near(x: Any) -> Any:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: Any) -> Any:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return [far(at + 1), near(at), near(1 - at), far(2 - at)]


def _cubic(size: int, out: int, align: bool, scale: float | None, dtype: Any) -> Table:
    each, step = np.arange(out).astype(dtype), dtype(_scale(size, out, align, scale))
    places = each * step if align else (each + dtype(0.5)) * step - dtype(0.5)
    left = np.minimum(np.floor(places).astype(np.int64), size - 1)
    shares = cubic_shares(np.clip(places - left, 0, 1))
    return [(np.clip(left + at - 1, 0, size - 1), share) for at, share in enumerate(shares)]


def _table(mode: str, size: int, out: int, align: bool, scale: float | None, dtype: Any) -> Table:
    if mode.startswith("nearest"):
        return _nearest(size, out, mode == "nearest_exact", scale)
    made = _cubic if mode == "cubic" else _linear
    return made(size, out, align, scale, dtype.type)


def _along(share: Array, dim: int, dtype: Any) -> Array:
    return share.astype(dtype, copy=False).reshape(-1, *(1,) * (-dim - 1))


def _read(input: Array, dim: int, table: Table) -> Array:
    found: Any = None
    for at, share in table:
        part = np.take(input, at, axis=dim)
        if share is not None:
            part *= _along(share, dim, input.dtype)
        found = part if found is None else found + part
    return np.asarray(found)


def _add(input: Array, dim: int, table: Table, size: int) -> Array:
    """The adjoint of `_read`. The places of a tap never go back, so that equal ones are neighbours."""
    shape = list(input.shape)
    shape[dim] = size
    found = np.zeros(shape, input.dtype)
    for at, share in table:
        part = input if share is None else input * _along(share, dim, input.dtype)
        starts = np.flatnonzero(np.diff(at, prepend=-1))
        sums = np.add.reduceat(part, starts, axis=dim)
        key: Any = (..., at[starts], *(slice(None),) * (-dim - 1))
        found[key] += sums
    return found


def resampled(
    input: Array, mode: str, size: Shape, align: bool, scales: Sequence[Any], adjoint: bool
) -> Array:
    """Dim by dim; `size` is that of the result."""
    dtype = wide(input.dtype)
    if not np.issubdtype(dtype, np.floating):
        dtype = np.dtype(np.float32) if mode[:7] != "nearest" else dtype
    found = input.astype(dtype, copy=False)
    for dim in range(-1, -len(size) - 1, -1):
        have, want = found.shape[dim], size[dim]
        small, large = (want, have) if adjoint else (have, want)
        table = _table(mode, small, large, align, scales[dim], dtype)
        found = _add(found, dim, table, want) if adjoint else _read(found, dim, table)
    if input.dtype.kind == "u":
        found = np.clip(np.rint(found), 0, 255)
    return found.astype(input.dtype, copy=False)


@kernel(
    "_upsample_backward",
    kind="structural",
    infer=lambda input, mode, size, align_corners, scales: Type(
        (*input.shape[: -len(size)], *size), input.dtype
    ),
    vjp=lambda F, x, y, g, mode, size, align_corners, scales: (
        lambda: F._upsample(g, mode, x[0].meta.shape[-len(size) :], align_corners, scales),
    ),
)
def upsample_backward(input: Tensor, mode: str, size: Sizes, align_corners: bool, scales: Data) -> Array:
    """The adjoint of an upsampling of planes of `size`.

    Smooth everywhere.
    """
    return resampled(input, mode, size, align_corners, optional(scales), True)


@kernel(
    "_upsample",
    kind="structural",
    infer=lambda input, mode, size, align_corners, scales: Type(
        (*input.shape[: -len(size)], *size), input.dtype
    ),
    vjp=lambda F, x, y, g, mode, size, align_corners, scales: (
        lambda: F._upsample_backward(g, mode, x[0].meta.shape[-len(size) :], align_corners, scales),
    ),
)
def upsample(input: Tensor, mode: str, size: Sizes, align_corners: bool, scales: Data) -> Array:
    """Planes at another size.

    Smooth everywhere.
    """
    return resampled(input, mode, size, align_corners, optional(scales), False)


def optional(scales: Any) -> list[float | None]:
    """Scales, of which 0 means that none is given."""
    return [each or None for each in scales]
