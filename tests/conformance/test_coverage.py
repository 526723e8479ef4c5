"""An op is written in one place: everything else finds it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import engine
from app.reference import ops_md
from app.routes import ops
from engine import registry
from engine.define import unary
from engine.op import sample
from tests.app.harness import serve
from tests.conformance.coverage import table

NAME = "my.cubed"
GRAPH = {"id": "y", "op": NAME, "in": ["x"]}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def cubed() -> Iterator[None]:
    """A registry with one op more, for one test."""
    unary(
        NAME,
        "t = square(input); y = multiply(t, input)",
        doc="input ** 3.\n\nSmooth everywhere.",
        vjp=lambda F, x, y, g: F.mul(F.mul(g, 3), F.square(x)),
        saves=("self",),
        samples=lambda make: [sample(make(2, 3)), sample(make())],
    )
    forget()
    yield
    for names in (registry.REGISTRY, registry._NAMES):
        del names[NAME]
    forget()


def forget() -> None:
    """A process reads the catalogue once: its ops are those that it was started with."""
    for known in (ops.summaries, ops.names):
        known.cache_clear()


@pytest.mark.anyio
async def test_a_new_op_is_found_everywhere(cubed: None) -> None:
    async with serve() as client:
        assert NAME in (await client.get("/ops")).text
        assert (await client.get(f"/ops/{NAME}")).status_code == 200
        body = {
            "inputs": {"x": {"data": 2.0, "requires_grad": True}},
            "graph": [{"id": "y", "op": NAME, "in": ["x"]}],
        }
        answer = (await client.post("/backward", json=body)).json()
    assert answer["grads"]["x"]["data"] == 12.0
    assert f"### {NAME}" in ops_md()
    assert {row.op: row.samples for row in table()}[NAME] == 2


def test_every_op_is_compared_with_something() -> None:
    assert not [row.op for row in table() if not row.cases + row.refused + row.samples]
    assert len(table()) == len(engine.catalogue())
