"""What a program may ask for, how long it may be, and who may run it at once."""

from __future__ import annotations

import sys
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import engine
from engine.errors import LimitExceeded
from tests.engine.building import Json, const, leaf, let, loop, node, values

LINKS = 50_000


@pytest.mark.parametrize(
    ("limit", "asked", "graph", "pointer"),
    [
        ("rank", 3, [let("y", "view", "x", [2, 1, 1])], ("graph", 0)),
        ("elements", 4, [let("y", "add", node("view", "x", [2, 1]), "x")], ("graph", 0)),
        ("nodes", 2, [let("y", "exp", node("exp", "x"))], ("graph", 0)),
        ("iterations", 7, [loop(max_iters=7)], ("graph", 0, "max_iters")),
        ("output_bytes", 16, [let("y", "exp", "x")], ()),
    ],
)
def test_limits_just_under_and_just_over(limit: str, asked: int, graph: list[Json], pointer: Any) -> None:
    def prepare(allowed: int) -> engine.Prepared:
        program = engine.Program(graph, limits=engine.Limits(**{limit: allowed}))
        return program.prepare({"x": const([1.0, 2.0])}, route="forward")

    prepare(asked).run()
    with pytest.raises(LimitExceeded) as caught:
        prepare(asked - 1)
    assert (caught.value.limit, caught.value.asked, caught.value.allowed) == (limit, asked, asked - 1)
    assert caught.value.pointer == pointer


def test_the_nodes_of_derivatives_count() -> None:
    graph = [
        let("s", "sum", "x"),
        *[let(f"g{at}", "grad", "s", wrt="x", retain_graph=True) for at in range(50)],
    ]
    engine.Program(graph).forward({"x": leaf([1.0])})
    with pytest.raises(LimitExceeded, match="nodes: 51 asked, 50 allowed"):
        engine.Program(graph, limits=engine.Limits(nodes=50)).prepare({"x": leaf([1.0])})


def test_inputs_are_held_to_the_limits_too() -> None:
    program = engine.Program([let("y", "sum", "x")], limits=engine.Limits(elements=3, rank=1))
    with pytest.raises(LimitExceeded, match="elements: 4 asked, 3 allowed") as caught:
        program.forward({"x": leaf(np.ones(4))})
    assert (caught.value.pointer, caught.value.node) == (("inputs", "x"), "x")
    with pytest.raises(LimitExceeded, match="rank: 2 asked, 1 allowed"):
        program.forward({"x": leaf(np.ones((1, 1)))})


def test_a_huge_tensor_is_refused_before_it_is_made() -> None:
    with pytest.raises(LimitExceeded, match="elements: 1000000000000 asked"):
        engine.Program([let("y", "ones", [10**6, 10**6])]).prepare({})
    with pytest.raises(LimitExceeded, match="elements: 1000000000000 asked"):  # more than numpy takes
        engine.Program([let("y", "ones", [0, 10**6, 10**6])]).prepare({})


def test_the_predicted_peak_holds_inputs_results_and_answer() -> None:
    program = engine.Program([let("y", "exp", "x")])
    x = leaf(np.ones(1000))
    prepared = program.prepare({"x": x}, route="forward")
    assert prepared.peak_bytes == 3 * 8000  # the input, the result, and a copy of it at most
    assert prepared.output_bytes == 8000
    limits = engine.Limits(peak_bytes=prepared.peak_bytes - 1)
    with pytest.raises(LimitExceeded, match="peak_bytes: 24000 asked, 23999 allowed"):
        engine.Program([let("y", "exp", "x")], limits=limits).prepare({"x": x}, route="forward")


def chain(links: int) -> list[Json]:
    """`links` ops one after the other, each differentiable."""
    ops: list[Any] = [("mul", 1.0), ("add", 1e-6), ("neg",)]
    found = [let("v0", "neg", "x")]
    found += [let(f"v{at}", *(one := ops[at % 3])[:1], f"v{at - 1}", *one[1:]) for at in range(1, links)]
    return found


def test_a_long_chain() -> None:
    found = engine.Program(chain(LINKS)).backward({"x": leaf(0.5)})
    y, slope = -0.5, -1.0  # the same arithmetic, in Python
    for at in range(1, LINKS):
        y = y * 1.0 if at % 3 == 0 else y + 1e-6 if at % 3 == 1 else -y
        slope = -slope if at % 3 == 2 else slope
    assert found.outputs[f"v{LINKS - 1}"].tolist() == y
    assert found.grads["x"].tolist() == slope  # type: ignore[union-attr]
    assert found.trace is not None and len(found.trace["nodes"]) == LINKS + 1


