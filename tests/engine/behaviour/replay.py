"""Scenarios played with the engine and compared with what torch said."""

import functools
import json
import warnings
from pathlib import Path
from typing import Any

import engine
from tests.engine.behaviour import play

STORED = Path(__file__).resolve().parents[1] / "data" / "behaviour.json"


@functools.cache
def stored() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = json.loads(STORED.read_text(encoding="utf-8"))
    return found


def touch(tensor: Any) -> None:
    """Count a change in place."""
    tensor.storage.version += 1


def compare(module: str, scenario: str) -> None:
    """Play a scenario with the engine; every line is torch's. (Where torch warns, so does the engine.)"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = play(module, scenario, engine, touch)
    assert said == stored()[module][scenario]
