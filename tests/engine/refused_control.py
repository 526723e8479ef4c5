"""Programs that are refused when they are read: loops, derivatives, state. As in `refused_statements`."""

from __future__ import annotations

from typing import Any

from engine.errors import (
    ArgumentError,
    DuplicateId,
    EngineError,
    GraphError,
    NotImplementedYet,
    UnknownField,
    UnknownId,
)
from tests.engine.building import ID, body, let, loop, node

REFUSED: dict[str, tuple[Any, type[EngineError], tuple[str | int, ...], str]] = {
    "while-field": ([loop(test=1)], UnknownField, (0, "test"), "unknown field 'test'"),
    "while-carry": (
        [loop(carry={})],
        GraphError,
        (0, "carry"),
        "carry is an object with an initial value for each carried name",
    ),
    "while-carry-name": ([loop(carry={"if": "x"})], GraphError, (0, "carry", "if"), ID),
    "while-carry-taken": (
        [let("v", "exp", "x"), loop()],
        DuplicateId,
        (1, "carry", "v"),
        "id 'v' is defined twice",
    ),
    "while-carry-input": (
        [let("u", "exp", "v"), loop()],
        DuplicateId,
        (1, "carry", "v"),
        "id 'v' is defined in a body and used outside of it",
    ),
    "while-cond": ([loop(cond=None)], GraphError, (0, "cond"), 'cond is an object with "do" and "yield"'),
    "while-cond-field": (
        [loop(cond={"yield": "v", "params": []})],
        UnknownField,
        (0, "cond", "params"),
        "unknown field 'params'",
    ),
    "while-yield": ([loop(body={"do": []})], GraphError, (0, "body"), "body yields nothing"),
    "while-yield-one": (
        [loop(body={"yield": "v"})],
        ArgumentError,
        (0, "body", "yield"),
        "body yields a value for each carried name",
    ),
    "while-yield-other": (
        [loop(body={"yield": {"w": "v"}})],
        ArgumentError,
        (0, "body", "yield"),
        "body yields a value for each carried name",
    ),
    "while-yield-forward": (
        [loop(body=body(let("a", "exp", "b"), let("b", "exp", "v")))],
        UnknownId,
        (0, "body", "do", 0, "in", 0),
        "id 'b' is used before it is defined",
    ),
    "while-out": (
        [loop(id=None, out=["a", "b"])],
        ArgumentError,
        (0, "out"),
        "while: 1 carried values, 2 outputs",
    ),
    "while-id": (
        [loop(carry={"v": "x", "w": 0}, body={"yield": {"v": "v", "w": "w"}})],
        ArgumentError,
        (0, "id"),
        "while: 2 carried values, 1 outputs",
    ),
    "while-iters": ([loop(max_iters=1.5)], ArgumentError, (0, "max_iters"), "max_iters is a whole number"),
    "while-iters-bool": ([loop(max_iters=True)], ArgumentError, (0, "max_iters"), "max_iters is a whole"),
    "while-iters-less": ([loop(max_iters=-1)], ArgumentError, (0, "max_iters"), "max_iters is a whole"),
    "while-backward": (
        [loop(body=body({"op": "backward", "in": ["v"]}))],
        NotImplementedYet,
        (0, "body", "do", 0, "op"),
        "backward in a body is not implemented yet",
    ),
    "after-loop": (
        [loop(body=body(let("a", "exp", "v"))), let("a", "exp", "x"), let("a", "exp", "x")],
        DuplicateId,
        (2, "id"),
        "id 'a' is defined twice",
    ),
    "grad-wrt": ([let("g", "grad", "x")], ArgumentError, (0, "attrs", "wrt"), "grad: wrt is a list of ids"),
    "grad-wrt-node": (
        [let("g", "grad", "x", wrt=[node("exp", "x")])],
        ArgumentError,
        (0, "attrs", "wrt"),
        "grad: wrt is a list of ids",
    ),
    "grad-wrt-forward": (
        [let("g", "grad", "x", wrt=["x", "q"]) | {"id": None}, let("q", "exp", "x")],
        GraphError,
        (0, "id"),
        ID,
    ),
    "grad-field": (
        [let("g", "grad", "x", wrt="x", only_inputs=True)],
        UnknownField,
        (0, "attrs", "only_inputs"),
        "unknown field 'only_inputs'",
    ),
    "grad-flag": (
        [let("g", "grad", "x", wrt="x", create_graph=1)],
        ArgumentError,
        (0, "attrs", "create_graph"),
        "create_graph is true or false",
    ),
    "grad-out": (
        [{"out": ["g"], **node("grad", "x", wrt=["x", "w"])}],
        ArgumentError,
        (0, "out"),
        "grad: 2 gradients, 1 outputs",
    ),
    "state-id": (
        [{"id": "y", "op": "retain_grad", "in": ["x"]}],
        UnknownField,
        (0, "id"),
        "retain_grad gives no value: it has no id",
    ),
    "state-nothing": (
        [{"op": "requires_grad_", "in": []}],
        ArgumentError,
        (0, "in"),
        "requires_grad_: the first operand is a reference",
    ),
    "state-number": (
        [{"op": "zero_grad", "in": ["x", 2]}],
        ArgumentError,
        (0, "in", 1),
        "zero_grad: the first operand is a reference",
    ),
    "state-many": (
        [{"op": "requires_grad_", "in": ["x", True, True]}],
        ArgumentError,
        (0, "in"),
        "requires_grad_() takes 2 positional arguments but 3 were given",
    ),
    "state-attr": (
        [{"op": "retain_grad", "in": ["x"], "attrs": {"keep": True}}],
        UnknownField,
        (0, "attrs", "keep"),
        "unknown field 'keep'",
    ),
    "state-flag": (
        [{"op": "requires_grad_", "in": ["x", 1]}],
        ArgumentError,
        (0, "attrs", "requires_grad"),
        "requires_grad is true or false",
    ),
    "state-twice": (
        [{"op": "requires_grad_", "in": ["x", True], "attrs": {"requires_grad": True}}],
        ArgumentError,
        (0, "attrs", "requires_grad"),
        "requires_grad_() got multiple values for argument 'requires_grad'",
    ),
    "backward-twice": (
        [{"op": "backward", "in": ["x"], "attrs": {"tensor": "x"}}],
        ArgumentError,
        (0, "in"),
        'backward: the tensor is given in "in" and in "attrs"',
    ),
    "backward-inputs": (
        [{"op": "backward", "in": ["x"], "attrs": {"inputs": [3]}}],
        ArgumentError,
        (0, "attrs", "inputs"),
        "backward: inputs is a list of ids",
    ),
    "read-grad-id": ([{"op": "read_grad", "in": ["x"]}], GraphError, (0, "id"), ID),
    "read-grad-out": (
        [{"out": ["g"], "op": "read_grad", "in": ["x"]}],
        GraphError,
        (0, "out"),
        'read_grad gives one value: name it with "id"',
    ),
}
