"""Decompositions that read a triangle, or whose factors have a free sign or phase: derivatives of what is
neither, by differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import engine
from engine import linalg
from engine.errors import GradError

STEP = 1e-6


def hermitian(x: Any) -> Any:
    """Positive definite, with eigenvalues apart."""
    turned = x.mT if not x.dtype.is_complex else engine.conj(x).mT
    return x @ turned + engine.tensor(np.diag([1.0, 2.0, 4.0]))


LOSSES: dict[str, Callable[[Any], Any]] = {
    "cholesky": lambda x: linalg.cholesky(hermitian(x)).abs().square(),
    "cholesky_upper": lambda x: linalg.cholesky(hermitian(x), upper=True).abs().square(),
    "eigvalsh": lambda x: linalg.eigvalsh(hermitian(x)),
    "eigvalsh_upper": lambda x: linalg.eigvalsh(hermitian(x), "U"),
    "eigh": lambda x: linalg.eigh(hermitian(x))[1].abs(),
    "eig": lambda x: linalg.eig(hermitian(x))[1].abs(),
    "qr_wide": lambda x: linalg.qr(x[:2])[1].abs(),
    "cholesky_solve": lambda x: engine.cholesky_solve(x, linalg.cholesky(hermitian(x))).abs(),
    "cholesky_inverse": lambda x: engine.cholesky_inverse(linalg.cholesky(hermitian(x))).abs(),
    "matrix_rank": lambda x: linalg.det(x).abs() * linalg.matrix_rank(x),
    "slogdet_sign": lambda x: (linalg.slogdet(x)[0] * (1 if not x.dtype.is_complex else 1j)).real + x.abs(),
}


def loss(name: str, x: Any, weights: Any) -> Any:
    found = LOSSES[name](x)
    return (found * engine.tensor(np.resize(weights, found.shape))).sum()


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("name", LOSSES)
def test_derivative_is_the_difference_quotient(name: str, dtype: str) -> None:
    generator = np.random.default_rng(3)

    def draw() -> Any:
        real, imaginary = generator.normal(size=(2, 3, 3))
        return real if dtype == "float64" else real + 1j * imaginary

    start, direction, weights = draw(), draw(), generator.normal(size=9)
    x = engine.tensor(start, requires_grad=True)
    loss(name, x, weights).backward()
    found = float(np.sum(np.conj(x.grad.array) * direction).real)
    ahead, behind = (
        float(loss(name, engine.tensor(start + sign * STEP * direction), weights)) for sign in (1, -1)
    )
    assert found == pytest.approx((ahead - behind) / (2 * STEP), rel=1e-5, abs=1e-6)


def test_gradient_of_cholesky_is_symmetric() -> None:
    a = engine.tensor([[4.0, 1.0], [1.0, 3.0]], requires_grad=True)
    linalg.cholesky(a).sum().backward()
    np.testing.assert_allclose(a.grad.array, a.grad.array.T, rtol=1e-6)


def test_losses_that_depend_on_phases_are_refused() -> None:
    x = engine.tensor([[1.0, 1j], [-1j, 3.0]], requires_grad=True)
    vectors = linalg.eigh(x)[1]
    with pytest.raises(GradError, match="linalg_eigh_backward: The eigenvectors in the complex case"):
        (vectors * engine.tensor([[1j, 2.0], [0.5, 1.0]])).real.sum().backward()


def test_determinant_of_a_singular_matrix() -> None:
    x = engine.tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
    linalg.det(x).backward()
    assert x.grad.tolist() == pytest.approx(np.array([[4.0, -2.0], [-2.0, 1.0]]))


def test_inverses_of_singular_matrices_are_named() -> None:
    inverse, info = linalg.inv_ex(engine.tensor([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [2.0, 4.0]]]))
    assert info.tolist() == [0, 2]
    assert np.isinf(inverse.array[1]).all()
