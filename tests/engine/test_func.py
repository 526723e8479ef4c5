"""Transforms of functions give what torch.func gives, and refuse what it refuses."""

import inspect

import numpy as np
import pytest

import engine
from engine import func
from tests.engine.behaviour import names as scenarios
from tests.engine.behaviour.replay import compare as replay
from tests.engine.composed import compare
from tests.engine.compositions import names


@pytest.mark.parametrize(
    ("module", "composition"), names("scalars", "models", "batches", "jacobians", "loops", "nested")
)
def test_composition(module: str, composition: str) -> None:
    compare(module, composition)


@pytest.mark.parametrize(("module", "scenario"), scenarios("transforms", "jacobians", "vmap"))
def test_scenario(module: str, scenario: str) -> None:
    replay(module, scenario)


def test_a_negative_argnum_in_forward_mode() -> None:
    x, y = engine.tensor([1.0, 2.0]), engine.tensor([3.0, 4.0])
    product = lambda a, b: a * a * b  # noqa: E731
    reverse = func.jacrev(product, argnums=-1)(x, y)
    assert func.jacfwd(product, argnums=-1)(x, y).tolist() == reverse.tolist() == [[1.0, 0.0], [0.0, 4.0]]


def test_a_transform_keeps_the_name_of_its_function() -> None:
    def loss(x: engine.Tensor) -> engine.Tensor:
        """What is lost."""
        return x.sum()

    for transform in (func.grad, func.grad_and_value, func.jacrev, func.jacfwd, func.vmap):
        assert (transform(loss).__name__, inspect.getdoc(transform(loss))) == ("loss", "What is lost.")
        assert transform(engine.linalg.norm).__name__ == "norm"
    with pytest.raises(ValueError, match=r"^vmap\(sin, in_dims=1, \.\.\.\)\(<inputs>\): Got in_dim=1"):
        func.vmap(engine.sin, in_dims=1)(engine.ones(2))


def test_a_gradient_leaves_nothing_in_leaves() -> None:
    x, w = engine.ones(2, requires_grad=True), engine.ones(2, requires_grad=True)
    func.grad(lambda a: (a * w).sum())(x)
    func.jacrev(lambda a: a * w)(x)
    assert x.grad is None and w.grad is None


def test_hooks_of_an_argument_see_its_gradient() -> None:
    seen = []

    def loss(x: engine.Tensor) -> engine.Tensor:
        x.register_hook(lambda g: seen.append(g.tolist()) or g * 10)
        return (x * x).sum()

    assert func.grad(loss)(engine.tensor([1.0, 2.0])).tolist() == [20.0, 40.0]
    assert seen == [[2.0, 4.0]]


def test_a_custom_function_under_every_transform() -> None:
    class Cube(engine.Function):
        @staticmethod
        def forward(ctx, x):  # type: ignore[no-untyped-def]
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, g):  # type: ignore[no-untyped-def]
            (x,) = ctx.saved_tensors
            return g * x * x * 3

    x = engine.tensor([1.0, 2.0])
    assert func.vmap(func.grad(Cube.apply))(x).tolist() == [3.0, 12.0]
    assert func.jacrev(func.vmap(Cube.apply))(x).tolist() == [[3.0, 0.0], [0.0, 12.0]]
    assert func.vmap(func.grad(func.grad(Cube.apply)))(x).tolist() == [6.0, 12.0]
    assert func.jvp(Cube.apply, (x,), (x,))[1].tolist() == [3.0, 24.0]


def test_rows_one_by_one_are_free_of_what_vmap_cannot_do() -> None:
    class Checked(engine.Function):
        @staticmethod
        def forward(ctx, x):  # type: ignore[no-untyped-def]
            return x * 2

        @staticmethod
        def backward(ctx, g):  # type: ignore[no-untyped-def]
            return g * 2 if g.sum().item() > 0 else g

    x = engine.ones(2)
    with pytest.raises(RuntimeError, match=r"vmap: It looks like you're calling \.item\(\)"):
        func.jacrev(Checked.apply)(x)
    assert func.jacrev(Checked.apply, chunk_size=1)(x).tolist() == [[2.0, 0.0], [0.0, 2.0]]


def test_a_hessian_is_one_pass_over_a_batch_of_tangents() -> None:
    calls = 0
    weights = engine.tensor(np.random.default_rng(0).uniform(-1, 1, (200, 200)))

    def energy(x: engine.Tensor) -> engine.Tensor:
        nonlocal calls
        calls += 1
        return engine.tanh(weights @ x).sum()

    found = func.hessian(energy)(engine.zeros(200, dtype=engine.float64))
    assert found.shape == (200, 200) and calls == 1
    assert np.allclose(found.array, 0.0)


def test_no_history_is_kept_of_a_finished_transform() -> None:
    x = engine.tensor(1.0)
    for _ in range(2000):
        x = func.grad(lambda a: (a * a).sin())(x)
    assert not x.requires_grad


def test_gradients_through_a_long_loop_outside() -> None:
    x = engine.tensor(0.5, dtype=engine.float64, requires_grad=True)
    y, known = x, engine.tensor(0.5, dtype=engine.float64, requires_grad=True)
    z = known
    for _ in range(500):
        y = y - 0.001 * func.grad(lambda a: a**3)(y)
        z = z - 0.003 * z * z
    y.backward()
    z.backward()
    assert x.grad is not None and known.grad is not None
    assert np.allclose(x.grad.array, known.grad.array, rtol=1e-12)
