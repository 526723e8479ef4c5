"""Gradients of programs that differences refute, and points where there is nothing to confirm."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import engine
from engine import gradcheck_program
from tests.engine.building import Json, leaf, let, node
from tests.engine.checking import check


@contextmanager
def rule(name: str, vjp: Any) -> Iterator[None]:
    """The op has another rule for a while."""
    op = engine.lookup(name)
    right = op.vjp
    object.__setattr__(op, "vjp", vjp)
    try:
        yield
    finally:
        object.__setattr__(op, "vjp", right)


WRONG_RULES = {
    "wrong sign": ("sin", lambda F, x, y, g: (lambda: F.neg(F.mul(g, F.cos(x[0]))),)),
    "wrong factor": ("exp", lambda F, x, y, g: (lambda: F.mul(g, F.mul(y, 0.999)),)),
    "missing term": ("tanh", lambda F, x, y, g: (lambda: g,)),
    "added term": ("exp", lambda F, x, y, g: (lambda: F.add(F.mul(g, y), F.mul(g, 1e-4)),)),
    "wrong broadcast": ("sigmoid", lambda F, x, y, g: (lambda: F.mul(F.mean(g), F.mul(y, F.rsub(y, 1))),)),
}


@pytest.mark.parametrize("name", WRONG_RULES)
def test_a_wrong_rule(name: str) -> None:
    op, vjp = WRONG_RULES[name]
    graph, inputs = [let("y", op, "x")], {"x": leaf([0.5, -1.5, 0.25])}
    assert check(graph, inputs).ok
    with rule(op, vjp):
        found = check(graph, inputs)
    assert (found.ok, found.verdict) == (False, "wrong")
    assert found.convergence.order == pytest.approx(1, abs=0.1)
    assert found.worst is not None
    assert found.worst.absolute > 1e-5


def test_the_worst_element_is_named() -> None:
    def vjp(F: Any, x: Any, y: Any, g: Any) -> Any:
        near = F.mul(F.gt(x[1], 2), 0.25)  # wrong where the second factor is larger than 2
        return (lambda: F.mul(g, x[1]), lambda: F.mul(g, F.add(x[0], near)))

    a, b = np.full((2, 3), 1.5), np.ones((2, 3))
    b[1, 2] = 3
    with rule("mul", vjp):
        program = engine.Program([let("z", "exp", "a"), let("y", "mul", "a", "b")])
        found = gradcheck_program(program, {"a": leaf(a), "b": leaf(b)}, outputs=["z", "y"])
    worst = found.worst
    assert worst is not None
    assert (worst.output, worst.index, worst.input, worst.input_index) == ("y", (1, 2), "b", (1, 2))
    assert worst.name == "d y[1, 2] / d b[1, 2]"
    assert worst.analytical == 1.75
    assert worst.numerical == pytest.approx(1.5, abs=1e-9)
    assert worst.absolute == pytest.approx(0.25)
    assert worst.relative == pytest.approx(0.25 / 1.75)
    assert found.detail == "d y[1, 2] / d b[1, 2] is 1.75 by its gradient and 1.5 by differences"
    assert found.convergence.orders["z"] == pytest.approx(2, abs=0.05)
    assert found.convergence.orders["y"] == found.convergence.order == pytest.approx(1, abs=0.05)


def test_a_function_that_is_detached() -> None:
    found = check([let("y", "mul", "x", node("detach", "x"))], {"x": leaf([2.0])})
    assert (found.verdict, found.detail) == (
        "wrong",
        "d y[0] / d x[0] is 2 by its gradient and 4 by differences",
    )


@pytest.mark.parametrize(
    ("graph", "x", "numerical"),
    [
        ([let("y", "relu", "x")], [0.0, 1.0], 0.5),
        ([let("y", "clamp", "x", -1, 1)], [0.5, 1.0], 1.0),
        ([let("y", "abs", "x")], [0.0, 1.0], 0.0),
        ([let("y", "max", "x")], [1.0, 1.0], 0.5),
        ([let("y", "floor", "x")], [0.5, 2.0], None),
        ([let("y", "sqrt", node("abs", node("sub", "x", 1)))], [3.0, 1.0], None),
    ],
    ids=["relu", "clamp", "abs", "max", "floor", "cusp"],
)
def test_a_kink(graph: list[Json], x: list[float], numerical: float | None) -> None:
    found = check(graph, {"x": leaf(x)})
    assert not found.ok
    assert found.verdict == ("non-finite" if numerical is None and x[0] == 3.0 else "kink")


def test_relu_at_zero_has_two_slopes() -> None:
    found = check([let("y", "relu", "x")], {"x": leaf([[0.0, 1.0]])})
    assert found.worst is not None
    assert (found.worst.index, found.worst.input_index) == ((0, 0), (0, 0))
    assert (found.worst.analytical, found.worst.numerical) == (0.0, pytest.approx(0.5))
    assert found.detail.endswith("by differences; its two sides have slopes of their own")
    assert found.convergence.order == pytest.approx(1, abs=0.05)


def test_a_kink_between_the_axes() -> None:
    graph = [let("y", "sqrt", node("mul", node("abs", "a"), node("relu", "b")))]
    found = check([*graph, let("z", "where", node("gt", "y", 0), "y", 0.0)], {"a": leaf(0.0), "b": leaf(0.0)})
    assert not found.ok


@pytest.mark.parametrize(
    ("graph", "x"),
    [([let("y", "sqrt", "x")], [0.0]), ([let("y", "log", "x")], [0.0]), ([let("y", "exp", "x")], [1e4])],
)
def test_not_finite(graph: list[Json], x: list[float]) -> None:
    found = check(graph, {"x": leaf(x)})
    assert (found.ok, found.verdict) == (False, "non-finite")


def test_too_fast_to_tell() -> None:
    found = check([let("y", "sin", node("mul", "x", 1e9))], {"x": leaf([1.0])})
    assert (found.ok, found.verdict) == (False, "undecided")
