"""The plan of a first sight: when it is used, and what it keeps of what a plan promises."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest

import engine
from engine.plan import Plan
from engine.plan.first import MOST_BYTES, First
from engine.program.compiled import FIRST_RUNS
from tests.engine.building import Json, const, leaf, let, loop, node


def chain(length: int) -> list[Json]:
    """So many calls on x, one after another."""
    found = [let("v0", "sin", "x")]
    return found + [let(f"v{at}", "mul", f"v{at - 1}", 0.5) for at in range(1, length)]


def prepared(graph: list[Json], inputs: dict[str, Any], **settings: Any) -> Any:
    return engine.Program(graph).prepare(inputs, route="forward", **settings)


def test_a_graph_that_comes_back_earns_a_plan() -> None:
    program = engine.Program(chain(3))
    plans, answers = [], []
    for _ in range(FIRST_RUNS + 2):
        found = program.prepare({"x": leaf([0.5, 2.0])}, gradient=const([1.0, 1.0]))
        answers.append(found.run())
        plans.append(type(found._compiled.best))
    assert plans == [First] * FIRST_RUNS + [Plan] * 2
    assert {tuple(each.grads["x"].tolist()) for each in answers} == {tuple(np.cos([0.5, 2.0]) / 4)}


def test_what_is_explained_is_what_runs_next() -> None:
    found = prepared(chain(3), {"x": const([1.0])})
    found.explain()
    assert isinstance(found._compiled.best, Plan)


@pytest.mark.parametrize(
    ("graph", "inputs"),
    [
        (chain(2), {"x": const(np.ones(MOST_BYTES // 8 + 1))}),
        ([let("y", "rand", [2])], {}),
        ([loop()], {"x": const(1.0)}),
        ([let("y", "getitem", "x", "m")], {"x": const([1.0]), "m": engine.tensor([True])}),
    ],
    ids=["large", "random", "loop", "sizes"],
)
def test_what_pays_at_once_or_does_more_than_give_results(graph: list[Json], inputs: Json) -> None:
    assert isinstance(prepared(graph, inputs)._compiled.best, Plan)


def test_nothing_nobody_asked_for_is_called() -> None:
    found = prepared([*chain(3), let("y", "exp", "x")], {"x": const([1.0])})
    assert [step[1].op.name for step in found._compiled.best._steps] == ["exp"]


def test_a_limit_is_kept_by_what_the_better_plan_takes() -> None:
    graph, inputs = chain(50), {"x": const(np.ones(1000))}
    taken = prepared(graph, inputs)._compiled.plan.peak_bytes
    limits = engine.Limits(peak_bytes=taken + 8000)
    found = engine.Program(graph, limits=limits).prepare(inputs, route="forward")
    assert found.peak_bytes <= limits.peak_bytes
    with pytest.raises(engine.errors.LimitExceeded, match="peak_bytes"):
        engine.Program(graph, limits=engine.Limits(peak_bytes=taken - 1)).prepare(inputs, route="forward")


def test_values_are_given_back_when_nobody_reads_them_any_more() -> None:
    seen: list[weakref.ref[Any]] = []
    alive: list[int] = []
    found = prepared(chain(20), {"x": const(np.ones(1000))})

    def watched(call: Any) -> Any:
        def run(*arrays: Any) -> Any:
            alive.append(sum(each() is not None for each in seen))
            result = np.asarray(call(*arrays)).view(_Weak)
            seen.append(weakref.ref(result))
            return result

        return run

    first = found._compiled.best
    first._steps = [(watched(call), *rest) for call, *rest in first._steps]
    found.run()
    assert len(alive) == 20
    assert max(alive) <= 1


class _Weak(np.ndarray[Any, Any]):
    """An array that can be watched."""


def test_what_only_values_tell_is_refused_by_its_place() -> None:
    graph = [let("y", "sin", "x"), let("z", "index_select", "y", 0, "i")]
    found = prepared(graph, {"x": const([1.0, 2.0]), "i": const([5], "int64")})
    assert isinstance(found._compiled.best, First)
    with pytest.raises(IndexError) as refusal:
        found.run()
    assert (refusal.value.pointer[:2], refusal.value.node) == (("graph", 1), "z")  # type: ignore[attr-defined]


def test_constants_are_not_given_away() -> None:
    graph = [let("y", "view", {"tensor": [1.0, 2.0]}, [2, 1])]
    program = engine.Program(graph)
    program.forward({}).outputs["y"].array[:] = 7
    assert program.forward({}).outputs["y"].tolist() == [[1.0], [2.0]]
    nested = engine.Program([let("z", "add", node("view", {"tensor": [1.0, 2.0]}, [2, 1]), "x")])
    assert nested.forward({"x": const([1.0])}).outputs["z"].tolist() == [[2.0], [3.0]]
