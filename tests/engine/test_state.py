"""Statements that change state: flags, `.grad` slots, backward as a statement and as a list."""

from __future__ import annotations

from typing import Any

import pytest

import engine
from engine.errors import (
    EngineError,
    GradError,
    GraphFreed,
)
from tests.engine.building import Json, backward, const, leaf, let, names, node, values

FREED = "Trying to backward through the graph a second time"
SQUARE = [let("y", "mul", "x", "x"), let("s", "sum", "y")]


def do(op: str, *args: Any, **attrs: Any) -> Json:
    """A state statement."""
    return node(op, *args, **attrs)


def flags(found: engine.Result) -> dict[str, tuple[bool, bool, str | None]]:
    """requires_grad, is_leaf and grad_fn of every output."""
    return {
        name: (y.requires_grad, y.is_leaf, y.grad_fn.name() if y.grad_fn else None)
        for name, y in found.outputs.items()
    }


def refused(kind: type[EngineError], graph: list[Any], *outputs: str, **settings: Any) -> EngineError:
    with pytest.raises(kind) as caught:
        backward(graph, {"x": leaf([1.0, 2.0]), "c": const([1.0, 2.0])}, *outputs, **settings)
    return caught.value


# -- flags


def test_names_before_and_after_requires_grad() -> None:
    graph = [
        let("before", "alias", "c"),
        do("requires_grad_", "c"),
        let("after", "alias", "c"),
        let("s", "sum", node("mul", "c", "c")),
    ]
    found = backward(graph, {"c": const([1.0, 2.0])}, "before", "after", "s")
    assert flags(found) == {
        "before": (False, True, None),
        "after": (True, True, None),
        "s": (True, False, "SumBackward0"),
    }
    assert values(found.grads) == {"c": [2.0, 4.0]}


def test_what_ran_before_requires_grad_is_not_recorded() -> None:
    graph = [let("a", "mul", "c", 3), do("requires_grad_", "c"), let("s", "sum", node("mul", "a", "c"))]
    found = backward(graph, {"c": const([1.0, 2.0])}, "a", "s")
    assert flags(found)["a"] == (False, True, None)
    assert values(found.grads) == {"c": [3.0, 6.0]}


def test_an_operand_that_did_not_require_grad_has_no_edge() -> None:
    graph = [let("a", "mul", "x", "c"), do("requires_grad_", "c"), let("s", "sum", node("add", "a", "c"))]
    found = backward(graph, {"x": leaf([1.0, 2.0]), "c": const([5.0, 6.0])}, "s")
    assert found.trace is not None
    assert names(found.trace) == ["SumBackward0", "AddBackward0", "MulBackward0", *["AccumulateGrad"] * 2]
    assert found.trace["nodes"][2]["next_functions"][1] is None
    assert found.trace["nodes"][2]["saved"]["self"] is None
    assert values(found.grads) == {"x": [5.0, 6.0], "c": [1.0, 1.0]}


def test_requires_grad_taken_back() -> None:
    graph = [*SQUARE, do("requires_grad_", "x", False), let("z", "mul", "x", 2)]
    found = backward(graph, {"x": leaf([1.0, 2.0])}, "z", "s", gradient={"s": None})
    assert flags(found)["z"] == (False, True, None)
    assert found.grads == {}
    assert found.trace is not None  # the node was made before, and keeps its edge
    assert names(found.trace) == ["SumBackward0", "MulBackward0", "AccumulateGrad"]


def test_a_detached_value_can_be_a_leaf() -> None:
    graph = [
        let("d", "detach", node("mul", "x", 2)),
        do("requires_grad_", "d"),
        let("s", "sum", node("pow", "d", 2)),
    ]
    found = backward(graph, {"x": leaf([1.0, 2.0])}, "s")
    assert values(found.grads) == {"x": None, "d": [4.0, 8.0]}