def test_programs_do_not_recurse_along_the_graph() -> None:
    graph = [*chain(3000), let("g", "grad", "v2999", wrt="x", create_graph=True)]
    program = engine.Program(graph)
    program.forward({"x": leaf(0.5)}, trace="values")  # imports what is imported on first use
    found: list[Any] = []

    def shallow() -> None:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(200)
        try:
            found.append(engine.Program(graph).forward({"x": leaf(0.5)}, trace="values"))
        finally:
            sys.setrecursionlimit(limit)

    thread = threading.Thread(target=shallow)
    thread.start()
    thread.join()
    assert values(found[0].outputs) == {"g": -1.0}


def test_threads_share_a_program() -> None:
    graph = [
        let("n", "rand", [100], dtype="float64"),
        loop(carry={"v": "x"}, cond={"yield": node("lt", node("sum", "v"), 1e6)}),
        let("s", "sum", node("mul", "y", "n")),
    ]
    program = engine.Program(graph)
    inputs = [leaf(np.full(size, float(size))) for size in (1, 100)]
    expected = [values(program.backward({"x": x}, ["s"], seed=at).grads) for at, x in enumerate(inputs)]
    failures: list[Any] = []

    def work(at: int) -> None:
        for _ in range(30):
            found = values(program.backward({"x": inputs[at % 2]}, ["s"], seed=at % 2).grads)
            if found != expected[at % 2]:
                failures.append(at)

    threads = [threading.Thread(target=work, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.parametrize(
    "change",
    [
        {"x": leaf(np.ones(4))},
        {"x": leaf(np.ones(3), "float32")},
        {"x": const(np.ones(3))},
        {"trace": "values"},
        {"trace": False},
        {"outputs": ["x"]},
        {"default_dtype": "float64"},
        {"route": "backward"},
        {"grads": {"x": const(np.ones(3))}},
    ],
    ids=str,
)
def test_a_plan_serves_requests_of_one_kind_alone(change: Json) -> None:
    program = engine.Program([let("y", "sum", "x")])
    first = program.prepare({"x": leaf(np.ones(3))}, route="forward")
    assert program.prepare({"x": leaf(np.zeros(3))}, route="forward", seed=1)._compiled is first._compiled
    settings = {"route": "forward", **change}
    x = settings.pop("x", leaf(np.ones(3)))
    assert program.prepare({"x": x}, **settings)._compiled is not first._compiled


def test_a_plan_serves_one_kind_of_gradient_alone() -> None:
    program = engine.Program([let("y", "exp", "x"), let("z", "sum", "x")])
    x = {"x": leaf(np.ones(1))}
    wanted = [
        {},
        {"gradient": const(np.ones(()))},
        {"gradient": {"z": const(np.ones(()))}},
        {"gradient": {"y": const(np.ones(1))}},
        {"backward": [{"tensor": "z"}]},
        {"backward": [{"tensor": "z", "retain_graph": True}]},
        {"backward": [{"tensor": "z", "inputs": ["x"]}]},
        {"backward": [{"tensor": "y"}]},
    ]
    plans = {id(program.prepare(x, **each)._compiled) for each in wanted}
    assert len(plans) == len(wanted)


def prepare(program: engine.Program, size: int) -> object:
    return program.prepare({"x": leaf(np.ones(size))}, route="forward")._compiled


def test_plans_are_bounded_by_their_number() -> None:
    program = engine.Program([let("y", "sum", "x")])
    for size in range(100):
        prepare(program, size)
    assert program.cache_info().plans == 64
    assert program.cache_info().misses == 100


def test_plans_are_bounded_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.program.plans.MAX_BYTES", 100_000)
    program = engine.Program([let("y", "mul", "x", {"tensor": [1.0] * 5000})])
    for size in (1, 5000):
        for _ in range(3):
            prepare(program, size)
    assert program.cache_info()[:3] == (4, 2, 2)
    assert 40_000 < program.cache_info().bytes < 100_000
    large = engine.Program([let("y", "mul", "x", {"tensor": [1.0] * 50_000})])
    for size in (1, 50_000):
        for _ in range(2):
            latest = prepare(large, size)
        assert large.cache_info().plans == 1  # the latest stays, however large, and however used the others
        assert prepare(large, size) is latest


def test_a_plan_that_is_used_stays_longer_than_those_that_are_not() -> None:
    program = engine.Program([let("y", "sum", "x")])
    first = prepare(program, 0)
    for size in range(1, 200):
        prepare(program, size)
        assert prepare(program, 0) is first
    assert program.cache_info() == (199, 200, 64, program.cache_info().bytes)


def test_a_plan_keeps_no_input() -> None:
    program = engine.Program([let("y", "sum", "x")])
    x = leaf(np.ones(3))
    array, gone = weakref.ref(x.array), weakref.ref(x)
    program.backward({"x": x}, gradient=const(np.ones(())))
    del x
    assert array() is gone() is None
