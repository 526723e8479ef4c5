"""What surrounds every request: its id, its headers, the bounds of its body, the answer that always comes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from app.main import create_app
from app.middleware import Answer, BodyGuard, HeadAsGet
from app.settings import Settings
from tests.app.harness import INLINE, serve

pytestmark = pytest.mark.anyio


class Echo:
    """A plain ASGI endpoint, as the POST routes are: answers the length of the body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        await Response(str(size))(scope, receive, send)


ECHO = Route("/echo", Echo(), methods=["POST"])
SMALL = INLINE.model_copy(update={"max_body_bytes": 1000})


async def chunks(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


@pytest.mark.parametrize("given", ["a", "A-Za-z0-9._-", "x" * 64])
async def test_a_well_formed_request_id_is_echoed(given: str, client: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/nope"):
        answer = await client.get(path, headers={"X-Request-ID": given})
        assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", 'a"b', "a\x7fb", "é", "a/b"])
async def test_any_other_is_replaced(given: str, client: httpx.AsyncClient) -> None:
    seen = set()
    for _ in range(3):
        answer = await client.get("/health/live", headers={b"X-Request-ID": given.encode()})
        seen.add(answer.headers["x-request-id"])
    assert given not in seen
    assert len(seen) == 3


async def test_every_answer_forbids_sniffing(client: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/nope", "/docs", "/openapi.json"):
        assert (await client.get(path)).headers["x-content-type-options"] == "nosniff"


async def test_head_is_get_without_the_body(client: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/ops", "/docs", "/nope"):
        head, get = await client.head(path), await client.get(path)
        assert head.status_code == get.status_code
        assert head.headers["content-length"] == get.headers["content-length"]
        assert not head.content


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(("size", "status"), [(999, 200), (1000, 200), (1001, 413), (100_000, 413)])
async def test_the_body_limit_holds_with_and_without_a_length(declared: bool, size: int, status: int) -> None:
    content: Any = b"x" * size if declared else chunks(*[500] * (size // 500), size % 500)
    async with serve(SMALL, [ECHO]) as client:
        answer = await client.post("/echo", content=content)
        after = await client.get("/health/live")
    assert answer.status_code == status
    if status == 413:
        assert answer.json()["code"] == "body-too-large"
        assert answer.json()["detail"] == "The body is larger than the limit of 1000 bytes."
        assert answer.headers["connection"] == "close"
    assert after.status_code == 200


async def test_a_length_that_is_beyond_all_numbers() -> None:
    async with serve(SMALL, [ECHO]) as client:
        answer = await client.post("/echo", content=b"", headers={"Content-Length": "9" * 5000})
    assert answer.json()["code"] == "body-too-large"


async def exchange(app: Any, *messages: Message, headers: Any = (), method: str = "POST") -> list[Message]:
    """Drive an ASGI application by hand; when the messages are used up the client says nothing more."""
    said: list[Message] = []
    waiting = list(messages)

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    async def send(message: Message) -> None:
        said.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": "/echo",
        "headers": list(headers),
        "app": create_app(INLINE),
    }
    await app(scope, receive, send)
    return said


async def test_a_body_that_stalls_is_a_408() -> None:
    app = create_app(INLINE.model_copy(update={"body_timeout_seconds": 0.02}))
    app.router.routes.append(ECHO)
    said = await exchange(app, {"type": "http.request", "body": b"half", "more_body": True})
    assert said[0]["status"] == 408
    assert b"body-timeout" in said[1]["body"]
    assert (b"connection", b"close") in said[0]["headers"]


async def test_the_time_is_for_the_body_only() -> None:
    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.03)  # in a queue, say, before the body is read
        assert (await receive())["body"] == b"whole"
        with pytest.raises(asyncio.TimeoutError):  # the next message is the client going away, if ever
            await asyncio.wait_for(receive(), 0.03)
        await Response("ok")(scope, receive, send)

    guarded = BodyGuard(waits, max_bytes=10, seconds=0.01)
    said = await exchange(guarded, {"type": "http.request", "body": b"whole"})
    assert said[0]["status"] == 200


async def test_a_client_that_asks_first_is_answered_unread() -> None:
    async def unread(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    guarded = BodyGuard(unread, max_bytes=10, seconds=1)
    said = await exchange(guarded, headers=[(b"content-length", b"11"), (b"expect", b"100-continue")])
    assert said[0]["status"] == 413


async def test_a_failure_after_the_start_cuts_the_connection() -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await exchange(Answer(StreamingResponse(half())), {"type": "http.request"})


async def test_a_stopping_server_answers_what_it_cancels() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    scope = {"type": "http", "headers": [], "app": create_app(INLINE)}
    with pytest.raises(asyncio.CancelledError):
        await Answer(slow)(scope, None, send)  # type: ignore[arg-type]
    assert said[0]["status"] == 503
    assert b"not-ready" in said[1]["body"]


async def test_a_client_that_has_gone_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def gone(scope: Scope, receive: Receive, send: Send) -> None:
        raise ClientDisconnect

    assert await exchange(Answer(gone)) == []
    assert not caplog.records


async def test_what_is_not_http_passes_through() -> None:
    seen: list[str] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    stack = Answer(HeadAsGet(BodyGuard(inner, max_bytes=1, seconds=1)))
    await stack({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert seen == ["lifespan"]


async def test_a_handler_sees_the_request_id() -> None:
    async def shows(request: Request) -> Response:
        return Response(request.state.request_id)

    async with serve(routes=[Route("/shows", shows)]) as client:
        answer = await client.get("/shows", headers={"X-Request-ID": "mine"})
    assert answer.text == "mine"


ORIGIN = {"Origin": "https://a.example"}
PREFLIGHT = {
    **ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type, content-encoding",
}


async def test_cors_is_off_by_default(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health/live", headers=ORIGIN)
    preflight = await client.options("/backward", headers=PREFLIGHT)
    assert not any(name.startswith("access-control") for name in (*answer.headers, *preflight.headers))
    assert preflight.status_code == 405


async def test_cors_is_a_setting() -> None:
    settings = Settings(compute="inline", cors_origins=("https://a.example",))
    async with serve(settings) as client:
        preflight = await client.options("/backward", headers=PREFLIGHT)
        error = await client.get("/nope", headers=ORIGIN)
        other = await client.get("/health/live", headers={"Origin": "https://b.example"})
    assert preflight.status_code == 200
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert error.headers["access-control-allow-origin"] == "https://a.example"
    assert "X-Request-ID" in error.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in other.headers
