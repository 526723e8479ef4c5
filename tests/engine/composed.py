"""Compositions with the engine, compared with what torch computed."""

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np

import engine
from tests.engine.compositions import compose
from tests.engine.harness import assert_equal
from tests.oracle import array

STORED = Path(__file__).resolve().parent / "data" / "compositions.json"


@functools.cache
def stored() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(STORED.read_text(encoding="utf-8"))
    return found


def expected(module: str, name: str) -> dict[str, np.ndarray[Any, Any]]:
    """What torch computed: an array for each place in the result."""
    return {place: array(each) for place, each in stored()[module][name].items()}


def compare(module: str, name: str) -> None:
    """Compose with the engine; every tensor is torch's, and so is whether it requires grad."""
    found, wanted = compose(module, name, engine), expected(module, name)
    assert list(found) == list(wanted)
    for place, tensor in found.items():
        assert_equal(tensor, wanted[place], f"{name} {place}")
        flag = stored()[module][name][place]["requires_grad"]
        assert tensor.requires_grad == flag, f"{name} {place}"
