"""Programs that are refused when they are read: ops, ids, arguments, leaves, blocks. Each has the error's
class, the place in the graph, and how its text begins."""

from __future__ import annotations

import math
from typing import Any

from engine.errors import (
    ArgumentError,
    DuplicateId,
    EngineError,
    GraphError,
    UnknownField,
    UnknownId,
    UnknownOp,
    ValueArgumentError,
)
from tests.engine.building import ID, let, node

EXP = let("y", "exp", "x")

REFUSED: dict[str, tuple[Any, type[EngineError], tuple[str | int, ...], str]] = {
    "graph-object": ({}, GraphError, (), "a graph is a list of statements"),
    "statement-list": ([[]], GraphError, (0,), "a statement is an object"),
    "statement-null": ([EXP, None], GraphError, (1,), "a statement is an object"),
    "statement-empty": ([{}], GraphError, (0,), 'a statement has one of "op", "tensor", "with"'),
    "unknown-field": ([{**EXP, "tag": 1}], UnknownField, (0, "tag"), "unknown field 'tag'"),
    "unknown-field-long": ([{**EXP, "t" * 65: 1}], UnknownField, (0, "t" * 65), "unknown field '…'"),
    "unknown-op": ([let("y", "nope", "x")], UnknownOp, (0, "op"), "unknown op 'nope'"),
    "unknown-op-nested": (
        [let("y", "exp", node("nope", "x"))],
        UnknownOp,
        (0, "in", 0, "op"),
        "unknown op 'nope'",
    ),
    "op-number": ([{"id": "y", "op": 3}], GraphError, (0, "op"), "an op is named by a string"),
    "op-internal": ([let("y", "_conj", "x")], GraphError, (0, "op"), "op '_conj' is internal"),
    "id-missing": ([node("exp", "x")], GraphError, (0, "id"), ID),
    "id-number": ([{"id": 3, **node("exp", "x")}], GraphError, (0, "id"), ID),
    "id-keyword": ([let("lambda", "exp", "x")], GraphError, (0, "id"), ID),
    "id-reserved": ([let("tensor", "exp", "x")], GraphError, (0, "id"), ID),
    "id-temporary": ([let("$0", "exp", "x")], GraphError, (0, "id"), ID),
    "id-65": ([let("a" * 65, "exp", "x")], GraphError, (0, "id"), ID),
    "id-newline": ([let("y\n", "exp", "x")], GraphError, (0, "id"), ID),
    "duplicate": ([EXP, EXP], DuplicateId, (1, "id"), "id 'y' is defined twice"),
    "duplicate-out": (
        [{"out": ["a", "a"], **node("max", "x", 0)}],
        DuplicateId,
        (0, "out", 1),
        "id 'a' is defined twice",
    ),
    "id-and-out": (
        [{**EXP, "out": ["a"]}],
        GraphError,
        (0, "out"),
        'a statement has "id" or "out", not both',
    ),
    "out-empty": ([{"out": [], **node("exp", "x")}], GraphError, (0, "out"), "out is a list of ids"),
    "out-name": ([{"out": "a", **node("exp", "x")}], GraphError, (0, "out"), "out is a list of ids"),
    "forward": (
        [let("y", "exp", "z"), let("z", "exp", "x")],
        UnknownId,
        (0, "in", 0),
        "id 'z' is used before it is defined",
    ),
    "forward-nested": (
        [let("y", "exp", node("mul", 2, ["z"])), let("z", "exp", "x")],
        UnknownId,
        (0, "in", 0, "in", 1, 0),
        "id 'z' is used before it is defined",
    ),
    "itself": ([let("y", "exp", "y")], UnknownId, (0, "in", 0), "id 'y' is used before it is defined"),
    "reference-keyword": ([let("y", "exp", "if")], UnknownId, (0, "in", 0), "unknown id 'if'"),
    "reference-nothing": ([let("y", "exp", "")], UnknownId, (0, "in", 0), "unknown id ''"),
    "reference-control": ([let("y", "exp", "a\x00")], UnknownId, (0, "in", 0), "unknown id '…'"),
    "in-name": ([{"id": "y", "op": "exp", "in": "x"}], GraphError, (0, "in"), "in is a list of arguments"),
    "in-nan": ([let("y", "mul", "x", math.nan)], ArgumentError, (0, "in", 1), "a number here is finite"),
    "in-65-bits": (
        [let("y", "mul", "x", 2**64)],
        ValueArgumentError,
        (0, "in", 1),
        "a whole number has at most 64 bits",
    ),
    "in-object": ([let("y", "mul", "x", {"a": 1})], GraphError, (0, "in", 1), "not an argument"),
    "in-empty-object": ([let("y", "mul", "x", {})], GraphError, (0, "in", 1), "not an argument"),
    "in-set": ([let("y", "mul", "x", {1})], ArgumentError, (0, "in", 1), "not an argument"),
    "ellipsis-false": (
        [let("y", "getitem", "x", {"ellipsis": False})],
        GraphError,
        (0, "in", 1),
        "not an arg",
    ),
    "slice-two": (
        [let("y", "getitem", "x", {"slice": [0, 1]})],
        GraphError,
        (0, "in", 1, "slice"),
        "a slice has three parts: start, stop, step",
    ),
    "slice-float": (
        [let("y", "getitem", "x", {"slice": [0, 1.5, None]})],
        ArgumentError,
        (0, "in", 1, "slice", 1),
        "a part of a slice is a whole number or null",
    ),
    "slice-bool": (
        [let("y", "getitem", "x", {"slice": [True, None, None]})],
        ArgumentError,
        (0, "in", 1, "slice", 0),
        "a part of a slice is a whole number or null",
    ),
    "complex-one": (
        [let("y", "mul", "x", {"complex": [1]})],
        GraphError,
        (0, "in", 1, "complex"),
        "a complex number has two parts: [re, im]",
    ),
    "complex-text": (
        [let("y", "mul", "x", {"complex": [1, "2"]})],
        ArgumentError,
        (0, "in", 1, "complex", 1),
        "a part of a complex number is a number",
    ),
    "attrs-list": ([{**EXP, "attrs": [1]}], GraphError, (0, "attrs"), "attrs is an object"),
    "attr-unknown": (
        [let("y", "sum", "x", dims=0)],
        UnknownField,
        (0, "attrs", "dims"),
        "sum() got an unexpected keyword argument 'dims'",
    ),
    "attr-twice": (
        [let("y", "sum", "x", 0, dim=0)],
        ArgumentError,
        (0, "attrs", "dim"),
        "sum() got multiple values for argument 'dim'",
    ),
    "attr-node": (
        [let("y", "add", "x", "x", alpha=node("sum", "x"))],
        GraphError,
        (0, "attrs", "alpha"),
        "an attribute is no op node: give the node an id and refer to it",
    ),
    "attr-unknown-ref": (
        [let("y", "where", "x", "x", other={"ref": "q"}), let("q", "exp", "x")],
        UnknownId,
        (0, "attrs", "other", "ref"),
        "id 'q' is used before it is defined",
    ),
    "nested-id": ([let("y", "exp", EXP)], UnknownField, (0, "in", 0, "id"), "a nested node has no id"),
    "nested-out": (
        [let("y", "exp", {"out": ["a"], **node("exp", "x")})],
        UnknownField,
        (0, "in", 0, "out"),
        "a nested node has no id",
    ),
    "leaf-field": (
        [{"id": "w", "tensor": 1.0, "dtype": "float64"}],
        UnknownField,
        (0, "dtype"),
        "unknown field 'dtype'",
    ),
    "leaf-ragged": (
        [{"id": "w", "tensor": [[1.0], [1.0, 2.0]]}],
        EngineError,
        (0, "tensor"),
        "expected sequence of length 1 at dim 1 (got 2)",
    ),
    "leaf-flag": (
        [{"id": "w", "tensor": 1.0, "requires_grad": 1}],
        ArgumentError,
        (0, "requires_grad"),
        "requires_grad is true or false",
    ),
    "leaf-flag-twice": (
        [{"id": "w", "tensor": {"data": 1.0, "requires_grad": True}, "requires_grad": True}],
        GraphError,
        (0, "requires_grad"),
        "requires_grad is given twice",
    ),
    "with-unknown": (
        [{"with": "inference", "do": []}],
        GraphError,
        (0, "with"),
        'with is "no_grad" or "enable_grad"',
    ),
    "with-list": ([{"with": [], "do": []}], GraphError, (0, "with"), 'with is "no_grad" or "enable_grad"'),
    "with-nothing": ([{"with": "no_grad"}], GraphError, (0, "do"), "a graph is a list of statements"),
    "block-inside": (
        [{"with": "no_grad", "do": [EXP, {"with": "no_grad", "do": [EXP]}]}],
        DuplicateId,
        (0, "do", 1, "do", 0, "id"),
        "id 'y' is defined twice",
    ),
}
