"""Broken registrations are answered, never with a 5xx; what is registered can be shown and used."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from app.compute.call import Answer, Call
from app.compute.service import Service
from app.graphs.named import Named
from app.graphs.store import Store
from tests.app.test_fuzz import SETTINGS, bodies, broken_text, broken_value

FIELDS = ("graph", "inputs", "outputs", "default_dtype")
COUNT = 250


def registrations() -> list[bytes]:
    """What the fuzzed requests would register."""
    found = [{name: each[name] for name in FIELDS if name in each} for each in map(json.loads, bodies())]
    return [json.dumps(each).encode() for each in found if "graph" in each]


def answered(service: Service, route: str, body: bytes, named: Named) -> Answer:
    answer = service.answer(Call(route, body, named=named))
    assert answer.status < 500, (route, body, bytes(answer.body))
    assert answer.status < 400 or answer.size < 8192
    return answer


@pytest.mark.parametrize("mutate", [broken_text, broken_value])
def test_broken_registrations_are_answered(tmp_path: Path, mutate: Any) -> None:
    service = Service(SETTINGS, Store(SETTINGS.model_copy(update={"store": str(tmp_path / "g.sqlite3")})))
    dice, sources, kept = random.Random(7), registrations(), 0
    for number in range(COUNT):
        body = mutate(dice.choice(sources), dice)
        named = Named(f"g{number % 10}")
        if answered(service, "PUT", body, named).status < 300:
            kept += 1
            shown = json.loads(answered(service, "GET", b"", named).body)
            again = json.dumps({name: shown[name] for name in FIELDS}).encode()
            put = answered(service, "PUT", again, Named("again"))
            assert json.loads(put.body)["version"] == shown["version"]
            answered(service, "backward", b"{}", named)
    assert 0 < kept < COUNT
