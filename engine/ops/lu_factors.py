"""What is done with the factors of an LU decomposition: lu_unpack, lu_solve."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import int32
from engine.errors import DTypeError, RuntimeArgumentError, ShapeError
from engine.leading import behind
from engine.op import refused, sample
from engine.ops.inverse import complex_regular, regular
from engine.ops.matrices import adjoint as _turned
from engine.ops.matrices import (
    by_columns,
    check_equation,
    check_floating,
    check_square,
    lower,
    unpacked,
    upper_,
)
from engine.ops.solving import solved
from engine.signature import Array, Index, Tensor
from engine.types import Type, broadcast_shapes


def _unpack_type(LU_data: Type, LU_pivots: Type) -> tuple[Type, Type, Type]:
    if LU_data.ndim < 2:
        raise ShapeError(
            f"torch.lu_unpack: Expected tensor with 2 or more dimensions. Got size: {list(LU_data.shape)} "
            "instead"
        )
    if LU_pivots.dtype is not int32:
        raise DTypeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\nNote: "
            "this function is intended to be used with the output produced by torch.linalg.lu_factor",
            expected="int32",
            actual=LU_pivots.dtype.name,
        )
    *batch, rows, columns = LU_data.shape
    least, dtype = min(rows, columns), LU_data.dtype
    return (
        by_columns((*batch, rows, rows), dtype),
        by_columns((*batch, rows, least), dtype),
        by_columns((*batch, least, columns), dtype),
    )


def _widened(F: Any, value: Any, dim: int, size: int) -> Any:
    """`value` with zeros behind it, up to `size`."""
    shape = list(value.meta.shape)
    missing = size - shape[dim]
    shape[dim] = missing
    return F.cat([value, F.zeros(tuple(shape), dtype=value.meta.dtype)], dim) if missing else value


def _unpack_rule(F: Any, shape: Any, g: Any) -> Any:
    rows, columns = shape[-2:]
    parts = []
    if g[1] is not None:
        parts.append(_widened(F, lower(F, g[1], -1), -1, columns))
    if g[2] is not None:
        parts.append(_widened(F, upper_(F, g[2]), -2, rows))
    return parts[0] if len(parts) == 1 else F.add(*parts)


@kernel(
    "_lu_unpack",
    kind="decomposition",
    infer=_unpack_type,
    vjp=lambda F, x, y, g: (lambda: _unpack_rule(F, x[0].meta.shape, g), None),
    saves=("LU_data_sym_argsize_minus_1", "LU_data_sym_argsize_minus_2"),
    outputs=("P", "L", "U"),
    grad_fn="LuUnpackBackward0",
    samples=lambda make: [],
)
def _lu_unpack(LU_data: Tensor, LU_pivots: Index) -> Any:
    """P, L and U of an LU decomposition.

    As lu_unpack.
    """
    if LU_pivots.size and (LU_pivots.min() < 1 or LU_pivots.max() > LU_data.shape[-2]):
        raise RuntimeArgumentError(
            "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive.Did you properly pass "
            "the result of lu_factor?"
        )
    return unpacked(LU_data, LU_pivots)


def _exchanges(*rows: Any) -> Array:
    return np.array(rows, np.int32)


@composite(
    "lu_unpack",
    outputs=("P", "L", "U"),
    samples=lambda make: [
        sample(make(3, 3), _exchanges(2, 3, 3)),
        sample(make(2, 2, 3), _exchanges([1, 2], [2, 2])),
        sample(make(3, 2), _exchanges(3, 2)),
    ],
    refusals=lambda make: [
        refused("torch.lu_unpack: LU_pivots is expected to be a contiguous", make(2, 2), np.array([1, 2])),
        refused("torch.lu_unpack: Expected tensor with 2 or more", make(2), _exchanges(1, 2)),
        refused("pivots passed to lu_unpack must be between 1 and LU.size(-2)", make(2, 2), _exchanges(1, 3)),
    ],
)
def lu_unpack(
    F: Any, LU_data: Tensor, LU_pivots: Index, unpack_data: bool = True, unpack_pivots: bool = True
) -> Any:
    """P, L and U with A = P @ L @ U, from what linalg.lu_factor gives; what is not unpacked is empty.

    Smooth everywhere.
    """
    P, L, U = F._lu_unpack(LU_data, LU_pivots)
    none = F.zeros((0,), dtype=LU_data.meta.dtype)
    return F.detach(P) if unpack_pivots else none, L if unpack_data else none, U if unpack_data else none


def _solve_type(LU: Type, pivots: Type, B: Type, left: bool, adjoint: bool) -> Type:
    name = "linalg.lu_solve"
    check_floating(f"torch.{name}", LU)
    if LU.dtype is not B.dtype:
        raise DTypeError(
            f"{name}: Expected LU and B to have the same dtype, but found LU of type {LU.dtype.title} and B "
            f"of type {B.dtype.title} instead",
            expected=LU.dtype.name,
            actual=B.dtype.name,
        )
    if pivots.dtype is not int32:
        raise DTypeError(
            f"{name}: pivots should be a Tensor of scalar type torch.int32", actual=pivots.dtype.name
        )
    check_square(f"torch.{name}", LU)
    check_equation(name, LU, B, left)
    if not pivots.shape or pivots.shape[-1] != LU.shape[-1]:
        raise ShapeError(f"{name}: Number of pivots per batch should be same as the dimension of the matrix")
    if pivots.shape != LU.shape[:-1]:
        raise ShapeError(
            f"{name}: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(pivots.shape)} instead"
        )
    return by_columns((*broadcast_shapes(LU.shape[:-2], B.shape[:-2]), *B.shape[-2:]), B.dtype)


def _solve_rule(F: Any, x: Any, y: Any, g: Any, left: bool, adjoint: bool) -> Any:
    """gB solves the adjoint equation. With it gA = -gB X^H (or its mirror images), A = P L U, gives
    gL = tril(P^T gA U^H, -1) and gU = triu(L^H P^T gA)."""
    solve = getattr(F, "linalg.lu_solve")

    def share() -> Any:
        return solve(x[0], x[1], g, left=left, adjoint=not adjoint)

    def rule() -> Any:
        first, second = (share(), y) if left else (_turned(F, y), _turned(F, share()))
        if adjoint:
            first, second = second, first
        found = F.neg(F.matmul(first, _turned(F, second)))
        P, L, U = F._lu_unpack(x[0], x[1])
        found = F.matmul(F.mT(P), found)
        gL = lower(F, F.matmul(found, _turned(F, U)), -1)
        return F.add(gL, upper_(F, F.matmul(_turned(F, L), found)))

    return rule, None, share


@kernel(
    "linalg.lu_solve",
    kind="decomposition",
    infer=_solve_type,
    vjp=_solve_rule,
    saves=("LU", "adjoint", "left", "pivots", "result"),
    grad_fn="LinalgLuSolveBackward0",
    samples=lambda make: [
        sample(regular(make, 3, 3), _exchanges(2, 3, 3), make(3, 2)),
        sample(regular(make, 2, 2, 2), _exchanges([1, 2], [2, 2]), make(2, 1), adjoint=True),
        sample(regular(make, 2, 2), _exchanges(2, 2), make(3, 2), left=False),
        sample(regular(make, 2, 2), _exchanges(2, 2), make(1, 2), left=False, adjoint=True),
        sample(complex_regular(make, 2, 2), _exchanges(2, 2), make(2, 1) + 1j * make(2, 1), adjoint=True),
        sample(complex_regular(make, 2, 2), _exchanges(2, 2), make(1, 2) + 1j * make(1, 2), left=False),
    ],
    refusals=lambda make: [
        refused("pivots should be a Tensor of scalar type torch.int32", make(2, 2), make.ints(2), make(2, 2)),
        refused("Number of pivots per batch should be", make(2, 2), _exchanges(1), make(2, 2)),
        refused("Incompatible shapes of A and B", make(2, 2), _exchanges(1, 2), make(3, 2)),
        refused("but got pivots with shape [2] instead", make(2, 2, 2), _exchanges(1, 2), make(2, 2)),
        refused("Expected a floating point", make.ints(2, 2), _exchanges(1, 2), make.ints(2, 2)),
    ],
)
def linalg_lu_solve(
    LU: Tensor, pivots: Index, B: Tensor, *, left: bool = True, adjoint: bool = False, lead: int
) -> Array:
    """X with A @ X = B, or with X @ A = B, from what linalg.lu_factor gives for A; A^H for A if `adjoint`.

    Smooth where it is defined; a zero on U's diagonal gives inf or nan, and so it does for the derivative.
    """
    rank = max(LU.ndim, B.ndim) - lead
    exchanges = behind(pivots, lead, rank - 1)
    return solved(behind(LU, lead, rank), exchanges, behind(B, lead, rank), left, adjoint)


@composite(
    "lu_solve",
    samples=lambda make: [
        sample(make(3, 2), regular(make, 3, 3), _exchanges(2, 3, 3)),
        sample(make(2, 1), regular(make, 2, 2, 2), _exchanges([1, 2], [2, 2])),
    ],
    refusals=lambda make: [
        refused("Incompatible shapes of A and B", make(3, 2), make(2, 2), _exchanges(1, 2)),
        refused("The input tensor B must have at least 2 dimensions", make(2), make(2, 2), _exchanges(1, 2)),
    ],
)
def lu_solve(F: Any, input: Tensor, LU_data: Tensor, LU_pivots: Index) -> Any:
    """X with A @ X = input, from what linalg.lu_factor gives for A.

    Smooth where it is defined; a zero on U's diagonal gives inf or nan, and so it does for the derivative.
    """
    return getattr(F, "linalg.lu_solve")(LU_data, LU_pivots, input)
