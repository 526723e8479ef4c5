"""Loops in great numbers: many samples that go on for different times, many iterations in little memory."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import engine
from engine.errors import LimitExceeded
from tests.engine.building import Json, const, leaf, let, node

MIB = 1 << 20
TUTORIAL = {
    "id": "y",
    "op": "while",
    "carry": {"v": node("mul", "x", 2)},
    "cond": {"yield": node("lt", node("norm", node("detach", "v")), 1000)},
    "body": {"yield": {"v": node("mul", "v", 2)}},
}


def test_the_tutorials_loop_from_a_thousand_starting_points() -> None:
    random = np.random.default_rng(3)
    xs = (random.standard_normal((1000, 3)) * np.exp(random.uniform(-6, 6, (1000, 1)))).astype(np.float32)
    v = np.array([0.1, 1.0, 0.0001], np.float32)
    program = engine.Program([TUTORIAL])
    asked: dict[str, Any] = {"gradient": engine.tensor(v), "trace": False}
    given = engine.tensor(xs, requires_grad=True)
    found = program.backward({"x": given}, batch={"inputs": ["x"]}, **asked)
    doublings = np.ones(1000, int)
    y = xs * np.float32(2)
    while True:
        going = np.linalg.norm(y, axis=1) < 1000
        if not going.any():
            break
        y = np.where(going[:, None], y * np.float32(2), y)
        doublings += going
    assert len(np.unique(doublings)) > 10
    np.testing.assert_array_equal(found.outputs["y"].array, y)
    expected = v * np.exp2(doublings.astype(np.float32))[:, None]
    np.testing.assert_array_equal(found.grads["x"].array, expected)  # type: ignore[union-attr]


def test_a_sample_that_is_done_cannot_spoil_a_gradient() -> None:
    """The body is infinite, and its derivative nan, at what some samples end with."""
    loop = {
        "id": "y",
        "op": "while",
        "carry": {"v": "x"},
        "cond": {"yield": node("gt", "v", 0)},
        "body": {"yield": {"v": node("sub", node("sqrt", "v"), 1)}},
    }
    program, xs = engine.Program([loop]), np.array([0.0, 4.0, 1.0, -1.0, 30.0])
    found = program.backward({"x": leaf(xs)}, batch={"inputs": ["x"]})
    alone = [program.backward({"x": leaf(each)}) for each in xs]
    np.testing.assert_array_equal(found.outputs["y"].array, [one.outputs["y"].item() for one in alone])
    rows = [one.grads["x"].item() for one in alone]  # type: ignore[union-attr]
    np.testing.assert_array_equal(found.grads["x"].array, rows)  # type: ignore[union-attr]
    assert np.isfinite(rows).all()
    blocks = program.hessian({"x": leaf(xs)}, batch={"inputs": ["x"]}).derivative
    single = [program.hessian({"x": leaf(each)}).derivative["x"]["x"].item() for each in xs]  # type: ignore[index]
    np.testing.assert_array_equal(blocks["x"]["x"].array, single)  # type: ignore[index]


def test_a_branch_that_is_not_taken_cannot_either() -> None:
    graph = [
        {
            "id": "y",
            "op": "cond",
            "in": [node("gt", "x", 0)],
            "then": {"yield": node("log", "x")},
            "else": {"yield": node("mul", "x", 3)},
        }
    ]
    found = engine.Program(graph).backward({"x": leaf([-1.0, 0.0, 2.0])}, batch={"inputs": ["x"]})
    np.testing.assert_array_equal(found.outputs["y"].array, [-3.0, 0.0, np.log(2.0)])
    np.testing.assert_array_equal(found.grads["x"].array, [3.0, 3.0, 0.5])  # type: ignore[union-attr]


def drawn(**fields: Any) -> list[Json]:
    noise = node("mul", node("sin", "v"), node("randn", [3], dtype="float64"))
    loop = {
        "op": "scan",
        "carry": {"v": "x"},
        "xs": {"e": "k"},
        "body": {"yield": {"carry": {"v": node("add", node("mul", "v", "e"), noise)}}},
        "out": ["y"],
    }
    return [loop, let("s", "sum", node("mul", "y", "y")), let("after", "rand", [2])]


@pytest.mark.parametrize("limit", [0, 300])
def test_random_numbers_are_the_same_when_they_are_computed_again(limit: int) -> None:
    program = engine.Program(drawn(), limits=engine.Limits(history_bytes=limit))
    x, k = np.array([0.3, -0.7, 1.1]), np.full(40, 0.9)
    given = {"x": leaf(x), "k": const(k)}
    found = program.backward(given, ["s", "after"], gradient={"s": None}, seed=7)
    engine.manual_seed(7)
    tensor = leaf(x)
    s, after = program.function("x", "k", outputs=["s", "after"])(tensor, const(k))
    s.backward()
    np.testing.assert_array_equal(found.outputs["after"].array, after.array)
    np.testing.assert_allclose(found.outputs["s"].array, s.detach().array, rtol=1e-14)
    np.testing.assert_allclose(found.grads["x"].array, tensor.grad.array, rtol=1e-12)  # type: ignore[union-attr]
    forward = program.jacobian(given, ["s"], mode="forward", seed=7).derivative
    np.testing.assert_allclose(forward["s"]["x"].array, tensor.grad.array, rtol=1e-12)  # type: ignore[index, union-attr]


def waves(steps: int) -> list[Json]:
    """A scan, cheap in time, whose history is what its carried value was at each step."""
    scan = {
        "op": "scan",
        "carry": {"p": "x"},
        "xs": {"e": node("ones", [steps], dtype="float64")},
        "body": {"yield": {"carry": {"p": node("mul", node("mul", "p", "w"), "e")}}},
        "out": ["p1"],
    }
    return [scan, let("s", "mean", "p1")]


def test_a_hundred_thousand_steps_in_64_mib() -> None:
    steps, w = 100_000, 1 - 1e-6
    given = {"x": leaf(np.full(1000, 2.0)), "w": leaf(w)}
    limits = engine.Limits(peak_bytes=64 * MIB)
    prepared = engine.Program(waves(steps), limits=limits).prepare(given, trace=False)
    assert prepared.peak_bytes <= 64 * MIB
    found = prepared.run()
    assert found.grads["w"].item() == pytest.approx(2 * steps * w ** (steps - 1), rel=1e-9)  # type: ignore[union-attr]
    kept = engine.Limits(peak_bytes=64 * MIB, history_bytes=0)
    with pytest.raises(LimitExceeded, match=r"peak_bytes: \d+ asked, 67108864 allowed") as caught:
        engine.Program(waves(steps), limits=kept).prepare(given, trace=False)
    assert caught.value.asked > steps * 8000


def test_the_memory_of_checkpoints_is_as_predicted() -> None:
    given = {"x": leaf(np.full(1000, 2.0)), "w": leaf(0.999)}
    prepared = engine.Program(waves(4000)).prepare(given, trace=False)
    prepared.run()  # binds the calls, which the plan keeps
    tracemalloc.start()
    try:
        prepared.run()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 64 * 8000 < peak <= prepared.peak_bytes < 4 * MIB  # of all entries it would be 32 MB


def test_a_while_of_unknown_length_in_64_mib() -> None:
    """By default it may take a million iterations; how many there are, only the run knows."""
    loop = {
        "op": "while",
        "carry": {"v": "x", "i": 0},
        "cond": {"yield": node("lt", "i", "n")},
        "body": {"yield": {"v": node("mul", "v", "w"), "i": node("add", "i", 1)}},
        "out": ["y", None],
    }
    graph, limits = [loop, let("s", "mean", "y")], engine.Limits(peak_bytes=64 * MIB)
    program = engine.Program(graph, limits=limits)
    for steps in (0, 1, 999, 1000, 1001, 12_345):
        given = {"x": leaf(np.full(1000, 2.0)), "w": leaf(0.9999), "n": const(steps, "int64")}
        found = program.backward(given, trace=False).grads
        expected = 2 * steps * 0.9999 ** max(steps - 1, 0)
        assert (found["w"].item() if found["w"] else 0) == pytest.approx(expected, rel=1e-9)
    kept = engine.Program(graph, limits=engine.Limits(peak_bytes=64 * MIB, history_bytes=0))
    with pytest.raises(LimitExceeded, match="peak_bytes"):
        kept.prepare(given)
