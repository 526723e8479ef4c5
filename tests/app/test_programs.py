"""What a place to compute keeps of earlier requests is bounded, whatever they were."""

import json
from typing import Any

import pytest

import engine
from app.compute import programs
from app.compute.call import Answer, Call
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
    return sum(entry.program.cache_info().bytes for entry in service.programs._entries.values())


def forward(service: Service, body: bytes) -> Answer:
    return service.answer(Call("forward", body))


def test_the_plans_of_all_programs_have_a_bound(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    assert forward(service, body(1)).status == 200
    bound = 10 * kept(service)
    service.programs.forget()
    monkeypatch.setattr(programs, "MAX_PLAN_BYTES", bound)
    for name in "abc":
        for size in range(1, 6):
            assert forward(service, body(size, name=name)).status == 200
            assert kept(service) <= bound
    assert len(service.programs) == 2
    assert forward(service, body(1, links=200)).status == 200
    assert len(service.programs) == 1  # the latest stays, however large


def test_memory_that_ran_out_is_given_back(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: engine.Prepared) -> engine.Result:
        raise MemoryError

    assert forward(service, body(3)).status == 200
    with monkeypatch.context() as patched:
        patched.setattr(engine.Prepared, "run", fail)
        answer = forward(service, body(4))
    assert answer.status == 503
    assert "Retry-After" in dict(answer.headers)
    assert len(service.programs) == service.programs.size == 0
    assert service.kinds.info[2:] == (0, 0)
    assert forward(service, body(3)).status == 200


def test_what_is_kept_is_counted(service: Service) -> None:
    for size, name in ((1, "a"), (1, "a"), (1, "b"), (2, "b")):
        assert forward(service, body(size, name=name)).status == 200
    found = service.caches()
    assert found["kinds"][:3] == (1, 3, 2)
    assert found["graphs"] == (1, 2, 2, sum(len(entry.text) for entry in service.programs._entries.values()))
    assert found["plans"] == (1, 3, 3, kept(service))
