"""Below the application: what a real server says to heads that are slow, large or no HTTP at all."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from app.__main__ import configure
from app.settings import Settings

pytestmark = pytest.mark.anyio
QUIET = Settings(compute="inline", log_level="critical", access_log=False)
HURRIED = QUIET.model_copy(update={"head_timeout_seconds": 0.3})
GET = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"


@asynccontextmanager
async def listening(settings: Settings = QUIET) -> AsyncIterator[int]:
    """The port of a real server."""
    server = uvicorn.Server(configure(settings))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        await task


async def say(port: int, *parts: bytes) -> bytes:
    """Send the parts, a moment apart, and read until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for number, part in enumerate(parts):
            await asyncio.sleep(0.15 if number else 0)
            writer.write(part)
            await writer.drain()
        return await reader.read()
    except ConnectionError:
        return b"reset"
    finally:
        writer.close()


def problem(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    found: dict[str, Any] = json.loads(body)
    assert int(head.split()[1]) == found["status"]
    return found


@pytest.mark.parametrize(
    ("parts", "answers"),
    [
        pytest.param([], 0, id="idle"),
        pytest.param([GET, b"A: b\r\n", b"C: d\r\n", b"E: f\r\n"], 0, id="slow"),
        pytest.param([b"\r\n", b"\r\n", b"\r\n", b"\r\n"], 0, id="blank lines"),
        pytest.param([GET + b"\r\n", GET, b"A: b\r\n", b"C: d\r\n"], 1, id="second request slow"),
    ],
)
async def test_a_connection_without_a_head_is_closed(parts: list[bytes], answers: int) -> None:
    async with listening(HURRIED) as port:
        answer = await say(port, *parts)
    assert answer == b"reset" or answer.count(b"HTTP/1.1 200") == answers


@pytest.mark.parametrize(
    ("request_bytes", "code"),
    [
        pytest.param(b"HELLO\r\n\r\n", "invalid-http", id="no HTTP"),
        pytest.param(b"\x16\x03\x01\x02\x00", "invalid-http", id="TLS"),
        pytest.param(
            GET + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "invalid-http",
            id="two lengths",
        ),
        pytest.param(GET + b"X: " + b"a" * 40_000 + b"\r\n\r\n", "head-too-large", id="long header"),
        pytest.param(GET + b"X: a\r\n" * 200 + b"\r\n", "head-too-large", id="many headers"),
        pytest.param(
            b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", "head-too-large", id="long path"
        ),
    ],
)
async def test_what_the_parser_refuses_has_the_one_shape(request_bytes: bytes, code: str) -> None:
    async with listening() as port:
        assert problem(await say(port, request_bytes))["code"] == code
        assert b"200 OK" in await say(port, GET + b"Connection: close\r\n\r\n")


async def test_a_large_head_within_the_bounds_is_served() -> None:
    padding = b"X: " + b"a" * 30_000 + b"\r\n" + b"Y: b\r\n" * 90
    async with listening() as port:
        assert b"200 OK" in await say(port, GET + padding + b"Connection: close\r\n\r\n")


async def test_one_connection_too_many_is_told_so() -> None:
    settings = QUIET.model_copy(update={"max_connections": 1})
    async with listening(settings) as port:
        _, first = await asyncio.open_connection("127.0.0.1", port)
        assert problem(await say(port, GET + b"\r\n"))["code"] == "overloaded"
        first.close()
        await first.wait_closed()


async def test_a_declared_body_over_the_limit_is_answered_and_not_reset() -> None:
    settings = QUIET.model_copy(update={"max_body_bytes": 1000})
    head = b"POST /backward HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n"
    async with listening(settings) as port:
        assert problem(await say(port, head + b"x" * 2_000_000))["code"] == "body-too-large"
        assert problem(await say(port, head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")))
