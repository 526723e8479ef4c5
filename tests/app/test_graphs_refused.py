"""What /graphs/{name} refuses: graphs as a request would, names, queries, and one too many of anything."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.settings import Settings
from tests.app.harness import serve
from tests.app.refusing import checked, still_works
from tests.app.test_graphs import BODY, LINE, OTHER, client, put, stored

pytestmark = pytest.mark.anyio
__all__ = ["client"]  # the fixture

Y = {"id": "y", "op": "mul", "in": ["x", "w"]}
BODIES = [
    # what, its body, status, code, pointer
    ("no-json", b"", 400, "invalid-json", None),
    ("not-json", b'{"graph": [NaN]}', 400, "invalid-json", None),
    ("deep", b'{"graph": ' + b"[" * 200 + b"]" * 200 + b"}", 400, "json-too-deep", None),
    ("twice", b'{"graph": [], "graph": []}', 400, "invalid-json", None),
    ("a-list", [], 422, "invalid-argument", None),
    ("no-graph", {}, 422, "invalid-argument", "/graph"),
    ("no-list", {"graph": 5}, 422, "invalid-argument", "/graph"),
    ("text", {"graph": "y = x * [w"}, 422, "invalid-argument", "/graph"),
    ("field", {"graph": [Y], "gradient": 1}, 422, "unknown-field", "/gradient"),
    ("graph-id", {"graph": [Y], "graph_id": OTHER}, 422, "unknown-field", "/graph_id"),
    ("op", {"graph": [{**Y, "op": "mull"}]}, 422, "unknown-op", "/graph/0/op"),
    ("statement", {"graph": [{**Y, "dim": 0}]}, 422, "unknown-field", "/graph/0/dim"),
    ("later", {"graph": [{**Y, "in": ["z", 1]}, {**Y, "id": "z"}]}, 422, "unknown-id", "/graph/0/in/0"),
    ("twice-id", {"graph": [Y, Y]}, 422, "duplicate-id", "/graph/1/id"),
    ("literal", {"graph": [{"id": "y", "tensor": [1, [2]]}]}, 422, "shape-mismatch", "/graph/0/tensor/1"),
    ("ragged", {"graph": [Y], "inputs": {"w": [[1], [2, 3]]}}, 422, "shape-mismatch", "/inputs/w/1"),
    ("dtype", {"graph": [Y], "inputs": {"w": {"data": 1, "dtype": "f"}}}, 422, None, "/inputs/w/dtype"),
    ("string", {"graph": [Y], "inputs": {"w": "1"}}, 422, "invalid-argument", "/inputs/w"),
    ("id", {"graph": [Y], "inputs": {"1w": 1}}, 422, "invalid-argument", "/inputs/1w"),
    ("defined", {"graph": [Y], "inputs": {"y": 1.0}}, 422, "duplicate-id", "/inputs/y"),
    ("grad", {"graph": [Y], "inputs": {"w": {"data": 1.0, "requires_grad": True, "grad": 1.0}}}, 422,
     "unknown-field", "/inputs/w/grad"),
    ("outputs", {"graph": [Y], "outputs": ["y", "z"]}, 422, "unknown-id", "/outputs/1"),
    ("default", {"graph": [Y], "default_dtype": "int64"}, 422, "invalid-argument", "/default_dtype"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"), [each[1:] for each in BODIES], ids=[each[0] for each in BODIES]
)
async def test_what_a_request_could_not_use_is_not_kept(
    client: httpx.AsyncClient, body: Any, status: int, code: str | None, pointer: str | None
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body)
    answer = await client.put("/graphs/m", content=content, headers={"content-type": "application/json"})
    found = checked(answer, status, code or answer.json()["code"])
    assert pointer is None or found["errors"][0]["pointer"] == pointer
    checked(await client.get("/graphs/m"), 404, "unknown-graph")
    await still_works(client)


@pytest.mark.parametrize(
    "name", ["1m", "m-n", "m.n", "%6d%20", "m" * 65, "caf%C3%A9", "m%0a", "%00", "..%2f"]
)
async def test_what_can_be_no_name(client: httpx.AsyncClient, name: str) -> None:
    for method in ("GET", "DELETE"):
        answer = await client.request(method, f"/graphs/{name}")
        assert answer.status_code == 404
        assert name not in answer.text
    posted = await client.post(f"/graphs/{name}/forward", json={})
    assert posted.status_code == 404
    answer = await client.put(f"/graphs/{name}", json=BODY)
    if "/" not in httpx.URL(f"http://h/{name}").path[1:]:
        assert "letter" in checked(answer, 422, "invalid-argument")["detail"]


async def test_the_longest_name(client: httpx.AsyncClient) -> None:
    await put(client, BODY, "m" * 64)
    assert (await client.get("/graphs/" + "m" * 64)).json()["name"] == "m" * 64


QUERIES = [
    ("GET", "?versio=1", "unknown-field"),
    ("GET", "?version=1", "invalid-argument"),
    ("GET", "?version=", "invalid-argument"),
    ("GET", f"?version={OTHER}&version={OTHER}", "invalid-argument"),
    ("GET", "?encoding=json", "invalid-argument"),
    ("PUT", f"?version={OTHER}", "unknown-field"),
    ("DELETE", f"?version={OTHER}", "unknown-field"),
]


@pytest.mark.parametrize(("method", "query", "code"), QUERIES)
async def test_queries(client: httpx.AsyncClient, method: str, query: str, code: str) -> None:
    await put(client)
    checked(await client.request(method, f"/graphs/line{query}", json=BODY), 422, code)
    assert (await client.get("/graphs/line")).status_code == 200


async def test_the_path_names_the_graph_and_nothing_else_does(client: httpx.AsyncClient) -> None:
    version = (await put(client))["version"]
    for field, value in (("graph", LINE), ("graph_id", version), ("graph", [])):
        answer = await client.post("/graphs/line/forward", json={"inputs": {"x": 1.0}, field: value})
        found = checked(answer, 422, "invalid-argument")
        assert found["detail"] == f"/{field}: the path names the graph already"
        assert found["errors"] == [{"pointer": f"/{field}"}]


async def test_an_input_that_nobody_gives(client: httpx.AsyncClient) -> None:
    await put(client)
    found = checked(await client.post("/graphs/line/forward", json={}), 422, "unknown-id")
    assert "'x'" in found["detail"]


async def test_media(client: httpx.AsyncClient) -> None:
    answer = await client.put("/graphs/m", content=b"{}", headers={"content-type": "text/plain"})
    checked(answer, 415, "unsupported-media-type")
    checked(await client.put("/graphs/m"), 415, "unsupported-media-type")
    answer = await client.put("/graphs/m", json=BODY, headers={"accept": "text/html"})
    checked(answer, 406, "not-acceptable")
    answer = await client.put("/graphs/m", json=BODY, headers={"if-match": "bare"})
    checked(answer, 422, "invalid-argument")
    checked(await client.get("/graphs/m"), 404, "unknown-graph")


def sized(size: int) -> dict[str, Any]:
    """A registration that takes so many bytes as JSON of its graph and defaults."""
    text = len(json.dumps([Y], separators=(",", ":")))
    return {"graph": [Y], "inputs": {"w": {"data": [1] * (size - text), "dtype": "int8"}}}


async def test_limits_just_under_and_just_over(tmp_path: Path) -> None:
    limits = {
        "max_stored_graphs": 2, "max_stored_versions": 2, "max_stored_graph_bytes": 100,
        "max_stored_bytes": 250,
    }  # fmt: skip
    async with serve(stored(tmp_path, **limits)) as client:
        shown = (await client.get("/info")).json()["limits"]
        assert shown.items() >= limits.items()
        await put(client, sized(100), "a")
        found = checked(await client.put("/graphs/b", json=sized(101)), 422, "limit-exceeded")
        assert "stored_graph_bytes: 101 asked, 100 allowed" in found["detail"]
        assert (found["errors"][0]["expected"], found["errors"][0]["actual"]) == (100, 101)
        await put(client, sized(50), "b")
        found = checked(await client.put("/graphs/c", json=sized(50)), 422, "limit-exceeded")
        assert "stored_graphs: 3 asked, 2 allowed" in found["detail"]
        await put(client, sized(100), "b")
        found = checked(await client.put("/graphs/a", json=sized(51)), 422, "limit-exceeded")
        assert "stored_bytes: 301 asked, 250 allowed" in found["detail"]
        await client.delete("/graphs/a")
        await put(client, sized(60), "b")
        assert len((await client.get("/graphs/b")).json()["versions"]) == 2


async def test_the_body_and_the_answer_have_their_limits(tmp_path: Path) -> None:
    body = json.dumps({"graph": [Y], "inputs": {"w": [1.5] * 100}})
    async with serve(stored(tmp_path, max_body_bytes=len(body))) as client:
        kind = {"content-type": "application/json"}
        answer = await client.put("/graphs/m", content=body + " ", headers=kind)
        checked(answer, 413, "body-too-large")
        assert (await client.put("/graphs/m", content=body, headers=kind)).status_code == 201
        size = len((await client.get("/graphs/m")).content)
    for allowed, status in ((size, 200), (size - 1, 422), (100, 422)):
        async with serve(stored(tmp_path, max_output_bytes=allowed)) as client:
            assert (await client.get("/graphs/m")).status_code == status
    async with serve(stored(tmp_path, max_statements=1, max_elements=10)) as client:
        found = checked(await client.put("/graphs/n", content=body, headers=kind), 422, "limit-exceeded")
        assert "elements: 100 asked, 10 allowed" in found["detail"]
        found = checked(await client.put("/graphs/n", json={"graph": LINE}), 422, "limit-exceeded")
        assert "statements: 2 asked, 1 allowed" in found["detail"]


async def test_a_store_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "graphs.sqlite3").write_bytes(b"no database" * 1000)
    async with serve(stored(tmp_path)) as client:
        answers = [
            await client.put("/graphs/m", json=BODY),
            await client.get("/graphs/m"),
            await client.delete("/graphs/m"),
            await client.post("/graphs/m/forward", json={}),
        ]
        for answer in answers:
            checked(answer, 503, "store-unavailable")
            assert int(answer.headers["retry-after"]) >= 1
            assert str(tmp_path) not in answer.text
        await still_works(client)


async def test_an_impossible_setting() -> None:
    with pytest.raises(ValueError, match="max_stored_graph_bytes"):
        Settings(max_stored_graph_bytes=2**30)  # type: ignore[arg-type]  # SQLite holds a gigabyte in a row


async def test_a_body_that_comes_in_pieces_has_the_same_limits(tmp_path: Path) -> None:
    async def pieces(pause: float) -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100
            await asyncio.sleep(pause)

    kind = {"content-type": "application/json"}
    async with serve(stored(tmp_path, max_body_bytes=1000, body_timeout_seconds=0.2)) as client:
        answer = await client.put("/graphs/m", content=pieces(0), headers=kind)
        checked(answer, 413, "body-too-large")
        answer = await client.put("/graphs/m", content=pieces(0.1), headers=kind)
        checked(answer, 408, "body-timeout")
