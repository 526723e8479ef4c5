"""What a check of a program's gradient refuses, and what it says that it costs."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import engine
from engine import PreparedGradcheck
from engine.errors import EngineError, LimitExceeded, NotImplementedYet, ValueArgumentError
from tests.engine.building import Json, const, leaf, let, node
from tests.engine.checking import check, normal


def test_refused() -> None:
    x, graph = leaf([1.0]), [let("y", "exp", "x")]
    text = "gradcheck expects at least one input tensor to require gradient, but none of them have"
    with pytest.raises(ValueArgumentError, match=text):
        check(graph, {"x": const([1.0])})
    cases: list[tuple[list[Json], Json, str]] = [
        (graph, {"x": leaf([1j], "complex128")}, "gradcheck: input 'x' is complex128, not a real number"),
        ([let("y", "complex", "x", "x")], {"x": x}, "gradcheck: output 'y' is complex128, not a real number"),
        ([let("y", "argmax", "x")], {"x": x}, "gradcheck: output 'y' is int64, not a real number"),
        (
            [let("y", "getitem", "x", node("gt", "x", 0))],
            {"x": x},
            "gradcheck: the size of output 'y' is known",
        ),
    ]
    for program, inputs, said in cases:
        with pytest.raises(NotImplementedYet) as caught:
            check(program, inputs)
        assert str(caught.value).startswith(said)
    with pytest.raises(EngineError, match="unknown dtype"):
        check(graph, {"x": x}, default_dtype="float31")


def test_complex_numbers_on_the_way() -> None:
    z = engine.tensor(np.array([0.5 + 1j, 2.0], np.complex64))
    found = check([let("y", "abs", node("mul", "x", "z"))], {"x": leaf([1.0, -2.0]), "z": z})
    assert found.ok


def test_sizes_of_the_run_on_the_way() -> None:
    graph = [let("y", "sum", node("square", node("getitem", "x", node("gt", "x", 0))))]
    assert check(graph, {"x": leaf([1.0, -2.0, 3.0])}).ok


def test_limits_hold_before_anything_is_computed() -> None:
    inputs = {"x": normal(30, 30)}
    cases = {"peak_bytes": 10_000_000, "output_bytes": 2_000_000, "elements": 700_000}
    for name, allowed in cases.items():
        program = engine.Program([let("y", "exp", "x")], limits=engine.Limits(**{name: allowed}))
        program.forward(inputs)
        with pytest.raises(LimitExceeded) as caught:
            PreparedGradcheck(program, inputs)
        assert caught.value.limit == name


def test_the_predicted_cost_holds() -> None:
    program = engine.Program([let("y", "tanh", node("matmul", "x", "w"))])
    inputs = {"x": normal(8, 6), "w": normal(6, 9)}
    prepared = PreparedGradcheck(program, inputs)
    forward = program.prepare(inputs, route="forward", default_dtype="float64")
    assert prepared.flops > forward.flops * 10 * (48 + 54)
    prepared.run()
    tracemalloc.start()
    found = prepared.run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < prepared.peak_bytes < 20 * peak
    kept = [each for jacobians in (found.numerical, found.analytical) for each in jacobians["y"].values()]
    tensors = [*kept, *found.outputs.values(), *found.convergence.direction.values()]
    assert sum(each.array.nbytes for each in tensors) == prepared.output_bytes
