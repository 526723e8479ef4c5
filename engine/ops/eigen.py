"""Eigenvalues and eigenvectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import FLOAT, complex_of, float16, real_of
from engine.errors import DTypeError, GradError, RuntimeArgumentError
from engine.op import refused, sample
from engine.ops.dtype_checks import no_kernel
from engine.ops.inverse import regular
from engine.ops.matrices import adjoint, by_columns, check_lapack, check_square, columnwise, diagonal_matrix
from engine.signature import Array, Fixed, Tensor
from engine.types import Type

_CLOSE = 1e-2  # how far a loss may depend on the phases, as torch allows


def _eigh_type(A: Type, UPLO: str) -> tuple[Type, Type]:
    check_square("linalg.eigh", A)
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeArgumentError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}", actual=UPLO)
    check_lapack("linalg_eigh_cpu", A)
    return Type(A.shape[:-1], real_of(A.dtype)), by_columns(A.shape, A.dtype)


def _apart(F: Any, values: Any) -> Any:
    """The differences of eigenvalues, columns less rows; ones on the diagonal."""
    found = F.sub(F.unsqueeze(values, -2), F.unsqueeze(values, -1))
    return F.add(found, F.eye(values.meta.shape[-1], dtype=values.meta.dtype))


def _eigh_rule(F: Any, y: Any, g: Any) -> Any:
    """V (skew(V^H gV) / E + diag(gL)) V^H, where E are the differences of eigenvalues."""
    (values, V), (gL, gV) = y, g
    turned = adjoint(F, V)
    if gV is None:
        return F.matmul(F.mul(V, F.unsqueeze(gL, -2)), turned)
    inner = F.matmul(turned, gV)
    if V.meta.dtype.is_complex:
        inner = F._eig_phase_free(inner, F.diagonal(inner, 0, -2, -1), True)
    inner = F.mul(F.sub(inner, adjoint(F, inner)), 0.5)
    inner = F.div(inner, _apart(F, values))
    if V.meta.dtype.is_complex:
        inner = F.sub(inner, diagonal_matrix(F, F.diagonal(inner, 0, -2, -1)))
    if gL is not None:
        inner = F.add(inner, diagonal_matrix(F, gL))
    return F.matmul(V, F.matmul(inner, turned))


@kernel(
    "_eig_phase_free",
    kind="structural",
    infer=lambda input, diagonal, hermitian: Type(input.shape, input.dtype),
    vjp=lambda F, x, y, g, hermitian: (lambda: g, None),
    samples=lambda make: [],
)
def _eig_phase_free(input: Tensor, diagonal: Fixed, hermitian: bool) -> Array:
    """`input`, refused if a loss depends on the phases that eigenvectors happen to have.

    Smooth everywhere.
    """
    if np.any(np.abs(diagonal.imag) > _CLOSE):
        name = "linalg_eigh_backward" if hermitian else "linalg_eig_backward"
        raise GradError(
            f"{name}: The eigenvectors in the complex case are specified up to multiplication by "
            "e^{i phi}. The specified loss function depends on this quantity, so it is ill-defined."
        )
    found: Array = input.copy()
    return found


@kernel(
    "_linalg_eigh",
    kind="decomposition",
    infer=_eigh_type,
    vjp=lambda F, x, y, g, UPLO: (lambda: _eigh_rule(F, y, g),),
    saves=("eigenvalues", "eigenvectors"),
    outputs=("eigenvalues", "eigenvectors"),
    grad_fn="LinalgEighBackward0",
    samples=lambda make: [],
)
def _linalg_eigh(A: Tensor, UPLO: str) -> Any:
    """The eigenvalues and eigenvectors of Hermitian matrices.

    As linalg.eigh.
    """
    finite = np.isfinite(A).all(axis=(-2, -1))
    if not finite.all():
        A = np.where(finite[..., None, None], A, 0)
    values, vectors = np.linalg.eigh(A, "L" if UPLO in ("L", "l") else "U")
    if not finite.all():
        values = np.where(finite[..., None], values, np.nan)
        vectors = np.where(finite[..., None, None], vectors, np.nan)
    return values.astype(A.real.dtype, copy=False), columnwise(vectors.astype(A.dtype, copy=False))


def _samples(make: Any) -> list[Any]:
    """One by one: of larger ones only a triangle is read, while the derivative is symmetrised."""
    return [sample(make(1, 1)), sample(make(3, 1, 1), "U"), sample(make(0, 0)), sample(make(2, 0, 0))]


def _refusals(make: Any) -> list[Any]:
    return [
        refused("linalg.eigh: The input tensor A must have at least 2 dimensions.", make(3)),
        refused("linalg.eigh: A must be batches of square matrices, but they are 2 by 3", make(2, 3)),
        refused("\"linalg_eigh_cpu\" not implemented for 'Long'", make.ints(2, 2)),
        refused("Expected UPLO argument to be 'L' or 'U', but got X", make(2, 2), "X"),
    ]


@composite("linalg.eigh", outputs=("eigenvalues", "eigenvectors"), samples=_samples, refusals=_refusals)
def eigh(F: Any, A: Tensor, UPLO: str = "L") -> Any:
    """The eigenvalues of Hermitian matrices, the smallest first, and eigenvectors as columns.

    Only the triangle UPLO is read; the derivative is that for Hermitian matrices, symmetrised. Repeated
    eigenvalues have no eigenvectors of their own: where these are used, the derivative there is inf or nan.
    For complex matrices a loss that depends on the phases of the vectors is refused.
    """
    return F._linalg_eigh(A, UPLO)


@composite("linalg.eigvalsh", samples=_samples, refusals=_refusals)
def eigvalsh(F: Any, A: Tensor, UPLO: str = "L") -> Any:
    """The eigenvalues of Hermitian matrices, the smallest first.

    Only the triangle UPLO is read; the derivative is that for Hermitian matrices, symmetrised. Where an
    eigenvalue is repeated, it is that by the eigenvectors that were found; the second is inf or nan there.
    """
    return F._linalg_eigh(A, UPLO)[0]


# -- of any square matrix


def _check_eig(name: str, A: Type) -> None:
    check_square(name, A)
    if A.dtype.category < FLOAT:
        raise DTypeError(f"Unknown Complex ScalarType for {A.dtype.title}", actual=A.dtype.name)
    if A.dtype is float16:
        raise no_kernel("linalg_eig_out_cpu", A.dtype)


def _eig_type(A: Type) -> tuple[Type, Type]:
    _check_eig("linalg.eig", A)
    dtype = A.dtype if A.dtype.is_complex else complex_of(A.dtype)
    return Type(A.shape[:-1], dtype), by_columns(A.shape, dtype)


def _eig_rule(F: Any, y: Any, g: Any) -> Any:
    """V^-H ((V^H gV - V^H V diag(Re(V^H gV))) / E* + diag(gL)) V^H, for columns of norm 1."""
    (values, V), (gL, gV) = y, g
    turned = adjoint(F, V)
    solve = getattr(F, "linalg.solve")
    if gV is None:
        return solve(turned, F.mul(F.unsqueeze(gL, -1), turned))
    inner = F.matmul(turned, gV)
    real = F.real(F.diagonal(inner, 0, -2, -1))
    inner = F._eig_phase_free(inner, F.diagonal(inner, 0, -2, -1), False)
    inner = F.sub(inner, F.mul(F.matmul(turned, V), F.unsqueeze(real, -2)))
    inner = F.div(inner, F.conj(_apart(F, values)))
    if gL is not None:
        inner = F.add(F.sub(inner, diagonal_matrix(F, F.diagonal(inner, 0, -2, -1))), diagonal_matrix(F, gL))
    return solve(turned, F.matmul(inner, turned))


@kernel(
    "_linalg_eig",
    kind="decomposition",
    infer=_eig_type,
    vjp=lambda F, x, y, g: (lambda: _eig_rule(F, y, g),),
    saves=("eigenvalues", "eigenvectors"),
    outputs=("eigenvalues", "eigenvectors"),
    grad_fn="LinalgEigBackward0",
    samples=lambda make: [],
)
def _linalg_eig(A: Tensor, *, meta: Any) -> Any:
    """The eigenvalues and eigenvectors of square matrices.

    As linalg.eig.
    """
    if not np.isfinite(A).all():
        raise RuntimeArgumentError("torch.linalg.eig: input tensor should not contain infs or NaNs.")
    values, vectors = (each.astype(meta[0].dtype.numpy, copy=False) for each in np.linalg.eig(A))
    return values, columnwise(vectors)


def _eig_refusals(name: str) -> Any:
    return lambda make: [
        refused(f"{name}: The input tensor A must have at least 2 dimensions.", make(3)),
        refused(f"{name}: A must be batches of square matrices, but they are 2 by 3", make(2, 3)),
        refused("Unknown Complex ScalarType for Long", make.ints(2, 2)),
        refused("\"linalg_eig_out_cpu\" not implemented for 'Half'", make(2, 2).astype(np.float16)),
    ]


@composite(
    "linalg.eig",
    outputs=("eigenvalues", "eigenvectors"),
    samples=lambda make: [sample(make(0, 0)), sample(make(2, 0, 0))],
    refusals=lambda make: [
        *_eig_refusals("linalg.eig")(make),
        refused("torch.linalg.eig: input tensor should not contain infs or NaNs.", np.full((1, 1), np.nan)),
    ],
)
def eig(F: Any, A: Tensor) -> Any:
    """The complex eigenvalues of square matrices, in no order, and eigenvectors of norm 1 as columns.

    Repeated eigenvalues have no eigenvectors of their own: where these are used, the derivative there is inf
    or nan. A loss that depends on the phases of the vectors is refused.
    """
    return F._linalg_eig(A)


@composite(
    "linalg.eigvals",
    samples=lambda make: [
        sample(regular(make, 3, 3)),
        sample(np.stack([regular(make, 2, 2), np.array([[0.5, 2.0], [-1.0, 0.3]])])),
        sample(regular(make, 2, 2) + 0.5j * make(2, 2)),
        sample(make(0, 0)),
    ],
    refusals=_eig_refusals("linalg.eigvals"),
)
def eigvals(F: Any, A: Tensor) -> Any:
    """The complex eigenvalues of square matrices, in no order.

    Where eigenvalues meet and the matrix has no basis of eigenvectors, the derivative is inf or nan.

    Unlike torch: what is not finite is refused, as it is by linalg.eig; torch gives nan.
    """
    _check_eig("linalg.eigvals", A.meta)
    return F._linalg_eig(A)[0]
