"""The logarithm of a sum of exponentials."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import kernel
from engine.kernels import float_if_integer
from engine.op import refused, sample
from engine.ops.reductions import OUT_OF_RANGE, REPEATED, axes, restored, wide
from engine.signature import Array, Dims, Tensor
from engine.types import Type, reduced_shape


def _logsumexp_vjp(F: Any, x: Any, y: Any, g: Any, dim: Any, keepdim: bool) -> Any:
    def rule() -> Any:
        spread = [restored(F, each, x[0].meta, dim, keepdim) for each in (g, y)]
        return F.mul(spread[0], F.exp(F.conj(F.sub(x[0], spread[1]))))

    return (rule,)


@kernel(
    "logsumexp",
    kind="reduction",
    infer=lambda input, dim, keepdim: Type(
        reduced_shape(input.shape, dim or None, keepdim), float_if_integer(input.dtype)
    ),
    vjp=_logsumexp_vjp,
    saves=("dim", "keepdim", "result", "self"),
    aliases=("special.logsumexp",),
    samples=lambda make: [
        sample(make(2, 3), 1),
        sample(make(2, 3, 2), (0, -1), keepdim=True),
        sample(make(), 0),
        sample(make.ints(3), 0),
        sample(make(2, 2) + 1j * make(2, 2), 0),
    ],
    refusals=lambda make: [refused(OUT_OF_RANGE, make(3), 2), refused(REPEATED, make(2, 3), (0, 0))],
)
def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False, *, meta: Any) -> Array:
    """The logarithm of the sum of exponentials over `dim`, without overflow; of no elements it is -inf.

    Smooth everywhere it is finite; where all elements are -inf, or one is inf, the derivative is nan.
    """
    input = input.astype(wide(meta.dtype.numpy), copy=False)
    over = axes(input, dim)
    top = np.max(input.real, axis=over, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    found = np.log(np.sum(np.exp(input - top), axis=over, keepdims=True)) + top
    return np.asarray(found, meta.dtype.numpy).reshape(meta.shape)
