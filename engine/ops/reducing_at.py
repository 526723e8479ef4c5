"""Elements written or reduced at places along a dim: scatter, scatter_reduce, index_reduce and their kin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from engine import literals
from engine.define import composite, kernel
from engine.dtypes import dtype
from engine.errors import RuntimeArgumentError
from engine.op import NoDerivative, refused, sample
from engine.ops.places import along, check_bounds
from engine.ops.scattering import _scatter_type
from engine.signature import Array, Dim, Index, Number, Tensor
from engine.types import Type

_NOT_IMPLEMENTED = "derivative for aten::scatter is not implemented"
_AT = {"sum": np.add, "mean": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum}
_REDUCES = {"add": "sum", "multiply": "prod"}


def _identity(reduce: str, dtype: Any) -> Any:
    """What a place begins with that its old value is not part of."""
    if reduce in ("sum", "mean", "prod"):
        return int(reduce == "prod")
    if dtype.kind == "b":
        return reduce == "amin"
    if dtype.kind == "f":
        return -np.inf if reduce == "amax" else np.inf
    limits = np.iinfo(dtype)
    return limits.min if reduce == "amax" else limits.max


def reduced_at(input: Array, places: Any, values: Any, reduce: str, include_self: bool) -> Array:
    """`input` with `values` reduced into it at a numpy index; the old values count if `include_self`."""
    found = np.array(input, order="C")
    if not include_self:
        found[places] = _identity(reduce, found.dtype)
    _AT[reduce].at(found, places, values)
    if reduce == "mean":
        counts = np.full(found.shape, int(include_self))
        np.add.at(counts, places, 1)
        counts[counts == 0] = 1
        found = found / counts if found.dtype.kind in "fc" else found // counts
    return found.astype(input.dtype, copy=False)


def _scattered(input: Array, dim: int, index: Any, src: Any, reduce: str, include_self: bool = True) -> Array:
    if not index.size:
        return input.copy()
    whole, places = np.atleast_1d(input), np.atleast_1d(index)
    check_bounds(places, whole.shape[dim], dim + whole.ndim)
    values = np.broadcast_to(src, places.shape) if np.ndim(src) == 0 else _cut(src, places.shape)
    key = along(places, dim)
    if reduce == "last":
        found = np.array(whole, order="C")
        found[key] = values
    else:
        found = reduced_at(whole, key, values, reduce, include_self)
    return found.reshape(input.shape)


def _cut(src: Any, shape: tuple[int, ...]) -> Any:
    return src[tuple(slice(0, size) for size in shape)]


def _value_type(input: Type, index: Type, dim: int, value: Number, **_: Any) -> Type:
    literals.fill_value(value, input.dtype)
    return _scatter_type(input, index, Type(index.shape, input.dtype), dim)


@kernel(
    "_scatter_src",
    kind="index",
    infer=_scatter_type,
    vjp=lambda F, x, y, g, dim: (
        lambda: F.scatter(g, dim, x[1], 0),
        None,
        lambda: F.gather(g, dim, x[1]),
    ),
    grad_fn="ScatterBackward0",
    saves=("dim", "index"),
    batched="loop",
)
def scatter_src(input: Tensor, dim: Dim, index: Index, src: Tensor) -> Array:
    """`input` with the elements of `src` written at the places `index` along `dim`.

    Smooth everywhere.
    """
    return _scattered(input, dim, index, src, "last")


@kernel(
    "_scatter_value",
    kind="index",
    infer=_value_type,
    vjp=lambda F, x, y, g, dim, value: (lambda: F.scatter(g, dim, x[1], 0), None),
    grad_fn="ScatterBackward1",
    saves=("dim", "index"),
    batched="loop",
)
def scatter_value(input: Tensor, dim: Dim, index: Index, value: Number) -> Array:
    """`input` with a number written at the places `index` along `dim`.

    What is written over has no gradient.
    """
    return _scattered(input, dim, index, literals.fill_value(value, dtype(input.dtype)), "last")


@kernel(
    "_scatter_into",
    kind="index",
    infer=lambda input, index, src, dim, reduce: _scatter_type(input, index, src, dim),
    vjp=NoDerivative(_NOT_IMPLEMENTED),
    grad_fn="torch::autograd::NotImplemented",
    batched="loop",
)
def scatter_into(input: Tensor, dim: Dim, index: Index, src: Tensor, reduce: str) -> Array:
    """`scatter` of a tensor with a reduction.

    It has no derivative: scatter_reduce has.
    """
    return _scattered(input, dim, index, src, _REDUCES[reduce])


@kernel(
    "_scatter_value_into",
    kind="index",
    infer=_value_type,
    vjp=NoDerivative(_NOT_IMPLEMENTED),
    grad_fn="torch::autograd::NotImplemented",
    batched="loop",
)
def scatter_value_into(input: Tensor, dim: Dim, index: Index, value: Number, reduce: str) -> Array:
    """`scatter` of a number with a reduction.

    It has no derivative: scatter_reduce has.
    """
    return _scattered(input, dim, index, literals.fill_value(value, dtype(input.dtype)), _REDUCES[reduce])


@composite(
    "scatter",
    aliases=("put_along_axis",),
    samples=lambda make: [
        sample(make(2, 3), 1, np.array([[0, 2], [1, 0]]), make(2, 2)),
        sample(make(3), 0, np.array([2, 0]), make(2)),
        sample(make(3, 2), -2, np.array([[0, 2]]), 1.5),
        sample(make(), 0, np.array(0), make()),
    ],
    refusals=lambda make: [
        refused("index 5 is out of bounds for dimension 0 with size 3", make(3), 0, np.array([5]), 1.0),
        refused("scatter(): Expected dtype int32/int64 for index", make(3), 0, make(1), 1.0),
        refused("apart from dimension 0 and to be no larger size than src [1]",
                make(3), 0, np.array([0, 1]), make(1)),
        refused("scatter(): Expected self.dtype to be equal to src.dtype",
                make(3), 0, np.array([0]), make.ints(1)),
        refused("reduce argument must be either add or multiply.",
                make(3), 0, np.array([0]), make(1), reduce="foo"),
    ],
)  # fmt: skip
def scatter(
    F: Any, input: Tensor, dim: Dim, index: Index, src: Tensor | Number, *, reduce: str | None = None
) -> Any:
    """`input` with the elements of `src`, or a number, written at the places `index` along `dim`.

    Smooth everywhere; what is written over has no gradient. With `reduce` ("add", "multiply") there is none.
    """
    number = not hasattr(src, "meta")
    if reduce is None:
        return (F._scatter_value if number else F._scatter_src)(input, dim, index, src)
    if reduce not in _REDUCES:
        raise RuntimeArgumentError("reduce argument must be either add or multiply.")
    return (F._scatter_value_into if number else F._scatter_into)(input, dim, index, src, reduce)


class Places(NamedTuple):
    """What a rule of a reduction at places needs: to take there, to add, to reduce, to write 0 there."""

    take: Callable[[Any], Any]
    add: Callable[[Any, Any], Any]
    reduce: Callable[[Any, Any], Any]
    clear: Callable[[Any], Any]


def reduction_rule(
    F: Any, x: Any, y: Any, g: Any, at: Places, reduce: str, include_self: bool
) -> tuple[Any, None, Any]:
    """torch's gradients of a reduction into `input` of `src` at places: of `input`, and of `src`."""
    own, src = x[0], x[2]

    def shares() -> Any:
        """The gradient of one of several that are the result (amax, amin), or that are averaged."""
        if reduce == "mean":
            start = F.ones_like(g) if include_self else F.zeros_like(g)
            counts = at.add(start, F.ones_like(F.detach(src)))
            return F.div(g, F.masked_fill(counts, F.eq(counts, 0), 1))
        chosen = F.to(F.eq(own, y), g.meta.dtype)
        return F.div(g, at.add(chosen, F.to(F.eq(src, at.take(y)), g.meta.dtype)))

    def to_input() -> Any:
        if reduce == "sum":
            found = g
        elif reduce == "prod":
            masked = F.masked_fill(own, F.eq(own, 0), 1)
            found = F.div(F.mul(g, at.reduce(masked, src)), masked)
        else:
            found = shares() if reduce == "mean" else F.mul(F.eq(own, y), shares())
        return found if include_self else at.clear(found)

    def to_source() -> Any:
        if reduce in ("sum", "mean"):
            return at.take(g if reduce == "sum" else shares())
        if reduce != "prod":
            return F.mul(F.eq(src, at.take(y)), at.take(shares()))
        zero = F.eq(src, 0)
        zeros = at.take(at.add(F.zeros_like(own), F.to(zero, g.meta.dtype)))
        single = F.logical_and(zero, F.eq(zeros, 1))
        others = at.reduce(own, F.masked_fill(src, single, 1))
        whole = F.div(at.take(F.mul(g, y)), F.masked_fill(src, zero, 1))
        return F.where(single, at.take(F.mul(g, others)), whole)

    return (to_input, None, to_source)


