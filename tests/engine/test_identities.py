"""What a plan makes shorter is the same to the bit: for zeros of both signs, infinities, NaN and numbers."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import engine
from engine.plan import Plan
from engine.plan.first import first_plan
from tests.engine.building import Json, leaf, node

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 1.5, -2.25, 5e-324, 1.7e308]
PAIRS = np.array(list(itertools.product(SPECIAL, SPECIAL))).T
SHORTER = {
    "times one": (node("mul", node("sin", "x"), 1), ["sin"]),
    "times ones": (node("mul", node("sin", "x"), node("ones_like", "x")), ["sin"]),
    "by one": (node("div", node("sin", "x"), 1), ["sin"]),
    "to the first": (node("pow", node("sin", "x"), 1), ["sin"]),
    "squared": (node("pow", "x", 2), ["mul"]),
    "negated twice": (node("neg", node("neg", node("sin", "x"))), ["sin"]),
    "plus a negative": (node("add", "x", node("neg", "y")), ["sub"]),
    "a negative plus": (node("add", node("neg", "x"), "y"), ["sub"]),
    "minus a negative": (node("sub", "x", node("neg", "y")), ["add"]),
    "two negatives": (node("mul", node("neg", "x"), node("neg", "y")), ["mul"]),
    "twice the negative": (node("add", node("neg", "x"), node("neg", "x")), ["add", "neg"]),
    "a known product": (
        node("sub", node("mul", "x", "y"), node("mul", "y", node("neg", "x"))),
        ["mul", "add"],
    ),
    "of numbers": (node("mul", "x", node("mul", node("ones_like", "x"), 3)), ["mul"]),
}


def bits(array: Any) -> Any:
    """An array's bits; every NaN is one."""
    return np.where(np.isnan(array), np.nan, array).view(np.uint64)


@pytest.mark.parametrize(("value", "ops"), SHORTER.values(), ids=SHORTER)
def test_it_is_shorter_and_the_same(value: Json, ops: list[str]) -> None:
    inputs = {"x": leaf(PAIRS[0]), "y": leaf(PAIRS[1])}
    used = {name: each for name, each in inputs.items() if f"'{name}'" in str(value)}
    compiled = engine.Program([{"id": "z", **value}]).prepare(used, route="forward")._compiled
    asked = compiled.lowering.graph.nodes, compiled._inputs, compiled._answers.wanted
    first, plan = first_plan(*asked), Plan(*asked)
    assert [each.op.name for each in plan.instructions] == ops
    arrays = [each.array for each in used.values()]
    assert first is not None
    plain, short = first.run(None, arrays)[0], plan.run(None, arrays)[0]
    np.testing.assert_array_equal(bits(short), bits(plain))


def test_what_may_differ_in_the_sign_of_a_zero_stays() -> None:
    value = node("add", node("neg", "x"), node("neg", "y"))
    inputs = {"x": leaf([1.0, 2.0]), "y": leaf([-1.0, 3.0])}
    prepared = engine.Program([{"id": "z", **value}]).prepare(inputs, route="forward")
    assert [each.op.name for each in prepared.plan.instructions] == ["neg", "sub"]
    assert not np.signbit(prepared.run().outputs["z"].array[0])
