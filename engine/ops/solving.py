"""Solutions of systems of linear equations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import float16, int32
from engine.errors import RuntimeArgumentError, ShapeError
from engine.leading import behind
from engine.op import refused, sample
from engine.ops.dtype_checks import no_kernel
from engine.ops.inverse import complex_regular, regular
from engine.ops.matrices import (
    adjoint,
    by_columns,
    check_equation,
    check_floating,
    check_same_dtype,
    each_matrix,
    factored,
    failed,
    routine,
)
from engine.signature import Array, Dims, Tensor
from engine.types import Type, broadcast_shapes


def is_vector(A: tuple[int, ...], B: tuple[int, ...]) -> bool:
    """Whether B is one right-hand side for each matrix of A."""
    return len(B) == 1 or (len(B) == len(A) - 1 and A[:-1] == B)


def _solve_type(A: Type, B: Type, left: bool, check: str) -> tuple[Type, Type, Type, Type]:
    name = "linalg.solve"
    check_floating(name, A)
    check_same_dtype(name, A, B)
    vector = is_vector(A.shape, B.shape)
    wide = Type((*B.shape, 1), B.dtype) if vector else B
    check_equation(name, A, wide, left)
    if vector and not left:
        raise ShapeError(
            "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In "
            "this case linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    if A.dtype is float16:
        raise no_kernel("lu_cpu", A.dtype)
    shape = (*broadcast_shapes(A.shape[:-2], wide.shape[:-2]), *wide.shape[-2:])
    result = Type(shape[:-1], A.dtype) if vector else by_columns(shape, A.dtype)
    return result, by_columns(A.shape, A.dtype), Type(A.shape[:-1], int32), Type(A.shape[:-2], int32)


def _solve_rule(F: Any, x: Any, solution: Any, g: Any, left: bool) -> Any:
    """gB = A^-H g; gA = -gB X^H (X^H, g on the other sides if not left)."""
    A, B = x
    vector = is_vector(A.meta.shape, B.meta.shape)
    X, wide = (F.unsqueeze(each, -1) if vector else each for each in (solution, g))
    share = F._linalg_solve_ex(adjoint(F, A), wide, left, "")[0]
    turned = adjoint(F, X)
    return (
        lambda: F.neg(F.matmul(share, turned) if left else F.matmul(turned, share)),
        lambda: F.squeeze(share, -1) if vector else share,
    )


def solved(lu: Array, exchanges: Array, B: Array, left: bool = True, turned: bool = False) -> Array:
    """X of A X = B (X A = B if not left), with A's adjoint in its place if `turned`."""
    getrs = routine("lapack", "getrs", lu.dtype)
    plain = 1 if lu.dtype.kind == "f" else 2

    def one(factors: Array, rows: Array, right: Array) -> Any:
        if left:
            return (getrs(factors, rows - 1, right, trans=plain if turned else 0)[0],)
        found = getrs(factors, rows - 1, right.conj().T, trans=0 if turned else plain)[0]
        return (found.conj().T,)

    return each_matrix(one, [(lu, 2), (exchanges, 1), (B, 2)], [(B.shape[-2:], lu.dtype)])[0]


@kernel(
    "_linalg_solve_ex",
    kind="decomposition",
    infer=_solve_type,
    vjp=lambda F, x, y, g, left, check: _solve_rule(F, x, y[0], g[0], left),
    saves=("A", "LU", "left", "pivots", "result"),
    outputs=("result", "LU", "pivots", "info"),
    grad_fn="LinalgSolveExBackward0",
    samples=lambda make: [],
)
def _linalg_solve_ex(A: Tensor, B: Tensor, left: bool, check: str, *, lead: int) -> Any:
    """X of A X = B, and the factors that gave it; refused for a singular matrix if there is a `check`.

    As linalg.solve.
    """
    lu, exchanges, info = factored(A)
    if check and np.any(info):
        raise failed(check, info, lambda _: "The solver failed because the input matrix is singular.")
    vector = is_vector(A.shape[lead:], B.shape[lead:])
    wide = B[..., None] if vector else B
    rank = max(A.ndim, wide.ndim) - lead
    found = solved(behind(lu, lead, rank), behind(exchanges, lead, rank - 1), behind(wide, lead, rank), left)
    return (found[..., 0] if vector else found), lu, exchanges, info


