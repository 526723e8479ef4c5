"""The product of elements, with a derivative that is exact where elements are zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import BOOL, INTEGER, DType, int64
from engine.leading import flat, whole
from engine.op import refused, sample
from engine.ops.reductions import OUT_OF_RANGE, restored
from engine.signature import Array, Dim, Fixed, Tensor
from engine.types import Type, reduced_shape


def _before(input: Array, axis: int) -> Array:
    """At each place the product of all elements before it."""
    shifted = np.ones_like(input)
    target = np.moveaxis(shifted, axis, -1)
    target[..., 1:] = np.moveaxis(input, axis, -1)[..., :-1]
    return np.cumprod(shifted, axis=axis, dtype=input.dtype)


def _exclusive(input: Array, axis: int) -> Array:
    after: Array = np.flip(_before(np.flip(input, axis), axis), axis)
    return _before(input, axis) * after


def _others_vjp(F: Any, x: Any, y: Any, g: Any, dim: int | None) -> Any:
    shape = x[0].meta.shape

    def rule() -> Any:
        pair = F.conj(x[0]), g
        if dim is None:
            pair = F.reshape(pair[0], (-1,)), F.reshape(pair[1], (-1,))
        axis = -1 if dim is None else dim
        before, after = _scan(F, pair, axis, forward=True), _scan(F, pair, axis, forward=False)
        found = F.add(F.mul(before[0], after[1]), F.mul(before[1], after[0]))
        return found if dim is not None else F.reshape(found, shape)

    return rule, None


def _scan(F: Any, pair: tuple[Any, Any], axis: int, *, forward: bool) -> tuple[Any, Any]:
    """The products of all elements before (or after) each, and their derivatives along `pair[1]`.

    Doubling steps: after step s a place holds the product of the s elements next to it.
    """
    size = pair[0].meta.shape[axis]
    product, tangent = (_shift(F, each, axis, 1, forward, fill=1 - at) for at, each in enumerate(pair))
    step = 1
    while step < size - 1:
        further = _shift(F, product, axis, step, forward, fill=1)
        moved = _shift(F, tangent, axis, step, forward, fill=0)
        tangent = F.add(F.mul(tangent, further), F.mul(product, moved))
        product = F.mul(product, further)
        step *= 2
    return product, tangent


def _shift(F: Any, value: Any, axis: int, step: int, forward: bool, fill: int) -> Any:
    size = value.meta.shape[axis]
    step = min(step, size)
    edge = F.slice(value, axis, 0, step)
    edge = F.ones_like(edge) if fill else F.zeros_like(edge)
    if forward:
        return F.cat([edge, F.slice(value, axis, 0, size - step)], axis)
    return F.cat([F.slice(value, axis, step, size), edge], axis)


@kernel(
    "_product_of_others",
    kind="structural",
    infer=lambda input, result, dim: Type(input.shape, input.dtype),
    vjp=_others_vjp,
    saves=("self",),
    samples=lambda make: [],
    batched="loop",  # zeros are counted
)
def _product_of_others(input: Tensor, result: Fixed, dim: Dim | None) -> Array:
    """At each place the product of all other elements along `dim` (of all, if None); `result` is the product.

    Smooth everywhere. Where nothing is zero it is computed as result / input.
    """
    zeros = int(np.count_nonzero(input == 0))
    if zeros == 0:
        return np.asarray(np.divide(result, input))
    if dim is not None:
        return _exclusive(input, dim)
    if zeros > 1:
        return np.zeros_like(input)
    return _exclusive(input.reshape(-1), 0).reshape(input.shape)


def _product_type(
    input: Type, dim: int | None = None, keepdim: bool = False, dtype: DType | None = None
) -> Type:
    out = dtype or (int64 if input.dtype.category in (BOOL, INTEGER) else input.dtype)
    return Type(reduced_shape(input.shape, None if dim is None else (dim,), keepdim), out)


def _product_rule(F: Any, input: Any, result: Any, share: Any, dim: int | None) -> Any:
    """The cotangent of `input`; `result` and its cotangent `share` have the reduced dim back."""
    if not input.meta.shape:
        return share
    others = F._product_of_others(F.to(input, result.meta.dtype), result, dim)
    return F.mul(share, F.conj(others))


@kernel(
    "_prod_all",
    kind="reduction",
    infer=_product_type,
    vjp=lambda F, x, y, g, dtype: (lambda: _product_rule(F, x[0], y, g, None),),
    grad_fn="ProdBackward0",
    saves=("result", "self"),
    samples=lambda make: [],
)
def _prod_all(input: Tensor, *, dtype: DType | None = None, meta: Any, lead: int) -> Array:
    """The product of all elements.

    Smooth everywhere, zeros included.
    """
    return np.asarray(np.prod(flat(input, lead), axis=whole(lead), dtype=meta.dtype.numpy))


def _prod_dim_vjp(F: Any, x: Any, y: Any, g: Any, dim: int, keepdim: bool, dtype: Any) -> Any:
    def rule() -> Any:
        share, result = (restored(F, each, x[0].meta, (dim,), keepdim) for each in (g, y))
        return _product_rule(F, x[0], result, share, dim)

    return (rule,)


@kernel(
    "_prod_dim",
    kind="reduction",
    infer=_product_type,
    vjp=_prod_dim_vjp,
    grad_fn="ProdBackward1",
    saves=("dim", "keepdim", "result", "self"),
    samples=lambda make: [],
)
def _prod_dim(
    input: Tensor, dim: Dim, keepdim: bool = False, *, dtype: DType | None = None, meta: Any
) -> Array:
    """The product over `dim`.

    Smooth everywhere, zeros included.
    """
    axis = dim if input.ndim else None
    return np.asarray(np.prod(input, axis=axis, keepdims=keepdim, dtype=meta.dtype.numpy))


@composite(
    "prod",
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 3), 1),
        sample(make(2, 5), -1, keepdim=True),
        sample(make(3) * [1, 0, 1]),
        sample(make(2, 4) * [[1, 0, 1, 0], [0, 1, 1, 1]], 1),
        sample(make(6) * [1, 1, 0, 1, 0, 1]),
        sample(make.ints(3)),
        sample(make()),
        sample(make(3) + 1j * make(3)),
    ],
    refusals=lambda make: [refused(OUT_OF_RANGE, make(3), 2)],
)
def prod(
    F: Any, input: Tensor, dim: Dim | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Any:
    """The product over `dim` (all dimensions if None); integers and bools multiply in int64.

    Smooth everywhere: at a zero the derivative is the product of the others, not a quotient.
    """
    return F._prod_all(input, dtype=dtype) if dim is None else F._prod_dim(input, dim, keepdim, dtype=dtype)
