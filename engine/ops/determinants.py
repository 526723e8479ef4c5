"""Determinants of square matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import float16, int32, real_of
from engine.op import refused, sample
from engine.ops.dtype_checks import no_kernel
from engine.ops.inverse import complex_regular, regular
from engine.ops.matrices import (
    adjoint,
    by_columns,
    check_floating,
    check_square,
    diagonal_matrix,
    factored,
)
from engine.signature import Array, Tensor
from engine.types import Type


def _det_type(A: Type) -> tuple[Type, Type, Type]:
    check_square("linalg.det", A)
    check_floating("linalg.det", A)
    if A.dtype is float16:
        raise no_kernel("lu_cpu", A.dtype)
    batch = A.shape[:-2]
    return Type(batch, A.dtype), by_columns(A.shape, A.dtype), Type(A.shape[:-1], int32)


def _parity(exchanges: Array) -> Array:
    """1, or -1 for an odd number of exchanges of rows."""
    moved = exchanges != np.arange(1, exchanges.shape[-1] + 1)
    found: Array = 1 - 2 * (np.count_nonzero(moved, axis=-1) % 2)
    return found


@kernel(
    "_linalg_det",
    kind="decomposition",
    infer=_det_type,
    vjp=lambda F, x, y, g: (
        lambda: F.mul(adjoint(F, F._adjugate(x[0])), F.unsqueeze(F.unsqueeze(g[0], -1), -1)),
    ),
    saves=("A", "LU", "pivots", "result"),
    outputs=("result", "LU", "pivots"),
    grad_fn="LinalgDetBackward0",
    samples=lambda make: [],
)
def _linalg_det(A: Tensor) -> Any:
    """The determinant, and the factors that gave it.

    Smooth everywhere. The rule is g times the adjugate's adjoint (Jacobi's formula).
    """
    lu, exchanges, _ = factored(A)
    diagonal = np.diagonal(lu, 0, -2, -1)
    found = np.asarray(np.prod(diagonal, axis=-1) * _parity(exchanges), dtype=A.dtype)
    return found, lu, exchanges


def _adjugate_rule(F: Any, A: Any, y: Any, g: Any) -> Any:
    """From adj A = det(A) A^-1; it needs the inverse."""
    inverse = F._linalg_inv_ex(A, "")[0]
    turned = adjoint(F, inverse)
    paired = F.sum(F.mul(g, F.conj(y)), (-2, -1), True)
    return F.sub(F.mul(turned, paired), F.matmul(adjoint(F, y), F.matmul(g, turned)))


@kernel(
    "_adjugate",
    kind="decomposition",
    infer=lambda input: Type(input.shape, input.dtype),
    vjp=lambda F, x, y, g: (lambda: _adjugate_rule(F, x[0], y, g),),
    saves=("self", "result"),
    samples=lambda make: [sample(regular(make, 3, 3)), sample(complex_regular(make, 2, 2, 2))],
)
def _adjugate(input: Tensor) -> Array:
    """The matrix of cofactors, transposed: det(A) A^-1, and its limit where A is singular.

    Smooth everywhere; its own derivative is nan at a singular matrix.
    """
    found = np.linalg.det(input)
    if np.all(found):
        inverse: Array = np.linalg.inv(input) * found[..., None, None]
        return inverse
    u, s, vh = np.linalg.svd(input)
    others = np.stack([np.prod(np.delete(s, at, -1), -1) for at in range(s.shape[-1])], -1)
    turned = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    adjugate: Array = np.conj(vh).swapaxes(-1, -2) * others[..., None, :] @ np.conj(u).swapaxes(-1, -2)
    return np.asarray(adjugate * turned, dtype=input.dtype)


def _slogdet_type(A: Type) -> tuple[Type, Type, Type, Type]:
    check_square("linalg.slogdet", A)
    check_floating("linalg.slogdet", A, half=False)
    batch = A.shape[:-2]
    shared = by_columns(A.shape, A.dtype), Type(A.shape[:-1], int32)
    return Type(batch, A.dtype), Type(batch, real_of(A.dtype)), *shared


def _slogdet_rule(F: Any, A: Any, sign: Any, g: Any) -> Any:
    turn, share = g[0], g[1]
    weight = F.zeros_like(F.real(sign)) if share is None else share
    if sign.meta.dtype.is_complex:
        angle = F.zeros_like(weight) if turn is None else F.imag(F.mul(F.conj(turn), sign))
        weight = F.complex(weight, F.neg(angle))
    size = A.meta.shape[-1]
    diagonal = F.expand(F.unsqueeze(weight, -1), (*weight.meta.shape, size))
    return F._linalg_solve_ex(adjoint(F, A), diagonal_matrix(F, diagonal), True, "")[0]


@kernel(
    "_linalg_slogdet",
    kind="decomposition",
    infer=_slogdet_type,
    vjp=lambda F, x, y, g: (lambda: _slogdet_rule(F, x[0], y[0], g),),
    saves=("A", "LU", "pivots", "sign"),
    outputs=("sign", "logabsdet", "LU", "pivots"),
    grad_fn="LinalgSlogdetBackward0",
    samples=lambda make: [],
)
def _linalg_slogdet(A: Tensor) -> Any:
    """The determinant's sign and the logarithm of its size, and the factors that gave them.

    As linalg.slogdet.
    """
    lu, exchanges, _ = factored(A)
    diagonal = np.diagonal(lu, 0, -2, -1)
    sizes = np.abs(diagonal)
    signs = np.sign(diagonal)
    if diagonal.dtype.kind == "f":
        signs = np.where(np.isnan(diagonal), 0, signs)
    sign = np.asarray(np.prod(signs, axis=-1) * _parity(exchanges), dtype=A.dtype)
    with np.errstate(divide="ignore"):
        return sign, np.asarray(np.sum(np.log(sizes), axis=-1)), lu, exchanges


def _samples(make: Any) -> list[Any]:
    return [
        sample(regular(make, 3, 3) * [[-1], [1], [1]]),
        sample(regular(make, 2, 3, 3) * [[-1], [1], [1]]),
        sample(complex_regular(make, 2, 2)),
        sample(make(0, 0)),
        sample(make(2, 0, 0)),
    ]


def _refusals(name: str, half: str) -> Any:
    return lambda make: [
        refused(f"{name}: The input tensor A must have at least 2 dimensions.", make(3)),
        refused(f"{name}: A must be batches of square matrices, but they are 2 by 3 matrices", make(2, 3)),
        refused(f"{name}: Expected a floating point or complex tensor as input. Got Long", make.ints(2, 2)),
        refused(half, make(2, 2).astype(np.float16)),
    ]


_LOW = "Low precision dtypes not supported. Got Half"
_LU = "\"lu_cpu\" not implemented for 'Half'"


@composite("linalg.det", samples=_samples, refusals=_refusals("linalg.det", _LU))
def linalg_det(F: Any, A: Tensor) -> Any:
    """The determinants of square matrices.

    Smooth everywhere, singular matrices included; the second derivative at a singular one is nan.

    Unlike torch: where a matrix is exactly singular the derivative is the adjugate's adjoint, as everywhere;
    torch gives zeros there.
    """
    return F._linalg_det(A)[0]


@composite("det", samples=_samples, refusals=_refusals("linalg.det", _LU))
def det(F: Any, input: Tensor) -> Any:
    """The determinants of square matrices; linalg.det.

    Smooth everywhere, singular matrices included; the second derivative at a singular one is nan.

    Unlike torch: where a matrix is exactly singular the derivative is the adjugate's adjoint, as everywhere;
    torch gives zeros there.
    """
    return F._linalg_det(input)[0]


@composite(
    "linalg.slogdet",
    outputs=("sign", "logabsdet"),
    samples=_samples,
    refusals=_refusals("linalg.slogdet", _LOW),
)
def linalg_slogdet(F: Any, A: Tensor) -> Any:
    """The sign (a complex number of size 1) of the determinant, and the logarithm of its absolute value.

    At a singular matrix the sign is 0, the logarithm -inf and the derivative inf or nan.
    """
    return F._linalg_slogdet(A)[:2]


@composite(
    "slogdet",
    outputs=("sign", "logabsdet"),
    samples=_samples,
    refusals=_refusals("linalg.slogdet", _LOW),
)
def slogdet(F: Any, input: Tensor) -> Any:
    """The sign of the determinant, and the logarithm of its absolute value; linalg.slogdet.

    At a singular matrix the sign is 0, the logarithm -inf and the derivative inf or nan.
    """
    return F._linalg_slogdet(input)[:2]


@composite(
    "logdet",
    samples=lambda make: (
        [each for at, each in enumerate(_samples(make)) if at] + [sample(regular(make, 1, 1))]
    ),
    refusals=_refusals("logdet", _LOW),
)
def logdet(F: Any, input: Tensor) -> Any:
    """The logarithm of the determinant; nan where a real one is negative.

    At a singular matrix it is -inf and the derivative inf or nan; where the result is nan it is 0.
    """
    check_square("logdet", input.meta)
    check_floating("logdet", input.meta, half=False)
    sign, size = F._linalg_slogdet(input)[:2]
    if input.meta.dtype.is_complex:
        return F.add(F.log(sign), size)
    return F.where(F.eq(sign, -1.0), float("nan"), size)
