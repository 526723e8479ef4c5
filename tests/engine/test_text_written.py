"""Statements as text and back: the same program, whether they are as they were sent or desugared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import engine
from app.sample import request
from engine.errors import GraphError
from engine.language import text
from tests.engine.building import let, node
from tests.engine.flows import FLOWS
from tests.engine.generated import Drawn

ROOT = Path(__file__).resolve().parents[2]


def same(graph: list[Any]) -> str:
    """The text of a program, which is read back as the same, from its statements in both forms."""
    program = engine.Program(graph)
    for statements in (graph, program.statements):
        written = text.write(statements)
        assert engine.Program(written).statements == program.statements, written
    return text.write(graph)


@pytest.mark.parametrize("seed", range(120))
def test_drawn_programs_come_back(seed: int) -> None:
    same(Drawn(seed, depth=seed % 4).graph)


@pytest.mark.parametrize("name", FLOWS)
def test_control_flow_comes_back(name: str) -> None:
    same(FLOWS[name])


def test_every_ops_sample_comes_back() -> None:
    for op in engine.catalogue():
        body = request(op)
        if body is not None:
            same(body["graph"])


def examples() -> list[Any]:
    """The graphs of the contract's examples that are lists of statements."""
    bodies = [
        json.loads(path.read_text(encoding="utf-8"))["request"].get("body")
        for path in sorted((ROOT / "openapi" / "examples").glob("*.json"))
    ]
    graphs = [body.get("graph") for body in bodies if isinstance(body, dict)]
    return [graph for graph in graphs if isinstance(graph, list)]


def test_the_examples_come_back() -> None:
    read = 0
    for graph in examples():
        try:
            engine.Program(graph)
        except engine.errors.EngineError:
            continue
        same(graph)
        read += 1
    assert read > 20


WRITTEN: dict[str, Any] = {
    "y = -x * 2 - (w - x)": let(
        "y", "sub", node("mul", node("neg", "x"), 2), node("sub", "w", "x")
    ),
    "y = -(x * 2)": let("y", "neg", node("mul", "x", 2)),
    "y = (-x) ** -2": let("y", "pow", node("neg", "x"), -2),
    "y = x ** w ** 2": let("y", "pow", "x", node("pow", "w", 2)),
    "y = (x < w) == (w < x)": let("y", "eq", node("lt", "x", "w"), node("lt", "w", "x")),
    "y = (x + 1)[0, 1:, ...]": let(
        "y", "getitem", node("add", "x", 1), 0, {"slice": [1, None, None]}, {"ellipsis": True}
    ),
    "y = 2 - x": let("y", "rsub", "x", 2),
    "y = sub(2, x)": let("y", "sub", 2, "x"),
    "y = div(2, x)": let("y", "div", 2, "x"),
    "y = add(1, 2)": let("y", "add", 1, 2),
    "y = neg(2)": let("y", "neg", 2),
    "y = x * (0.0-2.0j)": let("y", "mul", "x", {"complex": [0.0, -2.0]}),
    "y = einsum('i,i->', x, w)": let("y", "einsum", "x", "w", equation="i,i->"),
    "y = linalg.norm(x, ord='Infinity')": let("y", "linalg.norm", "x", ord="Infinity"),
    "y = sum(x, dtype=float64)": let("y", "sum", "x", dtype="float64"),
    "y = torch.ops.tensor([1, 2])": let("y", "tensor", [1, 2]),
    "y, _ = max(x, 0)": {"out": ["y", None], "op": "max", "in": ["x", 0]},
    "y, = split(x, 1)": {"out": ["y"], "op": "split", "in": ["x", 1]},
    "y = x": let("y", "alias", "x"),
    "w = tensor([1.0, 'NaN'], requires_grad=True)": {
        "id": "w", "tensor": [1.0, "NaN"], "requires_grad": True
    },
    "w = tensor({'data': [1], 'shape': [1]})": {"id": "w", "tensor": {"data": [1], "shape": [1]}},
}  # fmt: skip


@pytest.mark.parametrize("written", WRITTEN, ids=str)
def test_what_is_written(written: str) -> None:
    assert text.write([WRITTEN[written]]) == f"{written}\n"
    assert text.read(written).statements == [WRITTEN[written]]


def test_a_value_called_like_a_namespace_hides_no_op() -> None:
    graph = [let("linalg", "neg", "x"), let("y", "linalg.norm", "linalg")]
    assert same(graph) == "linalg = -x\ny = torch.linalg.norm(linalg)\n"


def test_values_called_like_ops_and_dtypes() -> None:
    same(
        [
            let("sum", "sum", "x"),
            let("float64", "add", "sum", "double"),
            let("y", "clamp", "x", max={"ref": "double"}),
        ]
    )


@pytest.mark.parametrize(
    "statement",
    [
        let("y", "neg", "not an id"),
        let("y", "neg", "x", **{"not a name": 1}),
        let("y", "neg); import os", "x"),
        {"id": "y\n", "op": "neg", "in": ["x"]},
        {"out": ["_", "y"], "op": "max", "in": ["x", 0]},
    ],
)
def test_what_has_no_text_is_refused(statement: Any) -> None:
    with pytest.raises(GraphError):
        text.write([statement])
