"""What singular values tell: condition numbers and ranks; torch.svd."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.define import composite
from engine.dtypes import int64, real_of
from engine.errors import DTypeError, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.inverse import regular
from engine.ops.matrices import adjoint, check_matrix
from engine.signature import Number, Tensor
from engine.types import Type


def _check_cond(A: Type, p: Any) -> None:
    if A.ndim < 2:
        raise ShapeError("linalg.cond: The input tensor must have at least 2 dimensions.", actual=A.ndim)
    if p is None or p in ("fro", "nuc"):
        return
    if isinstance(p, str) or abs(p) not in (1, 2, math.inf):
        shown = p if isinstance(p, str) else f"{p:g}"
        raise RuntimeArgumentError(f"linalg.cond got an invalid norm type: {shown}", actual=shown)


@composite(
    "linalg.cond",
    samples=lambda make: [
        sample(regular(make, 3, 3)),
        sample(regular(make, 2, 2, 2), -2),
        sample(make(2, 3) + 3 * np.eye(2, 3)),
        sample(regular(make, 2, 2), "fro"),
        sample(regular(make, 2, 2), 1),
    ],
    refusals=lambda make: [
        refused("linalg.cond: The input tensor must have at least 2 dimensions.", make(2)),
        refused("linalg.cond got an invalid norm type: 3", make(2, 2), 3),
        refused("linalg.cond(ord=1): A must be batches of square matrices", make(2, 3), 1),
    ],
)
def cond(F: Any, A: Tensor, p: Number | str | None = None) -> Any:
    """The condition number: the norm of a matrix times that of its inverse (by singular values if p is 2).

    As that of the norms. At a singular matrix it is inf, and the derivative inf or nan.
    """
    _check_cond(A.meta, p)
    if A.meta.numel == 0:
        return F.zeros(A.meta.shape[:-2], dtype=real_of(A.meta.dtype))
    if p is None or p in (2, -2):
        values = getattr(F, "linalg.svdvals")(A)
        most, least = F.narrow(values, -1, 0, 1), F.narrow(values, -1, values.meta.shape[-1] - 1, 1)
        return F.squeeze(F.div(least, most) if p == -2 else F.div(most, least), -1)
    rows, columns = A.meta.shape[-2:]
    if rows != columns:
        shown = p if isinstance(p, str) else f"{p:g}"
        raise ShapeError(
            f"linalg.cond(ord={shown}): A must be batches of square matrices, but they are {rows} by "
            f"{columns} matrices"
        )
    inverse, info = getattr(F, "linalg.inv_ex")(A)
    inverse = F.where(F.unsqueeze(F.unsqueeze(F.gt(info, 0), -1), -1), math.inf, inverse)
    norm = getattr(F, "linalg.matrix_norm")
    return F.mul(norm(A, p), norm(inverse, p))


@composite(
    "linalg.matrix_rank",
    samples=lambda make: [
        sample(regular(make, 3, 3)),
        sample(make(2, 3)),
        sample(np.zeros((2, 2))),
        sample(regular(make, 2, 2), hermitian=True),
    ],
    refusals=lambda make: [
        refused("torch.linalg.matrix_rank: The input tensor input must have at least 2 dimensions.", make(2)),
        refused("This function doesn't handle types other than float and double", make.ints(2, 2)),
    ],
)
def matrix_rank(
    F: Any,
    A: Tensor,
    tol: float | None = None,
    hermitian: bool = False,
    *,
    atol: float | None = None,
    rtol: float | None = None,
) -> Any:
    """How many singular values are above max(atol, rtol * the largest), or above `tol`.

    An integer: it has no derivative.

    Unlike torch: tol, atol and rtol are numbers, not tensors.
    """
    check_matrix("torch.linalg.matrix_rank", A.meta, "input")
    if A.meta.dtype.name not in ("float32", "float64", "complex64", "complex128"):
        raise DTypeError("This function doesn't handle types other than float and double")
    if A.meta.numel == 0:
        return F.zeros(A.meta.shape[:-2], dtype=int64)
    atol = tol if tol is not None else atol
    if rtol is None:
        eps = float(np.finfo(A.meta.dtype.numpy).eps)
        rtol = 0.0 if atol else max(A.meta.shape[-2:]) * eps
    name = "linalg.eigvalsh" if hermitian else "linalg.svdvals"
    values = F.abs(getattr(F, name)(F.detach(A)))
    limit = F.clamp_min(F.mul(F.amax(values, (-1,), True), rtol), atol or 0.0)
    return F.sum(F.gt(values, limit), -1)


@composite(
    "svd",
    outputs=("U", "S", "V"),
    samples=lambda make: [
        sample(make(2, 2) + np.diag([3.0, 1.0])),
        sample(make(3, 2)),
        sample(make(2, 3), True),
        sample(make(2, 0)),
    ],
    refusals=lambda make: [
        refused("linalg.svd: input should have at least 2 dimensions, but has 1 dimensions instead", make(3)),
        refused("linalg.svd: Expected a floating point or complex tensor", make.ints(2, 2)),
    ],
)
def svd(F: Any, input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """U, S and V with input = U @ diag(S) @ V^H; zeros for U and V unless `compute_uv`.

    As linalg.svd.
    """
    rank = input.meta.ndim
    if rank < 2:
        raise ShapeError(
            f"linalg.svd: input should have at least 2 dimensions, but has {rank} dimensions instead",
            actual=rank,
        )
    if compute_uv:
        U, S, Vh = getattr(F, "linalg.svd")(input, not some)
        return U, S, adjoint(F, Vh) if Vh.meta.dtype.is_complex else F.mT(Vh)
    S = getattr(F, "linalg.svdvals")(input)
    *batch, rows, columns = input.meta.shape
    empty = [F.zeros((*batch, size, size), dtype=input.meta.dtype) for size in (rows, columns)]
    return empty[0], S, empty[1]
