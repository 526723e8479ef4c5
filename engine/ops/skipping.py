"""Sums, means and counts of what is there, both extremes at once, and the trace."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import BOOL, FLOAT, INTEGER, DType, int64
from engine.errors import DimError, DTypeError, NotImplementedYet, RuntimeArgumentError, ShapeError
from engine.leading import flat, whole
from engine.op import refused, sample
from engine.ops.extremes import refuse_complex
from engine.ops.reductions import OUT_OF_RANGE, REPEATED, restored, total
from engine.signature import Array, Dim, Dims, Tensor
from engine.types import Type, reduced_shape


def _over(input: Array, dim: tuple[int, ...] | None, lead: int) -> tuple[int, ...]:
    """The axes of a reduction behind `lead` batch axes."""
    rank = input.ndim - lead
    return dim if dim and rank else tuple(range(-rank, 0))


def _nansum_type(input: Type, dim: Any, keepdim: bool, dtype: DType | None) -> Type:
    if input.dtype.is_complex:
        raise DTypeError("nansum on CPU does not support complex inputs", actual=input.dtype.name)
    out = dtype or (int64 if input.dtype.category in (BOOL, INTEGER) else input.dtype)
    return Type(reduced_shape(input.shape, dim or None, keepdim), out)


@kernel(
    "nansum",
    kind="reduction",
    infer=_nansum_type,
    vjp=lambda F, x, y, g, dim, keepdim, dtype: (
        lambda: F.mul(
            F.expand(restored(F, g, x[0].meta, dim, keepdim), x[0].meta.shape),
            F.logical_not(F.isnan(x[0])),
        ),
    ),
    saves=("dim", "keepdim", "self"),
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 3), 1),
        sample(make(2, 3, 2), (0, -1), keepdim=True),
        sample(make(3), dtype="float32"),
        sample(make.ints(3)),
        sample(make()),
    ],
    refusals=lambda make: [
        refused("nansum on CPU does not support complex inputs", make(3) + 1j),
        refused(OUT_OF_RANGE, make(3), 2),
        refused(REPEATED, make(2, 3), (0, -2)),
    ],
)
def nansum(
    input: Tensor,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    meta: Any,
    lead: int,
) -> Array:
    """The sum over `dim` (all dimensions if None or empty) of the elements that are not nan.

    A nan gets 0.
    """
    known = np.where(np.isnan(input), 0, input) if input.dtype.kind == "f" else input
    known = np.asarray(known, input.dtype)
    axes = _over(input, dim, lead)
    if not axes:
        return known.astype(meta.dtype.numpy)
    return total(known, axes, keepdim, meta.dtype.numpy).astype(meta.dtype.numpy, copy=False)


@composite(
    "nanmean",
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 3), 1),
        sample(make(2, 3, 2), (0, -1), True),
        sample(make(3), dtype="float32"),
        sample(make()),
    ],
    refusals=lambda make: [
        refused(
            "nanmean(): expected input to have floating point or complex dtype but got Long", make.ints(3)
        ),
        refused("nansum on CPU does not support complex inputs", make(3) + 1j),
        refused(OUT_OF_RANGE, make(3), 2),
    ],
)
def nanmean(
    F: Any, input: Tensor, dim: Dims | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Any:
    """The mean over `dim` (all dimensions if None) of the elements that are not nan; of none it is nan.

    A nan gets 0.
    """
    if input.meta.dtype.category < FLOAT:
        raise DTypeError(
            "nanmean(): expected input to have floating point or complex dtype but got "
            f"{input.meta.dtype.title}"
        )
    known = F.sum(F.logical_not(F.isnan(F.detach(input))), dim, keepdim)
    return F.div(F.nansum(input, dim, keepdim, dtype=dtype), known)


@kernel(
    "count_nonzero",
    kind="reduction",
    infer=lambda input, dim: Type(reduced_shape(input.shape, dim or None, False), int64),
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make.ints(2, 3, high=2), 1),
        sample(make.bools(2, 3, 2), (0, -1)),
        sample(make(3) + 1j * make(3)),
        sample(make(0, 2)),
        sample(make()),
    ],
    refusals=lambda make: [refused(OUT_OF_RANGE, make(3), 2), refused(REPEATED, make(2, 3), (0, -2))],
)
def count_nonzero(input: Tensor, dim: Dims | None = None, *, lead: int) -> Array:
    """How many elements over `dim` (all dimensions if None) are not 0.

    Constant: nothing flows back.
    """
    axes = _over(input, dim, lead)
    return np.asarray(np.count_nonzero(input, axis=axes) if axes else input != 0).astype(np.int64)


def _aminmax_type(input: Type, dim: int | None, keepdim: bool) -> tuple[Type, Type]:
    if dim is None and not input.numel:
        raise RuntimeArgumentError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    if dim is not None and input.shape and not input.shape[dim]:
        raise DimError(f"aminmax: Expected reduction dim {dim + input.ndim} to have non-zero size.")
    refuse_complex("aminmax_cpu", input)
    found = Type(reduced_shape(input.shape, None if dim is None else (dim,), keepdim), input.dtype)
    return found, found


def _aminmax_vjp(F: Any, x: Any, y: Any, g: Any, dim: Any, keepdim: bool) -> Any:
    dims = None if dim is None else (dim,)

    def shared(value: Any, cotangent: Any) -> Any:
        at, share = (restored(F, each, x[0].meta, dims, keepdim) for each in (value, cotangent))
        mask = F.eq(x[0], at)
        ties = F.sum(mask) if dim is None else F.sum(mask, dim, True)
        return F.mul(F.div(share, ties), mask)

    def rule() -> Any:
        parts = [shared(value, each) for value, each in zip(y, g, strict=True) if each is not None]
        return parts[0] if len(parts) == 1 else F.add(*parts)

    return (rule,)


@kernel(
    "aminmax",
    kind="reduction",
    infer=_aminmax_type,
    vjp=_aminmax_vjp,
    saves=("dim", "keepdim", "max", "min", "self"),
    outputs=("min", "max"),
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 3), dim=1),
        sample(make(3, 2, 2), dim=0, keepdim=True),
        sample(make.ints(3)),
        sample(make()),
        sample(make(), dim=0),
    ],
    refusals=lambda make: [
        refused("aminmax(): cannot compute aminmax over an empty dimension", make(0)),
        refused("aminmax: Expected reduction dim 0 to have non-zero size.", make(0, 2), dim=0),
        refused("\"aminmax_cpu\" not implemented for 'ComplexDouble'", make(3) + 1j),
        refused(OUT_OF_RANGE, make(3), dim=2),
    ],
)
def aminmax(input: Tensor, *, dim: Dim | None = None, keepdim: bool = False, lead: int) -> Any:
    """The smallest and the largest element: of all, or along `dim`.

    Ties share the gradient equally.
    """
    rank = input.ndim - lead
    if dim is None or not rank:
        each, shape = flat(input, lead), (*input.shape[:lead], *(1,) * (rank if keepdim else 0))
        ends = np.min(each, axis=whole(lead)), np.max(each, axis=whole(lead))
        return tuple(np.asarray(end).reshape(shape) for end in ends)
    return np.min(input, axis=dim, keepdims=keepdim), np.max(input, axis=dim, keepdims=keepdim)


def _trace_type(input: Type) -> Type:
    if input.ndim != 2:
        raise ShapeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    if input.dtype.category == BOOL:
        raise NotImplementedYet("\"trace\" not implemented for 'Bool'", actual=input.dtype.name)
    return Type((), int64 if input.dtype.category == INTEGER else input.dtype)


@kernel(
    "trace",
    kind="reduction",
    infer=_trace_type,
    vjp=lambda F, x, y, g: (lambda: F.mul(g, F.eye(*x[0].meta.shape, dtype=g.meta.dtype)),),
    saves=("self_sym_sizes",),
    samples=lambda make: [
        sample(make(3, 3)),
        sample(make(2, 4)),
        sample(make.ints(3, 2)),
        sample(make(0, 2)),
        sample(make(2, 2) + 1j * make(2, 2)),
    ],
    refusals=lambda make: [
        refused("trace: expected a matrix, but got tensor with dim 1", make(3)),
        refused("\"trace\" not implemented for 'Bool'", make.bools(2, 2)),
    ],
)
def trace(input: Tensor, *, meta: Any) -> Array:
    """The sum of a matrix's diagonal.

    Smooth everywhere.
    """
    return np.asarray(np.trace(input, axis1=-2, axis2=-1, dtype=meta.dtype.numpy))
