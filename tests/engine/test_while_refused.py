"""Loops that are refused when shapes are known, or when they run."""

from __future__ import annotations

import pytest

import engine
from engine.errors import (
    ArgumentError,
    DTypeError,
    IterationLimit,
    LimitExceeded,
    NotDifferentiable,
    ShapeError,
)
from tests.engine.building import Json, const, leaf, let, loop, node

BROKEN: dict[str, tuple[Json, type[Exception], tuple[str | int, ...], str]] = {
    "shape": (
        loop(body={"yield": {"v": node("sum", "v")}}),
        ShapeError,
        ("body", "yield", "v"),
        "while: carry 'v' starts with shape [2] and is yielded with []",
    ),
    "dtype": (
        loop(
            carry={"v": 1}, body={"yield": {"v": node("mul", "v", 1.5)}}, cond={"yield": node("lt", "v", 5)}
        ),
        DTypeError,
        ("body", "yield", "v"),
        "while: carry 'v' starts as int64 and is yielded as float32",
    ),
    "cond-shape": (
        loop(cond={"yield": node("lt", "v", 1)}),
        ArgumentError,
        ("cond", "yield"),
        "while: cond yields one element",
    ),
    "cond-number": (loop(cond={"yield": True}), ArgumentError, ("cond", "yield"), "while: cond yields one"),
    "carry-list": (
        loop(carry={"v": [1.0, 2.0]}),
        ArgumentError,
        (),
        "while: a value is a tensor or a number",
    ),
    "body": (
        loop(body={"do": [let("u", "mul", "v", "w")], "yield": {"v": "u"}}),
        ShapeError,
        ("body", "do", 0),
        "The size of tensor a (2) must match the size of tensor b (3)",
    ),
    "body-nested": (
        loop(body={"yield": {"v": node("exp", node("mul", "v", "w"))}}),
        ShapeError,
        ("body", "yield", "v", "in", 0),
        "The size of tensor a (2) must match the size of tensor b (3)",
    ),
    "endless": (
        loop(body={"yield": {"v": "v"}}, max_iters=5),
        IterationLimit,
        (),
        "while: max_iters 5 reached",
    ),
    "no-derivative": (
        loop(
            body={"do": [let("u", "floor_divide", "v", 2)], "yield": {"v": "u"}},
            cond={"yield": node("gt", node("sum", "v"), 9)},
        ),
        NotDifferentiable,
        ("body", "do", 0),
        "derivative for aten::floor_divide is not implemented",
    ),
    "iterations": (
        loop(max_iters=1001),
        LimitExceeded,
        ("max_iters",),
        "iterations: 1001 asked, 1000 allowed",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_refused(name: str) -> None:
    statement, kind, pointer, text = BROKEN[name]
    program = engine.Program([statement, let("s", "sum", "y")], limits=engine.Limits(iterations=1000))
    with pytest.raises(kind) as caught:
        program.backward({"x": leaf([1.0, 2.0]), "w": const([1.0, 2.0, 3.0])})
    assert str(caught.value).startswith(text)
    assert caught.value.pointer == ("graph", 0, *pointer)  # type: ignore[attr-defined]
