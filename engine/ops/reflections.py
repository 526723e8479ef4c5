"""Products of Householder reflections: linalg.householder_product, ormqr."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.errors import DTypeError, ShapeError
from engine.op import refused, sample
from engine.ops.matrices import adjoint, by_columns, check_lapack, columnwise, lower
from engine.signature import Array, Tensor
from engine.types import Type


def applied(input: Array, tau: Array, other: Array, adjoint: bool) -> Array:
    """H1 @ … @ Hk @ other, or that product's adjoint; H = 1 - tau v v^H, v below input's diagonal."""
    found = np.array(other)
    count, rows = tau.shape[-1], input.shape[-2]
    for at in range(count) if adjoint else reversed(range(count)):
        v = np.where(np.arange(rows) > at, input[..., at], 0) + (np.arange(rows) == at)
        scale = tau[..., at].conj() if adjoint else tau[..., at]
        row = np.matmul(v.conj()[..., None, :], found)
        found = found - scale[..., None, None] * v[..., None] * row
    return found.astype(other.dtype, copy=False)


def _check(name: str, input: Type, tau: Type) -> None:
    if input.ndim < 2:
        raise ShapeError(f"{name}: input must have at least 2 dimensions.", actual=input.ndim)
    if tau.ndim != input.ndim - 1:
        raise ShapeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to "
            f"{tau.ndim} and input.ndim is equal to {input.ndim}"
        )
    if tau.dtype is not input.dtype:
        raise DTypeError(
            f"{name}: tau dtype {tau.dtype.title} does not match input dtype {input.dtype.title}"
        )


def _apply_type(input: Type, tau: Type, other: Type, left: bool, transpose: bool) -> Type:
    return by_columns(other.shape, other.dtype)


def _one(F: Any, v: Any, scale: Any, value: Any) -> Any:
    """(1 - scale v v^H) @ value."""
    return F.sub(value, F.mul(F.mul(v, scale), F.matmul(adjoint(F, v), value)))


def _apply_rule(F: Any, x: Any, g: Any, turned: bool) -> Any:
    """Reflection by reflection: of W' = W - t v p with p = v^H W, t is tau or its conjugate,
    gt = -<v p, G>, gv = -t W G^H v - t* G p^H, and G becomes H^H G."""
    input, tau, other = x
    rows, count = input.meta.shape[-2], tau.meta.shape[-1]
    low = F.add(lower(F, input, -1), F.eye(rows, input.meta.shape[-1], dtype=input.meta.dtype))
    order = range(count) if turned else range(count - 1, -1, -1)
    steps, value = [], other
    for at in order:
        v = F.narrow(low, -1, at, 1)
        scale = F.unsqueeze(F.narrow(tau, -1, at, 1), -1)
        scale = F.conj(scale) if turned else scale
        steps.append((at, v, scale, value))
        value = _one(F, v, scale, value)
    vectors, scales = [None] * count, [None] * count
    for at, v, scale, before in reversed(steps):
        row = F.matmul(adjoint(F, v), before)
        back = F.matmul(adjoint(F, v), g)
        share = F.neg(F.sum(F.mul(F.conj(row), back), (-2, -1)))
        scales[at] = F.conj(share) if turned else share
        first = F.mul(F.matmul(before, adjoint(F, back)), scale)
        second = F.mul(F.matmul(g, adjoint(F, row)), F.conj(scale))
        vectors[at] = F.neg(F.add(first, second))
        g = _one(F, v, F.conj(scale), g)
    missing = input.meta.shape[-1] - count
    rest = [F.zeros_like(F.narrow(input, -1, count, missing))] if missing else []
    return (
        lambda: lower(F, F.cat([*vectors, *rest], -1), -1) if count else F.zeros_like(input),
        lambda: F.stack(scales, -1) if count else F.zeros_like(tau),
        lambda: g,
    )


def _either_rule(F: Any, x: Any, y: Any, g: Any, left: bool, transpose: bool) -> Any:
    """On the right, that of the adjoints."""
    if left:
        return _apply_rule(F, x, g, transpose)
    rules = _apply_rule(F, (x[0], x[1], adjoint(F, x[2])), adjoint(F, g), not transpose)
    return rules[0], rules[1], lambda: adjoint(F, rules[2]())


def _reflected(name: str, grad_fn: str) -> Any:
    def run(input: Tensor, tau: Tensor, other: Tensor, left: bool, transpose: bool) -> Array:
        """A product of reflections, applied to a matrix.

        Smooth everywhere.
        """
        if left:
            return columnwise(applied(input, tau, other, transpose))
        found = applied(input, tau, other.conj().swapaxes(-1, -2), not transpose)
        return columnwise(found.conj().swapaxes(-1, -2))

    define = kernel(
        name,
        kind="decomposition",
        infer=_apply_type,
        vjp=_either_rule,
        saves=("self", "tau", "other"),
        grad_fn=grad_fn,
        batched="loop",
        samples=lambda make: [],
    )
    return define(run)


_reflected("_householder_product", "LinalgHouseholderProductBackward0")
_reflected("_ormqr", "OrmqrBackward0")
_PRODUCT = "torch.linalg.householder_product"


@composite(
    "linalg.householder_product",
    aliases=("orgqr",),
    samples=lambda make: [
        sample(make(3, 2), make(2)),
        sample(make(2, 3, 3), make(2, 2)),
        sample(make(3, 2) + 1j * make(3, 2), make(2) + 1j * make(2)),
        sample(make(2, 2), make(0)),
    ],
    refusals=lambda make: [
        refused(f"{_PRODUCT}: input must have at least 2 dimensions.", make(2), make(2)),
        refused(f"{_PRODUCT}: input.shape[-2] must be greater than or equal", make(2, 3), make(2)),
        refused(f"{_PRODUCT}: input.shape[-1] must be greater than or equal", make(3, 2), make(3)),
        refused(f"{_PRODUCT}: Expected tau to have one dimension less", make(2, 3, 2), make(2)),
        refused(f"{_PRODUCT}: tau dtype Long does not match input dtype Double", make(3, 2), make.ints(2)),
        refused("\"orgqr_cpu\" not implemented for 'Long'", make.ints(3, 2), make.ints(2)),
    ],
)
def householder_product(F: Any, input: Tensor, tau: Tensor) -> Any:
    """The first columns of H1 @ … @ Hk, H = 1 - tau v v^H, where v is below the diagonal of `input`.

    Smooth everywhere. Only what is below the diagonal is read.
    """
    meta, count = input.meta, tau.meta.shape[-1] if tau.meta.shape else 0
    if meta.ndim < 2:
        raise ShapeError(f"{_PRODUCT}: input must have at least 2 dimensions.", actual=meta.ndim)
    rows, columns = meta.shape[-2:]
    if rows < columns:
        raise ShapeError(f"{_PRODUCT}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if columns < count:
        raise ShapeError(f"{_PRODUCT}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    _check(_PRODUCT, meta, tau.meta)
    check_lapack("orgqr_cpu", meta)
    unit = F.expand(F.eye(rows, columns, dtype=meta.dtype), meta.shape)
    return F._householder_product(input, tau, unit, True, False)


@composite(
    "ormqr",
    samples=lambda make: [
        sample(make(3, 2), make(2), make(3, 2)),
        sample(make(3, 2), make(2), make(3, 2), True, True),
        sample(make(3, 2), make(2), make(1, 3), left=False),
        sample(
            make(3, 2) + 1j * make(3, 2), make(2) + 1j * make(2), make(1, 3) + 1j * make(1, 3), False, True
        ),
    ],
    refusals=lambda make: [
        refused("torch.ormqr: input must have at least 2 dimensions.", make(2), make(2), make(2, 2)),
        refused("torch.ormqr: other must have at least 2 dimensions.", make(3, 2), make(2), make(3)),
        refused("tau.shape[-1] must be equal to min", make(3, 2), make(3), make(3, 2)),
        refused("other.shape[-2] must be equal to input.shape[-2]", make(3, 2), make(2), make(2, 2)),
        refused("other.shape[-1] must be equal to input.shape[-2]", make(3, 2), make(2), make(2, 2), False),
    ],
)
def ormqr(
    F: Any, input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False
) -> Any:
    """Q @ other (other @ Q if not `left`, Q^H for Q if `transpose`), Q a product of Householder reflections.

    Smooth everywhere. Of `input` only what is below the diagonal is read.
    """
    name = "torch.ormqr"
    for given, each in (("input", input), ("other", other)):
        if each.meta.ndim < 2:
            raise ShapeError(f"{name}: {given} must have at least 2 dimensions.", actual=each.meta.ndim)
    dim, sizes = (-2 if left else -1), tau.meta.shape
    side = other.meta.shape[dim]
    if not sizes or sizes[-1] != min(side, input.meta.shape[-1]):
        raise ShapeError(f"{name}: tau.shape[-1] must be equal to min(other.shape[{dim}], input.shape[-1])")
    if side != input.meta.shape[-2]:
        raise ShapeError(f"{name}: other.shape[{dim}] must be equal to input.shape[-2]")
    _check(name, input.meta, tau.meta)
    if other.meta.dtype is not input.meta.dtype:
        raise DTypeError(
            f"{name}: Expected input and other to have the same dtype, but input has dtype"
            f"{input.meta.dtype.title} and other has dtype {other.meta.dtype.title}"
        )
    check_lapack("ormqr_cpu", input.meta)
    return F._ormqr(input, tau, other, left, transpose)
