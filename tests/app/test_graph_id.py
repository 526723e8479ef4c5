"""`graph_id` in place of `graph`, on every route and in every process."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.compute import Answer, Compute
from app.compute.service import Service
from app.endpoints import ENDPOINTS
from app.graphs.database import Database
from app.graphs.learned import Learned, NotLearnedError
from app.graphs.store import Store
from app.settings import Settings
from tests.app.computing import call, computing, until
from tests.app.harness import serve
from tests.app.refusing import checked

pytestmark = pytest.mark.anyio

X = {"data": [1.0, 2.0, 3.0], "requires_grad": True}
GRAPH = [{"id": "y", "op": "sum", "in": [{"op": "mul", "in": ["x", "x"]}]}]
UNKNOWN = "sha256:" + "0" * 64
OWN: dict[str, dict[str, Any]] = {"jvp": {"tangents": {"x": [1, 1, 1]}}, "hvp": {"v": {"x": [1, 0, 0]}}}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(stored(tmp_path)) as found:
        yield found


def stored(folder: Path, **settings: Any) -> Settings:
    return Settings(**{"compute": "inline", "store": str(folder / "graphs.sqlite3"), **settings})


async def id_of(client: httpx.AsyncClient, graph: Any = GRAPH, **fields: Any) -> str:
    """The graph_id that an answer has."""
    answer = await client.post("/forward", json={"inputs": {"x": X}, "graph": graph, **fields})
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["graph_id"]
    return found


@pytest.mark.parametrize("route", ENDPOINTS)
async def test_every_route_answers_as_with_the_graph(client: httpx.AsyncClient, route: str) -> None:
    graph_id = await id_of(client)
    own = {"inputs": {"x": X}, **OWN.get(route, {})}
    named = await client.post(f"/{route}", json={"graph_id": graph_id, **own})
    sent = await client.post(f"/{route}", json={"graph": GRAPH, **own})
    assert named.status_code == 200, named.text
    assert named.json() == sent.json()


async def test_what_means_the_same_has_one_id(client: httpx.AsyncClient) -> None:
    nested = [{"op": "sum", "id": "y", "attrs": {}, "in": [{"in": ["x", "x"], "op": "mul"}]}]
    assert await id_of(client, nested) == await id_of(client)
    alias = [{"id": "y", "op": "sum", "in": [{"op": "multiply", "in": ["x", "x"]}]}]
    assert await id_of(client, alias) == await id_of(client)
    other = [{"id": "z", "op": "sum", "in": [{"op": "mul", "in": ["x", "x"]}]}]
    assert await id_of(client, other) != await id_of(client)


@pytest.mark.parametrize(("number", "dtype"), [(2, "int64"), (2.0, "float32")])
async def test_a_whole_float_stays_one(client: httpx.AsyncClient, number: float, dtype: str) -> None:
    """Were 2 and 2.0 one graph, an answer would depend on which of them was seen first."""
    for each in (2, 2.0):
        await id_of(client, [{"id": "y", "op": "mul", "in": ["x", each]}])
    graph_id = await id_of(client, [{"id": "y", "op": "mul", "in": ["x", number]}])
    answer = await client.post("/forward", json={"inputs": {"x": [1, 2]}, "graph_id": graph_id})
    assert answer.json()["outputs"]["y"]["dtype"] == dtype


async def test_literals_go_with_the_requests_default_dtype(client: httpx.AsyncClient) -> None:
    graph = [{"id": "y", "op": "mul", "in": ["x", {"tensor": [0.1, 0.1, 0.1]}]}]
    graph_id = await id_of(client, graph)
    for dtype in ("float64", "float32"):
        body = {"inputs": {"x": [1.0, 1.0, 1.0]}, "graph_id": graph_id, "default_dtype": dtype}
        found = (await client.post("/forward", json=body)).json()
        assert found["outputs"]["y"]["dtype"] == dtype
        assert found["graph_id"] == graph_id


async def test_an_unknown_id_is_a_404_that_says_what_to_send(client: httpx.AsyncClient) -> None:
    for route in ENDPOINTS:
        answer = await client.post(
            f"/{route}", json={"inputs": {"x": X}, "graph_id": UNKNOWN, **OWN.get(route, {})}
        )
        found = checked(answer, 404, "unknown-graph")
        assert "send its statements as `graph`, or PUT them to /graphs/{name}" in found["detail"]
        assert found["errors"] == [{"pointer": "/graph_id"}]


@pytest.mark.parametrize(
    "given",
    ["", "x", "sha256:", UNKNOWN[:-1], UNKNOWN + "0", UNKNOWN.upper(), UNKNOWN.replace("0", "g"),
     UNKNOWN + "\n", 1, True, [], {}, [UNKNOWN]],
)  # fmt: skip
async def test_what_can_be_no_id(client: httpx.AsyncClient, given: Any) -> None:
    answer = await client.post("/backward", json={"inputs": {"x": X}, "graph_id": given})
    found = checked(answer, 422, "invalid-argument")
    assert found["detail"].startswith("/graph_id: expected 'sha256:' and 64 hexadecimal digits, found ")
    assert found["errors"][0]["pointer"] == "/graph_id"


async def test_one_of_the_two_is_needed_and_only_one(client: httpx.AsyncClient) -> None:
    graph_id = await id_of(client)
    both = await client.post("/backward", json={"inputs": {"x": X}, "graph": GRAPH, "graph_id": graph_id})
    found = checked(both, 422, "invalid-argument")
    assert "one of them is enough" in found["detail"]
    assert found["errors"] == [{"pointer": "/graph_id"}]
    for neither in ({"inputs": {"x": X}}, {"inputs": {"x": X}, "graph_id": None}):
        found = checked(await client.post("/backward", json=neither), 422, "invalid-argument")
        assert found["errors"][0]["pointer"] == "/graph"
    null = {"inputs": {"x": X}, "graph": GRAPH, "graph_id": None}
    assert (await client.post("/backward", json=null)).status_code == 200


async def test_it_is_known_after_a_restart(tmp_path: Path) -> None:
    async with serve(stored(tmp_path)) as client:
        graph_id = await id_of(client)
    async with serve(stored(tmp_path)) as client:
        answer = await client.post("/backward", json={"inputs": {"x": X}, "graph_id": graph_id})
    assert answer.json()["grads"]["x"]["data"] == [2.0, 4.0, 6.0]


async def test_what_is_forgotten_is_unknown_until_it_is_sent_again(tmp_path: Path) -> None:
    few = stored(tmp_path, max_seen_graphs=2)
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(serve(few)) for _ in range(2)]
        graph_id = await id_of(here)
        for number in range(2):
            await id_of(there, [{"id": "y", "op": "mul", "in": ["x", number]}])
        body = {"inputs": {"x": X}, "graph_id": graph_id}
        checked(await there.post("/forward", json=body), 404, "unknown-graph")
        assert await id_of(there) == graph_id
        assert (await there.post("/forward", json=body)).status_code == 200


async def test_a_request_that_fails_keeps_no_graph(client: httpx.AsyncClient, tmp_path: Path) -> None:
    bad = await client.post("/forward", json={"inputs": {}, "graph": GRAPH})
    checked(bad, 422, "unknown-id")
    graph_id = await id_of(client)
    async with serve(stored(tmp_path)) as other:
        assert (
            await other.post("/forward", json={"inputs": {"x": X}, "graph_id": graph_id})
        ).status_code == 200


async def test_limits_hold_for_what_is_known(tmp_path: Path) -> None:
    async with serve(stored(tmp_path)) as client:
        graph_id = await id_of(client)
    body = {"inputs": {"x": X}, "graph_id": graph_id}
    async with serve(stored(tmp_path, max_statements=1)) as client:
        checked(await client.post("/forward", json=body), 422, "limit-exceeded")
    async with serve(stored(tmp_path, max_elements=2)) as client:
        checked(await client.post("/forward", json=body), 422, "limit-exceeded")


async def test_a_graph_under_another_id_is_not_answered_for_it(tmp_path: Path) -> None:
    """A service that wrote graphs in another way knew them by other ids."""
    async with serve(stored(tmp_path)) as client:
        await id_of(client)
    with Database(stored(tmp_path).store).writing() as connection:
        connection.execute("UPDATE graphs SET id = ?", (UNKNOWN,))
    async with serve(stored(tmp_path)) as client:
        answer = await client.post("/forward", json={"inputs": {"x": X}, "graph_id": UNKNOWN})
        checked(answer, 404, "unknown-graph")


async def test_a_store_that_cannot_be_used_is_a_503_and_hinders_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "graphs.sqlite3").write_bytes(b"no database" * 1000)
    async with serve(stored(tmp_path)) as client:
        graph_id = await id_of(client)
        body = {"inputs": {"x": X}, "graph_id": graph_id}
        assert (await client.post("/forward", json=body)).status_code == 200  # it was seen just now, here
        answer = await client.post("/forward", json={**body, "graph_id": UNKNOWN})
        checked(answer, 503, "store-unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert str(tmp_path) not in answer.text
        assert (await client.get("/health/ready")).status_code == 200


def body_of(graph_id: str, **more: Any) -> bytes:
    return json.dumps({"inputs": {"x": X}, "graph_id": graph_id, **more}).encode()


async def first_sight(compute: Compute, graph: Any = GRAPH) -> str:
    answer = await compute(call(json.dumps({"inputs": {"x": X}, "graph": graph}).encode()))
    assert answer.status == 200
    found: str = json.loads(answer.body)["graph_id"]
    return found


async def test_all_compute_processes_know_it(tmp_path: Path) -> None:
    async with computing(store=str(tmp_path / "g.sqlite3")) as one:
        graph_id = await first_sight(one)
    async with computing(store=str(tmp_path / "g.sqlite3")) as other:
        answer = await other(call(body_of(graph_id)))
    assert answer.status == 200


async def at_once(compute: Compute, body: bytes) -> Answer:
    """The event loop's answer, as soon as it has one."""
    found: list[Answer] = []

    def answered() -> bool:
        answer = compute.at_once(call(body))
        found.extend([answer] if answer else [])
        return answer is not None

    await until(answered)
    return found[0]


