"""Solutions of systems of linear equations with triangular matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import kernel
from engine.errors import ShapeError
from engine.leading import behind
from engine.op import refused, sample
from engine.ops.inverse import complex_regular, regular
from engine.ops.matrices import (
    adjoint,
    by_columns,
    check_equation,
    check_lapack,
    check_same_dtype,
    check_square,
    each_matrix,
    lower,
    routine,
    upper_,
)
from engine.signature import Array, Tensor
from engine.types import Type, broadcast_shapes


def triangle(F: Any, value: Any, upper: bool, unit: bool) -> Any:
    """The part of a cotangent that a triangular matrix has, without the diagonal if that is all ones."""
    return upper_(F, value, int(unit)) if upper else lower(F, value, -int(unit))


def solved_triangle(A: Array, B: Array, upper: bool, left: bool, unit: bool, turn: int = 0) -> Array:
    """X of A X = B (X A = B if not left); A transposed if turn is 1, its adjoint if 2."""
    trsm = routine("blas", "trsm", A.dtype)

    def one(factor: Array, right: Array) -> Any:
        side, low = 0 if left else 1, 0 if upper else 1
        return (trsm(1.0, factor, right, side=side, lower=low, trans_a=turn, diag=int(unit)),)

    found = each_matrix(one, [(A, 2), (B, 2)], [(B.shape[-2:], B.dtype)])
    return found[0]


def _solve_type(A: Type, B: Type, upper: bool, left: bool, unitriangular: bool) -> Type:
    name = "linalg.solve_triangular"
    check_equation(name, A, B, left)
    check_lapack("triangular_solve_cpu", A)
    check_same_dtype(name, A, B)
    shape = (*broadcast_shapes(A.shape[:-2], B.shape[:-2]), *B.shape[-2:])
    return by_columns(shape, A.dtype)


def _solve_rule(F: Any, x: Any, y: Any, g: Any, upper: bool, left: bool, unitriangular: bool) -> Any:
    """gB = A^-H g; gA = -gB X^H in A's triangle."""
    solve = getattr(F, "linalg.solve_triangular")

    def share() -> Any:
        return solve(adjoint(F, x[0]), g, upper=not upper, left=left, unitriangular=unitriangular)

    def rule() -> Any:
        turned = adjoint(F, y)
        found = F.matmul(share(), turned) if left else F.matmul(turned, share())
        return triangle(F, F.neg(found), upper, unitriangular)

    return rule, share


def _triangular_samples(make: Any) -> list[Any]:
    return [
        sample(np.triu(regular(make, 3, 3)), make(3, 2), upper=True),
        sample(regular(make, 2, 2), make(2, 2), upper=False),
        sample(regular(make, 2, 2, 2), make(2, 1), upper=False, unitriangular=True),
        sample(regular(make, 2, 2), make(2, 3, 2), upper=True, left=False),
        sample(complex_regular(make, 2, 2), make(2, 1) + 1j * make(2, 1), upper=True),
        sample(complex_regular(make, 2, 2), make(1, 2) + 1j * make(1, 2), upper=False, left=False),
        sample(make(0, 0), make(0, 2), upper=True),
    ]


@kernel(
    "linalg.solve_triangular",
    kind="decomposition",
    infer=_solve_type,
    vjp=_solve_rule,
    saves=("self", "left", "result", "unitriangular", "upper"),
    grad_fn="LinalgSolveTriangularBackward0",
    samples=_triangular_samples,
    refusals=lambda make: [
        refused("linalg.solve_triangular: The input tensor A must have at", make(2), make(2, 2), upper=True),
        refused("linalg.solve_triangular: The input tensor B must have", make(2, 2), make(2), upper=True),
        refused(
            "linalg.solve_triangular: A must be batches of square matrices, but they are 2 by 3 matrices",
            make(2, 3),
            make(2, 2),
            upper=True,
        ),
        refused(
            "Incompatible shapes of A and B for the equation AX = B (3x3 and 2x2)",
            make(3, 3),
            make(2, 2),
            upper=True,
        ),
        refused(
            "\"triangular_solve_cpu\" not implemented for 'Long'",
            make.ints(2, 2),
            make.ints(2, 2),
            upper=True,
        ),
        refused(
            "Expected A and B to have the same dtype", make(2, 2), make(2, 2).astype(np.float32), upper=True
        ),
    ],
)
def solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False, lead: int
) -> Array:
    """X with A @ X = B, or with X @ A = B, where only a triangle of A is read.

    Smooth where it is defined; a zero on the diagonal gives inf or nan, and so it does for the derivative.

    Unlike torch: B of another dtype than A is refused; torch reads its memory as if it were of A's.
    """
    rank = max(A.ndim, B.ndim) - lead
    return solved_triangle(behind(A, lead, rank), behind(B, lead, rank), upper, left, unitriangular)


