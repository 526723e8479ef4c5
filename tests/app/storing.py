"""A store of graphs of its own, for its tests."""

from pathlib import Path
from typing import Any

import pytest

import engine
from app.errors import Problem
from app.graphs.store import Store
from app.graphs.versions import Version
from app.settings import Settings

A, B, C, D = (f"sha256:{letter * 64}" for letter in "abcd")


def store_in(folder: Path, **settings: Any) -> Store:
    """A store in the folder, as another process would open it."""
    return Store(Settings(store=str(folder / "kept" / "graphs.sqlite3"), **settings))


def knows(store: Store, *ids: str) -> list[bool]:
    """Which of the graphs the store finds."""
    return [_knows(store, graph_id) for graph_id in ids]


def _knows(store: Store, graph_id: str) -> bool:
    try:
        return bool(store.find(graph_id))
    except Problem as problem:
        if problem.code.name != "unknown-graph":
            raise
        return False


def refused(code: str) -> Any:
    """The block raises the problem of this code."""
    return pytest.raises(Problem, check=lambda problem: problem.code.name == code)


def version(letter: str = "a", size: int = 100, **inputs: Any) -> Version:
    """A version whose graph takes `size` bytes."""
    tensors = {name: engine.tensor(value) for name, value in inputs.items()}
    return Version(f"sha256:{letter * 64}", letter.encode() * size, tensors)


def anything(current: str | None) -> None:
    """No condition."""
