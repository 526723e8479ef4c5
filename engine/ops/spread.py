"""Variance and standard deviation."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import FLOAT, real_of
from engine.errors import ArgumentError, DTypeError
from engine.op import refused, sample
from engine.ops.choice import over
from engine.ops.reductions import OUT_OF_RANGE, REPEATED, axes, count, restored, wide
from engine.signature import OMITTED, Array, Dims, Number, Tensor
from engine.types import Type, reduced_shape


def _spread_type(input: Type, dim: Any, correction: Any, keepdim: bool) -> Type:
    if input.dtype.category < FLOAT:
        raise DTypeError(
            "std and var only support floating point and complex dtypes", actual=input.dtype.name
        )
    return Type(reduced_shape(input.shape, dim or None, keepdim), real_of(input.dtype))


def variance(input: Array, dim: Any, correction: Any, keepdim: bool) -> Array:
    over = axes(input, dim)
    input = input.astype(wide(input.dtype), copy=False)
    size = count(input.shape, dim)
    middle = np.sum(input, axis=over, keepdims=True) / input.dtype.type(size)
    apart = input - middle
    square = np.square(apart.real) + np.square(apart.imag) if apart.dtype.kind == "c" else np.square(apart)
    freedom = max(size - (1 if correction is None else correction), 0)
    return np.asarray(np.divide(np.sum(square, axis=over, keepdims=keepdim), square.dtype.type(freedom)))


def var_rule(F: Any, input: Any, g: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    """The cotangent of `input`, where `g` is that of its variance."""
    meta = input.meta
    freedom = count(meta.shape, dim) - (1 if correction is None else correction)
    share = restored(F, g, meta, dim, keepdim)
    if meta.shape and dim is not None:
        apart = F.sub(input, F.mean(input, dim, True))
        return F.mul(F.mul(share, 2 / freedom if freedom else float("inf")), apart)
    middle = F.mean(input)
    if freedom > 0:
        return F.mul(F.mul(share, 2 / freedom), F.sub(input, middle))
    singular = F.where(F.eq(input, middle), float("nan"), float("inf"))
    return F.mul(share, F.to(singular, real_of(meta.dtype)))


@kernel(
    "_var",
    kind="reduction",
    infer=_spread_type,
    vjp=lambda F, x, y, g, dim, correction, keepdim: (
        lambda: var_rule(F, x[0], g, dim, correction, keepdim),
    ),
    grad_fn="VarBackward0",
    saves=("correction", "dim", "keepdim", "self"),
    samples=lambda make: [],
)
def _var(input: Tensor, dim: Dims | None, *, correction: Number | None, keepdim: bool, meta: Any) -> Array:
    """The variance over `dim`.

    Smooth everywhere.
    """
    return variance(input, dim, correction, keepdim).astype(meta.dtype.numpy, copy=False)


def _std_vjp(F: Any, x: Any, y: Any, g: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    def rule() -> Any:
        of_variance = over(F, g, F.mul(y, 2), F.eq(y, 0))
        return var_rule(F, x[0], of_variance, dim, correction, keepdim)

    return (rule,)


@kernel(
    "_std",
    kind="reduction",
    infer=_spread_type,
    vjp=_std_vjp,
    grad_fn="StdBackward0",
    saves=("correction", "dim", "keepdim", "result", "self"),
    samples=lambda make: [],
)
def _std(input: Tensor, dim: Dims | None, *, correction: Number | None, keepdim: bool, meta: Any) -> Array:
    """The standard deviation over `dim`.

    Zero where all elements are equal.
    """
    return np.sqrt(variance(input, dim, correction, keepdim)).astype(meta.dtype.numpy, copy=False)


def chosen_correction(name: str, dim: Any, unbiased: Any, correction: Any) -> Any:
    """The correction of a call, by the overload that torch would take."""
    if unbiased is not None:
        if correction is not OMITTED:
            raise ArgumentError(
                f"{name}() received an invalid combination of arguments: unbiased and correction"
            )
        return int(unbiased)
    if correction is OMITTED:
        return None if dim is OMITTED else 1
    return correction


def _samples(make: Any) -> list[Any]:
    return [
        sample(make(2, 3)),
        sample(make(2, 3), 1),
        sample(make(2, 3), 1, False, True),
        sample(make(2, 3), unbiased=False),
        sample(make(2, 4, 2), (0, -1), correction=0, keepdim=True),
        sample(make(3), correction=0.5),
        sample(make(3) + 1j * make(3)),
    ]


def _refusals(make: Any) -> list[Any]:
    return [
        refused("std and var only support floating point and complex dtypes", make.ints(3)),
        refused(OUT_OF_RANGE, make(3), 2),
        refused(REPEATED, make(2, 3), (0, 0)),
        refused("received an invalid combination of arguments", make(3), 0, True, correction=1),
    ]


@composite("var", samples=_samples, refusals=_refusals)
def var(
    F: Any,
    input: Tensor,
    dim: Dims | None = OMITTED,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = OMITTED,
) -> Any:
    """The variance over `dim` (all dimensions if None): squares divided by n - correction, by default n - 1.

    Smooth everywhere. Of a single element it is nan, and so is the derivative.

    Unlike torch: with `dim=[]`, which means all dimensions, the gradient is that of the result; torch's
    counts one element and is infinite.
    """
    chosen = chosen_correction("var", dim, unbiased, correction)
    return F._var(input, None if dim is OMITTED else dim, correction=chosen, keepdim=keepdim)


@composite("std", samples=_samples, refusals=_refusals)
def std(
    F: Any,
    input: Tensor,
    dim: Dims | None = OMITTED,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = OMITTED,
) -> Any:
    """The standard deviation over `dim` (all dimensions if None): the root of var.

    0 where all elements are equal, and the derivative there is taken as 0. Of a single element it is nan, and
    so is the derivative.

    Unlike torch: with `dim=[]`, which means all dimensions, the gradient is that of the result; torch's
    counts one element and is infinite.
    """
    chosen = chosen_correction("std", dim, unbiased, correction)
    return F._std(input, None if dim is OMITTED else dim, correction=chosen, keepdim=keepdim)
