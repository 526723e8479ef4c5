"""What a place to compute keeps of earlier requests is bounded, whatever they were."""

import json
from typing import Any

import pytest

import engine
from app.compute import programs
from app.compute.service import Service
from app.settings import Settings


def body(size: int, *, links: int = 10, name: str = "y") -> bytes:
    graph: list[Any] = [{"id": f"{name}0", "op": "mul", "in": ["x", 2]}]
    graph += [{"id": f"{name}{at}", "op": "mul", "in": [f"{name}{at - 1}", 2]} for at in range(1, links)]
    return json.dumps({"inputs": {"x": [1.0] * size}, "graph": graph, "trace": False}).encode()


@pytest.fixture
def service() -> Service:
    return Service(Settings())


def kept(service: Service) -> int:
    return sum(entry.program.nodes for entry in service.programs._entries.values())


def test_the_plans_of_all_programs_have_a_bound(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "MAX_NODES", 100)
    for name in "abc":
        for size in range(1, 6):
            assert service.answer("forward", body(size, name=name), "test").status == 200
            assert kept(service) <= 100
    assert len(service.programs) == 2
    assert service.answer("forward", body(1, links=200), "test").status == 200
    assert len(service.programs) == 1  # the latest stays, however large


def test_the_plans_of_one_program_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.program.program._NODES", 100)
    graph = json.loads(body(1))["graph"]
    program = engine.Program(graph)
    for size in range(1, 30):
        program.prepare({"x": engine.tensor([1.0] * size)}, route="forward")
        assert program.nodes == min(10 * size, 100)


def test_memory_that_ran_out_is_given_back(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: engine.Prepared) -> engine.Result:
        raise MemoryError

    assert service.answer("forward", body(3), "test").status == 200
    with monkeypatch.context() as patched:
        patched.setattr(engine.Prepared, "run", fail)
        answer = service.answer("forward", body(4), "test")
    assert answer.status == 503
    assert "Retry-After" in dict(answer.headers)
    assert len(service.programs) == service.programs.size == 0
    assert service.answer("forward", body(3), "test").status == 200
