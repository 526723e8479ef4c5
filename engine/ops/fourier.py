"""The discrete Fourier transforms that all others are made of: real to complex, complex to complex and back.

`normalization` is 0 (none), 1 (over the root of the number of elements) or 2 (over their number).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import complex_of, real_of
from engine.op import sample
from engine.signature import Array, Dims, Shape, Tensor
from engine.types import Type

_FORTH: Any = ("backward", "ortho", "forward")  # numpy's name of each normalization, without and with e^-i
_BACK: Any = ("forward", "ortho", "backward")


def _half(input: Type, dim: tuple[int, ...], onesided: bool) -> Type:
    shape = list(input.shape)
    if onesided:
        shape[dim[-1]] = shape[dim[-1]] // 2 + 1
    return Type(tuple(shape), complex_of(input.dtype))


def _lengthened(F: Any, g: Any, dim: int, size: int) -> Any:
    """`g` with zeros behind it along `dim`, up to `size`."""
    missing = size - g.meta.shape[dim]
    if not missing:
        return g
    shape = list(g.meta.shape)
    shape[dim] = missing
    return F.cat([g, F.zeros(tuple(shape), dtype=g.meta.dtype)], dim)


def _r2c_vjp(F: Any, x: Any, y: Any, g: Any, dim: tuple[int, ...], normalization: int, onesided: bool) -> Any:
    def rule() -> Any:
        whole = _lengthened(F, g, dim[-1], x[0].meta.shape[dim[-1]]) if onesided else g
        return F.real(F._fft_c2c(whole, dim, normalization, False))

    return (rule,)


@kernel(
    "_fft_r2c",
    kind="structural",
    infer=lambda input, dim, normalization, onesided: _half(input, dim, onesided),
    vjp=_r2c_vjp,
    grad_fn="FftR2CBackward0",
    saves=("dim", "normalization", "onesided", "self"),
    samples=lambda make: [sample(make(3, 4), (0, 1), 0, True), sample(make(5), (0,), 1, False)],
)
def _fft_r2c(input: Tensor, dim: Dims, normalization: int, onesided: bool, *, meta: Any) -> Array:
    """The transform of a real tensor along `dim`; `onesided` gives half of the last.

    Smooth everywhere.
    """
    transform: Any = np.fft.rfftn if onesided else np.fft.fftn
    found: Array = transform(input, axes=dim, norm=_FORTH[normalization])
    return found.astype(meta.dtype.numpy, copy=False)


@kernel(
    "_fft_c2c",
    kind="structural",
    infer=lambda input, dim, normalization, forward: Type(input.shape, input.dtype),
    vjp=lambda F, x, y, g, dim, normalization, forward: (
        lambda: F._fft_c2c(g, dim, normalization, not forward),
    ),
    grad_fn="FftC2CBackward0",
    saves=("dim", "forward", "normalization"),
    samples=lambda make: [sample(make(3, 4) + 1j * make(3, 4), (0, 1), 0, True)],
)
def _fft_c2c(input: Tensor, dim: Dims, normalization: int, forward: bool, *, meta: Any) -> Array:
    """The transform of a complex tensor along `dim`, `forward` (with e^-i) or back.

    Smooth everywhere.
    """
    if not dim or not input.size:
        same: Array = input.copy()
        return same
    if forward:
        found: Array = np.fft.fftn(input, axes=dim, norm=_FORTH[normalization])
    else:
        found = np.fft.ifftn(input, axes=dim, norm=_BACK[normalization])
    return found.astype(meta.dtype.numpy, copy=False)


def _whole(input: Type, dim: tuple[int, ...], last_dim_size: int) -> Type:
    shape = list(input.shape)
    shape[dim[-1]] = last_dim_size
    return Type(tuple(shape), real_of(input.dtype))


def _c2r_vjp(
    F: Any, x: Any, y: Any, g: Any, dim: tuple[int, ...], normalization: int, last_dim_size: int
) -> Any:
    def rule() -> Any:
        half = F._fft_r2c(g, dim, normalization, True)
        last, size = dim[-1], half.meta.shape[dim[-1]]
        twice = last_dim_size - size  # those that stand for their mirror images, too
        if twice <= 0:
            return half
        parts = [F.narrow(half, last, 0, 1), F.mul(F.narrow(half, last, 1, twice), 2)]
        if size > 1 + twice:
            parts.append(F.narrow(half, last, 1 + twice, size - 1 - twice))
        return F.cat(parts, last)

    return (rule,)


@kernel(
    "_fft_c2r",
    kind="structural",
    infer=lambda input, dim, normalization, last_dim_size: _whole(input, dim, last_dim_size),
    vjp=_c2r_vjp,
    grad_fn="FftC2RBackward0",
    saves=("dim", "normalization"),
    samples=lambda make: [sample(make(3, 4) + 1j * make(3, 4), (0, 1), 2, 6)],
)
def _fft_c2r(input: Tensor, dim: Dims, normalization: int, last_dim_size: int, *, meta: Any) -> Array:
    """The real tensor whose onesided transform along `dim` is `input`, transformed back.

    Smooth everywhere.
    """
    shape = [input.shape[each] for each in dim[:-1]] + [last_dim_size]
    if not input.size:
        return np.zeros(meta.shape, meta.dtype.numpy)
    found: Array = np.fft.irfftn(input, shape, axes=dim, norm=_BACK[normalization])
    return found.astype(meta.dtype.numpy, copy=False)


def _ends(input: Type, pad: tuple[int, ...]) -> Type:
    return Type(tuple(a + b for a, b in zip(input.shape, pad, strict=True)), input.dtype)


def _pad_vjp(F: Any, x: Any, y: Any, g: Any, pad: tuple[int, ...]) -> Any:
    def rule() -> Any:
        found = g
        for at, size in enumerate(x[0].meta.shape):
            found = F.narrow(found, at, 0, size) if pad[at] else found
        return found

    return (rule,)


@kernel(
    "_zeros_behind",
    kind="structural",
    infer=_ends,
    vjp=_pad_vjp,
    grad_fn="ConstantPadNdBackward0",
    saves=("pad",),
    samples=lambda make: [sample(make(3, 4), (0, 2))],
)
def _zeros_behind(input: Tensor, pad: Shape, *, lead: int) -> Array:
    """`input` with `pad` zeros behind each dim.

    Smooth everywhere.
    """
    return np.pad(input, [(0, 0)] * lead + [(0, size) for size in pad])
