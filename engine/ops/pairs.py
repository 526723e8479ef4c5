"""The distances of all pairs of vectors: cdist, pdist."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import FLOAT
from engine.errors import DTypeError, RuntimeArgumentError, ShapeError, ValueArgumentError
from engine.op import refused, sample
from engine.ops.norms import norm_rule
from engine.signature import Array, Number, Tensor
from engine.types import Type, broadcast_shapes

MODES = (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)
MANY = 25  # vectors on a side, above which torch multiplies matrices


def _distances(one: Array, two: Array, p: float) -> Array:
    """The p-norms of the differences of two stacks of vectors, element by element of the vectors."""
    shape = np.broadcast_shapes(one.shape[:-1], two.shape[:-1])
    found = np.full(shape, 0.0, one.dtype)
    for at in range(one.shape[-1]):
        size = np.abs(one[..., at] - two[..., at])
        if p == 0:
            found += size != 0
        elif math.isinf(p):
            np.maximum(found, size, out=found)
        else:
            found += size if p == 1 else np.square(size) if p == 2 else np.power(size, p)
    return found if p in (0, 1) or math.isinf(p) else np.sqrt(found) if p == 2 else np.power(found, 1 / p)


def _all_pairs(x1: Array, x2: Array, p: float, lead: int) -> Array:
    rank = max(x1.ndim, x2.ndim) - lead
    one, two = (
        each.reshape((*each.shape[:lead], *(1,) * (rank - (each.ndim - lead)), *each.shape[lead:]))
        for each in (x1, x2)
    )
    return _distances(one[..., :, None, :], two[..., None, :, :], p)


def pair_rule(F: Any, apart: Any, norm: Any, share: Any, p: float) -> Any:
    """The cotangent of the differences `apart`, of pairs with the distance `norm`."""
    if math.isinf(p):
        mask = F.eq(F.abs(apart), norm)
        return F.mul(F.mul(F.sign(apart), mask), share)
    return norm_rule(F, apart, norm, share, p, (-1,))


def _cdist_type(x1: Type, x2: Type, p: float) -> Type:
    batch = broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    return Type((*batch, x1.shape[-2], x2.shape[-2]), x1.dtype)


def _cdist_vjp(F: Any, x: Any, y: Any, g: Any, p: float) -> Any:
    if p == 0:
        return tuple((lambda each=each: F.zeros(each.meta.shape, dtype=g.meta.dtype)) for each in x)
    apart = F.sub(F.unsqueeze(x[0], -2), F.unsqueeze(x[1], -3))
    flow = pair_rule(F, apart, F.unsqueeze(y, -1), F.unsqueeze(g, -1), p)
    return (lambda: F.sum(flow, -2), lambda: F.neg(F.sum(flow, -3)))


@kernel(
    "_cdist_forward",
    kind="contraction",
    infer=_cdist_type,
    vjp=_cdist_vjp,
    grad_fn="CdistBackward0",
    saves=("p", "result", "x1", "x2"),
)
def cdist_forward(x1: Tensor, x2: Tensor, p: float, *, lead: int) -> Array:
    """The p-norms of the differences of all pairs.

    0 where two vectors are equal.
    """
    return _all_pairs(x1, x2, p, lead)


@kernel(
    "_euclidean_dist",
    kind="contraction",
    infer=lambda x1, x2: _cdist_type(x1, x2, 2.0),
    vjp=lambda F, x, y, g: _cdist_vjp(F, x, y, g, 2.0),
    grad_fn="EuclideanDistBackward0",
    saves=("result", "x1", "x2"),
)
def euclidean_dist(x1: Tensor, x2: Tensor, *, lead: int) -> Array:
    """The distances of all pairs.

    0 where two vectors are equal.
    """
    return _all_pairs(x1, x2, 2.0, lead)


def _check_pair(x1: Type, x2: Type, p: float, mode: Any) -> int:
    if mode is not None and mode not in MODES and mode not in (0, 1, 2):
        raise ValueArgumentError(f"{mode} is not a valid value for compute_mode")
    for name, each in (("X1", x1), ("X2", x2)):
        if each.ndim < 2:
            raise ShapeError(f"cdist only supports at least 2D tensors, {name} got: {each.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        sizes = f"X1: {x1.shape[-1]} X2: {x2.shape[-1]}"
        raise ShapeError(f"X1 and X2 must have the same number of columns. {sizes}")
    for name, each in (("X1", x1), ("X2", x2)):
        if each.dtype.category != FLOAT:
            raise DTypeError(f"cdist only supports floating-point dtypes, {name} got: {each.dtype.title}")
    if x1.dtype is not x2.dtype:
        raise DTypeError(f"expected scalar type {x1.dtype.title} but found {x2.dtype.title}")
    if p < 0:
        raise RuntimeArgumentError("cdist only supports non-negative p values")
    return 0 if mode is None else MODES.index(mode) if isinstance(mode, str) else int(mode)


@composite(
    "cdist",
    samples=lambda make: [
        sample(make(3, 2), make(4, 2)),
        sample(make(2, 3, 2), make(4, 2), 1.0),
        sample(make(3, 2), make(2, 2), p=3.0),
        sample(make(3, 2), make(2, 2), float("inf")),
        sample(make(3, 2), make(2, 2), 2.0, "use_mm_for_euclid_dist"),
        sample(make(0, 2), make(2, 2)),
    ],
    refusals=lambda make: [
        refused("cdist only supports at least 2D tensors, X2 got: 1D", make(3, 4), make(3)),
        refused("same number of columns. X1: 4 X2: 2", make(3, 4), make(3, 2)),
        refused("cdist only supports non-negative p values", make(3, 4), make(3, 4), -1.0),
        refused("d is not a valid value for compute_mode", make(3, 4), make(3, 4), 2.0, "d"),
        refused("cdist only supports floating-point dtypes, X1 got: Long", make.ints(3, 4), make(3, 4)),
        refused("The size of tensor a (2) must match", make(2, 3, 4), make(3, 3, 4)),
    ],
)
def cdist(
    F: Any,
    x1: Tensor,
    x2: Tensor,
    p: float = 2.0,
    compute_mode: Number | str | None = "use_mm_for_euclid_dist_if_necessary",
) -> Any:
    """The p-norms of the differences of all pairs of rows, of stacks of matrices.

    0 where two rows are equal; for p 0 nothing flows back. For p inf every coordinate that is as far apart
    as the rows are gets the gradient.

    Unlike torch: `compute_mode` decides the names of the nodes, never the value: no product of matrices makes
    it less exact. Second derivatives exist.
    """
    one, two = x1.meta, x2.meta
    mode = _check_pair(one, two, p, compute_mode)
    rows = max(one.shape[-2], two.shape[-2])
    many = mode == 1 or (mode == 0 and rows > MANY)
    if p == 2 and many and min(one.shape[-2], two.shape[-2]):
        found = F._euclidean_dist(x1, x2)
        return F.view(found, found.meta.shape)
    return F._cdist_forward(x1, x2, float(p))


def _upper(size: int) -> Any:
    return np.triu_indices(size, 1)


def _pdist_type(input: Type, p: float) -> Type:
    if input.ndim != 2:
        raise ShapeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if input.dtype.category != FLOAT:
        raise DTypeError("pdist only supports floating-point dtypes", actual=input.dtype.name)
    if p < 0:
        raise RuntimeArgumentError("pdist only supports non-negative p values")
    return Type((input.shape[0] * (input.shape[0] - 1) // 2,), input.dtype)


def _pdist_vjp(F: Any, x: Any, y: Any, g: Any, p: float) -> Any:
    size = x[0].meta.shape[0]

    def rule() -> Any:
        if p == 0 or not y.meta.numel:
            return F.zeros(x[0].meta.shape, dtype=g.meta.dtype)
        places = F.triu_indices(size, size, 1)
        one, two = F.select(places, 0, 0), F.select(places, 0, 1)
        apart = F.sub(F.index_select(x[0], 0, one), F.index_select(x[0], 0, two))
        flow = pair_rule(F, apart, F.unsqueeze(y, -1), F.unsqueeze(g, -1), p)
        found = F.zeros(x[0].meta.shape, dtype=g.meta.dtype)
        return F.index_add(F.index_add(found, 0, one, flow), 0, two, F.neg(flow))

    return (rule,)


@kernel(
    "nn.functional.pdist",
    kind="contraction",
    infer=_pdist_type,
    vjp=_pdist_vjp,
    saves=("p", "result", "self"),
    aliases=("pdist",),
    samples=lambda make: [
        sample(make(4, 2)),
        sample(make(3, 2), 1.0),
        sample(make(3, 3), p=3.0),
        sample(make(1, 2)),
    ],
    refusals=lambda make: [
        refused("pdist only supports 2D tensors, got: 1D", make(3)),
        refused("pdist only supports non-negative p values", make(3, 2), -1.0),
        refused("pdist only supports floating-point dtypes", make.ints(3, 2)),
    ],
)
def pdist(input: Tensor, p: float = 2.0) -> Array:
    """The p-norms of the differences of all pairs of rows, those of the first row first.

    0 where two rows are equal; for p 0 nothing flows back.
    """
    one, two = _upper(input.shape[-2])
    return _distances(input[..., one, :], input[..., two, :], p)
