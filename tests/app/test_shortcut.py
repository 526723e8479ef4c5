"""What is answered where it is parsed is what the application would say, and the connection goes on."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app import shortcut
from app.compute.warm import REQUEST
from app.protocol import MAX_AT_ONCE
from tests.app.test_protocol import HURRIED, QUIET, listening

pytestmark = pytest.mark.anyio
OTHER = (b"X-Other: 1",)  # a header that the shortcut does not know
TYPE = (b"Content-Type: application/json",)
LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
WRONG = REQUEST.replace(b'"outputs"', b'"output"')


def post(
    body: bytes = REQUEST, *headers: bytes, path: bytes = b"/backward", version: bytes = b"1.1"
) -> bytes:
    lines = [b"POST %s HTTP/%s" % (path, version), b"Host: x", b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*lines, *(headers or TYPE), b"", body])


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The statuses that the shortcut has answered."""
    found: list[int] = []
    answer = shortcut.Shortcut.answer

    def counted(self: shortcut.Shortcut, *args: Any) -> Any:
        answered = answer(self, *args)
        if answered is not None:
            found.append(answered[0])
        return answered

    monkeypatch.setattr(shortcut.Shortcut, "answer", counted)
    return found


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def reply(self) -> tuple[bytes, bytes]:
        """The next head and body."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        if head.startswith(b"HTTP/1.1 100"):
            return head, b""
        size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return head, await self.reader.readexactly(size)

    async def ask(self, *parts: bytes) -> tuple[bytes, bytes]:
        for part in parts:
            self.writer.write(part)
            await asyncio.sleep(0.05 if len(parts) > 1 else 0)
        return await self.reply()

    async def is_closed(self, seconds: float) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(1), seconds) == b""
        except TimeoutError:
            return False


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with listening() as port, known(port) as found:
        yield found


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    found = Client(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield found
    finally:
        found.writer.close()


@asynccontextmanager
async def known(port: int) -> AsyncIterator[Client]:
    """A connection to a service that knows the request."""
    async with connected(port) as found:
        for _ in range(2):
            assert (await found.ask(post(REQUEST, *TYPE, *OTHER)))[0].startswith(b"HTTP/1.1 200")
        yield found


def lines(head: bytes, *without: bytes) -> list[bytes]:
    return [each for each in head.split(b"\r\n") if not each.startswith((b"date", *without))]


@pytest.mark.parametrize(
    "headers", [(), (b"X-Request-ID: abc",), (b"Accept: */*", b"User-Agent: curl/8")], ids=len
)
@pytest.mark.parametrize(
    "body", [REQUEST, WRONG, REQUEST.replace(b"1, 1]", b"2, 2.5]"), REQUEST[:-1]], ids=len
)
async def test_the_answer_is_the_applications(
    body: bytes, headers: tuple[bytes, ...], client: Client, taken: list[int]
) -> None:
    short = await client.ask(post(body, *TYPE, *headers))
    long = await client.ask(post(body, *TYPE, *headers, *OTHER))
    without = () if b"X-Request-ID: abc" in headers else (b"x-request-id",)
    assert lines(short[0], *without) == lines(long[0], *without)
    assert short[1] == long[1]
    assert taken == ([] if body == REQUEST[:-1] else [int(short[0][9:12])])


async def test_ids_are_given(client: Client) -> None:
    heads = [(await client.ask(post()))[0] for _ in range(2)]
    assert heads[0] != heads[1]


@pytest.mark.parametrize(
    "request_",
    [
        post(REQUEST, *TYPE, b"Connection: close"),
        post(REQUEST, *TYPE, b"X-Request-Deadline-Ms: 0"),
        post(REQUEST, *TYPE, b"Accept: text/html"),
        post(REQUEST, *TYPE, b"Accept-Encoding: identity;q=0, *;q=0"),
        post(REQUEST, b"Content-Type: text/plain"),
        post(REQUEST, *TYPE, b"Content-Encoding: gzip"),
        post(REQUEST, *TYPE, *TYPE),
        post(REQUEST, *TYPE, version=b"1.0"),
        post(REQUEST, path=b"/backward?x=1"),
        post(REQUEST, path=b"/forward/"),
        post(REQUEST + b" " * 20000),
        post(REQUEST.replace(b"z", b"unseen")),
    ],
)
async def test_what_is_out_of_the_ordinary_is_the_applications(
    request_: bytes, client: Client, taken: list[int]
) -> None:
    assert (await client.ask(request_))[0].startswith(b"HTTP/1.1 ")
    assert not taken


async def test_a_body_that_comes_in_parts_is_the_applications(client: Client, taken: list[int]) -> None:
    whole = post()
    for at in (3, 60, len(whole) - len(REQUEST), len(whole) - 1):
        _, body = await client.ask(whole[:at], whole[at:])
        assert body.startswith(b'{"outputs"')
    assert len(taken) == 2  # when the head was not whole, the body came at once


async def test_a_client_that_asks_first_is_told_to_go_on(client: Client, taken: list[int]) -> None:
    whole = post(REQUEST, *TYPE, b"Expect: 100-continue")
    head, _ = await client.ask(whole[: -len(REQUEST)])
    assert head.startswith(b"HTTP/1.1 100")
    assert (await client.ask(REQUEST))[0].startswith(b"HTTP/1.1 200")
    assert not taken


async def test_requests_sent_together_are_answered_in_their_order(client: Client, taken: list[int]) -> None:
    replies = [await client.ask(post() + LIVE + post(WRONG) + post() + LIVE)]
    replies += [await client.reply() for _ in range(4)]
    assert [int(head[9:12]) for head, _ in replies] == [200, 200, 422, 200, 200]
    assert [b"outputs" in body for _, body in replies] == [True, False, False, True, False]
    assert taken == [200]  # the others had to wait


async def test_other_connections_have_their_turn(client: Client, taken: list[int]) -> None:
    replies = [await client.ask(post() * 20)] + [await client.reply() for _ in range(19)]
    assert len({body for _, body in replies}) == 1
    assert taken == [200] * MAX_AT_ONCE


async def test_an_idle_connection_stays_open_for_the_next_request(taken: list[int]) -> None:
    async with listening(HURRIED) as port, known(port) as client:
        await client.ask(post())
        await asyncio.sleep(0.5)  # longer than a head may take
        assert (await client.ask(post()))[0].startswith(b"HTTP/1.1 200")
        assert taken == [200, 200]


async def test_a_slow_head_after_an_answer_is_not_waited_for(taken: list[int]) -> None:
    async with listening(HURRIED) as port:
        for begun in (b"POST /back", post()[:50]):
            async with known(port) as client:
                assert (await client.ask(post() + begun))[0].startswith(b"HTTP/1.1 200")
                assert await client.is_closed(2)
        assert taken == [200, 200]


async def test_one_connection_too_many_is_refused(taken: list[int]) -> None:
    settings = QUIET.model_copy(update={"max_connections": 1})
    async with listening(settings) as port, known(port) as first, connected(port) as second:
        assert (await second.ask(post()))[0].startswith(b"HTTP/1.1 503")
        assert not taken
        assert await second.is_closed(2)
        assert (await first.ask(post()))[0].startswith(b"HTTP/1.1 200")
        assert taken == [200]


async def test_what_is_no_http_closes_the_connection(client: Client) -> None:
    head, _ = await client.ask(post()[: -len(REQUEST)].replace(b"Content-Length: ", b"Content-Length: x"))
    assert head.startswith(b"HTTP/1.1 400")
    assert await client.is_closed(2)


async def test_the_access_log_has_a_line(monkeypatch: pytest.MonkeyPatch, taken: list[int]) -> None:
    stream = io.StringIO()
    logger = logging.getLogger("shortcut.access")
    logger.addHandler(logging.StreamHandler(stream))
    logger.setLevel(logging.INFO)
    made = HttpToolsProtocol.__init__

    def logging_protocol(self: HttpToolsProtocol, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        self.access_log, self.access_logger = True, logger

    monkeypatch.setattr(HttpToolsProtocol, "__init__", logging_protocol)
    async with listening() as port, known(port) as client:
        await client.ask(post(WRONG))
    assert taken == [422]
    own = client.writer.get_extra_info("sockname")[1]
    assert stream.getvalue().splitlines()[-1] == f'127.0.0.1:{own} - "POST /backward HTTP/1.1" 422'
