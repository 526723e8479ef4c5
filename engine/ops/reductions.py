"""Sums and means; what the rules of all reductions share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.bounded import Bounded, same
from engine.define import composite, kernel
from engine.dtypes import BOOL, FLOAT, INTEGER, DType, int64
from engine.errors import DTypeError, ShapeError
from engine.leading import flat
from engine.op import refused, sample
from engine.signature import OMITTED, Array, Dims, Shape, Tensor
from engine.types import Type, reduced_shape

OUT_OF_RANGE = "Dimension out of range (expected to be in range of [-1, 0], but got 2)"
REPEATED = "dim 0 appears multiple times in the list of dims"


def restored(F: Any, reduced: Any, meta: Type, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    """A reduction's result or cotangent with the reduced dims back, so that it broadcasts to `meta`."""
    if keepdim or not dim or not meta.shape:
        return reduced  # a full reduction's 0-dim result broadcasts as it is
    return F.view(reduced, reduced_shape(meta.shape, dim or None, True))


def axes(input: Array, dim: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """numpy's axes for torch's `dim`, of which an empty list means all."""
    return dim if dim and input.ndim else None


def count(shape: Shape, dim: tuple[int, ...] | None) -> int:
    """How many elements a reduction of `shape` over `dim` puts into one."""
    return math.prod(shape[at] for at in dim) if dim and shape else math.prod(shape)


def wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which sums of `dtype` add up: float16 in float32."""
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def total(input: Array, dim: tuple[int, ...] | None, keepdim: bool, dtype: np.dtype[Any]) -> Array:
    """The sum, still in the wide dtype."""
    return np.asarray(np.sum(input, axis=axes(input, dim), keepdims=keepdim, dtype=wide(dtype)))


def _sum_type(input: Type, dim: Any = None, keepdim: bool = False, dtype: DType | None = None) -> Type:
    out = dtype or (int64 if input.dtype.category in (BOOL, INTEGER) else input.dtype)
    return Type(reduced_shape(input.shape, dim or None, keepdim), out)


@kernel(
    "_sum_all",
    kind="reduction",
    infer=_sum_type,
    vjp=lambda F, x, y, g, dtype: (lambda: F.expand(g, x[0].meta.shape),),
    grad_fn="SumBackward0",
    saves=("self_sym_sizes",),
    samples=lambda make: [],
)
def _sum_all(input: Tensor, *, dtype: DType | None = None, meta: Any, lead: int) -> Array:
    """The sum of all elements.

    Smooth everywhere.
    """
    found = total(flat(input, lead), (-1,) if lead else None, False, meta.dtype.numpy)
    return found.astype(meta.dtype.numpy, copy=False)


@kernel(
    "_sum_dim",
    kind="reduction",
    infer=_sum_type,
    vjp=lambda F, x, y, g, dim, keepdim, dtype: (
        lambda: F.expand(restored(F, g, x[0].meta, dim, keepdim), x[0].meta.shape),
    ),
    grad_fn="SumBackward1",
    saves=("dim", "keepdim", "self_sym_sizes"),
    samples=lambda make: [],
)
def _sum_dim(
    input: Tensor, dim: Dims | None, keepdim: bool = False, *, dtype: DType | None = None, meta: Any
) -> Array:
    """The sum over `dim`.

    Smooth everywhere.
    """
    return total(input, dim, keepdim, meta.dtype.numpy).astype(meta.dtype.numpy, copy=False)


@composite(
    "sum",
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 3), 1),
        sample(make(2, 3, 4), (0, -1), keepdim=True),
        sample(make(2, 3), dim=None),
        sample(make.ints(3)),
        sample(make()),
        sample(make(2, 2) + 1j * make(2, 2), 0),
    ],
    refusals=lambda make: [refused(OUT_OF_RANGE, make(3), 2), refused(REPEATED, make(2, 3), (0, -2))],
)
def sum_(
    F: Any, input: Tensor, dim: Dims | None = OMITTED, keepdim: bool = False, *, dtype: DType | None = None
) -> Any:
    """The sum over `dim` (all dimensions if None or empty); integers and bools add up in int64.

    Smooth everywhere.
    """
    if dim is OMITTED and not keepdim:
        return F._sum_all(input, dtype=dtype)
    return F._sum_dim(input, None if dim is OMITTED else dim, keepdim, dtype=dtype)


@composite("sum_to_size", samples=lambda make: [sample(make(2, 3), (1, 3)), sample(make(2, 3), (3,))])
def sum_to_size(F: Any, input: Tensor, size: Shape) -> Any:
    """The sum of `input` over the dimensions that broadcasting gave it, so that it has shape `size`.

    Smooth everywhere.
    """
    shape = input.meta.shape
    lead = len(shape) - len(size)
    if not same(size, shape) and any(isinstance(want, Bounded) for want in size):
        return F._sum_to(input, size)
    pairs = [] if lead < 0 else list(enumerate(zip(size, shape[lead:], strict=True), lead))
    if lead < 0 or any(want not in (1, have) and type(have) is int for _, (want, have) in pairs):
        raise ShapeError(f"size {{{list(size)}}} is not expandable to size {{{list(shape)}}}.")
    if not size:
        return F.sum(input)
    dims = (*range(lead), *(at for at, (want, have) in pairs if want == 1 != have))
    summed = F.sum(input, dims, True) if dims else input
    return F.view(summed, size) if lead else summed


@kernel(
    "_sum_to",
    kind="reduction",
    infer=lambda input, size: Type(size, input.dtype),
    vjp=lambda F, x, y, g, size: (lambda: F.expand(g, x[0].meta.shape),),
    grad_fn="SumBackward1",
)
def sum_to(input: Tensor, size: Shape) -> Array:
    """`sum_to_size` where only a run tells which dimensions broadcasting gave.

    Smooth everywhere.
    """
    lead = input.ndim - len(size)
    dims = [at for at, have in enumerate(input.shape) if at < lead or size[at - lead] == 1 != have]
    return (
        np.asarray(total(input, tuple(dims), True, input.dtype), input.dtype).reshape(size) if dims else input
    )


def _mean_type(input: Type, dim: Any = None, keepdim: bool = False, dtype: DType | None = None) -> Type:
    out = dtype or input.dtype
    if out.category < FLOAT:
        raise DTypeError(
            f"mean(): could not infer output dtype. {'Optional' if dtype else 'Input'} dtype must be "
            f"either a floating point or complex dtype. Got: {out.title}",
            actual=out.name,
        )
    return Type(reduced_shape(input.shape, dim or None, keepdim), out)


def _mean(input: Array, dim: tuple[int, ...] | None, keepdim: bool, dtype: np.dtype[Any]) -> Array:
    found = total(input, dim, keepdim, dtype)
    return np.asarray(np.divide(found, found.dtype.type(count(input.shape, dim))), dtype)


@kernel(
    "_mean_all",
    kind="reduction",
    infer=_mean_type,
    vjp=lambda F, x, y, g, dtype: (lambda: F.expand(F.div(g, max(x[0].meta.numel, 1)), x[0].meta.shape),),
    grad_fn="MeanBackward0",
    saves=("self_sym_numel", "self_sym_sizes"),
    samples=lambda make: [],
)
def _mean_all(input: Tensor, *, dtype: DType | None = None, meta: Any, lead: int) -> Array:
    """The mean of all elements.

    Smooth everywhere.
    """
    return _mean(flat(input, lead), (-1,) if lead else None, False, meta.dtype.numpy)


def _mean_dim_vjp(F: Any, x: Any, y: Any, g: Any, dim: Any, keepdim: bool, dtype: Any) -> Any:
    meta = x[0].meta
    share = restored(F, g, meta, dim, keepdim)
    return (lambda: F.expand(F.div(share, max(count(meta.shape, dim), 1)), meta.shape),)


@kernel(
    "_mean_dim",
    kind="reduction",
    infer=_mean_type,
    vjp=_mean_dim_vjp,
    grad_fn="MeanBackward1",
    saves=("dim", "keepdim", "self_sym_numel", "self_sym_sizes"),
    samples=lambda make: [],
)
def _mean_dim(
    input: Tensor, dim: Dims | None, keepdim: bool = False, *, dtype: DType | None = None, meta: Any
) -> Array:
    """The mean over `dim`.

    Smooth everywhere.
    """
    return _mean(input, dim, keepdim, meta.dtype.numpy)


@composite(
    "mean",
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 3), 1),
        sample(make(2, 3, 4), (0, -1), keepdim=True),
        sample(make(3), dtype="float32"),
        sample(make()),
    ],
    refusals=lambda make: [
        refused(
            "mean(): could not infer output dtype. Input dtype must be either a floating point", make.ints(3)
        ),
        refused(
            "Optional dtype must be either a floating point or complex dtype. Got: Long",
            make(3),
            dtype="int64",
        ),
        refused(OUT_OF_RANGE, make(3), 2),
        refused(REPEATED, make(2, 3), (0, 0)),
    ],
)
def mean(
    F: Any, input: Tensor, dim: Dims | None = OMITTED, keepdim: bool = False, *, dtype: DType | None = None
) -> Any:
    """The mean over `dim` (all dimensions if None or empty); of no elements it is nan.

    Smooth everywhere.
    """
    if dim is OMITTED and not keepdim:
        return F._mean_all(input, dtype=dtype)
    return F._mean_dim(input, None if dim is OMITTED else dim, keepdim, dtype=dtype)
