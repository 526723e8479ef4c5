"""The store of graphs under real servers: several processes, workers, a restart, a start that fails."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.server import ROOT, serving

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs /proc")]

X = {"data": [1.0, 2.0, 3.0], "requires_grad": True}
GRAPH = [{"id": "y", "op": "sum", "in": [{"op": "mul", "in": ["x", "w"]}]}]
BODY = {"graph": GRAPH, "inputs": {"w": [2.0, 2.0, 2.0]}}
# A product of 300 × 300 keeps a process busy for a while, so that the others get their share of requests.
BUSY = {"inputs": {"x": X, "w": 1.0}, "graph": [*GRAPH, {"id": "s", "op": "ones", "in": [[300, 300]]}]}


def environment(path: Path, **environ: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GRADWIRE_")}
    return {**plain, "GRADWIRE_STORE": str(path / "graphs.sqlite3"), **environ}


async def posted(url: str, body: Any, count: int) -> list[httpx.Response]:
    """The answers to as many requests at once, each on a connection of its own."""

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(timeout=30) as client:
            return await client.post(url, json=body)

    return await asyncio.gather(*(post() for _ in range(count)))


async def test_every_compute_process_knows_what_one_has_seen_and_a_restart_loses_nothing(
    tmp_path: Path,
) -> None:
    settings = {
        "GRADWIRE_PROCESSES": "2",
        "GRADWIRE_INLINE_FLOPS": "0",
        "GRADWIRE_STORE": str(tmp_path / "g.db"),
    }
    with serving(**settings) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            seen = (await http.post("/forward", json={"inputs": {"x": X, "w": 2.0}, "graph": GRAPH})).json()
            put = await http.put("/graphs/m", json=BODY)
            assert put.status_code == 201
            only_new = [
                http.put("/graphs/n", json={**BODY, "inputs": {"w": number}}, headers={"if-none-match": "*"})
                for number in range(8)
            ]
            statuses = [answer.status_code for answer in await asyncio.gather(*only_new)]
            assert sorted(statuses) == [201] + [412] * 7
        named = {"inputs": {"x": X, "w": 2.0}, "graph_id": seen["graph_id"]}
        for url, body in (("/backward", named), ("/graphs/m/backward", {"inputs": {"x": X}})):
            answers = await posted(server.url + url, body, 12)
            assert {answer.status_code for answer in answers} == {200}
            assert {str(answer.json()["grads"]["x"]["data"]) for answer in answers} == {"[2.0, 2.0, 2.0]"}
        server.process.kill()
    with serving(**settings) as server:
        assert {answer.status_code for answer in await posted(server.url + "/backward", named, 4)} == {200}
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            assert (await http.get("/graphs/m")).headers["etag"] == put.headers["etag"]


@contextmanager
def workers(path: Path) -> Iterator[str]:
    """The address of uvicorn with two workers, as an operator may start it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "app.main:app", "--workers", "2", "--port", str(port)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(path, GRADWIRE_PROCESSES="1"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


async def test_workers_share_the_store(tmp_path: Path) -> None:
    with workers(tmp_path) as url:
        async with asyncio.timeout(60):
            while not await ready(url, 8):  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(0.2)
        body = {"inputs": {"x": X, "w": 2.0}, "graph": GRAPH}
        (seen,) = await posted(f"{url}/forward", body, 1)
        named = {"inputs": body["inputs"], "graph_id": seen.json()["graph_id"]}
        async with httpx.AsyncClient() as http:
            assert (await http.put(f"{url}/graphs/m", json=BODY)).status_code == 201
        for path, body in (("/forward", named), ("/graphs/m/forward", {"inputs": {"x": X}})):
            answers = await posted(url + path, body, 16)
            assert {answer.status_code for answer in answers} == {200}
        async with httpx.AsyncClient() as http:
            assert (await http.delete(f"{url}/graphs/m")).status_code == 204
        answers = await posted(f"{url}/graphs/m/forward", {"inputs": {"x": X}}, 16)
        assert {answer.status_code for answer in answers} == {404}


async def ready(url: str, count: int) -> bool:
    """Whether as many connections, on whichever workers, find it ready."""
    asked = await asyncio.gather(*(status(f"{url}/health/ready") for _ in range(count)))
    return set(asked) == {200}


async def status(url: str) -> int:
    """What a GET is answered with; 0 if it is not."""
    try:
        async with httpx.AsyncClient() as client:
            return (await client.get(url)).status_code
    except httpx.TransportError:
        return 0


async def test_a_hostile_graph_holds_up_nobody_and_leaves_nothing(tmp_path: Path) -> None:
    chain = [{"id": "y0", "op": "sin", "in": ["x"]}]
    chain += [{"id": f"y{at}", "op": "sin", "in": [f"y{at - 1}"]} for at in range(1, 60_000)]
    settings = {"GRADWIRE_PROCESSES": "1", "GRADWIRE_STORE": str(tmp_path / "g.db")}
    with serving(**settings) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            await http.put("/graphs/m", json=BODY)
            content, kind = json.dumps({"graph": chain}), {"content-type": "application/json"}
            hostile = asyncio.create_task(http.put("/graphs/h", content=content, headers=kind))
            others = 0
            while not hostile.done():
                assert (await http.get("/health/live")).status_code == 200
                others += 1
                await asyncio.sleep(0.01)
            assert hostile.result().status_code == 201
            assert others > 10  # of a second and more, in which nothing else would have been answered
            late = {**kind, "x-request-deadline-ms": "100"}
            answer = await http.put("/graphs/late", content=content.replace("sin", "cos"), headers=late)
            assert (answer.status_code, answer.json()["code"]) == (504, "deadline-exceeded")
            assert (await http.get("/graphs/late")).status_code == 404
            assert (await http.post("/graphs/m/forward", json={"inputs": {"x": X}})).status_code == 200


def start(**environ: str) -> subprocess.CompletedProcess[str]:
    """A start that fails."""
    return subprocess.run(
        [sys.executable, "-m", "app"], cwd=ROOT, env={**environment(Path("/")), **environ},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_store_that_cannot_be_used_is_explained_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database" * 1000)
    for path, why in ((tmp_path / "text", "not a database"), (tmp_path / "text" / "g.db", "File exists")):
        done = start(GRADWIRE_STORE=str(path), GRADWIRE_PORT="0")
        assert done.returncode == 2
        assert f"gradwire cannot use GRADWIRE_STORE={path}: " in done.stderr
        assert why in done.stderr
        assert "Traceback" not in done.stderr


async def test_the_service_starts_without_a_store_that_nobody_asked_for(tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("in the way")
    with serving(HOME=str(tmp_path), GRADWIRE_PROCESSES="1") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            answer = await http.post("/forward", json=BUSY)
            assert answer.status_code == 200
            answer = await http.put("/graphs/m", json=BODY)
            assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")
