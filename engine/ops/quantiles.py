"""Quantiles: quantile, nanquantile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import float32, float64, int64
from engine.errors import RuntimeArgumentError
from engine.op import Op, refused, sample
from engine.ops.reductions import OUT_OF_RANGE
from engine.ops.sizes import squeeze_dim, unsqueeze
from engine.ops.transposing import transpose
from engine.registry import register
from engine.signature import Array, Number, Tensor
from engine.types import Type, wrap_dim

WAYS = ("linear", "lower", "higher", "midpoint", "nearest")


def _in_place(op: Op, grad_fn: str) -> Op:
    """A view under the name that its in-place form has in torch's graph."""
    short = op.name.strip("_")
    none: Callable[[Any], Any] = lambda make: ()  # noqa: E731
    return register(
        replace(op, name=f"_{short}_in_place", grad_fn=grad_fn, aliases=(), samples=none, refusals=none)
    )


_in_place(squeeze_dim, "SqueezeBackward4")
_in_place(unsqueeze, "UnsqueezeBackward1")
_in_place(transpose, "TransposeBackward1")


@kernel(
    "_shares",
    kind="structural",
    infer=lambda input, name: Type(input.shape, input.dtype),
    vjp=lambda F, x, y, g, name: (lambda: g,),
    grad_fn="AliasBackward0",
)
def shares(input: Tensor, name: str) -> Array:
    """`input`, whose elements have to be between 0 and 1.

    Smooth everywhere.
    """
    if not np.all((input >= 0) & (input <= 1)):
        raise RuntimeArgumentError(f"{name}() q values must be in the range [0, 1]")
    return np.asarray(input)


def _check(name: str, input: Type, q: Any, interpolation: str) -> None:
    if not input.numel:
        raise RuntimeArgumentError(f"{name}() input tensor must be non-empty")
    if input.dtype not in (float32, float64):
        raise RuntimeArgumentError(f"{name}() input tensor must be either float or double dtype")
    if hasattr(q, "meta"):
        if q.meta.ndim > 1:
            raise RuntimeArgumentError(f"{name}() q must be a scalar or 1D tensor")
        if q.meta.dtype is not input.dtype:
            raise RuntimeArgumentError(f"{name}() q tensor must be same dtype as the input tensor")
    elif not 0 <= q <= 1:
        raise RuntimeArgumentError(f"{name}() q must be in the range [0, 1] but got {q:g}")
    if interpolation not in WAYS:
        raise RuntimeArgumentError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got "
            f"{interpolation}"
        )


def _ordered(F: Any, input: Any, dim: int | None, keepdim: bool) -> Any:
    """The elements in order along a last dimension behind the dims of the result."""
    shape = input.meta.shape
    rank = len(shape)
    if dim is None or not rank:
        flat = input if rank == 1 else F.reshape(input, (-1,))
        kept = (1,) * rank if keepdim else ()
    else:
        flat = input if dim == -1 else F.transpose(F.unsqueeze(input, -1), dim + rank, -1)
        ones = (*shape[: dim + rank], 1, *shape[dim + rank + 1 :])
        kept = ones if keepdim else (*ones[: dim + rank], *ones[dim + rank + 1 :])
    found = F.sort(flat, -1)[0]
    return F.view(found, (*kept, found.meta.shape[-1]))


def _ranks(F: Any, ordered: Any, q: Any, *, skips: bool) -> Any:
    """Where between the ordered elements the quantiles are; at the last one (a nan), if one is nan."""
    missing = F.isnan(F.detach(ordered))
    if skips:
        last = F.sub(F.sum(F.logical_not(missing), -1, True), 1)
        ranks = F.mul(q, last)
        return F.masked_fill(ranks, F.lt(ranks, 0), 0)
    last = ordered.meta.shape[-1] - 1
    return F.where(F.any(missing, -1, True), last, F.mul(q, last))


_ROUND = {"lower": "floor", "higher": "ceil", "nearest": "round"}


def _quantile(
    F: Any, name: str, input: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str
) -> Any:
    _check(name, input.meta, q, interpolation)
    at = None if dim is None else wrap_dim(dim, input.meta.ndim)
    ordered = _ordered(F, input, at, keepdim)
    several = hasattr(q, "meta") and q.meta.ndim == 1
    if not hasattr(q, "meta"):
        each = F.full((1,), float(q), dtype=input.meta.dtype)
    else:
        each = F._shares(q if several else F.reshape(q, (1,)), name)
    ranks = _ranks(F, ordered, each, skips=name == "nanquantile")
    if interpolation in _ROUND:
        ranks = getattr(F, _ROUND[interpolation])(ranks)
    below = F.to(F.detach(ranks), int64)
    found = F.gather(ordered, -1, below)
    if interpolation in ("linear", "midpoint"):
        half = interpolation == "midpoint"
        weight = F.full_like(ranks, 0.5) if half else F.sub(ranks, F.detach(below))
        above = F.to(F.ceil(F.detach(ranks)), int64)
        found = F.lerp(found, F.gather(ordered, -1, above), weight)
    if not several:
        return F._squeeze_dim_in_place(found, -1)
    return F._squeeze_dim_in_place(F._transpose_in_place(F._unsqueeze_in_place(found, 0), 0, -1), -1)


def _samples(make: Any) -> list[Any]:
    points = np.array([0.15, 0.65])
    return [
        sample(make(3, 4), 0.4),
        sample(make(3, 4), 0.3, 0),
        sample(make(3, 4), points, 1, True),
        sample(make(5), points, interpolation="lower"),
        sample(make(3, 4), 0.7, 0, interpolation="midpoint"),
        sample(make(5), 0.3, keepdim=True, interpolation="higher"),
        sample(make(6), 0.3, 0, interpolation="nearest"),
        sample(make(5), np.array(0.35)),
        sample(make(), 0.5),
    ]


def _refusals(name: str) -> Callable[[Any], list[Any]]:
    return lambda make: [
        refused(f"{name}() input tensor must be non-empty", make(0), 0.5),
        refused(f"{name}() input tensor must be either float or double dtype", make.ints(3), 0.5),
        refused(f"{name}() q must be in the range [0, 1] but got 2", make(3), 2.0),
        refused(f"{name}() q values must be in the range [0, 1]", make(3), np.array([2.0])),
        refused(f"{name}() q must be a scalar or 1D tensor", make(3), np.zeros((2, 2))),
        refused(
            f"{name}() q tensor must be same dtype as the input tensor", make(3), np.zeros(1, np.float32)
        ),
        refused(f"{name}() interpolation must be one of linear,", make(3), 0.5, interpolation="x"),
        refused(OUT_OF_RANGE, make(3), 0.5, 2),
    ]


@composite("quantile", samples=_samples, refusals=_refusals("quantile"))
def quantile(
    F: Any,
    input: Tensor,
    q: Tensor | Number,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Any:
    """The element at the share `q` of the order along `dim` (of all if None); several `q` make a first dim.

    Between two elements `interpolation` decides, and they get the gradient by their weights. nan if one is
    nan.
    """
    return _quantile(F, "quantile", input, q, dim, keepdim, interpolation)


@composite("nanquantile", samples=_samples, refusals=_refusals("nanquantile"))
def nanquantile(
    F: Any,
    input: Tensor,
    q: Tensor | Number,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Any:
    """The quantile of the elements that are not nan; of none it is nan.

    The elements that the value lies between get the gradient by their weights.
    """
    return _quantile(F, "nanquantile", input, q, dim, keepdim, interpolation)
