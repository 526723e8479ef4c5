"""What is solved with a Cholesky decomposition: cholesky_solve, cholesky_inverse."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import kernel
from engine.errors import ShapeError
from engine.leading import behind
from engine.op import refused, sample
from engine.ops.inverse import singular
from engine.ops.matrices import (
    adjoint,
    by_columns,
    check_lapack,
    check_matrix,
    check_square,
    failed,
)
from engine.ops.triangular import check_system, solved_triangle
from engine.signature import Array, Tensor
from engine.types import Type, broadcast_shapes


def _solve_type(input: Type, L: Type, upper: bool) -> Type:
    for name, each in (("b", input), ("u", L)):
        if each.ndim < 2:
            raise ShapeError(
                f"{name} should have at least 2 dimensions, but has {each.ndim} dimensions instead",
                actual=each.ndim,
            )
    check_system(input, L, "cholesky_solve")
    check_lapack("cholesky_solve_cpu", L)
    shape = (*broadcast_shapes(input.shape[:-2], L.shape[:-2]), *input.shape[-2:])
    return by_columns(shape, L.dtype)


def _with_factor(F: Any, L: Any, middle: Any, upper: bool) -> Any:
    """The cotangent of a factor from that of its Gram matrix's inverse."""
    both = F.add(middle, adjoint(F, middle))
    return F.neg(F.matmul(L, both) if upper else F.matmul(both, L))


@kernel(
    "cholesky_solve",
    kind="decomposition",
    infer=_solve_type,
    vjp=lambda F, x, y, g, upper: (
        lambda: F.cholesky_solve(g, x[1], upper),
        lambda: _with_factor(F, x[1], F.matmul(F.cholesky_solve(g, x[1], upper), adjoint(F, y)), upper),
    ),
    saves=("input2=L", "result", "self", "upper"),
    samples=lambda make: [
        sample(make(1, 2), make(1, 1, low=0.5)),
        sample(make(3, 1, 2), make(1, 1, low=0.5), upper=True),
        sample(make(0, 2), make(0, 0)),
    ],
    refusals=lambda make: [
        refused("b should have at least 2 dimensions, but has 1 dimensions instead", make(2), make(2, 2)),
        refused("u should have at least 2 dimensions, but has 1 dimensions instead", make(2, 2), make(2)),
        refused("A must be batches of square matrices, but they are 2 by 3", make(2, 2), make(2, 3)),
        refused("each A matrix is 3 by 3 but each b matrix is 2 by 2", make(2, 2), make(3, 3)),
        refused('"cholesky_solve_cpu" not implemented', make.ints(2, 2), make.ints(2, 2)),
    ],
)
def cholesky_solve(input: Tensor, L: Tensor, upper: bool = False, *, lead: int) -> Array:
    """X with L @ L^H @ X = input, where only L's triangle is read (U^H @ U if `upper`).

    Smooth where it is defined; the derivative by L is that for triangular matrices, not cut to the triangle.
    """
    rank = max(L.ndim, input.ndim) - lead
    L, input = behind(L, lead, rank), behind(input, lead, rank)
    first = solved_triangle(L, input, upper, True, False, 2 if upper else 0)
    return solved_triangle(L, first, upper, True, False, 0 if upper else 2)


def _inverse_type(input: Type, upper: bool) -> Type:
    check_matrix("cholesky_inverse", input)
    check_square("cholesky_inverse", input)
    check_lapack("cholesky_inverse_out_cpu", input)
    return by_columns(input.shape, input.dtype)


@kernel(
    "cholesky_inverse",
    kind="decomposition",
    infer=_inverse_type,
    vjp=lambda F, x, y, g, upper: (lambda: _with_factor(F, x[0], F.matmul(y, F.matmul(g, y)), upper),),
    saves=("result", "self", "upper"),
    samples=lambda make: [
        sample(make(1, 1, low=0.5)),
        sample(make(3, 1, 1, low=0.5), upper=True),
        sample(make(0, 0)),
    ],
    refusals=lambda make: [
        refused("cholesky_inverse: The input tensor A must have at least 2 dimensions.", make(3)),
        refused("cholesky_inverse: A must be batches of square matrices, but they are 2 by 3", make(2, 3)),
        refused("\"cholesky_inverse_out_cpu\" not implemented for 'Long'", make.ints(2, 2)),
        refused(f"cholesky_inverse: {singular(1)}", np.zeros((2, 2))),
    ],
)
def cholesky_inverse(input: Tensor, upper: bool = False) -> Array:
    """The inverse of L @ L^H, where only L's triangle is read (U^H @ U if `upper`).

    Smooth where it is defined; the derivative is that for triangular matrices, not cut to the triangle. A
    zero on the diagonal is refused.
    """
    zero = np.diagonal(input, 0, -2, -1) == 0
    if np.any(zero):
        info = np.where(zero.any(-1), np.argmax(zero, -1) + 1, 0)
        raise failed("cholesky_inverse", info, singular)
    unit = np.broadcast_to(np.eye(input.shape[-1], dtype=input.dtype), input.shape)
    half = solved_triangle(input, unit, upper, True, False)
    turned = half.conj().swapaxes(-1, -2)
    return half @ turned if upper else turned @ half
