"""Reading programs: what is refused, where, and in which words; what the canonical form is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine.errors import (
    ArgumentError,
    DuplicateId,
    GraphError,
    LimitExceeded,
    NotImplementedYet,
    UnknownField,
    UnknownId,
    UnknownOp,
    ValueArgumentError,
)
from engine.registry import REGISTRY
from tests.engine import refused_control, refused_statements
from tests.engine.building import backward, leaf, let, loop, node

REFUSED = refused_statements.REFUSED | refused_control.REFUSED
EXP = refused_statements.EXP


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    graph, kind, pointer, text = REFUSED[name]
    with pytest.raises(kind) as caught:
        engine.Program(graph)
    assert caught.value.pointer == ("graph", *pointer)
    assert str(caught.value).startswith(text)


def test_no_internal_op_has_a_name_in_programs() -> None:
    for name, op in REGISTRY.items():
        if op.short.startswith("_"):
            with pytest.raises(GraphError, match="is internal"):
                engine.Program([{"id": "y", "op": name, "in": []}])


def test_codes() -> None:
    codes = {kind: kind.code for _, kind, _, _ in REFUSED.values()}
    assert codes[UnknownField] == "unknown-field"
    assert codes[UnknownOp] == "unknown-op"
    assert codes[UnknownId] == "unknown-id"
    assert codes[DuplicateId] == "duplicate-id"
    assert codes[NotImplementedYet] == "not-implemented"
    assert codes[GraphError] == codes[ArgumentError] == codes[ValueArgumentError] == "invalid-argument"


def test_an_error_names_its_statement() -> None:
    with pytest.raises(UnknownField) as caught:
        engine.Program([EXP, let("z", "sum", "y", dims=0)])
    assert (caught.value.node, caught.value.op) == ("z", "sum")


@pytest.mark.parametrize(
    ("limit", "fine", "pointer", "asked"),
    [
        ("statements", [EXP, let("z", "exp", node("exp", "y"))], (1, "in", 0), 3),
        ("arity", [let("y", "stack", ["x", "x", "x"])], (0, "in", 0), 3),
        ("arity", [let("y", "add", "x", "x", 1)], (0, "in"), 3),
        (
            "arity",
            [loop(carry={"a": 1, "b": 2, "c": 3}, body={"yield": {"a": 1, "b": 1, "c": 1}})],
            (0, "carry"),
            3,
        ),
        ("depth", [let("y", "exp", node("exp", node("exp", "x")))], (0, "in", 0, "in", 0), 6),
        ("depth", [{"with": "no_grad", "do": [{"with": "no_grad", "do": [EXP]}]}], (0, "do", 0, "do", 0), 6),
        ("depth", [let("y", "add", "x", [[[1.0]]])], (0, "in", 1, 0, 0), 6),
        ("depth", [let("y", "full", [2], fill_value=[[[1.0]]])], (0, "attrs", "fill_value", 0, 0), 6),
    ],
    ids=[
        "statements",
        "arity-list",
        "arity",
        "arity-carry",
        "depth",
        "depth-blocks",
        "depth-list",
        "depth-attr",
    ],
)
def test_limits_of_reading(limit: str, fine: Any, pointer: Any, asked: int) -> None:
    out = {"id": None, "out": ["p", "q", "r"]} if "carry" in fine[0] else {}
    graph = [{name: v for name, v in {**fine[0], **out}.items() if v is not None}, *fine[1:]]
    engine.Program(graph, limits=engine.Limits(**{limit: asked}))
    with pytest.raises(LimitExceeded) as caught:
        engine.Program(graph, limits=engine.Limits(**{limit: asked - 1}))
    assert caught.value.pointer == ("graph", *pointer)
    assert (caught.value.limit, caught.value.asked, caught.value.allowed) == (limit, asked, asked - 1)


@pytest.mark.parametrize("wrap", ["exp", "with", "list", "attr", "loop"])
def test_endless_nesting_is_a_limit_not_a_recursion_error(wrap: str) -> None:
    found: Any = "x" if wrap != "loop" else EXP
    for level in range(100_000):
        if wrap == "exp":
            found = node("exp", found)
        elif wrap == "with":
            found = {"with": "no_grad", "do": [found]}
        elif wrap == "loop":
            name = f"v{level}"
            result = {name: name}
            found = loop(carry={name: 1}, cond={"yield": name}, body={"do": [found], "yield": result})
        else:
            found = [found]
    graph = {
        "exp": [let("y", "exp", found)],
        "list": [let("y", "exp", found)],
        "attr": [let("y", "sum", "x", dim=found)],
    }.get(wrap, [found])
    with pytest.raises(LimitExceeded, match=r"^depth: 10[12] asked, 100 allowed$"):
        engine.Program(graph)


def test_nesting_up_to_the_limit() -> None:
    found: Any = "x"
    for _ in range(49):
        found = node("neg", found)
    answer = backward([let("y", "sum", found)], {"x": leaf([1.0, 2.0])})
    assert answer.grads["x"].tolist() == [-1.0, -1.0]  # type: ignore[union-attr]


def test_a_long_list_of_numbers_is_no_arity() -> None:
    found = engine.Program([let("y", "getitem", "x", [0] * 1000)]).forward({"x": leaf([1.0])})
    assert found.outputs["y"].shape == (1000,)


def test_canonical_statements_are_hoisted_and_named_canonically() -> None:
    graph: list[Any] = [
        let("y", "multiply", node("F.gelu", "x"), {"complex": [1, 2]}),
        let("z", "getitem", "y", {"slice": [0, None, 2]}, {"ellipsis": True}, None),
        let("c", "clamp", "x", min={"tensor": [0.5]}, max=3),
        {"id": "w", "tensor": [1.0], "requires_grad": True},
        {"with": "no_grad", "do": [let("d", "detach", "w")]},
        {"op": "requires_grad_", "in": ["d", True]},
        {"op": "backward", "attrs": {"tensor": "c", "gradient": {"ref": "w"}, "inputs": ["w"]}},
        {"id": "g", "op": "read_grad", "in": ["w"]},
        let("h", "grad", "c", wrt="w", allow_unused=True),
        let("f", "full", [2], fill_value="-Infinity"),
    ]
    assert (
        engine.Program(graph).statements
        == [
            {"id": "$0", "op": "nn.functional.gelu", "in": ["x"]},
            {"id": "y", "op": "mul", "in": ["$0", {"complex": [1.0, 2.0]}]},
            {"id": "z", "op": "getitem", "in": ["y", {"slice": [0, None, 2]}, {"ellipsis": True}, None]},
            {"id": "c", "op": "clamp", "in": ["x"], "attrs": {"min": {"tensor": [0.5]}, "max": 3}},
            {"id": "w", "tensor": [1.0], "requires_grad": True},
            {"with": "no_grad", "do": [{"id": "d", "op": "detach", "in": ["w"]}]},
            {"op": "requires_grad_", "in": ["d"], "attrs": {"requires_grad": True}},
            {"op": "backward", "in": ["c"], "attrs": {"gradient": {"ref": "w"}, "inputs": [{"ref": "w"}]}},
            {"id": "g", "op": "read_grad", "in": ["w"]},
            {"out": ["h"], "op": "grad", "in": ["c"], "attrs": {"wrt": ["w"], "allow_unused": True}},
            {"id": "f", "op": "full", "in": [[2]], "attrs": {"fill_value": "-Infinity"}},
        ]
        or engine.Program(graph).statements
    )


def test_loops_in_canonical_form() -> None:
    (found,) = engine.Program([loop()]).statements
    assert found == {
        "out": ["y"],
        "op": "while",
        "carry": {"v": "x"},
        "cond": {
            "do": [
                {"id": "$2", "op": "sum", "in": ["v"]},
                {"id": "$1", "op": "lt", "in": ["$2", 10]},
            ],
            "yield": "$1",
        },
        "body": {"do": [{"id": "$3", "op": "mul", "in": ["v", 2]}], "yield": {"v": "$3"}},
        "max_iters": None,
    }


def test_several_outputs_and_one_dropped() -> None:
    x = leaf([[1.0, 5.0], [4.0, 2.0]])
    found = engine.Program([{"out": ["m", None], **node("max", "x", 1)}]).forward({"x": x})
    assert list(found.outputs) == ["m"]
    assert found.outputs["m"].tolist() == [5.0, 4.0]


@pytest.mark.parametrize(
    ("statement", "pointer", "text"),
    [
        (let("m", "max", "x", 1), (0,), 'max() gives 2 values: name them with "out"'),
        ({"out": ["a", "b", "c"], **node("max", "x", 1)}, (0, "out"), "max() gives 2 values, 3 are named"),
        ({"out": ["a", "b"], **node("exp", "x")}, (0, "out"), "exp() gives 1 values, 2 are named"),
        (let("y", "exp", node("max", "x", 1)), (0, "in", 0), "max() gives 2 values"),
        (let("y", "exp"), (0,), 'exp() missing 1 required positional arguments: "input"'),
        (let("y", "exp", "x", "x"), (0,), "exp() takes 1 positional arguments but 2 were given"),
        (let("y", "exp", 2.0), (0,), "exp(): argument 'input' (position 1) must be Tensor, not float"),
        (
            let("y", "sum", "x", "x"),
            (0,),
            "sum(): argument 'dim' (position 2) must be tuple of ints, not Tensor",
        ),
    ],
)
def test_calls_that_do_not_fit_are_refused_at_their_statement(
    statement: Any, pointer: Any, text: str
) -> None:
    program = engine.Program([statement])
    with pytest.raises(ArgumentError) as caught:
        program.forward({"x": leaf(np.ones((2, 2)))})
    assert caught.value.pointer == ("graph", *pointer)
    assert str(caught.value).startswith(text)


def test_names_of_torch_and_numpy_for_an_attribute() -> None:
    x = leaf(np.ones((2, 3)))
    for name in ("dim", "axis"):
        found = engine.Program([let("y", "sum", "x", **{name: 0, "keepdims": True})]).forward({"x": x})
        assert found.outputs["y"].shape == (1, 3)


def test_einsum_takes_its_equation_by_name() -> None:
    graph = [let("y", "einsum", "x", "x", equation="ij,ij->")]
    assert engine.Program(graph).forward({"x": leaf(np.ones((2, 3)))}).outputs["y"].tolist() == 6.0
    with pytest.raises(ArgumentError, match="multiple values"):
        engine.Program([let("y", "sum", "x", input={"ref": "x"})])
