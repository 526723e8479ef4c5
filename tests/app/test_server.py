"""A real server on a real port: what only sockets and processes show."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from app.compute.call import BINARY
from app.compute.warm import REQUEST
from tests.app.computing import SLOW, until
from tests.app.server import Server, is_alive, serving

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs /proc")]

JSON = {"content-type": "application/json"}
POST = b"POST /%s HTTP/1.1\r\nHost: gradwire.test\r\nContent-Type: application/json\r\n"
LIMIT = 2_000_000
LARGER = SLOW.replace(b"2000", b"20")  # than what runs on the event loop


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(GRADWIRE_PROCESSES="1", GRADWIRE_MAX_BODY_BYTES=str(LIMIT)) as found:
        yield found


@pytest.fixture
async def http(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as found:
        yield found


async def works(http: httpx.AsyncClient) -> None:
    answer = await http.post("/backward", content=REQUEST, headers=JSON)
    assert answer.status_code == 200, answer.text
    assert answer.json()["grads"]["x"]["data"] == [[4.5, 4.5], [4.5, 4.5]]


async def health(http: httpx.AsyncClient, while_: asyncio.Task[Any]) -> list[float]:
    """How long /health/live took, in seconds, again and again until the task was done; sorted."""
    seconds = []
    while not while_.done():
        start = time.perf_counter()
        assert (await http.get("/health/live")).status_code == 200
        seconds.append(time.perf_counter() - start)
        await asyncio.sleep(0.01)
    return sorted(seconds)


async def test_the_first_request_and_the_same_again_at_once(http: httpx.AsyncClient) -> None:
    for _ in range(5):
        await works(http)
    assert (await http.get("/health/ready")).status_code == 200


async def test_health_answers_while_two_seconds_are_computed(http: httpx.AsyncClient) -> None:
    await works(http)
    await http.get("/health/live")
    headers = {**JSON, "x-request-deadline-ms": "2000"}
    start = time.perf_counter()
    slow = asyncio.create_task(http.post("/forward", content=SLOW, headers=headers))
    seconds = await health(http, slow)
    assert slow.result().status_code == 504
    assert slow.result().json()["code"] == "deadline-exceeded"
    assert 1.9 < time.perf_counter() - start < 2.5
    assert len(seconds) > 40
    assert seconds[len(seconds) * 9 // 10] < 0.05  # a machine that is busy otherwise may be late now and then
    await works(http)


async def test_deep_json_is_refused_and_the_connection_goes_on(http: httpx.AsyncClient) -> None:
    for body in (b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000):
        answer = await http.post("/backward", content=body, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (400, "json-too-deep")
        await works(http)


def exchange(server: Server, *pieces: bytes) -> bytes:
    """What the server sends back to these bytes before it closes."""
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        for piece in pieces:
            connection.sendall(piece)
        found = b""
        while piece := connection.recv(65536):
            found += piece
    return found


async def test_a_body_over_the_limit_with_content_length(server: Server, http: httpx.AsyncClient) -> None:
    head = POST % b"backward" + b"Content-Length: %d\r\n\r\n" % (LIMIT + 1)
    answer = await asyncio.to_thread(exchange, server, head)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"body-too-large"' in answer
    await works(http)


async def test_a_body_over_the_limit_without_content_length(server: Server, http: httpx.AsyncClient) -> None:
    head = POST % b"backward" + b"Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%s\r\n" % (100_000, b" " * 100_000)
    answer = await asyncio.to_thread(
        exchange, server, head, *([chunk] * (LIMIT // 100_000 + 1)), b"0\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"body-too-large"' in answer
    await works(http)


async def test_a_body_at_the_limit_is_read(http: httpx.AsyncClient) -> None:
    answer = await http.post("/backward", content=REQUEST + b" " * (LIMIT - len(REQUEST)), headers=JSON)
    assert answer.status_code == 200


async def test_a_client_that_goes_frees_the_process(server: Server, http: httpx.AsyncClient) -> None:
    parts = urlsplit(server.url)
    head = POST % b"forward" + b"Content-Length: %d\r\n\r\n" % len(SLOW)
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
        connection.sendall(head + SLOW)
        await asyncio.sleep(0.3)
    start = time.perf_counter()
    await works(http)
    answer = await http.post("/forward", content=SLOW.replace(b"2000", b"20"), headers=JSON)
    assert answer.status_code == 200
    assert time.perf_counter() - start < 5


async def test_who_does_not_read_the_answer_holds_no_process(server: Server, http: httpx.AsyncClient) -> None:
    parts = urlsplit(server.url)
    many = {"op": "expand", "in": ["x", [8_000_000]]}
    request = {"inputs": {"x": 1.0}, "graph": [{"id": "y", "op": "mul", "in": [many, 2]}], "trace": False}
    body = json.dumps(request).encode()
    head = POST % b"forward" + b"Accept: %s\r\nContent-Length: %d\r\n\r\n" % (BINARY.encode(), len(body))
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
        connection.sendall(head + body)
        assert await asyncio.to_thread(connection.recv, 12) == b"HTTP/1.1 200"
        answer = await asyncio.wait_for(http.post("/forward", content=LARGER, headers=JSON), 10)
        assert answer.status_code == 200


async def test_a_killed_compute_process_is_replaced(server: Server, http: httpx.AsyncClient) -> None:
    slow = asyncio.create_task(http.post("/forward", content=SLOW, headers=JSON))
    await asyncio.sleep(0.3)
    (pid,) = server.compute_pids()
    os.kill(pid, signal.SIGKILL)
    answer = await slow
    assert (answer.status_code, answer.json()["code"]) == (503, "worker-lost")
    assert int(answer.headers["retry-after"]) >= 1
    await works(http)
    answer = await http.post("/forward", content=SLOW.replace(b"2000", b"20"), headers=JSON)
    assert answer.status_code == 200


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_no_compute_process_outlives_its_server(how: signal.Signals) -> None:
    with serving(GRADWIRE_PROCESSES="2", GRADWIRE_SHUTDOWN_SECONDS="1") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            await works(http)
            slow = asyncio.create_task(http.post("/forward", content=SLOW, headers=JSON))
            await asyncio.sleep(0.3)
            pids = server.compute_pids()
            assert len(pids) == 2
            server.process.send_signal(how)
            await asyncio.to_thread(server.process.wait, 10)
            await until(lambda: not any(map(is_alive, pids)))
            await asyncio.wait([slow])
            if slow.exception() is None:
                assert slow.result().status_code == 503
