"""Variance, or its root, together with the mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import FLOAT, real_of
from engine.errors import DTypeError
from engine.op import Op, refused, sample
from engine.ops.choice import over
from engine.ops.reductions import OUT_OF_RANGE, count, restored, total
from engine.ops.spread import chosen_correction, var_rule, variance
from engine.signature import OMITTED, Array, Dims, Number, Tensor
from engine.types import Type, reduced_shape


def _mean_rule(F: Any, g: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    meta = input.meta
    share = F.div(restored(F, g, meta, dim, keepdim), max(count(meta.shape, dim), 1))
    return F.expand(share, meta.shape)


def _pair(name: str) -> Op:
    root = name == "std_mean"

    def infer(input: Type, dim: Any, correction: Any, keepdim: bool) -> tuple[Type, Type]:
        if input.dtype.category < FLOAT:
            raise DTypeError(
                f"{name} only support floating point and complex dtypes", actual=input.dtype.name
            )
        shape = reduced_shape(input.shape, dim or None, keepdim)
        return Type(shape, real_of(input.dtype)), Type(shape, input.dtype)

    def vjp(F: Any, x: Any, y: Any, g: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
        def rule() -> Any:
            found = None
            if g[0] is not None:
                share = over(F, g[0], F.mul(y[0], 2), F.eq(y[0], 0)) if root else g[0]
                found = var_rule(F, x[0], share, dim, correction, keepdim)
            if g[1] is not None:
                mean = _mean_rule(F, g[1], x[0], dim, keepdim)
                found = mean if found is None else F.add(found, mean)
            return found

        return (rule,)

    def run(
        input: Tensor, dim: Dims | None, *, correction: Number | None, keepdim: bool, meta: Any, lead: int
    ) -> Any:
        if not dim:
            dim = tuple(range(lead - input.ndim, 0))
        spread = variance(input, dim, correction, keepdim)
        middle = total(input, dim, keepdim, input.dtype)
        middle = np.divide(middle, middle.dtype.type(count(input.shape, dim)))
        found: Array = np.sqrt(spread) if root else spread
        dtypes = [each.dtype.numpy for each in meta]
        return found.astype(dtypes[0], copy=False), np.asarray(middle).astype(dtypes[1], copy=False)

    run.__doc__ = f"The pair that {name} gives.\n\nSmooth where the elements are not all equal."
    define = kernel(
        f"_{name}",
        kind="reduction",
        infer=infer,
        vjp=vjp,
        grad_fn="StdMeanBackward0" if root else "VarMeanBackward0",
        saves=("correction", "dim", "keepdim", *(("result0",) if root else ()), "self"),
        outputs=("result0", "result1"),
    )
    return define(run)


_var_mean = _pair("var_mean")
_std_mean = _pair("std_mean")


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


def _refusals(name: str) -> Any:
    return lambda make: [
        refused(f"{name} only support floating point and complex dtypes", make.ints(3)),
        refused(OUT_OF_RANGE, make(3), 2),
        refused("received an invalid combination of arguments", make(3), 0, True, correction=1),
    ]


@composite("var_mean", samples=_samples, refusals=_refusals("var_mean"))
def var_mean(
    F: Any,
    input: Tensor,
    dim: Dims | None = OMITTED,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = OMITTED,
) -> Any:
    """The variance and the mean over `dim` (all dimensions if None).

    Smooth everywhere. Of a single element the variance is nan, and so is its derivative.
    """
    chosen = chosen_correction("var_mean", dim, unbiased, correction)
    return F._var_mean(input, None if dim is OMITTED else dim, correction=chosen, keepdim=keepdim)


@composite("std_mean", samples=_samples, refusals=_refusals("std_mean"))
def std_mean(
    F: Any,
    input: Tensor,
    dim: Dims | None = OMITTED,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = OMITTED,
) -> Any:
    """The standard deviation and the mean over `dim` (all dimensions if None).

    Where all elements are equal the derivative of the deviation is taken as 0. Of a single element it is nan.
    """
    chosen = chosen_correction("std_mean", dim, unbiased, correction)
    return F._std_mean(input, None if dim is OMITTED else dim, correction=chosen, keepdim=keepdim)
