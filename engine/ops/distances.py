"""Distances of vectors: dist, pairwise_distance; and renorm, which shortens them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import FLOAT
from engine.errors import DTypeError, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.norms import norm_of_sizes, norm_rule, norm_type
from engine.ops.reductions import restored, wide
from engine.signature import Array, Dim, Dims, Number, Tensor
from engine.types import Type, broadcast_shapes


def _norm_vjp(F: Any, x: Any, y: Any, g: Any, p: float, dim: Any, keepdim: bool) -> Any:
    if p == 0:
        return (None,)

    def rule() -> Any:
        norm, share = (restored(F, each, x[0].meta, dim, keepdim) for each in (y, g))
        return norm_rule(F, x[0], norm, share, p, dim)

    return (rule,)


@kernel(
    "_norm",
    kind="reduction",
    infer=lambda input, p, dim, keepdim: norm_type(input, p, dim, keepdim, None),
    vjp=_norm_vjp,
    grad_fn="NormBackward1",
    saves=("dim", "keepdim", "p", "result", "self"),
)
def norm(input: Tensor, p: Number, dim: Dims, keepdim: bool, *, meta: Any, lead: int) -> Array:
    """The p-norm along `dim`.

    0 at a zero vector.
    """
    size = np.abs(input).astype(wide(meta.dtype.numpy), copy=False)
    found = norm_of_sizes(size, p, axis=dim, keepdims=keepdim) if input.ndim > lead else size
    return np.asarray(found).astype(meta.dtype.numpy, copy=False)


@composite(
    "nn.functional.pairwise_distance",
    aliases=("pairwise_distance",),
    samples=lambda make: [
        sample(make(3, 4), make(3, 4)),
        sample(make(3, 4), make(4), 1.0),
        sample(make(4), make(4), eps=0.5, keepdim=True),
        sample(make(2, 3, 2), make(2, 3, 2), p=3.0),
    ],
    refusals=lambda make: [refused("The size of tensor a (3) must match", make(2, 3), make(2, 4))],
)
def pairwise_distance(
    F: Any, x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    """The p-norm of x1 - x2 + eps along the last dimension.

    Smooth where x1 - x2 + eps is not 0, and 0 there.
    """
    return F._norm(F._add_scalar(F.sub(x1, x2), eps), float(p), -1, keepdim)


def _dist_type(input: Type, other: Type, p: float) -> Type:
    dtype = input.dtype if input.dtype.category >= FLOAT else other.dtype
    if dtype.category < FLOAT:
        raise DTypeError(
            f"norm(): input dtype should be either floating point or complex. Got {dtype.title} instead.",
            actual=dtype.name,
        )
    return norm_type(Type(broadcast_shapes(input.shape, other.shape), dtype), p, None, False, None)


def _dist_vjp(F: Any, x: Any, y: Any, g: Any, p: float) -> Any:
    if p == 0:
        return (lambda: F.zeros(x[0].meta.shape, dtype=g.meta.dtype),) * 2
    apart = F.sub(x[0], x[1])
    return (
        lambda: norm_rule(F, apart, y, g, p, None),
        lambda: F.neg(norm_rule(F, apart, y, g, p, None)),
    )


@kernel(
    "_dist",
    kind="reduction",
    infer=_dist_type,
    vjp=_dist_vjp,
    grad_fn="DistBackward0",
    saves=("other", "p", "result", "self"),
)
def _dist(input: Tensor, other: Tensor, p: Number, *, meta: Any, lead: int) -> Array:
    """The p-norm of input - other.

    0 where they are equal.
    """
    rank = max(input.ndim, other.ndim) - lead
    one, two = (
        each.reshape((*each.shape[:lead], *(1,) * (rank - (each.ndim - lead)), *each.shape[lead:]))
        for each in (input, other)
    )
    size = np.abs(one - two).astype(wide(meta.dtype.numpy), copy=False)
    each = size.reshape((*size.shape[:lead], math.prod(size.shape[lead:])))
    return np.asarray(norm_of_sizes(each, p, axis=-1)).astype(meta.dtype.numpy, copy=False)


@composite(
    "dist",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3)),
        sample(make(2, 3), make(3), 1),
        sample(make(3), make(2, 1), 3.0),
        sample(make(3), make(3), float("inf")),
        sample(make(), make(2), 0.5),
    ],
    refusals=lambda make: [
        refused("norm(): input dtype should be either floating point or complex", make.ints(2), make.ints(2)),
        refused("The size of tensor a (3) must match the size of tensor b (2)", make(3), make(2)),
    ],
)
def dist(F: Any, input: Tensor, other: Tensor, p: Number = 2) -> Any:
    """The p-norm of input - other, of all elements.

    0 where they are equal; for p 1 the sign; for p 0 nothing flows back.
    """
    return F._dist(input, other, p)


def _renorm_type(input: Type, p: float, dim: int, maxnorm: float) -> Type:
    if isinstance(p, complex) or isinstance(maxnorm, complex):
        which = "p" if isinstance(p, complex) else "maxnorm"
        raise RuntimeArgumentError(f"renorm: {which} must be real-valued")
    if p <= 0:
        raise RuntimeArgumentError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeArgumentError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    if input.ndim < 2:
        raise ShapeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    norm_type(input, p, None if not input.numel else (dim,), True, None)
    return Type(input.shape, input.dtype)


def _others(rank: int, dim: int) -> tuple[int, ...]:
    return tuple(at for at in range(-rank, 0) if at != dim)


def _renorm_vjp(F: Any, x: Any, y: Any, g: Any, p: float, dim: int, maxnorm: float) -> Any:
    def rule() -> Any:
        dims = _others(x[0].meta.ndim, dim)
        norm = F._norm(x[0], p, dims, True)
        along = F.sum(F.mul(F.conj(x[0]), g), dims, True)
        if x[0].meta.dtype.is_complex:
            along = F.real(along)
        inner = norm_rule(F, x[0], norm, along, p, dims)
        shorter = F.reciprocal(F.add(norm, 1e-7))
        found = F.mul(F.mul(shorter, maxnorm), F.sub(g, F.mul(shorter, inner)))
        return F.where(F.gt(norm, maxnorm), found, g)

    return (rule,)


@kernel(
    "renorm",
    kind="normalisation",
    infer=_renorm_type,
    vjp=_renorm_vjp,
    saves=("dim", "maxnorm", "p", "self"),
    samples=lambda make: [
        sample(make(3, 4), 2, 0, 1.5),
        sample(make(3, 4), 1, 1, 3.0),
        sample(make(2, 3, 2), 3, -1, 1.0),
        sample(make(2, 3), 2, 0, 100.0),
    ],
    refusals=lambda make: [
        refused("renorm: input needs at least 2 dimensions, got 1 dimensions", make(3), 2, 0, 1.0),
        refused("renorm: expected maxnorm to be >= 0 but got -1", make(2, 3), 2, 0, -1.0),
        refused("renorm: non-positive-norm not supported", make(2, 3), -2, 0, 1.0),
        refused(
            "Dimension out of range (expected to be in range of [-2, 1], but got 5)", make(2, 3), 2, 5, 1.0
        ),
    ],
)
def renorm(input: Tensor, p: Number, dim: Dim, maxnorm: Number, *, lead: int) -> Array:
    """`input` with each of its slices along `dim` shortened to the p-norm `maxnorm`, where it is longer.

    What is as long as `maxnorm` is left as it is, and so is its gradient.
    """
    size = np.abs(input)
    size = size.astype(wide(size.dtype), copy=False)
    norm = norm_of_sizes(size, p, axis=_others(input.ndim - lead, dim), keepdims=True)
    factor = np.where(norm > maxnorm, maxnorm / (norm + 1e-7), 1.0)
    return np.asarray(input * factor.astype(size.dtype)).astype(input.dtype, copy=False)
