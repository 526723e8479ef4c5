"""What calls have in common is found once, and what tells them apart tells them apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import engine
from engine import variants
from engine.graph import Graph, Value
from engine.graph_builder import GraphBuilder
from engine.limits import Limits
from engine.op import Op
from engine.registry import lookup
from engine.types import Type
from tests.engine.building import Json, const, leaf, let


def built() -> tuple[GraphBuilder, Value]:
    builder = GraphBuilder(Graph(), Limits())
    return builder, builder.graph.input(Type((2, 2), engine.float32), requires_grad=True)


def variant(value: Value) -> variants.Variant:
    assert value.node is not None
    return value.node.variant


def test_calls_of_the_same_types_and_settings_share_a_variant() -> None:
    builder, x = built()
    F = builder.F
    first, second = F.mul(x, 0.5), F.mul(F.sin(x), 0.5)
    assert variant(first) is variant(second)
    other, y = built()
    assert variant(other.F.mul(y, 0.5)) is variant(first)


@pytest.mark.parametrize(
    ("one", "other"), [(1, 1.0), (1, True), (0.0, -0.0), (0.5, 0.25), (1.0, complex(1, 0))], ids=repr
)
def test_numbers_are_told_apart_with_their_types(one: Any, other: Any) -> None:
    builder, x = built()
    assert variant(builder.F.mul(x, one)) is not variant(builder.F.mul(x, other))


def test_settings_are_told_apart() -> None:
    builder, x = built()
    found = [builder.F.sum(x), builder.F.sum(x, 0), builder.F.sum(x, 1), builder.F.sum(x, 0, keepdim=True)]
    assert len({variant(each) for each in found}) == 4
    assert [each.shape for each in found] == [(), (2,), (2,), (1, 2)]
    assert variant(builder.F.sum(x, 0)) is variant(found[1])


def test_limits_are_held_where_a_variant_is_known_from_elsewhere() -> None:
    graph = [let("y", "cat", ["x", "x"]), let("z", "mul", "y", "w")]
    inputs = {"x": const([1.0, 2.0]), "w": const(np.ones((3, 1)))}
    engine.Program(graph).forward(inputs)
    with pytest.raises(engine.errors.LimitExceeded, match="elements: 12 asked, 11 allowed"):
        engine.Program(graph, limits=Limits(elements=11)).forward(inputs)


def test_a_default_dtype_has_variants_of_its_own() -> None:
    program = engine.Program([let("y", "sin", "i")])
    for name in ("float32", "float64", "float32"):
        found = program.forward({"i": const([1], "int64")}, default_dtype=name).outputs["y"]
        assert found.dtype.name == name


def test_signed_zeros_come_out_as_they_went_in() -> None:
    program = engine.Program([let("y", "mul", "x", 0.0), let("z", "mul", "x", -0.0)])
    found = program.forward({"x": const([1.0])}, ["y", "z"]).outputs
    assert [math.copysign(1, each.item()) for each in found.values()] == [1.0, -1.0]


def test_sizes_of_the_run_are_each_their_own() -> None:
    graph = [let("a", "getitem", "x", "m"), let("b", "getitem", "x", "n")]
    inputs = {"x": const([1.0, 2.0, 3.0]), "m": engine.tensor([True, False, True])}
    inputs["n"] = engine.tensor([False, False, True])
    found = engine.Program(graph).forward(inputs, ["a", "b"]).outputs
    assert [each.tolist() for each in found.values()] == [[1.0, 3.0], [3.0]]


def test_the_tables_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "_MOST_CALLS", 8)
    monkeypatch.setattr(variants, "_MOST_TYPES", 8)
    chain: list[Json] = [let("v0", "mul", "x", 0.5)]
    chain += [let(f"v{at}", "add", f"v{at - 1}", 1 / (at + 1)) for at in range(1, 30)]
    for size in range(1, 20):
        found = engine.Program(chain).backward({"x": leaf(np.ones(size))}, gradient=const(np.ones(size)))
        assert found.grads["x"].tolist() == [0.5] * size  # type: ignore[union-attr]
    assert len(variants._types) <= 8
    assert all(len(table) <= 2048 for table in variants._tables.values())


def test_a_rule_is_called_twice_and_then_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    op: Op = lookup("sin")
    rule: Any = op.vjp

    def counted(*args: Any, **settings: Any) -> Any:
        calls.append(args)
        return rule(*args, **settings)

    monkeypatch.setitem(op.__dict__, "vjp", counted)
    shape = (3, 1, 4, 1, 5)  # that no other test has
    chain = [let("v0", "sin", "x"), *(let(f"v{at}", "sin", f"v{at - 1}") for at in range(1, 9))]
    found = engine.Program(chain).backward({"x": leaf(np.full(shape, 0.5))}, gradient=const(np.ones(shape)))
    assert len(calls) == 2
    assert np.isfinite(found.grads["x"].numpy()).all()  # type: ignore[union-attr]


def test_operands_that_are_the_same_value_do_not_stand_for_those_that_are_not() -> None:
    graph = [let("a", "mul", "x", "x"), let("b", "mul", "a", "a"), let("c", "mul", "b", "x")]
    found = engine.Program([*graph, let("d", "mul", "c", "w")]).backward(
        {"x": leaf([[2.0, 2.5]]), "w": leaf([[3.0, 3.5]])}, gradient=const([[1.0, 1.0]])
    )
    assert found.grads["x"].tolist() == [[5 * 2.0**4 * 3, 5 * 2.5**4 * 3.5]]  # type: ignore[union-attr]
    assert found.grads["w"].tolist() == [[2.0**5, 2.5**5]]  # type: ignore[union-attr]


@pytest.mark.parametrize("order", [(False, True), (True, False)])
def test_a_batch_leaves_nothing_to_programs_without(order: tuple[bool, bool]) -> None:
    shape = (2, 7, 3)
    x = np.arange(42.0).reshape(shape) / 40
    program = [let("y", "sum", {"op": "mul", "in": ["x", {"op": "sin", "in": ["x"]}]})]
    expected = np.sin(x) + x * np.cos(x)
    for batched in order:
        settings: Json = {"batch": {"inputs": ["x"]}} if batched else {}
        found = engine.Program(program).backward({"x": leaf(x)}, **settings).grads["x"]
        assert found is not None
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    assert not any(
        type(part) is tuple and any(hasattr(each, "randomness") for each in part)
        for table in variants._tables.values()
        for key in table
        for part in key
    )


@pytest.mark.parametrize(
    "arg", [[0] * 9, [[0]], "n" * 65, slice(1), np.float32(1), Type((), engine.float32)], ids=type
)
def test_what_is_long_or_odd_is_not_remembered(arg: Any) -> None:
    builder, x = built()
    key, _ = builder.ledger.variants.find(lookup("mul"), [x, arg], {})
    assert key is None
