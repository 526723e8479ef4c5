"""Numbers of a program that JSON has no digits for: text in "attrs", floats from Python, never in "in"."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import engine
from engine.errors import ArgumentError

X = np.array([[1.0, -2.0], [3.0, 4.0]])
SPELLED = {"Infinity": math.inf, "-Infinity": -math.inf}


def run(statement: dict[str, Any]) -> tuple[Any, Any]:
    program = engine.Program([{"id": "y", **statement}])
    found = program.forward({"x": engine.Tensor(X)}, ["y"]).outputs["y"].numpy()
    return program.statements, found


@pytest.mark.parametrize("text", SPELLED)
@pytest.mark.parametrize(
    ("op", "name"), [("linalg.vector_norm", "ord"), ("linalg.norm", "ord"), ("norm", "p"), ("clamp", "max")]
)
def test_an_attribute_is_a_float_or_its_name(op: str, name: str, text: str) -> None:
    statements = []
    for value in (text, SPELLED[text]):
        canonical, found = run({"op": op, "in": ["x"], "attrs": {name: value}})
        expected = engine.lookup(op)(engine.Tensor(X), **{name: SPELLED[text]}).numpy()
        np.testing.assert_array_equal(found, expected)
        statements.append(json.dumps(canonical, allow_nan=False))
    assert statements[0] == statements[1]
    assert f'"{text}"' in statements[0]


def test_an_operand_and_a_list_may_be_attributes() -> None:
    assert (run({"op": "mul", "in": ["x"], "attrs": {"other": math.inf}})[1] == X * math.inf).all()
    data = [1.0, -math.inf, math.nan]
    canonical, found = run({"op": "tensor", "attrs": {"data": data}})
    np.testing.assert_array_equal(found, np.array(data, np.float32))
    assert canonical[0]["attrs"] == {"data": [1.0, "-Infinity", "NaN"]}


@pytest.mark.parametrize("value", [math.inf, math.nan, [math.inf]])
def test_among_the_arguments_it_is_refused(value: Any) -> None:
    with pytest.raises(ArgumentError, match='"attrs" takes "NaN"') as caught:
        engine.Program([{"id": "y", "op": "mul", "in": ["x", value]}])
    assert caught.value.pointer[:4] == ("graph", 0, "in", 1)


def test_complex_numbers_are_finite() -> None:
    canonical, found = run({"op": "mul", "in": ["x", 1 + 2j]})
    assert canonical[0]["in"] == ["x", {"complex": [1.0, 2.0]}]
    np.testing.assert_array_equal(found, X * (1 + 2j))
    for number in (complex(1, math.inf), {"complex": [math.nan, 0]}):
        with pytest.raises(ArgumentError, match="a part of a complex number is finite"):
            run({"op": "mul", "in": ["x", number]})
