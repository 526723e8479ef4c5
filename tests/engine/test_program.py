"""Programs: inputs and outputs, defaults, literals, seeds, and memory of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine.errors import DuplicateId, GraphError, UnknownId
from tests.engine.building import Json, backward, const, leaf, let, names, node, values

SQUARE = [let("y", "mul", "x", "x"), let("s", "sum", "y")]


# -- inputs and outputs


def test_the_tutorials_graph() -> None:
    graph = [let("y", "add", "x", 2), let("z", "mul", node("mul", "y", "y"), 3), let("out", "mean", "z")]
    found = backward(graph, {"x": leaf(np.ones((2, 2)), "float32")}, "z", "out")
    assert values(found.outputs) == {"z": [[27.0, 27.0], [27.0, 27.0]], "out": 27.0}
    assert values(found.grads) == {"x": [[4.5, 4.5], [4.5, 4.5]]}
    assert found.trace is not None
    assert found.trace["roots"] == {"z": 1, "out": 0}
    assert names(found.trace) == ["MeanBackward0", *["MulBackward0"] * 2, "AddBackward0", "AccumulateGrad"]
    assert [each.get("tensor") for each in found.trace["nodes"]] == ["out", "z", None, "y", None]


def test_trace_with_values() -> None:
    found = backward(SQUARE, {"x": leaf([1.0, 2.0])}, trace="values")
    assert found.trace is not None
    total, product, accumulate = found.trace["nodes"]
    assert (total["value"].tolist(), total["grad"].tolist()) == (5.0, 1.0)
    assert (product["value"].tolist(), product["grad"].tolist()) == ([1.0, 4.0], [1.0, 1.0])
    assert product["saved"]["self"].tolist() == [1.0, 2.0]
    assert (accumulate["variable"], accumulate["grad"].tolist()) == ("x", [2.0, 4.0])


def test_no_trace() -> None:
    assert backward(SQUARE, {"x": leaf([1.0])}, trace=False).trace is None


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ([], ["s"]),
        ([{"with": "no_grad", "do": [let("d", "detach", "x"), let("e", "exp", "d")]}], ["e"]),
        ([{"with": "no_grad", "do": []}], ["s"]),
        ([{"op": "retain_grad", "in": ["y"]}], ["s"]),
        ([node("backward", "s", retain_graph=True)], ["s"]),
        ([node("backward", "s"), let("g", "read_grad", "x")], ["g"]),
        ([let("g", "grad", "s", wrt="x")], ["g"]),
        ([{"out": ["m", "k"], **node("max", "x", 0)}], ["m", "k"]),
        ([{"out": ["m", None], **node("max", "x", 0)}], ["m"]),
        ([{"out": [None, None], **node("max", "x", 0)}], ["s"]),
        ([{"id": "w", "tensor": 1.0}], ["w"]),
    ],
)
def test_default_outputs_are_the_last_statements_that_defines_any(last: Any, expected: list[str]) -> None:
    found = engine.Program([*SQUARE, *last]).forward({"x": leaf([1.0, 2.0])})
    assert list(found.outputs) == expected


def test_no_outputs_asked_for() -> None:
    found = engine.Program(SQUARE).backward({"x": leaf([1.0, 2.0])}, [])
    assert found.outputs == {}
    assert values(found.grads) == {"x": [2.0, 4.0]}
    assert engine.Program([]).forward({}).outputs == {}
    with pytest.raises(GraphError, match="there is nothing to return"):
        engine.Program([]).backward({})


def test_inputs_missing_unused_and_shadowed() -> None:
    program = engine.Program([let("z", "add", "x", node("exp", "w"))])
    with pytest.raises(UnknownId, match="unknown id 'w'") as caught:
        program.forward({"x": leaf(1.0)})
    assert caught.value.pointer == ("graph", 0, "in", 1, "in", 0)
    given = {"x": leaf(1.0), "w": leaf(0.0), "v": leaf(2.0)}
    assert values(program.backward(given).grads) == {"x": 1.0, "w": 1.0, "v": None}
    with pytest.raises(DuplicateId, match="id 'z' is an input and defined in the graph") as twice:
        program.forward({"x": leaf(1.0), "w": leaf(1.0), "z": leaf(1.0)})
    assert twice.value.pointer == ("inputs", "z")


def test_given_tensors_stay_as_they_are() -> None:
    x = leaf([1.0, 2.0])
    backward(SQUARE, {"x": x})
    assert x.grad is None and x.grad_fn is None and x.version == 0


def test_results_share_memory_with_nothing() -> None:
    shared = engine.tensor(np.array([5.0, 6.0]))
    v = const([1.0, 1.0])
    x = leaf([1.0, 2.0])
    literal: Json = {"id": "k", "tensor": shared}
    graph = [literal, let("w", "mul", "c", 1), let("y", "add", "x", "k"), let("t", "view", "y", [2, 1])]
    program = engine.Program([*graph, let("z", "add", "x", "k")])

    def run() -> engine.Result:
        inputs = {"x": x, "c": const([3.0, 4.0])}
        return program.backward(inputs, ["x", "c", "k", "w", "y", "t", "z"], gradient={"y": v})

    first, again = run(), run()
    arrays = [each.array for each in (*first.outputs.values(), first.grads["x"]) if each is not None]
    arrays += [x.array, v.array, shared.array]
    assert not any(np.shares_memory(a, b) for at, a in enumerate(arrays) for b in arrays[:at])
    for array in arrays[:-3]:
        array[...] = -1
    assert values(run().outputs) == values(again.outputs)


def test_decode_makes_tensors_of_literals() -> None:
    seen = []

    def decode(raw: Any) -> engine.Tensor:
        seen.append(raw)
        return engine.tensor(raw["data"], dtype="float64")

    graph = [{"id": "w", "tensor": {"data": [1.5]}}, let("y", "mul", "w", {"tensor": {"data": [2.0]}})]
    assert engine.Program(graph, decode=decode).forward({}).outputs["y"].tolist() == [3.0]
    assert seen == [{"data": [1.5]}, {"data": [2.0]}]


def test_default_dtype_holds_while_a_plan_is_made() -> None:
    program = engine.Program([let("y", "mul", "i", 1.1), let("z", "sin", "i"), let("w", "full", [1], 0.1)])
    inputs = {"i": const([3], "int64")}
    for name, numpy_type in (("float32", np.float32), ("float64", np.float64)):
        found = program.forward(inputs, ["y", "z", "w"], default_dtype=name).outputs
        assert found["y"].array == np.array([3], numpy_type) * numpy_type(1.1)
        assert found["z"].array == np.sin(np.array([3], numpy_type))
        assert found["w"].array == numpy_type(0.1)
        assert {y.dtype.name for y in found.values()} == {name}


def test_seeds() -> None:
    program = engine.Program([let("a", "rand", [3]), let("b", "rand", [3])])
    engine.manual_seed(7)
    expected = [engine.rand(3).tolist(), engine.rand(3).tolist()]
    found = program.forward({}, ["a", "b"], seed=7)
    assert [y.tolist() for y in found.outputs.values()] == expected
    unseeded = program.forward({}, ["b"]).outputs["b"]
    assert unseeded.tolist() == program.forward({}, ["b"], seed=0).outputs["b"].tolist()


def test_gradients_for_several_outputs() -> None:
    found = backward(SQUARE, {"x": leaf([1.0, 2.0])}, "y", gradient={"s": None, "y": const([1.0, 0.5])})
    assert values(found.grads) == {"x": [4.0, 6.0]}
    assert found.trace is not None and set(found.trace["roots"]) == {"y", "s"}
    assert values(backward(SQUARE, {"x": leaf([1.0])}, "y", gradient={}).grads) == {"x": None}
    assert values(backward(SQUARE, {"x": leaf([1.0])}, "y", backward=[]).grads) == {"x": None}


def test_a_gradient_is_cast_to_its_output() -> None:
    x = engine.tensor(np.ones(2, np.float32), requires_grad=True)
    found = backward([let("y", "mul", "x", 2)], {"x": x}, gradient=const([1.0, 0.1]))
    assert found.grads["x"].dtype is engine.float32  # type: ignore[union-attr]


def test_a_leaf_is_its_own_gradient() -> None:
    found = backward([let("y", "alias", "x")], {"x": leaf(3.0)})
    assert values(found.grads) == {"x": 1.0}
    assert found.trace == {"roots": {"y": None}, "nodes": []}


def test_default_dtype_holds_for_sizes_that_only_a_run_knows() -> None:
    chosen = {"op": "getitem", "in": ["i", {"op": "gt", "in": ["i", 1]}]}
    program = engine.Program([let("y", "sin", chosen)])
    found = program.forward({"i": const([1, 2, 3], "int64")}, default_dtype="float64").outputs["y"]
    assert found.array.tolist() == np.sin([2.0, 3.0]).tolist()
