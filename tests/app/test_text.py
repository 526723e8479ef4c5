"""Graphs as text, through HTTP: every route that takes a graph, what is kept of them, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from app.endpoints import ENDPOINTS
from tests.app.harness import INLINE, serve
from tests.app.refusing import checked

pytestmark = pytest.mark.anyio
INPUTS = {"x": {"data": [1.0, 2.0], "requires_grad": True}}
TEXT = "y = x * x  # squares\nout = sum(y * y * 3)"
STATEMENTS: list[dict[str, Any]] = [
    {"id": "y", "op": "mul", "in": ["x", "x"]},
    {"id": "out", "op": "sum", "in": [{"op": "mul", "in": [{"op": "mul", "in": ["y", "y"]}, 3]}]},
]
OWN = {"jvp": {"tangents": {"x": [1.0, 0.0]}}, "hvp": {"v": {"x": [1.0, 0.0]}}}


@pytest.mark.parametrize("route", ENDPOINTS)
async def test_a_text_is_answered_as_its_statements(client: httpx.AsyncClient, route: str) -> None:
    body = {"inputs": INPUTS, **OWN.get(route.strip("/"), {})}
    path = f"/{route.strip('/')}"
    expected = await client.post(path, json={**body, "graph": STATEMENTS})
    assert expected.status_code == 200
    for _ in range(8):  # until all that is remembered of a kind is in use
        found = await client.post(path, json={**body, "graph": TEXT})
        assert found.json() == expected.json()


async def test_numbers_change_and_the_text_stays(client: httpx.AsyncClient) -> None:
    for number in range(1, 12):
        inputs = {"x": {"data": [float(number)], "requires_grad": True}}
        found = await client.post("/backward", json={"inputs": inputs, "graph": TEXT})
        assert found.json()["grads"]["x"]["data"] == [12.0 * number**3]


async def test_the_graph_id_of_a_text_finds_it(tmp_path: Path) -> None:
    settings = INLINE.model_copy(update={"store": str(tmp_path / "graphs.sqlite3")})
    async with serve(settings) as client:
        sent = await client.post("/backward", json={"inputs": INPUTS, "graph": TEXT})
    async with serve(settings) as client:
        body = {"inputs": INPUTS, "graph_id": sent.json()["graph_id"]}
        found = await client.post("/backward", json=body)
    assert found.json() == sent.json()


async def test_a_registered_text(tmp_path: Path) -> None:
    async with serve(INLINE.model_copy(update={"store": str(tmp_path / "graphs.sqlite3")})) as client:
        put = await client.put("/graphs/squares", json={"graph": TEXT, "inputs": INPUTS})
        assert put.status_code == 201
        assert (await client.get("/graphs/squares")).json()["graph"] == TEXT
        found = await client.post("/graphs/squares/backward", json={})
        assert found.json()["grads"]["x"]["data"] == [12.0, 96.0]
        body = {"inputs": INPUTS, "graph": STATEMENTS}
        assert (await client.post("/backward", json=body)).json()["graph_id"] == put.json()["graph_id"]


async def test_long_lists_in_a_text(client: httpx.AsyncClient) -> None:
    numbers = [round(0.5 + at / 7, 3) for at in range(20_000)]
    graph = f"out = sum(tensor({numbers}) * x)"
    found = await client.post(
        "/forward", json={"inputs": {"x": 2.0}, "graph": graph, "default_dtype": "float64"}
    )
    assert found.json()["outputs"]["out"]["data"] == pytest.approx(2 * sum(numbers))


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "y = x\nz = lambda: y": ("invalid-argument", {"line": 2, "column": 5, "actual": "lambda: y"}),
    "y = foo(x)": ("unknown-op", {"line": 1, "column": 5, "node": "y", "op": "foo"}),
    "y = x +": ("invalid-argument", {"line": 1, "column": 8, "actual": ""}),
    "y = " + "(" * 200 + "x" + ")" * 200: ("limit-exceeded", {"line": 1, "column": 105}),
    "y = -x\nz = cat([y, x @ tensor([1.0, 2.0, 3.0])], 0)": (
        "shape-mismatch", {"line": 2, "column": 13, "op": "matmul"}
    ),
    "y = w": ("unknown-id", {"line": 1, "column": 5}),
    "y = tensor([[1], [2, 3]])": ("shape-mismatch", {"line": 1, "column": 5}),
    "y = '<script>'\u2028z": ("invalid-argument", {"line": 1, "column": 15, "actual": "z"}),
}  # fmt: skip


@pytest.mark.parametrize("graph", REFUSED, ids=range(len(REFUSED)))
@pytest.mark.parametrize("path", ["/backward", "/graphs/refused"])
async def test_a_refusal_points_at_line_and_column(client: httpx.AsyncClient, graph: str, path: str) -> None:
    code, place = REFUSED[graph]
    if path != "/backward" and ("@" in graph or code == "unknown-id"):
        return  # of what a request brings
    body = {"graph": graph} if path != "/backward" else {"inputs": INPUTS, "graph": graph}
    found = checked(
        await client.request("POST" if path == "/backward" else "PUT", path, json=body), 422, code
    )
    entry = found["errors"][0]
    assert entry["pointer"] == "/graph"
    assert {name: entry.get(name) for name in place} == place
    assert found["detail"].startswith(f"line {place['line']}, column {place['column']}")


async def test_no_text_at_all(client: httpx.AsyncClient) -> None:
    for graph in ("", "\n# nothing\n"):
        checked(await client.post("/backward", json={"graph": graph}), 422, "invalid-argument")
