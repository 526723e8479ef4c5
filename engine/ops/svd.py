"""The singular value decomposition."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import FLOAT, DType, float16, real_of
from engine.errors import DTypeError, GradError, RuntimeArgumentError, ShapeError, UnsupportedDType
from engine.op import refused, sample
from engine.signature import Array, Fixed, Tensor
from engine.types import Shape, Type, contiguous_strides, strided

_CLOSE = 1e-2  # how far a loss may depend on the phases, as torch allows


def _matrices(shape: Shape, dtype: DType) -> Type:
    """Matrices column by column, as LAPACK leaves them."""
    return strided(shape, dtype, (*contiguous_strides(shape)[:-2], 1, max(shape[-2], 1)))


def _svd_type(input: Type, full_matrices: bool) -> tuple[Type, Type, Type]:
    dtype = input.dtype
    if dtype.category < FLOAT:
        raise DTypeError(
            f"linalg.svd: Expected a floating point or complex tensor as input. Got {dtype.title}",
            actual=dtype.name,
        )
    if input.ndim < 2:
        raise ShapeError("linalg.svd: The input tensor A must have at least 2 dimensions.")
    if dtype is float16:
        raise UnsupportedDType(f"\"linalg_svd_cpu\" not implemented for '{dtype.title}'", actual=dtype.name)
    *batch, rows, columns = input.shape
    least = min(rows, columns)
    wide, tall = (columns, rows) if full_matrices else (least, least)
    return (
        _matrices((*batch, rows, tall), dtype),
        Type((*batch, least), real_of(dtype)),
        _matrices((*batch, wide, columns), dtype),
    )


# -- the derivative


def _adjoint(F: Any, value: Any) -> Any:
    return F.mT(F.conj(value))


def _leading(F: Any, matrix: Any, dim: int, size: int) -> Any:
    """The first `size` columns or rows; None as it is."""
    whole = matrix is None or matrix.meta.shape[dim] == size
    return matrix if whole else F.narrow(matrix, dim, 0, size)


def _turn(F: Any, left: Any, right: Any) -> Any:
    """The product, less its adjoint."""
    found = F.matmul(left, right)
    return F.sub(found, _adjoint(F, found))


def _diagonal_matrix(F: Any, values: Any) -> Any:
    shape = values.meta.shape
    return F._diagonal_backward(values, (*shape, shape[-1]), 0, -2, -1)


def _core(F: Any, s: Any, g: Any, turned_u: Any, turned_v: Any) -> Any:
    """The cotangent between the factors: that of U^H A V."""
    squares = F.square(s)
    apart = F.sub(F.unsqueeze(squares, -2), F.unsqueeze(squares, -1))
    apart = F.add(apart, F.eye(s.meta.shape[-1], dtype=s.meta.dtype))
    columns, rows = F.unsqueeze(s, -2), F.unsqueeze(s, -1)
    if turned_u is None:
        found = F.mul(rows, F.div(turned_v, apart))
    elif turned_v is None:
        found = F.mul(F.div(turned_u, apart), columns)
    else:
        found = F.div(F.add(F.mul(turned_u, columns), F.mul(rows, turned_v)), apart)
    if g is not None:
        found = F.add(found, _diagonal_matrix(F, g))
    if turned_u is not None and turned_v is not None and turned_u.meta.dtype.is_complex:
        phase = F.div(F.diagonal(turned_u, 0, -2, -1), F.mul(s, 2))
        found = F.add(found, _diagonal_matrix(F, phase))
    return found


def _checked(F: Any, found: Any, turned_u: Any, turned_v: Any) -> Any:
    """`found`, if the loss does not depend on the phases of complex singular vectors."""
    turns = [F.imag(F.diagonal(each, 0, -2, -1)) for each in (turned_u, turned_v) if each is not None]
    return F._svd_phase_free(found, turns[0] if len(turns) == 1 else F.add(*turns), turns[0])


def _svd_rule(F: Any, factors: Any, g: Any) -> Any:
    """The cotangent of the matrix. Of full matrices the leading part is meant."""
    u, s, vh = factors
    gu, gs, gvh = g
    least = s.meta.shape[-1]
    u, gu = (_leading(F, each, -1, least) for each in (u, gu))
    vh, gvh = (_leading(F, each, -2, least) for each in (vh, gvh))
    if gu is None and gvh is None:
        return _values_rule(F, u, vh, gs)
    turned_u = None if gu is None else _turn(F, _adjoint(F, u), gu)
    turned_v = None if gvh is None else _turn(F, vh, _adjoint(F, gvh))
    core = _core(F, s, gs, turned_u, turned_v)
    if u.meta.dtype.is_complex:
        core = _checked(F, core, turned_u, turned_v)
    if u.meta.shape[-2] > least and gu is not None:
        beside = F.div(gu, F.unsqueeze(s, -2))
        beside = F.sub(beside, F.matmul(u, F.matmul(_adjoint(F, u), beside)))
        return F.matmul(F.add(F.matmul(u, core), beside), vh)
    if vh.meta.shape[-1] > least and gvh is not None:
        beside = F.div(gvh, F.unsqueeze(s, -1))
        beside = F.sub(beside, F.matmul(F.matmul(beside, _adjoint(F, vh)), vh))
        return F.matmul(u, F.add(F.matmul(core, vh), beside))
    return F.matmul(F.matmul(u, core), vh)


def _values_rule(F: Any, u: Any, vh: Any, gs: Any) -> Any:
    """The same where only the singular values are used: it holds for repeated ones, too."""
    if u.meta.shape[-2] >= vh.meta.shape[-1]:
        return F.matmul(u, F.mul(F.unsqueeze(gs, -1), vh))
    return F.matmul(F.mul(u, F.unsqueeze(gs, -2)), vh)


@kernel(
    "_svd_phase_free",
    kind="structural",
    infer=lambda input, phase, turn: Type(input.shape, input.dtype),
    vjp=lambda F, x, y, g: (lambda: g, None, None),
    samples=lambda make: [],
)
def _svd_phase_free(input: Tensor, phase: Fixed, turn: Fixed) -> Array:
    """`input`, refused if a loss depends on the phases that singular vectors happen to have.

    Smooth everywhere.
    """
    if np.any(np.abs(phase) > _CLOSE + _CLOSE * np.abs(turn)):
        raise GradError(
            "svd_backward: The singular vectors in the complex case are specified up to multiplication by "
            "e^{i phi}. The specified loss function depends on this phase term, making it ill-defined."
        )
    found: Array = input.copy()
    return found


# -- the ops


@kernel(
    "_linalg_svd",
    kind="decomposition",
    infer=_svd_type,
    vjp=lambda F, x, y, g, full_matrices: (lambda: _svd_rule(F, y, g),),
    saves=("S", "S_sym_argsize_minus_1", "U", "Vh", "full_matrices"),
    outputs=("U", "S", "Vh"),
    grad_fn="LinalgSvdBackward0",
    samples=lambda make: [],
)
def _linalg_svd(input: Tensor, full_matrices: bool) -> Any:
    """U, S and Vh with input = U @ diag(S) @ Vh.

    As linalg.svd.
    """
    try:
        return tuple(np.linalg.svd(input, full_matrices))
    except np.linalg.LinAlgError:
        raise RuntimeArgumentError(f"linalg.svd: {failure(input)}") from None


def failure(input: Array) -> str:
    """Why LAPACK gave up."""
    finite = np.isfinite(input).all(axis=(-2, -1))
    reason = "is ill-conditioned or has too many repeated singular values (error code: 1)."
    if not finite.all():
        reason = "contained non-finite values."
    batch = f"(Batch element {int(np.argmin(finite.ravel()))}): " if input.ndim > 2 else ""
    return f"{batch}The algorithm failed to converge because the input matrix {reason}"


def _refusals(make: Any) -> list[Any]:
    return [
        refused("linalg.svd: The input tensor A must have at least 2 dimensions.", make(3)),
        refused(
            "linalg.svd: Expected a floating point or complex tensor as input. Got Long", make.ints(2, 2)
        ),
        refused("\"linalg_svd_cpu\" not implemented for 'Half'", make(2, 2).astype(np.float16)),
        refused(
            "linalg.svd: The algorithm failed to converge because the input matrix contained non-finite",
            np.full((2, 2), np.nan),
        ),
        refused("linalg.svd: (Batch element 1): ", np.stack([make(2, 2), np.full((2, 2), np.nan)])),
    ]


@composite(
    "linalg.svd",
    outputs=("U", "S", "Vh"),
    samples=lambda make: [
        sample(make(3, 3)),
        sample(make(2, 3), False),
        sample(make(3, 2), full_matrices=False),
        sample(make(2, 3, 2), full_matrices=False),
        sample(make(2, 0), False),
    ],
    refusals=_refusals,
)
def svd(F: Any, input: Tensor, full_matrices: bool = True) -> Any:
    """U, S and Vh with input = U @ diag(S) @ Vh; U and Vh unitary, S from the largest to 0.

    Repeated singular values have no singular vectors of their own: where U or Vh is used, the derivative
    there is inf or nan, and so it is at a singular value of 0 if the matrix is not square. For complex
    matrices a loss that depends on the phases of the vectors is refused. What a full U or Vh has beyond the
    smaller side is a constant.
    """
    return F._linalg_svd(input, full_matrices)


@composite(
    "linalg.svdvals",
    samples=lambda make: [
        sample(make(3, 3)),
        sample(make(2, 3)),
        sample(make(2, 3, 2)),
        sample(make(2, 3) + 1j * make(2, 3)),
        sample(make(3, 2) + 1j * make(3, 2)),
        sample(make(0, 2)),
    ],
    refusals=_refusals,
)
def svdvals(F: Any, input: Tensor) -> Any:
    """The singular values of matrices, from the largest on.

    Where a singular value is 0 or repeated, the derivative is that by the singular vectors that were found;
    the second derivative is inf or nan there.
    """
    return F._linalg_svd(input, False)[1]
