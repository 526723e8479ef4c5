"""How the processors are shared out among compute processes and their threads."""

from typing import Any

import pytest

from app.compute import shares
from app.settings import Settings


@pytest.mark.parametrize(
    ("given", "processes", "threads"),
    [
        ({}, 8, 1),
        ({"processes": 2}, 2, 4),
        ({"processes": 3}, 3, 2),
        ({"processes": 16}, 16, 1),
        ({"processes": 2, "threads": 3}, 2, 3),
        ({"compute": "thread"}, 8, 8),
    ],
)
def test_processes_and_threads(
    given: dict[str, Any], processes: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "_processors", lambda: 8)
    settings = Settings(**given)
    assert (shares.processes(settings), shares.threads(settings)) == (processes, threads)


def test_there_is_a_processor() -> None:
    assert shares._processors() >= 1