def _scatter_reduce_rule(F: Any, x: Any, y: Any, g: Any, dim: int, reduce: str, include_self: bool) -> Any:
    places = Places(
        lambda whole: F.gather(whole, dim, x[1]),
        lambda whole, values: F.scatter_add(whole, dim, x[1], values),
        lambda own, src: F.scatter_reduce(own, dim, x[1], src, reduce, include_self=include_self),
        lambda whole: F.scatter(whole, dim, x[1], 0),
    )
    return reduction_rule(F, x, y, g, places, reduce, include_self)


def _scatter_reduce_type(
    input: Type, index: Type, src: Type, dim: int, reduce: str, include_self: bool
) -> Type:
    if reduce not in _AT:
        raise RuntimeArgumentError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"
        )
    return _scatter_type(input, index, src, dim)


@kernel(
    "scatter_reduce",
    kind="index",
    infer=_scatter_reduce_type,
    vjp=_scatter_reduce_rule,
    saves=("dim", "include_self", "index", "reduce", "result", "self", "src"),
    samples=lambda make: [
        sample(make(2, 3), 1, np.array([[0, 0], [1, 2]]), make(2, 2), reduce)
        for reduce in ("sum", "prod", "mean", "amax", "amin")
    ]
    + [
        sample(make(3), 0, np.array([2, 2, 0]), make(3), reduce, include_self=False)
        for reduce in ("sum", "prod", "mean", "amax")
    ],
    refusals=lambda make: [
        refused("reduce argument must be either sum, prod, mean, amax or amin, got foo",
                make(3), 0, np.array([0]), make(1), "foo"),
        refused("index 5 is out of bounds for dimension 0 with size 3",
                make(3), 0, np.array([5]), make(1), "sum"),
    ],
    batched="loop",
)  # fmt: skip
def scatter_reduce(
    input: Tensor, dim: Dim, index: Index, src: Tensor, reduce: str, *, include_self: bool = True
) -> Array:
    """`input` with the elements of `src` reduced into it at the places `index` along `dim`.

    "amax" and "amin" share the gradient evenly among equals. "prod": of several zeros, none has any.
    """
    return _scattered(input, dim, index, src, reduce, include_self)