async def test_the_event_loop_learns_it_from_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, found = threading.Event(), Store.find

    def find(store: Store, graph_id: str) -> bytes:
        assert read.wait(20)
        return found(store, graph_id)

    async with computing(compute="thread", store=str(tmp_path / "g.sqlite3")) as compute:
        body = body_of(await first_sight(compute))
        assert compute.at_once(call(body)) is None  # whether it is tiny is not known yet
        elsewhere = await compute(call(body))
        monkeypatch.setattr(Store, "find", find)
        for _ in range(3):
            assert compute.at_once(call(body)) is None  # it does not wait for the file
            await asyncio.sleep(0.01)
        read.set()
        here = await at_once(compute, body)
        assert (here.status, here.body) == (200, elsewhere.body)


async def test_the_event_loop_tells_the_store_what_it_uses(tmp_path: Path) -> None:
    settings = Settings(store=str(tmp_path / "g.sqlite3"))
    known = Learned(settings)
    known.keep(UNKNOWN, b"[]")
    known.keep(UNKNOWN, b"[]")
    assert len(known._tasks) == 1
    await known.stop()
    assert Learned(settings).store.find(UNKNOWN) == b"[]"


async def test_large_graphs_are_left_to_others(tmp_path: Path) -> None:
    settings = Settings(store=str(tmp_path / "g.sqlite3"), inline_body_bytes=10)  # type: ignore[arg-type]
    known = Learned(settings)
    known.store.keep(UNKNOWN, b"[" + b" " * 10 + b"]")
    for _ in range(3):
        with pytest.raises(NotLearnedError):
            known.find(UNKNOWN)
        await asyncio.gather(*known._tasks)
    assert not known._tasks  # and are not read again and again
    await known.stop()


async def test_the_store_hears_of_a_graph_before_its_answer_is_sent(tmp_path: Path) -> None:
    settings = Settings(store=str(tmp_path / "g.sqlite3"))
    service, other = (Service(settings, Store(settings)) for _ in range(2))
    sent = json.dumps({"inputs": {"x": X}, "graph": GRAPH}).encode()
    graph_id = json.loads(service.answer(call(sent)).body)["graph_id"]
    assert other.answer(call(body_of(graph_id))).status == 200