def test_leaves_in_no_grad_blocks() -> None:
    inner = [
        {"id": "w", "tensor": [3.0, 4.0], "requires_grad": True},
        let("u", "ones", [2], requires_grad=True),
        let("v", "mul", "w", 2),
        do("requires_grad_", "v"),
        {"with": "enable_grad", "do": [let("e", "mul", "w", "u")]},
        let("f", "mul", "w", "u"),
    ]
    graph = [{"with": "no_grad", "do": inner}, let("s", "sum", node("mul", "e", "v"))]
    found = engine.Program(graph).backward({}, ["w", "u", "v", "e", "f", "s"])
    assert flags(found) == {
        "w": (True, True, None),
        "u": (True, True, None),
        "v": (False, True, None),  # as it was when its statement ran
        "e": (True, False, "MulBackward0"),
        "f": (False, True, None),
        "s": (True, False, "SumBackward0"),
    }
    assert values(found.grads) == {"w": [6.0, 8.0], "u": [18.0, 32.0], "v": [3.0, 4.0]}


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        (do("requires_grad_", "i"), "only Tensors of floating point dtype can require gradients"),
        (do("requires_grad_", "y", False), "you can only change requires_grad flags of leaf variables."),
        (do("retain_grad", "c"), "can't retain_grad on Tensor that has requires_grad=False"),
        (let("g", "read_grad", "x"), "'x' has no grad yet: it is None"),
        (
            let("u", "ones", [2], dtype="int64", requires_grad=True),
            "Only Tensors of floating point",
        ),
        ({"id": "u", "tensor": [1, 2], "requires_grad": True}, "Only Tensors of floating point"),
    ],
)
def test_refused_in_torchs_words(statement: Json, text: str) -> None:
    inputs = {"x": leaf([1.0, 2.0]), "c": const([1.0]), "i": const([1], "int64")}
    with pytest.raises(GradError) as caught:
        engine.Program([*SQUARE, statement]).forward(inputs)
    assert str(caught.value).startswith(text)
    assert caught.value.pointer[:2] == ("graph", 2)


def test_changes_that_change_nothing() -> None:
    graph = [do("requires_grad_", "i", False), *SQUARE, do("requires_grad_", "y"), do("retain_grad", "x")]
    found = backward(graph, {"x": leaf([1.0, 2.0]), "i": const([1], "int64")}, "s")
    assert values(found.grads) == {"x": [2.0, 4.0]}


# -- .grad


def test_retained_grads() -> None:
    graph = [SQUARE[0], do("retain_grad", "y"), let("s", "sum", node("mul", "y", 3))]
    found = backward(graph, {"x": leaf([1.0, 2.0])}, "s")
    assert values(found.grads) == {"x": [6.0, 12.0], "y": [3.0, 3.0]}


def test_backward_accumulates_and_zero_grad_forgets() -> None:
    twice = [*SQUARE, do("backward", "s", retain_graph=True), let("a", "read_grad", "x"), do("backward", "s")]
    found = backward([*twice, let("b", "read_grad", "x")], {"x": leaf([1.0, 2.0])}, "a", "b")
    assert values(found.outputs) == {"a": [2.0, 4.0], "b": [4.0, 8.0]}
    assert values(found.grads) == {"x": [4.0, 8.0]}
    zeroed = [*twice[:4], do("zero_grad", "x"), do("backward", "s")]
    assert values(backward(zeroed, {"x": leaf([1.0, 2.0])}, "s").grads) == {"x": [2.0, 4.0]}
    assert values(backward([*twice, do("zero_grad")], {"x": leaf([1.0, 2.0])}, "s").grads) == {"x": None}


def test_a_backward_statement_takes_the_place_of_the_implicit_one() -> None:
    found = backward([*SQUARE, do("backward", "s")], {"x": leaf([1.0, 2.0])}, "s")
    assert values(found.grads) == {"x": [2.0, 4.0]}
    with_gradient = [*SQUARE, do("backward", "s", retain_graph=True)]
    found = backward(with_gradient, {"x": leaf([1.0, 2.0])}, "s", gradient=const(10.0))
    assert values(found.grads) == {"x": [22.0, 44.0]}


def test_gradients_of_backward_statements_by_place_and_by_name() -> None:
    v: Json = {"tensor": {"data": [1.0, 10.0], "dtype": "float64"}}
    for statement in (
        do("backward", "y", v),
        do("backward", "y", gradient=v),
        do("backward", tensor="y", gradient=v),
    ):
        found = backward([SQUARE[0], statement], {"x": leaf([1.0, 2.0])}, "y")
        assert values(found.grads) == {"x": [2.0, 40.0]}


