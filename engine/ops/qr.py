"""The QR decomposition."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.errors import GradError, RuntimeArgumentError
from engine.op import refused, sample
from engine.ops.inverse import complex_regular, regular
from engine.ops.matrices import (
    adjoint,
    by_columns,
    check_floating,
    check_lapack,
    check_matrix,
    columnwise,
    diagonal_matrix,
    upper_,
)
from engine.signature import Tensor
from engine.types import Type

_MODES = ("reduced", "r", "complete")


def _qr_type(A: Type, mode: str) -> tuple[Type, Type]:
    check_matrix("linalg.qr", A)
    check_floating("linalg.qr", A)
    if mode not in _MODES:
        raise RuntimeArgumentError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or "
            "'complete'",
            actual=mode,
        )
    check_lapack("geqrf_cpu", A)
    *batch, rows, columns = A.shape
    inner = rows if mode == "complete" else min(rows, columns)
    q = Type((0,), A.dtype) if mode == "r" else by_columns((*batch, rows, inner), A.dtype)
    return q, by_columns((*batch, inner, columns), A.dtype)


def _mirrored(F: Any, value: Any) -> Any:
    """An upper triangle and its adjoint below, the diagonal's real part once."""
    both = F.add(value, adjoint(F, value))
    return F.sub(both, diagonal_matrix(F, F.mul(F.diagonal(both, 0, -2, -1), 0.5)))


def _square_rule(F: Any, Q: Any, R: Any, gQ: Any, gR: Any) -> Any:
    """(gQ + Q M) R^-H, M the Hermitian matrix with the upper triangle of gR R^H - Q^H gQ."""
    inner = None if gR is None else F.matmul(gR, adjoint(F, R))
    if gQ is not None:
        turned = F.matmul(adjoint(F, Q), gQ)
        inner = F.neg(turned) if inner is None else F.sub(inner, turned)
    found = F.matmul(Q, _mirrored(F, upper_(F, inner)))
    if gQ is not None:
        found = F.add(gQ, found)
    solve = getattr(F, "linalg.solve_triangular")
    return solve(adjoint(F, R), found, upper=False, left=False)


def _qr_rule(F: Any, y: Any, g: Any, mode: str) -> Any:
    """That of a square R; of a wider one, the left part is square, the rest Q^H times the rest of A."""
    (Q, R), (gQ, gR) = y, g
    if mode == "r":
        raise GradError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use "
            "linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr."
        )
    rows, columns = Q.meta.shape[-2], R.meta.shape[-1]
    if mode == "complete" and rows > columns:
        raise GradError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols.")
    if rows >= columns:
        return _square_rule(F, Q, R, gQ, gR)
    left = F.contiguous(F.narrow(R, -1, 0, rows))
    if gR is None:
        found = _square_rule(F, Q, left, gQ, None)
        return F.cat([found, F.zeros_like(F.matmul(Q, F.narrow(R, -1, rows, columns - rows)))], -1)
    beside, share = (F.contiguous(F.narrow(each, -1, rows, columns - rows)) for each in (R, gR))
    more = F.matmul(F.matmul(Q, beside), adjoint(F, share))
    gQ = more if gQ is None else F.add(gQ, more)
    found = _square_rule(F, Q, left, gQ, F.contiguous(F.narrow(gR, -1, 0, rows)))
    return F.cat([found, F.matmul(Q, share)], -1)


def _samples(make: Any) -> list[Any]:
    return [
        sample(regular(make, 3, 3)),
        sample(make(3, 2) + np.eye(3, 2)),
        sample(regular(make, 2, 2, 2), "complete"),
        sample(complex_regular(make, 2, 2)),
        sample(make(2, 0)),
        sample(make(0, 2)),
    ]


def _refusals(make: Any) -> list[Any]:
    return [
        refused("linalg.qr: The input tensor A must have at least 2 dimensions.", make(3)),
        refused("linalg.qr: Expected a floating point or complex tensor as input. Got Long", make.ints(2, 2)),
        refused("\"geqrf_cpu\" not implemented for 'Half'", make(2, 2).astype(np.float16)),
    ]


@kernel(
    "linalg.qr",
    kind="decomposition",
    infer=_qr_type,
    vjp=lambda F, x, y, g, mode: (lambda: _qr_rule(F, y, g, mode),),
    saves=("Q", "R", "mode"),
    outputs=("Q", "R"),
    grad_fn="LinalgQrBackward0",
    samples=_samples,
    refusals=lambda make: [*_refusals(make), refused("qr received unrecognized mode 'x'", make(2, 2), "x")],
)
def linalg_qr(A: Tensor, mode: str = "reduced", *, lead: int) -> Any:
    """Q and R with A = Q @ R, Q's columns orthonormal, R upper triangular.

    Smooth where the first min(rows, columns) columns are linearly independent, inf or nan elsewhere. With
    mode "r" there is no Q and no derivative, nor is there one of a "complete" Q that has more columns than A.
    """
    if mode == "r":
        found: Any = np.linalg.qr(A, "r")
        return np.empty((*A.shape[:lead], 0), A.dtype), columnwise(found)
    found = np.linalg.qr(A, "complete" if mode == "complete" else "reduced")
    return tuple(map(columnwise, found))


@composite(
    "qr",
    outputs=("Q", "R"),
    samples=lambda make: [*_samples(make)[:2], sample(regular(make, 2, 2), False), sample(make(2, 0))],
    refusals=_refusals,
)
def qr(F: Any, input: Tensor, some: bool = True) -> Any:
    """Q and R with input = Q @ R; all of Q unless `some`. As linalg.qr.

    Smooth where the first min(rows, columns) columns are linearly independent, inf or nan elsewhere.
    """
    return getattr(F, "linalg.qr")(input, "reduced" if some else "complete")
