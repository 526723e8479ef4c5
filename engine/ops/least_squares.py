"""Solutions of systems of linear equations by least squares."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import int64, real_of
from engine.errors import DTypeError, RuntimeArgumentError, ShapeError
from engine.leading import behind
from engine.op import refused, sample
from engine.ops.inverse import complex_regular, regular
from engine.ops.matrices import adjoint, by_columns, each_matrix
from engine.ops.pseudoinverse import pinv_rule
from engine.ops.solving import is_vector
from engine.signature import Array, Tensor
from engine.types import Type, broadcast_shapes

_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")
_NAME = "torch.linalg.lstsq"


def _check(A: Type, B: Type, driver: str) -> None:
    if A.ndim < 2:
        raise ShapeError(f"{_NAME}: input must have at least 2 dimensions.", actual=A.ndim)
    if B.ndim < 1:
        raise ShapeError(f"{_NAME}: other must have at least 1 dimension.", actual=B.ndim)
    if A.dtype is not B.dtype:
        raise DTypeError(
            f"{_NAME}: Expected input and other to have the same dtype, but got input's dtype "
            f"{A.dtype.title} and other's dtype {B.dtype.title}"
        )
    if not 0 <= A.ndim - B.ndim <= 1:
        raise ShapeError(
            f"{_NAME}: input.dim() must be greater or equal to other.dim() and "
            "(input.dim() - other.dim()) <= 1"
        )
    if A.shape[-2] != B.shape[-1 if is_vector(A.shape, B.shape) else -2]:
        raise ShapeError(f"{_NAME}: input.size(-2) should match other.size(-2)")
    if driver not in _DRIVERS:
        raise RuntimeArgumentError(
            f"{_NAME}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)", actual=driver
        )
    if A.dtype.name not in ("float32", "float64", "complex64", "complex128"):
        raise DTypeError("This function doesn't handle types other than float and double")


def _lstsq_type(A: Type, B: Type, rcond: Any, driver: str) -> tuple[Type, Type, Type, Type]:
    _check(A, B, driver)
    vector = is_vector(A.shape, B.shape)
    wide = (*B.shape, 1) if vector else B.shape
    batch = broadcast_shapes(A.shape[:-2], wide[:-2])
    (rows, columns), count, real = A.shape[-2:], wide[-1], real_of(A.dtype)
    shape = (*batch, columns, count)
    least = rows > columns and driver != "gelsy"
    values = (*batch, min(rows, columns)) if driver in ("gelsd", "gelss") else (0,)
    return (
        Type(shape[:-1], A.dtype) if vector else by_columns(shape, A.dtype),
        Type((*batch, count) if least else (0,), real),
        Type((0,) if driver == "gels" else batch, int64),
        Type(values, real),
    )


def _lstsq_rule(F: Any, x: Any, solution: Any, g: Any) -> Any:
    """X = A^+ B, and the residuals are the squared norms of AX - B."""
    A, B = x
    vector = is_vector(A.meta.shape, B.meta.shape)
    right, X = (F.unsqueeze(each, -1) if vector else each for each in (B, solution))
    gX = F.unsqueeze(g[0], -1) if vector and g[0] is not None else g[0]
    pinv = getattr(F, "linalg.pinv")(A)
    none = g[1] is None or g[1].meta.shape == (0,)  # there are no residuals
    miss = None if none else F.mul(F.mul(F.sub(F.matmul(A, X), right), F.unsqueeze(g[1], -2)), 2)

    def rule() -> Any:
        found = None if gX is None else pinv_rule(F, A, pinv, F.matmul(gX, adjoint(F, right)))
        if miss is None:
            return found
        more = F.matmul(miss, adjoint(F, X))
        return more if found is None else F.add(found, more)

    def share() -> Any:
        found = None if gX is None else F.matmul(adjoint(F, pinv), gX)
        if miss is not None:
            found = F.neg(miss) if found is None else F.sub(found, miss)
        return F.squeeze(found, -1) if vector and found is not None else found

    return rule, share


@kernel(
    "_linalg_lstsq",
    kind="decomposition",
    infer=_lstsq_type,
    vjp=lambda F, x, y, g, rcond, driver: _lstsq_rule(F, x, y[0], g),
    saves=("B for A", "self", "solution"),
    outputs=("solution", "residuals", "rank", "singular_values"),
    grad_fn="LinalgLstsqBackward0",
    batched="loop",
    samples=lambda make: [],
)
def _linalg_lstsq(A: Tensor, B: Tensor, rcond: float | None, driver: str, *, meta: Any, lead: int) -> Any:
    """The solutions, the squares of what they miss, the ranks, the singular values.

    As linalg.lstsq.
    """
    from scipy.linalg import lstsq

    vector = is_vector(A.shape[lead:], B.shape[lead:])
    wide = B[..., None] if vector else B
    rank = max(A.ndim, wide.ndim) - lead
    A, wide = behind(A, lead, rank), behind(wide, lead, rank)
    (rows, columns), count, real = A.shape[-2:], wide.shape[-1], A.real.dtype
    cut = max(rows, columns) * float(np.finfo(real).eps) if rcond is None else rcond
    name = "gelsy" if driver == "gels" else driver

    def one(matrix: Array, right: Array) -> Any:
        found, _, size, values = lstsq(matrix, right, cond=cut, lapack_driver=name, check_finite=False)
        missed = matrix @ found - right
        squares = (missed * missed.conj()).real.sum(axis=0)
        return found, squares, size, np.zeros(0) if values is None else values

    kinds = (columns, count), (count,), (), (meta[3].shape[-1:] if meta[3].shape != (0,) else (0,))
    types = A.dtype, real, np.int64, real
    found, squares, sizes, values = each_matrix(
        one, [(A, 2), (wide, 2)], list(zip(kinds, types, strict=True))
    )
    if driver == "gels" and np.any(sizes < min(rows, columns)):
        at = int(np.min(sizes)) + 1
        raise RuntimeArgumentError(
            f"{_NAME}: The least squares solution could not be computed because the input matrix does not "
            f"have full rank (error code: {at})."
        )
    batch = A.shape[:lead]
    none = [np.zeros((*batch, 0), each) for each in (real, np.int64, real)]
    return (
        found[..., 0] if vector else found,
        none[0] if meta[1].shape == (0,) else squares,
        none[1] if driver == "gels" else sizes,
        none[2] if meta[3].shape == (0,) else values,
    )


@composite(
    "linalg.lstsq",
    outputs=("solution", "residuals", "rank", "singular_values"),
    samples=lambda make: [
        sample(make(3, 2) + 2 * np.eye(3, 2), make(3, 2)),
        sample(regular(make, 2, 2), make(2, 1)),
        sample(make(2, 3) + 2 * np.eye(2, 3), make(2)),
        sample(make(2, 3, 2) + 2 * np.eye(3, 2), make(2, 3, 1), driver="gelsd"),
        sample(complex_regular(make, 2, 2), make(2, 1) + 1j * make(2, 1)),
    ],
    refusals=lambda make: [
        refused("torch.linalg.lstsq: input must have at least 2 dimensions.", make(2), make(2)),
        refused("should be one of (gels, gelsy, gelsd, gelss)", make(2, 2), make(2, 2), driver="x"),
        refused("input.size(-2) should match other.size(-2)", make(3, 2), make(2, 2)),
        refused("input.dim() must be greater or equal", make(2, 2), make(2, 2, 2)),
        refused("Expected input and other to have the same dtype", make(2, 2), make.ints(2, 2)),
    ],
)
def lstsq(F: Any, A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """X with the least norm of A @ X - B, the squares of these norms, the ranks of A and its singular values.

    Smooth where the rank of A does not change. What the driver (gelsy if None) does not give is empty.

    Unlike torch: with gelsd and gelss the residuals have their shape for matrices without full rank, too.
    """
    solution, residuals, rank, values = F._linalg_lstsq(A, B, rcond, driver or "gelsy")
    return solution, residuals, rank, F.detach(values)
