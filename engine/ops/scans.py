"""Running sums, products and extremes along a dimension."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import BOOL, INTEGER, DType, int64
from engine.op import Op, refused, sample
from engine.ops.extremes import refuse_complex
from engine.ops.reductions import wide
from engine.signature import Array, Dim, Index, Tensor
from engine.types import Type

SCALAR_RANGE = "Dimension out of range (expected to be in range of [-1, 0], but got 2)"


def _scanned_type(input: Type, dim: Dim, dtype: DType | None) -> Type:
    return Type(input.shape, dtype or (int64 if input.dtype.category in (BOOL, INTEGER) else input.dtype))


def _scanned(scan: Callable[..., Any], input: Array, dim: int, dtype: np.dtype[Any], lead: int) -> Array:
    if input.ndim == lead:
        return input.astype(dtype)
    found = scan(input.astype(dtype, copy=False), axis=dim, dtype=wide(dtype))
    return np.asarray(found, dtype)


def _scan_samples(make: Any) -> list[Any]:
    return [
        sample(make(2, 3), 1),
        sample(make(3, 2, 2), -3),
        sample(make.ints(3, high=4), 0),
        sample(make(3), 0, dtype="float32"),
        sample(make(2) + 1j * make(2), 0),
        sample(make(0, 2), 0),
        sample(make(), 0),
    ]


def _scan_refusals(make: Any) -> list[Any]:
    return [refused(SCALAR_RANGE, make(3), 2)]


def reversed_sum(F: Any, value: Any, dim: int) -> Any:
    """The sums of what stands at and behind each place along `dim`."""
    return F.flip(F.cumsum(F.flip(value, dim), dim), dim)


@kernel(
    "cumsum",
    kind="structural",
    infer=_scanned_type,
    vjp=lambda F, x, y, g, dim, dtype: (lambda: reversed_sum(F, g, dim),),
    saves=("dim",),
    aliases=("cumulative_sum",),
    samples=_scan_samples,
    refusals=_scan_refusals,
)
def cumsum(input: Tensor, dim: Dim, *, dtype: DType | None = None, meta: Any, lead: int) -> Array:
    """The sum of the elements along `dim` up to each; integers and bools add up in int64.

    Smooth everywhere.
    """
    return _scanned(np.cumsum, input, dim, meta.dtype.numpy, lead)


def backwards(F: Any, value: Any, factor: Any, dim: int) -> Any:
    """z[i] = value[i] + factor[i + 1] * z[i + 1] along `dim`."""
    return F.flip(F._recurrence(F.flip(value, dim), F.flip(F.roll(factor, -1, dim), dim), dim), dim)


def _behind(F: Any, value: Any, dim: int, first: float) -> Any:
    """`value` one place further along `dim`, with `first` at its beginning."""
    shape = list(value.meta.shape)
    size, shape[dim] = shape[dim], 1
    start = F.full(tuple(shape), first, dtype=value.meta.dtype)
    return F.cat((start, F.narrow(value, dim, 0, size - 1)), dim)


def _recurrence_vjp(F: Any, x: Any, y: Any, g: Any, dim: int) -> Any:
    meta = y.meta
    if not meta.shape:
        return (lambda: g, None)
    if not meta.shape[dim]:
        return (lambda: g, lambda: g)
    flow = backwards(F, g, F.conj(x[1]), dim)
    return (lambda: flow, lambda: F.mul(flow, F.conj(_behind(F, y, dim, 0.0))))


@kernel(
    "_recurrence",
    kind="structural",
    infer=lambda input, factor, dim: Type(input.shape, input.dtype),
    vjp=_recurrence_vjp,
    grad_fn="RecurrenceBackward0",
    saves=("dim", "factor", "result"),
)
def _recurrence(input: Tensor, factor: Tensor, dim: Dim, *, lead: int) -> Array:
    """y[i] = input[i] + factor[i] * y[i - 1] along `dim`; the first factor counts for nothing.

    Smooth everywhere.
    """
    found = np.array(input)
    if input.ndim > lead:
        rows, factors = np.moveaxis(found, dim, 0), np.moveaxis(factor, dim, 0)
        for at in range(1, len(rows)):
            rows[at] += factors[at] * rows[at - 1]
    return found


def _cumprod_vjp(F: Any, x: Any, y: Any, g: Any, dim: int, dtype: Any) -> Any:
    def rule() -> Any:
        if not y.meta.shape or not y.meta.shape[dim]:
            return g
        factor = x[0] if x[0].meta.dtype is y.meta.dtype else F.to(x[0], y.meta.dtype)
        before = F.conj(_behind(F, y, dim, 1.0))
        return F.mul(before, backwards(F, g, F.conj(factor), dim))

    return (rule,)


@kernel(
    "cumprod",
    kind="structural",
    infer=_scanned_type,
    vjp=_cumprod_vjp,
    saves=("dim", "result", "self"),
    aliases=("cumulative_prod",),
    samples=lambda make: [*_scan_samples(make), sample(np.array([2.0, 0.0, 4.0, 0.0, 3.0]), 0)],
    refusals=_scan_refusals,
)
def cumprod(input: Tensor, dim: Dim, *, dtype: DType | None = None, meta: Any, lead: int) -> Array:
    """The product of the elements along `dim` up to each; integers and bools multiply in int64.

    Smooth everywhere: exact with any number of zeros.

    Unlike torch: with infinite elements the gradient is what the products give; torch's is nan where it
    divides infinities.
    """
    return _scanned(np.cumprod, input, dim, meta.dtype.numpy, lead)


# -- running extremes, which give (values, indices)


@kernel(
    "_cummaxmin_backward",
    kind="index",
    infer=lambda input, indices, dim: Type(input.shape, input.dtype),
    vjp=lambda F, x, y, g, dim: (lambda: F.gather(g, dim, x[1]) if y.meta.shape else g, None),
    saves=("dim", "indices"),
)
def _cummaxmin_backward(input: Tensor, indices: Index, dim: Dim, *, lead: int) -> Array:
    """Zeros to which each element of `input` is added at its place in `indices` along `dim`.

    Smooth everywhere.
    """
    if input.ndim == lead:
        return np.array(input)
    found = np.zeros(input.shape, input.dtype)
    rows, values, places = (np.moveaxis(each, dim, 0) for each in (found, input, indices))
    rest = np.ix_(*map(np.arange, rows.shape[1:]))
    for value, place in zip(values, places, strict=True):
        rows[(place, *rest)] += value
    return found


def _running(name: str, accumulate: Callable[..., Any]) -> Op:
    def infer(input: Type, dim: int) -> tuple[Type, Type]:
        refuse_complex(f"{name}_cpu", input)
        return Type(input.shape, input.dtype), Type(input.shape, int64)

    def vjp(F: Any, x: Any, y: Any, g: Any, dim: int) -> Any:
        return (lambda: F._cummaxmin_backward(g[0], y[1], dim),)

    def run(input: Tensor, dim: Dim, *, lead: int) -> Any:
        if input.ndim == lead:
            return input.copy(), np.zeros(input.shape, np.int64)
        values = accumulate(input, axis=dim)
        shape = [1] * input.ndim
        shape[dim] = input.shape[dim]
        places = np.arange(input.shape[dim]).reshape(shape)
        new = (input == values) | (input != input)
        return values, np.maximum.accumulate(np.where(new, places, 0), axis=dim)

    word = "largest" if name == "cummax" else "smallest"
    run.__doc__ = (
        f"The {word} of the elements along `dim` up to each, and where it is.\n\n"
        f"Of equals the latest is taken, and gets the gradient; nan counts as the {word}."
    )
    define = kernel(
        name,
        kind="structural",
        infer=infer,
        vjp=vjp,
        saves=("dim", "indices", "self"),
        outputs=("values", "indices"),
        samples=lambda make: [
            sample(make(2, 4), 1),
            sample(make(4, 2, 2), -3),
            sample(make.ints(5, high=4), 0),
            sample(make.bools(4), 0),
            sample(make(0, 2), 0),
            sample(make(), 0),
        ],
        refusals=lambda make: [
            refused(SCALAR_RANGE, make(3), 2),
            refused(f"\"{name}_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j, 0),
        ],
    )
    return define(run)


cummax = _running("cummax", np.maximum.accumulate)
cummin = _running("cummin", np.minimum.accumulate)
