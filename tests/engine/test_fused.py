"""Calls that run together, a tile of rows at a time, against the same calls one after another: every sample
of the registry, batches, and what only tiles can do wrong."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import engine
from engine.op import NoDerivative
from engine.plan import Plan
from engine.plan.grouping import grouped
from engine.plan.tiles import Tiles
from engine.random import Generator
from tests.engine import harness
from tests.engine.building import Json, leaf, let, node
from tests.engine.fusing import fuse_everything, fuse_nothing
from tests.engine.harness import Problem, Sampled
from tests.engine.test_executors import SampleProgram

ULPS = 16  # of the largest element: sums are taken in another order
NAMED = [each for each in harness.samples() if not each.op.name.startswith("_") and each.op.name != "alias"]


def plans(prepared: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Plan, Plan]:
    """A request's plan with nothing fused, and with everything."""
    compiled, found = prepared._compiled, []
    for choose in (fuse_nothing, fuse_everything):
        choose(monkeypatch)
        found.append(Plan(compiled.lowering.graph.nodes, compiled._inputs, compiled._answers.wanted))
    plain, fused = found
    assert not any(isinstance(unit, Tiles) for unit in plain.units)
    return plain, fused


def computed(plan: Plan, prepared: Any) -> list[Any]:
    """What a plan gives for a request; the second time, when its memory has been used."""
    arrays = prepared._request.arrays
    plan.run(Generator().manual_seed(5), arrays)
    return plan.run(Generator().manual_seed(5), arrays)


def assert_close(found: Any, expected: Any) -> None:
    """Equal but for rounding, NaN and infinities alike; the type is the same."""
    assert (found is None) == (expected is None)
    if expected is None:
        return
    found, expected = np.asarray(found), np.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    if expected.dtype.kind not in "fc" or not expected.size:
        np.testing.assert_array_equal(found, expected)
        return
    finite = np.abs(expected[np.isfinite(expected)])
    tolerance = ULPS * np.finfo(expected.dtype).eps * max(finite, default=0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance, equal_nan=True)


@pytest.mark.parametrize("sampled", [pytest.param(each, id=each.id) for each in NAMED])
def test_samples_fused_and_unfused_agree(sampled: Sampled, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem(sampled)
    said = SampleProgram(sampled, len(problem.outputs(problem.leaves)))
    v = dict(zip([said.results[at] for at in problem.differentiable], problem.v, strict=True))
    asked: Json = (
        {"gradient": v} if v and not isinstance(sampled.op.vjp, NoDerivative) else {"route": "forward"}
    )
    prepared = said.program.prepare(said.inputs, outputs=said.results, **asked)
    plain, fused = plans(prepared, monkeypatch)
    for found, expected in zip(computed(fused, prepared), computed(plain, prepared), strict=True):
        assert_close(found, expected)


def test_nearly_all_elementwise_samples_are_fused(monkeypatch: pytest.MonkeyPatch) -> None:
    fuse_everything(monkeypatch)
    alone, all_of_them = set(), set()
    for sampled in NAMED:
        problem = Problem(sampled)
        said = SampleProgram(sampled, len(problem.outputs(problem.leaves)))
        instructions = said.program.prepare(
            said.inputs, outputs=said.results, route="forward"
        ).plan.instructions
        fused = [x for unit in grouped(instructions, ()) for x in getattr(unit, "members", ())]
        for each in instructions:
            rows = (*each.outputs[0].shape, 1)[0]  # a single one, and what has a size of the run, is no tile
            if each.op.kind == "elementwise" and rows > 1 and each.outputs[0].meta.numel:
                all_of_them.add(each.op.name)
                alone.update(() if each in fused else (each.op.name,))
    of_integers = {"_div", "div", "floor_divide", "pow", "_pow_scalar", "remainder", "_remainder_scalar"}
    of_integers |= {"fmod", "_fmod", "_fmod_scalar"}
    assert len(all_of_them) > 50
    assert alone <= of_integers, alone - of_integers  # they may raise


def _rows(size: int) -> Any:
    return np.random.default_rng(size).standard_normal((size, 3))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 100])