def test_backward_restricted_to_inputs() -> None:
    graph = [*SQUARE, let("t", "sum", node("mul", "s", "w"))]
    given = {"x": leaf([1.0, 2.0]), "w": leaf(3.0)}
    found = backward([*graph, do("backward", "t", inputs="y")], given, "t")
    assert values(found.grads) == {"x": None, "w": None, "y": [3.0, 3.0]}
    found = backward(graph, given, "t", backward=[{"tensor": "t", "inputs": ["x"]}])
    assert values(found.grads) == {"x": [6.0, 12.0], "w": None}


def test_an_input_of_backward_keeps_its_grad_from_then_on() -> None:
    listed = [{"tensor": "s", "inputs": ["y"], "retain_graph": True}, {"tensor": "s"}]
    found = backward(SQUARE, {"x": leaf([1.0, 2.0])}, "s", backward=listed)
    assert values(found.grads) == {"x": [2.0, 4.0], "y": [2.0, 2.0]}


def test_earlier_grads_are_added_to() -> None:
    earlier = {"x": const([100.0, 200.0])}
    found = backward(SQUARE, {"x": leaf([1.0, 2.0])}, "s", grads=earlier)
    assert values(found.grads) == {"x": [102.0, 204.0]}
    assert earlier["x"].tolist() == [100.0, 200.0]
    graph = [let("g", "read_grad", "x"), *SQUARE, do("zero_grad", "x"), do("backward", "s")]
    found = backward(graph, {"x": leaf([1.0, 2.0])}, "g", grads=earlier)
    assert (values(found.outputs), values(found.grads)) == ({"g": [100.0, 200.0]}, {"x": [2.0, 4.0]})
    forward = engine.Program(SQUARE).forward({"x": leaf([1.0, 2.0])}, grads=earlier)
    assert values(forward.grads) == {"x": [100.0, 200.0]}


def test_a_grad_with_a_graph_is_differentiated_again() -> None:
    cube = [
        let("s", "sum", node("pow", "x", 3)),
        do("backward", "s", create_graph=True),
        let("g", "read_grad", "x"),
    ]
    graph = [*cube, do("zero_grad", "x"), do("backward", node("sum", "g"))]
    found = backward(graph, {"x": leaf([1.0, 2.0])}, "g")
    assert values(found.outputs) == {"g": [3.0, 12.0]}
    assert values(found.grads) == {"x": [6.0, 12.0]}
    assert flags(found)["g"][0]


# -- freed graphs


def test_a_second_backward_is_refused_where_something_was_saved() -> None:
    error = refused(GraphFreed, [*SQUARE, do("backward", "s"), do("backward", "s")])
    assert str(error).startswith(FREED)
    assert (error.pointer, error.op, error.code) == (("graph", 3), "backward", "graph-freed")
    error = refused(GraphFreed, SQUARE, "s", backward=[{"tensor": "s"}, {"tensor": "s"}])
    assert (error.pointer, error.node) == (("backward", 1), "s")
    error = refused(GraphFreed, [*SQUARE, do("backward", "s")], "s", gradient=const(1.0))
    assert error.pointer == ("gradient",)
    error = refused(GraphFreed, [*SQUARE, let("g", "grad", "s", wrt="x"), let("h", "grad", "s", wrt="x")])
    assert error.pointer == ("graph", 3)


def test_a_second_backward_passes_where_nothing_was_saved() -> None:
    plus = [let("s", "sum", node("add", "x", 2))]
    found = backward(plus, {"x": leaf([1.0, 2.0])}, "s", backward=[{"tensor": "s"}, {"tensor": "s"}])
    assert values(found.grads) == {"x": [2.0, 2.0]}


def test_only_what_a_sweep_ran_through_is_freed() -> None:
    graph = [let("e", "exp", "x"), let("q", "mul", "c", "w"), let("s", "sum", node("add", "e", "q"))]
    given = {"x": leaf([0.0]), "c": const([2.0]), "w": leaf([5.0])}
    graph += [let("g", "grad", "s", wrt="x"), let("h", "grad", "s", wrt="w")]
    found = backward(graph, given, "g", "h", gradient={})
    assert values(found.outputs) == {"g": [1.0], "h": [2.0]}


def test_create_graph_keeps_the_graph_unless_told_otherwise() -> None:
    create: Json = {"tensor": "s", "create_graph": True}
    assert backward(SQUARE, {"x": leaf([1.0, 2.0])}, "s", backward=[create, {"tensor": "s"}])
    refused(GraphFreed, SQUARE, "s", backward=[{**create, "retain_graph": False}, {"tensor": "s"}])