def _pair_type(input: Type, A: Type, upper: bool, transpose: bool, unitriangular: bool) -> tuple[Type, Type]:
    for name, each in (("b", input), ("A", A)):
        if each.ndim < 2:
            raise ShapeError(
                f"torch.triangular_solve: Expected {name} to have at least 2 dimensions, but it has "
                f"{each.ndim} dimensions instead",
                actual=each.ndim,
            )
    check_system(input, A, "triangular_solve")
    check_lapack("triangular_solve_cpu", A)
    batch = broadcast_shapes(input.shape[:-2], A.shape[:-2])
    wide = (*batch, *input.shape[-2:]), (*batch, *A.shape[-2:])
    return by_columns(wide[0], A.dtype), by_columns(wide[1], A.dtype)


def check_system(B: Type, A: Type, name: str) -> None:
    """Refuse a system of equations in the words of torch's older functions."""
    if B.dtype is not A.dtype:
        raise ShapeError(
            f"Expected b and A to have the same dtype, but found b of type {B.dtype.title} and A of type "
            f"{A.dtype.title} instead.",
            expected=A.dtype.name,
            actual=B.dtype.name,
        )
    check_square("", A)
    if A.shape[-1] != B.shape[-2]:
        raise ShapeError(
            "Incompatible matrix sizes for "
            f"{name}: each A matrix is {A.shape[-1]} by {A.shape[-1]} but each b matrix is {B.shape[-2]} by "
            f"{B.shape[-1]}",
            expected=A.shape[-1],
            actual=B.shape[-2],
        )


def _pair_rule(F: Any, x: Any, y: Any, g: Any, upper: bool, transpose: bool, unitriangular: bool) -> Any:
    """gb = A^-H g (with A transposed, if so); gA = -gb X^H, or its transpose, in A's triangle."""

    def share() -> Any:
        if g[0] is None:
            return None
        return F.triangular_solve(g[0], F.conj(x[1]), upper, not transpose, unitriangular)[0]

    def rule() -> Any:
        found = g[1]
        if g[0] is not None:
            product = F.matmul(share(), adjoint(F, y[0]))
            product = F.mT(product) if transpose else product
            product = triangle(F, F.neg(product), upper, unitriangular)
            found = product if found is None else F.add(found, product)
        return found

    return share, rule


@kernel(
    "triangular_solve",
    kind="decomposition",
    infer=_pair_type,
    vjp=_pair_rule,
    saves=("A", "self", "solution", "transpose", "unitriangular", "upper"),
    outputs=("solution", "cloned_coefficient"),
    samples=lambda make: [
        sample(make(3, 2), regular(make, 3, 3)),
        sample(make(2, 1), regular(make, 2, 2, 2), upper=False, unitriangular=True),
        sample(make(2, 2), regular(make, 2, 2), transpose=True),
        sample(make(2, 1) + 1j * make(2, 1), complex_regular(make, 2, 2), False, True),
        sample(make(0, 2), make(0, 0)),
    ],
    refusals=lambda make: [
        refused("torch.triangular_solve: Expected b to have at least 2 dimensions", make(2), make(2, 2)),
        refused("torch.triangular_solve: Expected A to have at least 2 dimensions", make(2, 2), make(2)),
        refused("A must be batches of square matrices, but they are 2 by 3", make(2, 2), make(2, 3)),
        refused("each A matrix is 3 by 3 but each b matrix is 2 by 2", make(2, 2), make(3, 3)),
        refused('"triangular_solve_cpu" not implemented', make.ints(2, 2), make.ints(2, 2)),
    ],
)
def triangular_solve(
    input: Tensor,
    A: Tensor,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
    *,
    lead: int,
) -> Any:
    """X with A @ X = input, where only a triangle of A is read, and a copy of A.

    Smooth where it is defined; a zero on the diagonal gives inf or nan, and so it does for the derivative.
    """
    rank = max(A.ndim, input.ndim) - lead
    A, input = behind(A, lead, rank), behind(input, lead, rank)
    found = solved_triangle(A, input, upper, True, unitriangular, int(transpose))
    return found, np.broadcast_to(A, (*found.shape[:-2], *A.shape[-2:])).copy()
