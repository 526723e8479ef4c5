"""What a plan says of itself before it runs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import engine
from engine.program.explain import MAX_STEPS
from tests.engine.building import Json, const, leaf, let, loop, node


def explained(graph: list[Json], inputs: Json, **settings: Any) -> dict[str, Any]:
    """What is said of a program, having been JSON."""
    prepared = engine.Program(graph).prepare(inputs, **settings)
    found = prepared.explain()
    predicted = [found[name] for name in ("peak_bytes", "flops", "output_bytes")]
    assert predicted == [prepared.peak_bytes, prepared.flops, prepared.output_bytes]
    again: dict[str, Any] = json.loads(json.dumps(found, allow_nan=False))
    assert again == found
    return again


def test_each_step_names_its_operands_and_results() -> None:
    graph = [let("h", "tanh", node("mul", "x", 2)), let("s", "sum", "h", dim=0)]
    found = explained(graph, {"x": const(np.ones((2, 3)))}, route="forward", outputs=["h", "s"])
    wide, narrow = {"shape": [2, 3], "dtype": "float64"}, {"shape": [3], "dtype": "float64"}
    assert {name: value for name, value in found.items() if not name.endswith(("bytes", "flops"))} == {
        "outputs": {"h": wide, "s": narrow},
        "nodes": 3,
        "calls": 3,
        "steps": [
            {"op": "mul", "in": [{"id": "x", **wide}, 2], "out": [{"id": "%0", **wide}]},
            {"op": "tanh", "in": [{"id": "%0", **wide}], "out": [{"id": "h", **wide}]},
            {
                "op": "_sum_dim",
                "in": [{"id": "h", **wide}],
                "out": [{"id": "s", **narrow}],
                "attrs": {"dim": [-2], "keepdim": False},
            },
        ],
    }


def test_what_is_merged_or_read_by_nobody_is_counted_and_not_called() -> None:
    graph = [let("a", "exp", "x"), let("b", "exp", "x"), let("dead", "sin", "x"), let("y", "add", "a", "b")]
    found = explained(graph, {"x": const([1.0])}, route="forward")
    assert (found["nodes"], found["calls"]) == (4, 2)
    assert [step["op"] for step in found["steps"]] == ["exp", "add"]
    assert [each["id"] for each in found["steps"][1]["in"]] == ["a", "a"]


def test_a_gradient_adds_steps() -> None:
    graph = [let("s", "sum", node("mul", "x", "x"))]
    forward = explained(graph, {"x": leaf([1.0, 2.0])}, route="forward")
    backward = explained(graph, {"x": leaf([1.0, 2.0])})
    assert backward["calls"] > forward["calls"]
    assert backward["outputs"] == forward["outputs"]


def test_unnamed_values_are_numbered() -> None:
    graph = [let("y", "add", node("exp", node("sin", "x")), {"tensor": [1.0]})]
    steps = explained(graph, {"x": const([1.0])}, route="forward")["steps"]
    assert [[each["id"] for each in step["out"]] for step in steps] == [["%0"], ["%1"], ["y"]]
    assert [each["id"] for each in steps[2]["in"]] == ["%1", "%2"]


def test_shapes_have_the_axis_of_a_batch() -> None:
    graph = [let("y", "sin", "x"), let("z", "exp", "w")]
    inputs = {"x": const(np.ones((4, 3))), "w": const([1.0, 2.0])}
    found = explained(graph, inputs, outputs=["y", "z"], route="forward", batch={"inputs": ["x"]})
    assert {name: each["shape"] for name, each in found["outputs"].items()} == {"y": [4, 3], "z": [4, 2]}
    shapes = {step["op"]: step["out"][0]["shape"] for step in found["steps"]}
    assert (shapes["sin"], shapes["exp"]) == ([4, 3], [2])


@pytest.mark.parametrize("route", ["vjp", "jacobian", "hessian"])
def test_derivatives_are_explained_too(route: str) -> None:
    graph = [let("s", "sum", node("mul", node("sin", "x"), "x"))]
    settings = {"outputs": ["s"]}
    forward = explained(graph, {"x": leaf([1.0, 2.0])}, route="forward", **settings)
    found = explained(graph, {"x": leaf([1.0, 2.0])}, route=route, **settings)
    assert found["outputs"] == forward["outputs"]
    assert found["calls"] > forward["calls"]
    assert found["output_bytes"] == 8 + {"vjp": 16, "jacobian": 16, "hessian": 32}[route]


def test_sizes_of_the_run_are_bounds() -> None:
    inputs = {"x": const([1.0, 2.0]), "m": engine.tensor([True, False])}
    found = explained([let("y", "getitem", "x", "m")], inputs, route="forward")
    assert found["outputs"]["y"] == {"shape": [2], "dtype": "float64", "at_most": True}
    assert found["steps"][-1]["out"][0]["at_most"] is True


def test_settings_that_json_has_no_number_for() -> None:
    graph = [
        let("a", "clamp", "x", min="-Infinity", max="NaN"),
        let("b", "linalg.norm", "x", ord="Infinity"),
        let("c", "mul", "x", {"complex": [0, 1]}),
        let("d", "to", "x", dtype="float16"),
    ]
    steps = explained(graph, {"x": const([1.0])}, route="forward", outputs=["a", "b", "c", "d"])["steps"]
    shown = {step["out"][0]["id"]: step for step in steps}
    assert shown["a"]["attrs"] == {"min": "-Infinity", "max": "NaN"}
    assert "Infinity" in shown["b"]["attrs"].values()
    assert shown["c"]["in"][1] == {"complex": [0.0, 1.0]}
    assert shown["d"]["attrs"]["dtype"] == "float16"


def test_long_settings_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.program.explain._MAX_SETTING", 3)
    short, long = (
        explained([let("y", "expand", "x", [1] * size)], {"x": const([1.0])}, route="forward")
        for size in (3, 4)
    )
    assert short["steps"][0]["attrs"]["size"] == [1, 1, 1]
    assert "size" not in long["steps"][0].get("attrs", {})


def test_a_loop_is_one_step() -> None:
    (step,) = explained([loop()], {"x": const(1.0)}, route="forward")["steps"]
    assert step["op"] == "while"


def test_long_plans_are_cut() -> None:
    chain = [let("y0", "sin", "x"), *(let(f"y{i + 1}", "sin", f"y{i}") for i in range(2 * MAX_STEPS))]
    found = explained(chain, {"x": const([1.0])}, route="forward")
    assert found["calls"] == 2 * MAX_STEPS + 1
    assert len(found["steps"]) == MAX_STEPS