def _samples(make: Any) -> list[Any]:
    return [
        sample(regular(make, 3, 3), make(3, 2)),
        sample(regular(make, 3, 3), make(3)),
        sample(regular(make, 2, 2, 2), make(2, 2)),
        sample(regular(make, 2, 2, 2), make(2, 1)),
        sample(regular(make, 2, 2), make(3, 2), left=False),
        sample(regular(make, 2, 2), make(2, 2, 1)),
        sample(complex_regular(make, 2, 2), make(2, 1) + 1j * make(2, 1)),
        sample(make(0, 0), make(0, 2)),
        sample(regular(make, 2, 2), make(2, 0)),
    ]


def _refusals(make: Any) -> list[Any]:
    name = "linalg.solve: "
    flat = np.zeros((2, 2, 2))
    flat[0] = np.eye(2)
    return [
        refused(f"{name}The input tensor A must have at least 2 dimensions.", make(2), make(2)),
        refused(f"{name}A must be batches of square matrices, but they are 2 by 3", make(2, 3), make(2)),
        refused(
            f"{name}Incompatible shapes of A and B for the equation AX = B (3x3 and 2x2)",
            make(3, 3),
            make(2, 2),
        ),
        refused(
            f"{name}Incompatible shapes of A and B for the equation XA = B (3x3 and 2x2)",
            make(3, 3),
            make(2, 2),
            left=False,
        ),
        refused(f"{name}Expected a floating point or complex tensor", make.ints(2, 2), make.ints(2)),
        refused(f"{name}Expected A and B to have the same dtype", make(2, 2), make(2).astype(np.float32)),
        refused(f"{name}Vector broadcasting of the left hand side is not", make(1, 1), make(1), left=False),
    ]


_SINGULAR = "The solver failed because the input matrix is singular."


@composite(
    "linalg.solve",
    samples=_samples,
    refusals=lambda make: [
        *_refusals(make),
        refused(f"torch.linalg.solve: {_SINGULAR}", np.zeros((2, 2)), make(2)),
        refused(f"torch.linalg.solve: (Batch element 0): {_SINGULAR}", np.zeros((2, 2, 2)), make(2, 2)),
    ],
)
def solve(F: Any, A: Tensor, B: Tensor, *, left: bool = True) -> Any:
    """X with A @ X = B, or with X @ A = B; B may be one vector for each matrix.

    Smooth where it is defined; a singular matrix is refused.
    """
    return F._linalg_solve_ex(A, B, left, "torch.linalg.solve")[0]


@composite(
    "linalg.solve_ex",
    outputs=("result", "info"),
    samples=_samples,
    refusals=lambda make: [
        *_refusals(make),
        refused(_SINGULAR, np.zeros((2, 2)), make(2), check_errors=True),
    ],
)
def solve_ex(F: Any, A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> Any:
    """X with A @ X = B, and for each matrix 0 or the place of the zero that shows it to be singular.

    Smooth where it is defined; a singular matrix gives inf or nan, and so it does for the derivative.
    """
    found = F._linalg_solve_ex(A, B, left, "torch.linalg.solve_ex" if check_errors else "")
    return found[0], found[3]


@composite(
    "linalg.tensorsolve",
    samples=lambda make: [
        sample(regular(make, 2, 2).reshape(2, 1, 2), make(2, 1)),
        sample(regular(make, 2, 2).reshape(2, 2, 1), make(2), dims=(0,)),
    ],
    refusals=lambda make: [refused("Expected self to satisfy the requirement", make(2, 3, 4), make(2))],
)
def tensorsolve(F: Any, A: Tensor, B: Tensor, dims: Dims | None = None) -> Any:
    """X with tensordot(A, X, X.ndim) = B; `dims` of A are first moved to its end.

    Smooth where it is defined; a singular matrix is refused.
    """
    if dims is not None:
        dims = (dims,) if isinstance(dims, int) else tuple(dims)
        A = F.movedim(A, dims, tuple(range(-len(dims), 0)))
    rest = A.meta.shape[B.meta.ndim :]
    rows, columns = B.meta.numel, math.prod(rest)
    if rows != columns:
        raise RuntimeArgumentError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {columns} != {rows}",
            expected=rows,
            actual=columns,
        )
    found = F._linalg_solve_ex(
        F.reshape(A, (rows, columns)), F.reshape(B, (rows,)), True, "torch.linalg.solve"
    )[0]
    return F.reshape(found, rest)
