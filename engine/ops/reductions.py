"""Reductions: sums, means, extremes, norms."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import BOOL, INTEGER, DType, int64
from engine.errors import ShapeError
from engine.op import refused, sample
from engine.signature import Array, Dims, Shape, Tensor
from engine.types import Type, reduced_shape


def restored(F: Any, reduced: Any, meta: Type, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    """A reduction's result or cotangent with the reduced dims back, of size 1, so that it broadcasts to `meta`."""
    if keepdim or not dim or not meta.shape:
        return reduced  # a full reduction's 0-dim result broadcasts as it is
    return F.view(reduced, reduced_shape(meta.shape, dim or None, True))


def _sum_type(input: Type, dim: Any, keepdim: bool, dtype: DType | None) -> Type:
    out = dtype or (int64 if input.dtype.category in (BOOL, INTEGER) else input.dtype)
    return Type(reduced_shape(input.shape, dim or None, keepdim), out)


@kernel(
    "sum",
    kind="reduction",
    infer=_sum_type,
    vjp=lambda F, x, y, g, dim, keepdim, dtype: (
        lambda: F.expand(restored(F, g, x[0].meta, dim, keepdim), x[0].meta.shape),
    ),
    grad_fn=lambda x, given: "SumBackward0" if given["dim"] is None else "SumBackward1",
    saves=("dim", "keepdim", "self_sym_sizes"),
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 3), 1),
        sample(make(2, 3, 4), (0, -1), keepdim=True),
        sample(make.ints(3)),
        sample(make()),
    ],
    refusals=lambda make: [refused("Dimension out of range", make(3), 2)],
)
def sum_(input: Tensor, dim: Dims | None = None, keepdim: bool = False, *, dtype: DType | None = None, meta: Any) -> Array:
    """The sum over `dim` (all dimensions if None or empty); integers and bools add up in int64.

    Smooth everywhere.
    """
    return np.asarray(np.sum(input, axis=dim or None, keepdims=keepdim, dtype=meta.dtype.numpy))


@composite("sum_to_size", samples=lambda make: [sample(make(2, 3), (1, 3)), sample(make(2, 3), (3,))])
def sum_to_size(F: Any, input: Tensor, size: Shape) -> Any:
    """The sum of `input` over the dimensions that broadcasting gave it, so that it has shape `size`.

    Smooth everywhere.
    """
    shape = input.meta.shape
    lead = len(shape) - len(size)
    if lead < 0 or any(want not in (1, have) for want, have in zip(size, shape[lead:], strict=True)):
        raise ShapeError(f"size {{{list(size)}}} is not expandable to size {{{list(shape)}}}.")
    total = F.sum(input, tuple(range(lead))) if lead else input
    kept = tuple(at for at, (want, have) in enumerate(zip(size, shape[lead:], strict=True)) if want != have)
    return F.sum(total, kept, True) if kept else total
