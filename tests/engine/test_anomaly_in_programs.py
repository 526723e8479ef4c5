"""Anomaly mode of programs: the first op that makes a nan, forward or backward, by its id."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine.errors import AnomalyError
from tests.engine.building import Json, leaf, let, node

ROOT = let("h", "sqrt", "x")
BACKWARD = "Function 'SqrtBackward0' returned nan values in its 0th output."
FORWARD = "sqrt made nan values from operands without"


def looped(body: list[Json]) -> list[Json]:
    """A loop of one iteration around `body`, which ends in `w`."""
    cond = {"yield": node("lt", node("sum", "v"), 100)}
    flow = {"id": "y", "op": "while", "carry": {"v": "x"}, "cond": cond}
    return [flow | {"body": {"do": body, "yield": {"v": "w"}}}, let("s", "sum", "y")]


Place = tuple[tuple[Any, ...], str, str]
CASES: dict[str, tuple[list[Json], Any, str, Place]] = {
    "forward": ([ROOT, let("y", "sum", "h")], [1.0, -1.0], FORWARD, (("graph", 0), "h", "sqrt")),
    "backward": (
        [ROOT, let("z", "mul", "h", 0), let("y", "sum", "z")],
        [1.0, 0.0],
        BACKWARD,
        (("graph", 0), "h", "sqrt"),
    ),
    "the first of several": (
        [let("a", "log", "x"), let("b", "sqrt", "a"), let("y", "sum", "b")],
        [0.5],
        FORWARD,
        (("graph", 1), "b", "sqrt"),
    ),
    "in a body": (
        looped([let("q", "sqrt", node("mul", "v", 0)), let("w", "add", node("mul", "q", 0), 60)]),
        [1.0, 2.0],
        BACKWARD,
        (("graph", 0, "body", "do", 0), "q", "sqrt"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_first_nan_is_named(name: str) -> None:
    graph, x, text, place = CASES[name]
    program = engine.Program(graph)
    with pytest.raises(AnomalyError) as caught:
        program.backward({"x": leaf(x)}, detect_anomaly=True)
    error = caught.value
    assert str(error) == text
    assert (error.pointer, error.node, error.op) == place
    found = program.backward({"x": leaf(x)})  # without the mode nobody looks
    assert np.isnan(found.grads["x"].array).any()  # type: ignore[union-attr]


def test_nan_that_was_given_and_infinity_are_no_anomaly() -> None:
    total = engine.Program([let("y", "sum", node("mul", "x", 2))])
    found = total.backward({"x": leaf([1.0, np.nan, np.inf])}, detect_anomaly=True)
    assert found.grads["x"].tolist() == [2.0, 2.0, 2.0]  # type: ignore[union-attr]
    inverse = engine.Program([let("y", "sum", node("reciprocal", "x"))])
    found = inverse.backward({"x": leaf([0.0])}, detect_anomaly=True)
    assert found.grads["x"].tolist() == [-np.inf]  # type: ignore[union-attr]


def test_merged_expressions_are_looked_at_apart() -> None:
    graph = [let("a", "sqrt", "x"), let("b", "sqrt", "x"), let("y", "sum", node("add", "a", "b"))]
    with pytest.raises(AnomalyError) as caught:
        engine.Program(graph).backward({"x": leaf([-1.0])}, detect_anomaly=True)
    assert caught.value.node == "a"


def test_derivative_routes_are_watched_too() -> None:
    program = engine.Program([let("y", "mul", node("sqrt", "x"), 0)])
    for route in (program.jacobian, program.vjp):
        with pytest.raises(AnomalyError, match="SqrtBackward0"):
            route({"x": leaf([0.0])}, detect_anomaly=True)
