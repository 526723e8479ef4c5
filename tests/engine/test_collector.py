"""The cycle collector is held back while programs are read and planned, and only then."""

import gc
import threading
import weakref

import pytest

import engine
from engine.collector import collecting_later
from tests.engine.building import const, leaf, let, node


@pytest.fixture(autouse=True)
def usual() -> tuple[int, int, int]:
    """The thresholds, with no collection due."""
    gc.collect()
    return gc.get_threshold()


def test_thresholds_come_back_with_the_first_collection_outside(usual: tuple[int, int, int]) -> None:
    with collecting_later():
        with collecting_later():
            assert gc.get_threshold() > (100_000, 0, 0)
        gc.collect()
        assert gc.get_threshold() > (100_000, 0, 0)
    assert usual <= gc.get_threshold() < (100_000, 0, 0)
    gc.collect()
    assert gc.get_threshold() == usual


def test_after_a_block_nothing_is_collected_for_a_while(usual: tuple[int, int, int]) -> None:
    collections: list[str] = []
    note = lambda phase, _: collections.append(phase)  # noqa: E731
    gc.callbacks.append(note)
    try:
        with collecting_later():
            kept = [[] for _ in range(10 * usual[0])]  # type: ignore[var-annotated]
        kept += [[] for _ in range(9 * usual[0])]
        assert not collections
        kept += [[] for _ in range(20 * usual[0])]
        assert collections
        assert gc.get_threshold() == usual
    finally:
        gc.callbacks.remove(note)


def test_thresholds_come_back_after_an_error(usual: tuple[int, int, int]) -> None:
    with pytest.raises(engine.errors.EngineError):
        engine.Program([let("y", "no_such_op", "x")])
    with pytest.raises(engine.errors.EngineError):
        engine.Program([let("y", "matmul", "x", "x")]).forward({"x": const([[1.0, 2.0]])})
    gc.collect()
    assert gc.get_threshold() == usual


def test_blocks_of_several_threads_may_overlap(usual: tuple[int, int, int]) -> None:
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with collecting_later():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with collecting_later():
        thread.start()
        entered.wait(10)
    gc.collect()
    assert gc.get_threshold() > (100_000, 0, 0)
    leave.set()
    thread.join()
    gc.collect()
    assert gc.get_threshold() == usual


def test_reading_and_planning_a_program_collects_nothing() -> None:
    graph = [let("y0", "sin", "x"), *(let(f"y{at}", "sin", f"y{at - 1}") for at in range(1, 2000))]
    gc.collect()
    seen: list[str] = []
    note = lambda phase, _: seen.append(phase)  # noqa: E731
    gc.callbacks.append(note)
    try:
        engine.Program(graph).prepare({"x": const([1.0])}, route="forward", trace=False)
    finally:
        gc.callbacks.remove(note)
    assert seen.count("start") < 5


@pytest.mark.parametrize("trace", [False, True])
def test_a_program_that_nobody_has_any_more_is_gone_at_once(trace: bool) -> None:
    graph = [let("y", "mul", "x", "x"), let("m", "max", "y"), let("s", "sum", node("exp", "m"))]
    prepared = engine.Program(graph).prepare({"x": leaf([1.0, 2.0])}, trace=trace)
    prepared.run()
    gone = [weakref.ref(each) for each in (prepared._compiled, prepared._compiled.lowering.graph)]
    gc.disable()
    try:
        del prepared
        assert [each() for each in gone] == [None, None]
    finally:
        gc.enable()


def test_a_graph_outlives_its_program() -> None:
    found = engine.Program([let("y", "sin", "x")]).prepare({"x": const([1.0])}, route="forward").graph
    gc.collect()
    assert [output.name for each in found.nodes for output in each.outputs] == ["y"]
