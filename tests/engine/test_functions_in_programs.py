"""Transforms of functions as statements: vmap, vjp, jvp, jacobian, hessian, hvp, nested in each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine.errors import ArgumentError, EngineError, GradError, ShapeError, UnknownField, ValueArgumentError
from tests.engine.building import Json, const, leaf, let, node

X = np.array([0.3, -0.7, 1.1])
WAVE = node("mul", node("sin", "a"), node("exp", "a"))  # its derivatives are known in closed form
FIRST = np.exp(X) * (np.sin(X) + np.cos(X))
SECOND = 2 * np.exp(X) * np.cos(X)


def body(result: Any, *params: str, do: tuple[Json, ...] = ()) -> Json:
    return {"params": list(params or ("a",)), "do": list(do), "yield": result}


def of(op: str, *args: Any, body: Json, id: str = "y", **attrs: Any) -> Json:
    """A statement of a transform."""
    return {"id": id, "op": op, "in": list(args), "body": body} | ({"attrs": attrs} if attrs else {})


def run(graph: list[Json], **inputs: Any) -> np.ndarray[Any, Any]:
    found = engine.Program(graph).forward({name: const(each) for name, each in inputs.items()})
    (output,) = found.outputs.values()
    assert not output.requires_grad  # nothing outside of the transform does
    return output.array


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_jacobian(mode: str) -> None:
    np.testing.assert_allclose(run([of("jacobian", "x", body=body(WAVE), mode=mode)], x=X), np.diag(FIRST))


def test_vjp_and_jvp() -> None:
    v = np.array([1.0, -2.0, 0.5])
    for kind in ("vjp", "jvp"):
        np.testing.assert_allclose(run([of(kind, "x", "v", body=body(WAVE))], x=X, v=v), FIRST * v)


def test_hessian_and_hvp() -> None:
    total, v = body(node("sum", WAVE)), np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(run([of("hessian", "x", body=total)], x=X), np.diag(SECOND))
    np.testing.assert_allclose(run([of("hvp", "x", "v", body=total)], x=X, v=v), SECOND * v)


def test_outputs_may_be_named_before_the_results() -> None:
    graph = [
        {"op": "vjp", "in": ["x", "x"], "body": body(WAVE), "out": ["value", "cotangent"]},
        let("y", "stack", ["value", "cotangent"]),
    ]
    np.testing.assert_allclose(run(graph, x=X), [np.sin(X) * np.exp(X), FIRST * X])


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_derivatives_of_derivatives_to_the_fourth_order(order: int) -> None:
    """tanh at 0.4, one jvp inside the other; against the polynomial that each derivative is in tanh."""
    inside = body(node("tanh", "a0"), "a0")
    for depth in range(1, order + 1):
        name = "x" if depth == order else f"a{depth}"
        statement = of("jvp", name, body=inside, id=f"d{depth}")
        inside = body(f"d{depth}", name, do=(statement,))
    t = np.tanh(0.4)
    expected = [
        1 - t**2,
        -2 * t * (1 - t**2),
        (1 - t**2) * (6 * t**2 - 2),
        8 * t * (1 - t**2) * (2 - 3 * t**2),
    ][order - 1]
    np.testing.assert_allclose(run([statement], x=0.4), expected, rtol=1e-12)


def test_vmap_over_several_dims() -> None:
    """A matrix of inner products: vmap of a vmap, dims from either side."""
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    inner = of("vmap", "p", "m", body=body(node("dot", "u", "w"), "u", "w"), in_dims=[None, 1], id="row")
    outer = of("vmap", "a", "b", body=body("row", "p", "m", do=(inner,)), in_dims=[0, None], out_dims=-1)
    np.testing.assert_array_equal(run([outer], a=a, b=b), (a @ b).T)


def test_per_sample_gradients() -> None:
    """vmap of a vjp by what has no axis: a gradient for each sample."""
    w, xs = np.array([0.5, -1.0]), np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])
    loss = body(node("tanh", node("dot", "p", "s")), "p")
    inner = of("vjp", "w", body=loss, id="g")
    graph = [of("vmap", "xs", body=body("g", "s", do=(inner,)))]
    slope = 1 - np.tanh(xs @ w) ** 2
    np.testing.assert_allclose(run(graph, w=w, xs=xs), slope[:, None] * xs)


def test_a_parameter_is_not_the_outer_value_it_was_given() -> None:
    graph = [of("jacobian", "x", body=body(node("mul", "a", "x")))]  # x itself is a constant here
    np.testing.assert_array_equal(run(graph, x=3.0), 3.0)


def test_the_result_of_a_transform_is_differentiated_by_what_is_outside() -> None:
    graph = [of("jvp", "x", body=body(node("pow", "a", 3)), id="d"), let("y", "mul", "d", "w")]
    found = engine.Program(graph).backward({"x": leaf(2.0), "w": leaf(5.0)})
    assert found.grads["x"].item() == pytest.approx(5 * 6 * 2.0)  # type: ignore[union-attr]
    assert found.grads["w"].item() == pytest.approx(3 * 4.0)  # type: ignore[union-attr]


def test_under_no_grad_the_result_is_a_constant() -> None:
    inside = of("jvp", "x", body=body(node("pow", "a", 3)), id="d")
    graph = [{"with": "no_grad", "do": [inside]}, let("y", "mul", "d", "x")]
    found = engine.Program(graph).backward({"x": leaf(2.0)}, ["d", "y"])
    assert found.outputs["d"].item() == 12.0 and not found.outputs["d"].requires_grad
    assert found.grads["x"].item() == 12.0  # type: ignore[union-attr]


def test_several_inputs_and_outputs() -> None:
    product, total = node("mul", "a", "b"), node("add", "a", "b")
    statement = {
        "op": "jacobian",
        "in": ["x", "z"],
        "body": body([product, total], "a", "b"),
        "out": ["ax", "az", "bx", "bz"],
    }
    found = engine.Program([statement]).forward({"x": const(2.0), "z": const(7.0)})
    assert {name: each.item() for name, each in found.outputs.items()} == {
        "ax": 7.0, "az": 2.0, "bx": 1.0, "bz": 1.0,
    }  # fmt: skip
    chosen = of("jacobian", "x", "z", body=body(product, "a", "b"), argnums=1)
    assert run([chosen], x=2.0, z=7.0) == 2.0


@pytest.mark.parametrize(("randomness", "rows"), [("same", 1), ("different", 3)])
def test_random_numbers_under_vmap(randomness: str, rows: int) -> None:
    drawn = node("add", node("mul", "a", 0.0), node("rand", [2], dtype="float64"))
    found = run([of("vmap", "x", body=body(drawn), randomness=randomness)], x=np.zeros((3, 2)))
    assert found.shape == (3, 2) and len(np.unique(found, axis=0)) == rows


SIZES = "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes [3, 4]"
REFUSED: dict[str, tuple[Json, type[EngineError], tuple[Any, ...], str]] = {
    "sizes": (of("vmap", "x", "z", body=body("a", "a", "b")), ValueArgumentError, ("in",), SIZES),
    "dims": (
        of("vmap", "x", body=body("a"), in_dims=2),
        ValueArgumentError,
        ("attrs", "in_dims", 0),
        "in_dim 2",
    ),
    "nothing": (
        of("vmap", "x", body=body("a"), in_dims=[None]),
        ValueArgumentError,
        ("attrs", "in_dims"),
        "at least one input",
    ),
    "random": (
        of("vmap", "x", body=body(node("rand_like", "a"))),
        EngineError,
        ("body", "yield"),
        "vmap: called random operation while in randomness error mode.",
    ),
    "vector": (of("hessian", "x", body=body("a")), GradError, ("body", "yield"), "a single element"),
    "cotangent": (
        of("vjp", "x", "z", body=body(WAVE)),
        ShapeError,
        ("in", 1),
        "vjp: cotangent 0 has shape [4], output 0 has [3]",
    ),
    "few": (of("jvp", "x", body=body(WAVE)), ArgumentError, ("in",), "jvp: 2 values in in, 1 are given"),
    "params": (
        of("vjp", "x", body={"do": [], "yield": "x"}),
        EngineError,
        ("body", "params"),
        "names its param",
    ),
    "setting": (of("vjp", "x", body=body("a"), argnums=0), UnknownField, ("attrs", "argnums"), "argnums"),
    "integers": (
        of("vjp", 3, body=body(node("mul", "a", 2.5))),
        GradError,
        ("in",),
        "only Tensors of floating point dtype can require gradients",
    ),
    "integers-forward": (
        of("jvp", 3, body=body(node("mul", "a", 2.5))),
        ValueArgumentError,
        ("in", 0),
        "Expected primal to be floating point or complex, but got: torch.int64",
    ),
    "bools": (
        of("vjp", "x", body=body(node("gt", "a", 0))),
        GradError,
        ("body", "yield"),
        "All outputs of f must be floating-point or complex Tensors, got Tensor with dtype torch.bool",
    ),
    "argnums": (
        of("jacobian", "x", body=body("a"), argnums=1),
        ArgumentError,
        ("attrs", "argnums"),
        "positions",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    statement, kind, pointer, text = REFUSED[name]
    with pytest.raises(kind) as caught:
        engine.Program([statement]).forward({"x": const(X), "z": const(np.zeros(4))})
    assert text in str(caught.value)
    assert caught.value.pointer == ("graph", 0, *pointer)
    assert caught.value.op == statement["op"] or name == "random"


def test_forward_mode_through_an_embedding_and_of_a_batch_of_them() -> None:
    rows = {"params": ["a"], "do": [], "yield": node("embedding", "i", "a")}
    w, i = np.arange(6.0).reshape(3, 2), np.array([[1, 2], [0, 1]])
    graph = [of("jvp", "w", "w", body=rows)]
    given = {"w": const(w), "i": const(i, "int64")}
    (found,) = engine.Program(graph).forward(given).outputs.values()
    np.testing.assert_array_equal(found.array, w[i])  # it is linear
    found = engine.Program(graph).forward(given, batch={"inputs": ["i"]}).outputs["y"]
    np.testing.assert_array_equal(found.array, w[i])