@pytest.mark.parametrize(
    "value",
    [
        node("mul", node("exp", "x"), "row"),
        node("mul", node("exp", "x"), "column"),
        node("sub", "x", node("mean", "x", 1, True)),
        node("div", "x", node("norm", "x", 2, 0, True)),
        node("mul", node("softmax", "x", 1), node("expand", "row", [3])),
        node("where", node("gt", "x", 0), "x", node("mul", "x", 0.5)),
        node("mul", node("logsumexp", "x", 1), node("sum", "x", 1)),
        node("add", node("sum", "x", 0), node("amax", "x", 0)),
        node("mul", node("t", "x"), node("t", node("sin", "x"))),
        node("mul", "x", node("sum", "x")),
    ],
)
def test_rows_columns_and_sums(value: Json, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = [{"id": "y", **value}, let("s", "sum", node("mul", "y", "y"))]
    inputs = {"x": leaf(_rows(size)), "row": leaf([0.5, -1.5, 2.0]), "column": leaf(_rows(size)[:, :1])}
    used = {name: each for name, each in inputs.items() if name in str(value)}
    prepared = engine.Program(graph).prepare(used, outputs=["y", "s"])
    plain, fused = plans(prepared, monkeypatch)
    for found, expected in zip(computed(fused, prepared), computed(plain, prepared), strict=True):
        assert_close(found, expected)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_bits_do_not_depend_on_the_threads(threads: int) -> None:
    before = engine.get_num_threads()
    x = leaf(np.random.default_rng(1).standard_normal(600_000), "float32")
    program = engine.Program([let("s", "mean", node("tanh", node("mul", "x", "x")))])
    engine.set_num_threads(1)
    alone = program.backward({"x": x})
    try:
        engine.set_num_threads(threads)
        found = program.backward({"x": x})
    finally:
        engine.set_num_threads(before)
    assert found.outputs["s"].array.tobytes() == alone.outputs["s"].array.tobytes()
    assert found.grads["x"].array.tobytes() == alone.grads["x"].array.tobytes()  # type: ignore[union-attr]


def test_results_are_nobody_elses_memory() -> None:
    program = engine.Program([let("y", "exp", "x"), let("z", "mul", "y", 2)])
    x = leaf(np.linspace(0, 1, 300_000))
    first = program.forward({"x": x}, ["y", "z"]).outputs
    kept = {name: each.array.copy() for name, each in first.items()}
    second = program.forward({"x": engine.tensor(x.array + 1)}, ["y", "z"]).outputs
    for name, each in first.items():
        np.testing.assert_array_equal(each.array, kept[name])
        assert not any(np.shares_memory(each.array, other.array) for other in second.values())
    first["y"].array[:] = 0
    np.testing.assert_array_equal(first["z"].array, kept["z"])


@pytest.mark.parametrize("route", ["backward", "jacobian", "hessian"])
def test_batches_and_derivatives(route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = node("softmax", node("mul", "x", "w"), 0)
    graph = [let("y", "sum", node("mul", node("tanh", inner), node("sum", "x")))]
    inputs = {"x": leaf(_rows(7)), "w": leaf([0.5, -1.5, 2.0])}
    prepared = engine.Program(graph).prepare(inputs, route=route, batch={"inputs": ["x"]})
    plain, fused = plans(prepared, monkeypatch)
    assert any(isinstance(unit, Tiles) for unit in fused.units)
    for found, expected in zip(computed(fused, prepared), computed(plain, prepared), strict=True):
        assert_close(found, expected)


@pytest.mark.parametrize(
    "value",
    [
        node("mul", node("exp", "x"), node("sin", "x")),
        node("matmul", node("tanh", node("matmul", "x", "w")), "w"),
        node("mean", node("relu", node("nn.functional.linear", "x", "w")), 1),
    ],
)
def test_a_plan_that_has_run_allocates_only_what_it_returns(value: Json) -> None:
    size = 400
    numbers = np.random.default_rng(0).standard_normal((2, size, size))
    inputs = {"x": leaf(numbers[0], "float32"), "w": leaf(numbers[1], "float32")}
    used = {name: each for name, each in inputs.items() if f"'{name}'" in str(value)}
    prepared = engine.Program([{"id": "y", **value}, let("s", "sum", "y")]).prepare(used, trace=False)
    for _ in range(3):
        prepared.run()
    tracemalloc.start()
    try:
        kept = prepared.run()
        taken, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept.grads["x"] is not None
    assert peak - taken < numbers[0].nbytes // 8


@pytest.mark.parametrize(
    "value",
    [
        node("t", node("matmul", "x", "w")),
        node("t", node("matmul", node("t", "x"), node("sin", "w"))),
        node("t", node("mul", "x", "w")),
        node("nn.functional.linear", "x", "w", node("getitem", "w", 0)),
        node("matmul", node("getitem", "x", {"ellipsis": True}, [0]), node("getitem", "w", [1])),
    ],
)
def test_large_products_are_rewritten_to_the_same(value: Json) -> None:
    numbers = np.random.default_rng(0).standard_normal((2, 150, 150))
    inputs = {"x": leaf(numbers[0]), "w": leaf(numbers[1])}
    graph = [{"id": "y", **value}, let("s", "sum", node("mul", "y", "y"))]
    found = engine.Program(graph).backward(inputs, ["y", "s"])
    expected = engine.Program(graph).function("x", "w", outputs=["s"])
    x, w = (engine.tensor(each, requires_grad=True) for each in numbers)
    expected(x, w).backward()
    for name, each in (("x", x), ("w", w)):
        np.testing.assert_allclose(found.grads[name].array, each.grad.array, rtol=1e-12, atol=1e-10)  # type: ignore[union-attr]
