"""The singular value decomposition where its derivative is delicate: factors on their own, ties, phases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine.errors import EngineError, GradError
from engine.registry import lookup

svd, svdvals = lookup("linalg.svd"), lookup("linalg.svdvals")
SQUARE, WIDE, TALL = (np.random.default_rng(0).uniform(-2, 2, shape) for shape in ((3, 3), (2, 4), (4, 2)))
MATRICES = pytest.mark.parametrize("matrix", [SQUARE, WIDE, TALL], ids=["square", "wide", "tall"])


def leaf(values: Any) -> engine.Tensor:
    return engine.Tensor(np.array(values), requires_grad=True)


@MATRICES
@pytest.mark.parametrize("full", [False, True])
def test_factors_multiply_to_the_matrix(matrix: Any, full: bool) -> None:
    u, s, vh = (each.numpy() for each in svd(engine.Tensor(matrix), full))
    least = len(s)
    np.testing.assert_allclose(u[:, :least] * s @ vh[:least], matrix)
    np.testing.assert_allclose(u.T @ u, np.eye(u.shape[1]), atol=1e-12)
    np.testing.assert_allclose(vh @ vh.T, np.eye(len(vh)), atol=1e-12)


@MATRICES
@pytest.mark.parametrize("used", range(3))
def test_each_factor_alone_has_the_derivative_of_the_program(matrix: Any, used: int) -> None:
    x = leaf(matrix)
    v = np.random.default_rng(used).uniform(-1, 1, svd(x, False)[used].shape)
    (eager,) = engine.grad(svd(x, False)[used], x, engine.Tensor(v))
    names = [None] * 3
    names[used] = "y"
    program = engine.Program(
        [{"op": "linalg.svd", "in": ["x"], "attrs": {"full_matrices": False}, "out": names}]
    )
    found = program.backward({"x": x}, ["y"], gradient=engine.Tensor(v))
    np.testing.assert_array_equal(found.grads["x"].numpy(), eager.numpy())


@MATRICES
def test_full_factors_have_the_derivative_of_their_leading_part(matrix: Any) -> None:
    found = []
    for full in (False, True):
        x = leaf(matrix)
        u, s, vh = svd(x, full)
        least = s.shape[0]
        loss = (u[:, :least] ** 3).sum() + (vh[:least] ** 3).sum() + s.sum()
        found.append(engine.grad(loss, x)[0].numpy())
    np.testing.assert_allclose(found[1], found[0], atol=1e-9)


def test_repeated_singular_values_have_a_derivative_and_their_vectors_none() -> None:
    x = leaf(np.eye(2))
    np.testing.assert_array_equal(engine.grad(svdvals(x).sum(), x)[0].numpy(), np.eye(2))
    assert np.isnan(engine.grad((svd(x)[0] ** 2).sum(), x)[0].numpy()).all()


def test_a_loss_of_the_phases_is_refused() -> None:
    x = leaf(SQUARE + 1j * SQUARE.T)
    with pytest.raises(GradError, match="depends on this phase term"):
        engine.grad(engine.real(svd(x)[0]).sum(), x)
    u, _, vh = svd(x)
    assert engine.grad(engine.real(u @ vh).sum(), x)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    stack = np.stack([SQUARE, np.full((3, 3), bad)])
    with pytest.raises(EngineError, match=r"\(Batch element 1\): .* contained non-finite values"):
        svdvals(engine.Tensor(stack))


def test_a_program_expects_more_work_of_larger_matrices() -> None:
    program = engine.Program([{"id": "y", "op": "linalg.norm", "in": ["x", 2]}])
    flops = [program.prepare({"x": engine.Tensor(np.ones((n, n)))}, route="forward").flops for n in (10, 100)]
    assert flops[1] > 500 * flops[0] > 500_000
