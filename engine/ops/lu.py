"""The LU decomposition with row exchanges, and systems of equations solved with it."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import int32
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.inverse import complex_regular, regular
from engine.ops.matrices import (
    adjoint,
    by_columns,
    check_lapack,
    factored,
    lower,
    unpacked,
    upper_,
)
from engine.signature import Tensor
from engine.types import Shape, Type

_NO_PIVOT = "linalg.lu_factor: LU without pivoting is not implemented on the CPU"


def check_lu(name: str, A: Type, pivot: bool = True) -> None:
    """Refuse what cannot be decomposed."""
    if A.ndim < 2:
        raise ShapeError(
            f"{name}: Expected tensor with 2 or more dimensions. Got size: {list(A.shape)} instead",
            actual=A.ndim,
        )
    check_lapack("lu_cpu", A)
    if not pivot:
        raise RuntimeArgumentError(_NO_PIVOT)


def _parts(shape: Shape, dtype: Any) -> tuple[Type, Type]:
    """The types of L and U."""
    *batch, rows, columns = shape
    least = min(rows, columns)
    return by_columns((*batch, rows, least), dtype), by_columns((*batch, least, columns), dtype)


# -- the derivative


def _cut(F: Any, value: Any, dim: int, start: int, stop: int) -> Any:
    return F.contiguous(F.narrow(value, dim, start, stop - start))


def _solved(F: Any, L: Any, U: Any, inner: Any) -> Any:
    """L^-H inner U^-H."""
    solve = getattr(F, "linalg.solve_triangular")
    inner = solve(adjoint(F, L), inner, upper=True, unitriangular=True)
    return solve(adjoint(F, U), inner, upper=False, left=False)


def _sum(F: Any, *terms: Any) -> Any:
    given = [each for each in terms if each is not None]
    found = given[0]
    for each in given[1:]:
        found = F.add(found, each)
    return found


def lu_rule(F: Any, P: Any, L: Any, U: Any, gL: Any, gU: Any) -> Any:
    """gA = P L^-H [tril(L^H gL, -1) + triu(gU U^H)] U^-H for square A. Of others the square part, with what
    the rest adds to it."""
    rows, columns = L.meta.shape[-2], U.meta.shape[-1]
    least = min(rows, columns)
    solve = getattr(F, "linalg.solve_triangular")
    square_L, square_U, more = L, U, None
    beside = below = None
    if rows < columns:
        square_U, rest = _cut(F, U, -1, 0, least), _cut(F, U, -1, least, columns)
        if gU is not None:
            gU, share = _cut(F, gU, -1, 0, least), _cut(F, gU, -1, least, columns)
            more = F.neg(lower(F, F.matmul(share, adjoint(F, rest)), -1))
            beside = solve(adjoint(F, L), share, upper=True, unitriangular=True)
        else:
            beside = F.zeros_like(rest)
    elif rows > columns:
        square_L, rest = _cut(F, L, -2, 0, least), _cut(F, L, -2, least, rows)
        if gL is not None:
            gL, share = _cut(F, gL, -2, 0, least), _cut(F, gL, -2, least, rows)
            more = F.neg(upper_(F, F.matmul(adjoint(F, rest), share)))
            below = solve(adjoint(F, U), share, upper=False, left=False)
        else:
            below = F.zeros_like(rest)
    left = None if gL is None else lower(F, F.matmul(adjoint(F, square_L), gL), -1)
    right = None if gU is None else upper_(F, F.matmul(gU, adjoint(F, square_U)))
    found = _solved(F, square_L, square_U, _sum(F, left, right, more))
    found = found if beside is None else F.cat([found, beside], -1)
    return F.matmul(P, found if below is None else F.cat([found, below], -2))


# -- linalg.lu


def _lu_type(A: Type, pivot: bool) -> tuple[Type, Type, Type]:
    check_lu("linalg.lu", A, pivot)
    rows = A.shape[-2]
    return by_columns((*A.shape[:-2], rows, rows), A.dtype), *_parts(A.shape, A.dtype)


@kernel(
    "_linalg_lu",
    kind="decomposition",
    infer=_lu_type,
    vjp=lambda F, x, y, g, pivot: (lambda: lu_rule(F, *y, *g[1:]),),
    saves=("L", "P", "U", "pivot"),
    outputs=("P", "L", "U"),
    grad_fn="LinalgLuBackward0",
    samples=lambda make: [],
)
def _linalg_lu(A: Tensor, pivot: bool) -> Any:
    """P, L and U with A = P @ L @ U.

    As linalg.lu.
    """
    return unpacked(*factored(A)[:2])


def _samples(make: Any) -> list[Any]:
    return [
        sample(regular(make, 3, 3)[[1, 0, 2]]),
        sample(regular(make, 2, 2, 2)),
        sample(make(2, 3) + 3 * np.eye(2, 3)),
        sample(make(3, 2) + 3 * np.eye(3, 2)),
        sample(complex_regular(make, 2, 2)),
        sample(make(0, 2)),
        sample(make(2, 0)),
    ]


def _refusals(name: str) -> Any:
    return lambda make: [
        refused(f"{name}: Expected tensor with 2 or more dimensions. Got size: [3] instead", make(3)),
        refused("\"lu_cpu\" not implemented for 'Long'", make.ints(2, 2)),
        refused(_NO_PIVOT, make(2, 2), pivot=False),
    ]


@composite("linalg.lu", outputs=("P", "L", "U"), samples=_samples, refusals=_refusals("linalg.lu"))
def linalg_lu(F: Any, A: Tensor, *, pivot: bool = True) -> Any:
    """P, L and U with A = P @ L @ U: a permutation, a lower triangle with unit diagonal, an upper triangle.

    Smooth between the matrices where the exchange of rows changes; P is a constant. Where a pivot is 0 the
    derivative is inf or nan.
    """
    P, L, U = F._linalg_lu(A, pivot)
    return F.detach(P), L, U


# -- the factors in one matrix


def _factor_type(A: Type, pivot: bool, check: str) -> tuple[Type, Type, Type]:
    check_lu("torch.lu_factor", A, pivot)
    batch, least = A.shape[:-2], min(A.shape[-2:])
    return by_columns(A.shape, A.dtype), Type((*batch, least), int32), Type(batch, int32)


def _factor_rule(F: Any, y: Any, g: Any) -> Any:
    least = min(y[0].meta.shape[-2:])
    P, L, U = F._lu_unpack(y[0], y[1])
    gL = lower(F, _cut(F, g[0], -1, 0, least), -1)
    return lu_rule(F, P, L, U, gL, upper_(F, _cut(F, g[0], -2, 0, least)))


@kernel(
    "_linalg_lu_factor_ex",
    kind="decomposition",
    infer=_factor_type,
    vjp=lambda F, x, y, g, pivot, check: (lambda: _factor_rule(F, y, g),),
    saves=("LU", "pivot", "pivots"),
    outputs=("LU", "pivots", "info"),
    grad_fn="LinalgLuFactorExBackward0",
    samples=lambda make: [],
)
def _linalg_lu_factor_ex(A: Tensor, pivot: bool, check: str) -> Any:
    """L and U in one matrix, the exchanges of rows, the place of U's first 0; refused if there is a `check`.

    As linalg.lu_factor.
    """
    lu, exchanges, info = factored(A)
    if check and np.any(info):
        place = int(np.argmax(info.reshape(-1) != 0))
        batch = f"(Batch element {place}): " if info.ndim else ""
        at = int(info.reshape(-1)[place])
        raise RuntimeArgumentError(
            f"{check}: {batch}U[{at},{at}] is zero and using it on lu_solve would result in a division by "
            "zero. If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or "
            "linalg.lu_factor_ex(A, pivot)"
        )
    return lu, exchanges, info


_ZERO = "torch.linalg.lu_factor: U[2,2] is zero and using it on lu_solve would result in a division by zero."


@composite(
    "linalg.lu_factor",
    outputs=("LU", "pivots"),
    samples=_samples,
    refusals=lambda make: [
        *_refusals("torch.lu_factor")(make),
        refused(_ZERO, np.array([[1.0, 2.0], [2.0, 4.0]])),
    ],
)
def lu_factor(F: Any, A: Tensor, *, pivot: bool = True) -> Any:
    """L and U in one matrix, and the exchanges of rows, counted from 1.

    Smooth between the matrices where the exchange of rows changes. A pivot of 0 is refused.
    """
    return F._linalg_lu_factor_ex(A, pivot, "torch.linalg.lu_factor")[:2]


@composite(
    "linalg.lu_factor_ex",
    outputs=("LU", "pivots", "info"),
    samples=_samples,
    refusals=_refusals("torch.lu_factor"),
)
def lu_factor_ex(F: Any, A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> Any:
    """L and U in one matrix, the exchanges of rows, and for each 0 or the place of the first pivot of 0.

    Smooth between the matrices where the exchange of rows changes. Where a pivot is 0 the derivative is inf
    or nan.
    """
    return F._linalg_lu_factor_ex(A, pivot, "torch.linalg.lu_factor_ex" if check_errors else "")


@composite("lu", outputs=("LU", "pivots"), samples=_samples, refusals=_refusals("torch.lu_factor"))
def lu(F: Any, input: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:
    """L and U in one matrix, and the exchanges of rows; with `get_infos` as linalg.lu_factor_ex.

    Smooth between the matrices where the exchange of rows changes. Where a pivot is 0 the derivative is inf
    or nan.
    """
    return F._linalg_lu_factor_ex(input, pivot, "")[: 3 if get_infos else 2]
