"""Loops: what they save, how far they may go, and what their derivatives refuse."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from engine.errors import (
    GraphFreed,
    IterationLimit,
    LimitExceeded,
    NotImplementedYet,
)
from tests.engine.building import Json, backward, const, counted, leaf, let, loop, node, values


def test_grad_through_values_from_outside_is_refused() -> None:
    inside = let("g", "grad", node("sum", node("mul", "z", "w")), wrt="w")
    graph = [
        let("z", "mul", "w", "w"),
        counted({"v": "x"}, {"v": node("add", "v", "g")}, 2, inside, out=["y"]),
    ]
    with pytest.raises(NotImplementedYet, match="grad in a body through values from outside it") as caught:
        engine.Program(graph).forward({"x": const([1.0]), "w": leaf([2.0])})
    assert caught.value.pointer == ("graph", 1, "body", "do", 0)
    flag = {"op": "requires_grad_", "in": ["v"]}
    with pytest.raises(NotImplementedYet, match="requires_grad_ of a value from outside the body"):
        engine.Program([counted({"v": "x"}, {"v": "v"}, 1, flag, out=["y"])]).forward({"x": const([1.0])})


def test_a_loop_saves_what_its_body_saves() -> None:
    graph = [counted({"v": "x"}, {"v": node("mul", "v", "w")}, 2, out=["y"]), let("s", "sum", "y")]
    given = {"x": leaf([1.0]), "w": leaf(3.0)}
    with pytest.raises(GraphFreed):
        backward(graph, given, "s", backward=[{"tensor": "s"}, {"tensor": "s"}])
    kept = backward(graph, given, "s", backward=[{"tensor": "s", "retain_graph": True}, {"tensor": "s"}])
    assert values(kept.grads) == {"x": [18.0], "w": 12.0}
    plus = [counted({"v": "x"}, {"v": node("add", "v", "w")}, 2, out=["y"]), let("s", "sum", "y")]
    twice = backward(plus, given, "s", backward=[{"tensor": "s"}, {"tensor": "s"}])
    assert values(twice.grads) == {"x": [2.0], "w": 4.0}


def test_max_iters_iterations_are_fine() -> None:
    exact = {**loop(max_iters=4), "cond": {"yield": node("lt", node("sum", "v"), 16)}}
    assert engine.Program([exact]).forward({"x": const([1.0])}).outputs["y"].tolist() == [16.0]
    with pytest.raises(IterationLimit):
        engine.Program([{**exact, "max_iters": 3}]).forward({"x": const([1.0])})


def test_a_second_derivative() -> None:
    def twice(body: Json) -> engine.Result:
        square = loop(body={"yield": {"v": body}}, cond={"yield": node("lt", node("sum", "v"), 10)})
        graph = [square, let("g", "grad", node("sum", "y"), wrt="x", create_graph=True)]
        return backward([*graph, let("h", "sum", node("mul", "g", "x"))], {"x": leaf([2.0])}, "g", "h")

    fourth = twice(node("mul", "v", "v"))  # y = x^4 and h = 4 x^4
    assert values(fourth.outputs) == {"g": [32.0], "h": 64.0}
    assert values(fourth.grads) == {"x": [128.0]}
    assert fourth.outputs["g"].requires_grad
    linear = twice(node("mul", "v", 2))
    assert values(linear.grads) == {"x": [8.0]}
    assert not linear.outputs["g"].requires_grad


def test_what_the_iterations_keep_is_in_the_predicted_peak() -> None:
    body = {"yield": {"v": node("sin", "v")}}

    def peak(iterations: int, x: engine.Tensor) -> int:
        graph = [loop(body=body, max_iters=iterations), let("s", "sum", "y")]
        return engine.Program(graph).prepare({"x": x}).peak_bytes

    x = np.ones(1000)
    assert peak(101, leaf(x)) - peak(100, leaf(x)) >= 8000  # sin needs its operand
    limits = engine.Limits(peak_bytes=1_000_000, history_bytes=0)
    graph = [loop(body=body, max_iters=1000), let("s", "sum", "y")]
    with pytest.raises(LimitExceeded, match="peak_bytes"):
        engine.Program(graph, limits=limits).prepare({"x": leaf(x)})
    engine.Program(graph, limits=limits).prepare({"x": const(x)}, route="forward")


def test_a_long_loop_needs_no_trace() -> None:
    graph = [counted({"v": "x"}, {"v": node("mul", "v", 1.0001)}, 3000, out=["y"])]
    graph[0]["max_iters"] = 4000
    program = engine.Program(graph, limits=engine.Limits(trace=2999))
    with pytest.raises(LimitExceeded, match="trace: 3000 nodes, 2999 allowed") as caught:
        program.backward({"x": leaf(1.0)}, ["y"])
    assert caught.value.pointer == ("trace",)
    found = program.backward({"x": leaf(1.0)}, ["y"], trace=False)
    assert found.grads["x"].tolist() == pytest.approx(1.0001**3000)  # type: ignore[union-attr]
    assert found.outputs["y"].grad_fn.name() == "MulBackward0"  # type: ignore[union-attr]
