"""The Cholesky decomposition."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import int32
from engine.op import refused, sample
from engine.ops.matrices import (
    adjoint,
    by_columns,
    check_floating,
    check_lapack,
    check_square,
    each_matrix,
    failed,
    lower,
    routine,
)
from engine.signature import Array, Tensor
from engine.types import Type


def _cholesky_type(input: Type, upper: bool, check: str) -> tuple[Type, Type]:
    name = "linalg.cholesky"
    check_square(name, input)
    check_floating(name, input)
    check_lapack("cholesky_cpu", input)
    return by_columns(input.shape, input.dtype), Type(input.shape[:-2], int32)


def _not_positive(order: int) -> str:
    return (
        "The factorization could not be completed because the input is not positive-definite (the leading "
        f"minor of order {order} is not positive-definite)."
    )


def _cholesky_rule(F: Any, L: Any, g: Any, upper: bool) -> Any:
    """gA = L^-H P L^-1, P the Hermitian matrix with half of tril(L^H gL): symmetrised, as torch's."""
    solve = getattr(F, "linalg.solve_triangular")
    if upper:
        L, g = adjoint(F, L), adjoint(F, g)
    turned = adjoint(F, L)
    inner = lower(F, F.matmul(turned, g))
    inner = F.mul(F.add(inner, adjoint(F, lower(F, inner, -1))), 0.5)
    inner = solve(turned, inner, upper=True)
    return solve(L, inner, upper=False, left=False)


def decomposed(A: Array, upper: bool) -> tuple[Array, Array]:
    """The triangular factor, and 0 or the order of the first minor that is not positive."""
    try:
        found = np.linalg.cholesky(A, upper=upper)
        if np.isfinite(found).all():
            return found, np.zeros(A.shape[:-2], np.int32)
    except np.linalg.LinAlgError:
        pass
    potrf = routine("lapack", "potrf", A.dtype)
    factor, info = each_matrix(
        lambda each: potrf(each, lower=not upper, clean=1),
        [(A, 2)],
        [(A.shape[-2:], A.dtype), ((), np.int32)],
    )
    wrong = ~np.isfinite(np.diagonal(factor, 0, -2, -1))  # nan, which OpenBLAS goes on with
    first = np.where(wrong.any(-1), wrong.argmax(-1) + 1, 0).astype(np.int32) if wrong.size else info
    return factor, np.where(info != 0, info, first)


def _cholesky(name: str, grad_fn: str, saves: tuple[str, ...], outputs: tuple[str, ...]) -> Any:
    return kernel(
        name,
        kind="decomposition",
        infer=_cholesky_type,
        vjp=lambda F, x, y, g, upper, check: (lambda: _cholesky_rule(F, y[0], g[0], upper),),
        saves=saves,
        outputs=outputs,
        grad_fn=grad_fn,
        samples=lambda make: [],
    )


def _run(input: Tensor, upper: bool, check: str) -> Any:
    """The triangular factor; refused for what is not positive definite if there is a `check`.

    As linalg.cholesky.
    """
    factor, info = decomposed(input, upper)
    if check and np.any(info):
        raise failed(check, info, _not_positive)
    return factor, info


_linalg_cholesky_ex = _cholesky(
    "_linalg_cholesky_ex", "LinalgCholeskyExBackward0", ("L", "upper"), ("L", "info")
)(_run)
_cholesky_result = _cholesky("_cholesky", "CholeskyBackward0", ("result", "upper"), ("result", "info"))(_run)


def _samples(make: Any) -> list[Any]:
    """One by one: of larger ones only a triangle is read, while the derivative is symmetrised."""
    return [
        sample(make(1, 1, low=0.5)),
        sample(make(3, 1, 1, low=0.5), upper=True),
        sample(make(0, 0)),
        sample(make(2, 0, 0)),
    ]


def _refusals(name: str, long: str, singular: bool = True) -> Any:
    def refusals(make: Any) -> list[Any]:
        flat = np.zeros((2, 2, 2))
        flat[0] = np.eye(2)
        found = [
            refused(f"{name}: The input tensor A must have at least 2 dimensions.", make(3)),
            refused(f"{name}: A must be batches of square matrices, but they are 2 by 3", make(2, 3)),
            refused(long, make.ints(2, 2)),
            refused("\"cholesky_cpu\" not implemented for 'Half'", make(2, 2).astype(np.float16)),
        ]
        wrong = [
            refused(f"{name}: {_not_positive(2)}", np.array([[1.0, 2.0], [2.0, 4.0]])),
            refused(f"{name}: (Batch element 1): {_not_positive(1)}", flat),
            refused(f"{name}: {_not_positive(1)}", np.full((2, 2), np.nan)),
        ]
        return found + wrong if singular else found

    return refusals


_LONG = "linalg.cholesky: Expected a floating point or complex tensor as input. Got Long"


@composite("linalg.cholesky", samples=_samples, refusals=_refusals("linalg.cholesky", _LONG))
def linalg_cholesky(F: Any, A: Tensor, *, upper: bool = False) -> Any:
    """L with A = L @ L^H, lower triangular (its adjoint if `upper`); only that triangle of A is read.

    Smooth where it is defined; the derivative is that for Hermitian A, symmetrised. What is not positive
    definite is refused.
    """
    return F._linalg_cholesky_ex(A, upper, "linalg.cholesky")[0]


@composite(
    "linalg.cholesky_ex",
    outputs=("L", "info"),
    samples=_samples,
    refusals=_refusals("linalg.cholesky", _LONG, False),
)
def cholesky_ex(F: Any, A: Tensor, *, upper: bool = False, check_errors: bool = False) -> Any:
    """L with A = L @ L^H, and for each 0 or the order of the minor that shows A not to be positive definite.

    Smooth where it is defined; the derivative is that for Hermitian A, symmetrised.
    """
    return F._linalg_cholesky_ex(A, upper, "linalg.cholesky_ex" if check_errors else "")


@composite(
    "cholesky",
    samples=_samples,
    refusals=_refusals("cholesky", "\"cholesky_cpu\" not implemented for 'Long'"),
)
def cholesky(F: Any, input: Tensor, upper: bool = False) -> Any:
    """L with input = L @ L^H, lower triangular (its adjoint if `upper`); only that triangle is read.

    Smooth where it is defined; the derivative is that for Hermitian matrices, symmetrised. What is not
    positive definite is refused.
    """
    check_square("cholesky", input.meta)
    check_lapack("cholesky_cpu", input.meta)
    return F._cholesky(input, upper, "cholesky")[0]
