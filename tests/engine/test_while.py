"""Loops: values, gradients and traces against the same loop run eagerly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import engine
from tests.engine.building import Json, backward, const, counted, leaf, let, loop, names, node, values
from tests.engine.routes import trace as eager_trace

TRACES = [True, False, "values"]


def agree(graph: list[Json], inputs: Json, eager: Callable[..., Any], *outputs: str, mode: Any = True) -> Any:
    """The program and the eager function give the same outputs, flags, grads and nodes."""
    given = dict(inputs)
    found = backward(graph, given, *outputs, trace=mode)
    leaves = {name: engine.tensor(x, requires_grad=x.requires_grad) for name, x in given.items()}
    expected = eager(**leaves)
    expected[-1].backward()
    for name, y in zip(outputs, expected, strict=True):
        assert np.array_equal(found.outputs[name].array, y.array)
        assert found.outputs[name].requires_grad == y.requires_grad
        assert found.outputs[name].is_leaf == y.is_leaf
        assert (found.outputs[name].grad_fn is None) == (y.grad_fn is None)
    wanted = {name: x.grad for name, x in leaves.items() if x.requires_grad}
    assert values(found.grads) == {name: None if g is None else g.tolist() for name, g in wanted.items()}
    if mode is True:
        assert found.trace is not None
        nodes, _ = eager_trace(list(eager(**leaves)), [x for x in leaves.values() if x.requires_grad])
        assert names(found.trace) == [each["name"] for each in nodes]
        following = [each["next_functions"] for each in nodes]
        assert [each["next_functions"] for each in found.trace["nodes"]] == following
        assert [each.get("saved", {}) for each in found.trace["nodes"]] == [each["saved"] for each in nodes]
    return found


@pytest.mark.parametrize("mode", TRACES)
def test_the_tutorials_loop(mode: Any) -> None:
    grow = loop(
        carry={"v": node("mul", "x", 2)},
        cond={
            "do": [let("n", "norm", node("detach", "v"))],
            "yield": node("lt", "n", 1000),
        },
    )

    def eager(x: Any) -> Any:
        y = x * 2
        while y.detach().norm() < 1000:
            y = y * 2
        return y, y.sum()

    x = leaf([-1.0845, -1.3986, 0.4033], "float32")
    found = agree([grow, let("s", "sum", "y")], {"x": x}, eager, "y", "s", mode=mode)
    assert found.grads["x"].tolist() == [1024.0] * 3
    assert found.outputs["y"].grad_fn.name() == "MulBackward0"


@pytest.mark.parametrize("mode", TRACES)
@pytest.mark.parametrize("times", [0, 1, 2, 7])
def test_captured_values_and_several_carries(times: int, mode: Any) -> None:
    body = [let("u", "sin", "v"), let("t", "mul", "u", "w")]
    yields = {"v": node("add", "t", node("mul", "v", 1.5)), "p": node("add", "p", node("mul", "v", "w"))}
    graph = [
        counted({"v": "x", "p": "c"}, yields, "n", *body, out=["a", "b"]),
        let("s", "sum", node("add", node("mul", "a", "b"), node("mul", "x", "x"))),
    ]

    def eager(x: Any, w: Any, c: Any, n: Any) -> Any:
        v, p = x, c
        for _ in range(int(n.item())):
            u = engine.sin(v)
            t = u * w
            total, p = p, v * w
            v = t + v * 1.5
            p = total + p
        return v, p, (v * p + x * x).sum()

    given = {
        "x": leaf([0.1, 0.2, 0.3]),
        "w": leaf(0.7),
        "c": const([0.0, 1.0, 0.0]),
        "n": const(times, "int64"),
    }
    agree_values(graph, given, eager, mode)


def agree_values(graph: list[Json], given: Json, eager: Any, mode: Any) -> None:
    """As `agree`, for loops whose body yields in another order than the eager function computes."""
    found = backward(graph, given, "a", "b", "s", trace=mode)
    leaves = {name: engine.tensor(x, requires_grad=x.requires_grad) for name, x in given.items()}
    expected = eager(**leaves)
    expected[-1].backward()
    for name, y in zip(("a", "b", "s"), expected, strict=True):
        np.testing.assert_allclose(found.outputs[name].array, y.array, rtol=1e-14)
        assert (found.outputs[name].requires_grad, found.outputs[name].is_leaf) == (
            y.requires_grad,
            y.is_leaf,
        )
    for name, each in leaves.items():
        if each.requires_grad:
            got, wanted = found.grads[name], each.grad
            assert (got is None) == (wanted is None), name
            if got is not None and wanted is not None:
                np.testing.assert_allclose(got.array, wanted.array, rtol=1e-13)


@pytest.mark.parametrize("mode", TRACES)
def test_no_iterations(mode: Any) -> None:
    def eager(x: Any, w: Any) -> Any:
        return x, (x * 2).sum()

    graph = [
        counted({"v": "x"}, {"v": node("mul", "v", "w")}, 0, out=["y"]),
        let("s", "sum", node("mul", "y", 2)),
    ]
    found = agree(graph, {"x": leaf([1.0, 2.0]), "w": leaf(3.0)}, eager, "y", "s", mode=mode)
    assert found.outputs["y"].is_leaf and found.outputs["y"].requires_grad
    assert found.grads["w"] is None  # not zeros: nothing flowed


@pytest.mark.parametrize("mode", TRACES)
@pytest.mark.parametrize("times", [2, 3])
def test_requires_grad_and_grads_come_from_the_run(times: int, mode: Any) -> None:
    def eager(x: Any, c: Any) -> Any:
        p, q = x, c
        for _ in range(times):
            p, q = q, p
        return p, q, (p * 2 + x.exp()).sum()

    swap = counted({"p": "x", "q": "c"}, {"p": "q", "q": "p"}, times, out=["a", "b"])
    graph = [swap, let("s", "sum", node("add", node("mul", "a", 2), node("exp", "x")))]
    agree(graph, {"x": leaf([1.0, 2.0]), "c": const([0.0, 0.0])}, eager, "a", "b", "s", mode=mode)


def test_requires_grad_reaches_every_carry_that_it_flows_to() -> None:
    pass_on = {"a": "b", "b": "c", "c": node("mul", "c", "w")}
    graph = [counted({"a": "z", "b": "z", "c": "z"}, pass_on, 3, out=["p", "q", "r"]), let("s", "sum", "p")]

    def eager(z: Any, w: Any) -> Any:
        a = b = c = z
        for _ in range(3):
            a, b, c = b, c, c * w
        return a, b, c, a.sum()

    agree(graph, {"z": const([1.0, 2.0]), "w": leaf(3.0)}, eager, "p", "q", "r", "s")


@pytest.mark.parametrize("mode", TRACES)
def test_nested_loops(mode: Any) -> None:
    inner = counted({"u": "v"}, {"u": node("mul", "u", "w")}, "i", out=["t"])
    inner = {**inner, "carry": {"u": "v", "j": 0}, "cond": {"yield": node("lt", "j", "i")}}
    inner["body"] = {"do": [], "yield": {"u": node("mul", "u", "w"), "j": node("add", "j", 1)}}
    graph = [
        counted({"v": "x"}, {"v": node("add", node("sin", "t"), "k")}, 4, inner, out=["y"]),
        let("s", "sum", "y"),
    ]

    def eager(x: Any, w: Any, k: Any) -> Any:
        v = x
        for i in range(4):
            u = v
            for _ in range(i):
                u = u * w
            v = engine.sin(u) + k
        return v, v.sum()

    agree(graph, {"x": leaf([0.3, 0.4]), "w": leaf(1.2), "k": const(0.1)}, eager, "y", "s", mode=mode)


def test_random_draws_in_the_body_and_the_condition() -> None:
    graph = [
        loop(
            carry={"v": "x"},
            cond={
                "yield": node("lt", node("sum", "v"), node("add", 3.0, node("rand", [1], dtype="float64")))
            },
            body={"do": [let("r", "rand", [2], dtype="float64")], "yield": {"v": node("add", "v", "r")}},
        ),
        let("after", "rand", [1], dtype="float64"),
        let("s", "sum", node("mul", "y", "y")),
    ]

    def eager(x: Any) -> Any:
        engine.manual_seed(5)
        v = x
        while v.sum() < 3.0 + engine.rand(1, dtype="float64"):
            v = v + engine.rand(2, dtype="float64")
        return v, engine.rand(1, dtype="float64"), (v * v).sum()

    x = leaf([0.0, 0.1])
    found = backward(graph, {"x": x}, "y", "after", "s", seed=5)
    expected = eager(x)
    assert values(found.outputs) == dict(
        zip(("y", "after", "s"), (y.tolist() for y in expected), strict=True)
    )
    assert found.grads["x"].tolist() == (2 * expected[0]).tolist()  # type: ignore[union-attr]


def test_a_dead_loop_still_draws() -> None:
    draw = counted({"v": "x"}, {"v": node("add", "v", node("rand", [1], dtype="float64"))}, 2, out=["y"])
    found = engine.Program([draw, let("r", "rand", [1], dtype="float64")]).forward({"x": const([0.0])})
    engine.manual_seed(0)
    assert [engine.rand(1, dtype="float64") for _ in range(3)][2].tolist() == found.outputs["r"].tolist()


def test_scalars_go_round_as_tensors() -> None:
    found = engine.Program([counted({"v": 1.5}, {"v": node("mul", "v", 2)}, 3, out=["y"])]).forward({})
    assert (found.outputs["y"].tolist(), found.outputs["y"].dtype) == (12.0, engine.float32)


def test_a_gradient_step_in_the_body() -> None:
    step = [
        let("d", "detach", "v"),
        {"op": "requires_grad_", "in": ["d"]},
        let("g", "grad", node("sum", node("pow", node("sub", "d", "target"), 2)), wrt="d"),
    ]
    yields = {"v": node("sub", "v", node("mul", "g", 0.1))}
    graph = [counted({"v": "x"}, yields, 40, *step, out=["y"])]
    found = engine.Program(graph).forward({"x": const([0.0, 0.0]), "target": const([3.0, -1.0])})
    np.testing.assert_allclose(found.outputs["y"].array, [3.0, -1.0], rtol=1e-3)
