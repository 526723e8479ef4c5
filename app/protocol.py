"""uvicorn's HTTP/1.1 protocol with bounds on what comes before a body, and errors in the one shape.

uvicorn itself waits for a request's headers for ever, accepts any amount of them, and answers in plain text
what is no HTTP, or one connection too many.
"""

from __future__ import annotations

from asyncio import BaseProtocol, TimerHandle
from typing import Any, cast

from httptools import HttpRequestParser
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import get_client_addr

from app.access import lines
from app.direct import LARGE, Cycle, Receiver
from app.errors import MEDIA_TYPE, Problem, document
from app.settings import Settings
from app.shortcut import Shortcut, written

MAX_HEADERS = 100
MAX_AT_ONCE = 8  # requests of one connection, before others have their turn


class _HeadTooLargeError(Exception):
    """Raised into the parser, which gives up on the connection."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.settings: Settings = self.config.app.state.settings  # type: ignore[union-attr]  # our application
        self.access_logger = lines(self.access_logger)  # type: ignore[assignment]  # what of it is called
        self.limit_concurrency = None  # counted here, to answer in the one shape
        self.full_app = self.app
        self.head_bytes = 0
        self.body_bytes = 0
        self.head_timer: TimerHandle | None = None
        self.in_head = False
        self.answered = 0  # requests of all connections, before the latest data came
        self.shortcut: Shortcut = self.config.app.shortcut  # type: ignore[union-attr]
        self.postponed: tuple[str, list[bytes]] | None = None  # a request that may take it: route, pieces

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        self.answered = self.server_state.total_requests
        super().data_received(data)
        if self.postponed is not None:  # the rest of its body is still to come
            self._resume()
        cycle: RequestResponseCycle | None = self.cycle  # None until the first request
        if cycle is None or cycle.response_complete:
            if self.in_head or self.answered == self.server_state.total_requests:  # no whole head has come
                self._expect_head()
        elif cycle.more_body and not self.pipeline:
            self._read_directly(cycle)

    def on_message_begin(self) -> None:
        self.head_bytes = self.body_bytes = 0
        self.in_head = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        HttpToolsProtocol.on_url(self, url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        HttpToolsProtocol.on_header(self, name, value)

    def on_body(self, body: bytes) -> None:
        if self.postponed is not None:
            self.postponed[1].append(body)
            return
        self.body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.postponed is not None and not self._answer(*self.postponed):
            self._resume()
        if self.postponed is None:
            super().on_message_complete()
        self.postponed = None

    def _answer(self, route: str, pieces: list[bytes]) -> bool:
        """Answer the postponed request, if that can be done at once."""
        found = self.shortcut.answer(route, self.headers, b"".join(pieces))
        if found is None:
            return False
        status, headers, body = found
        self.transport.write(written(status, [*self.server_state.default_headers, *headers], body))
        if self.access_log:
            client, path = get_client_addr(self.scope), self.url.decode()
            self.access_logger.info('%s - "%s %s HTTP/%s" %d', client, "POST", path, "1.1", status)
        self.on_response_complete()
        return True

    def _resume(self) -> None:
        """Let the application have the postponed request after all."""
        assert self.postponed is not None
        (_, pieces), self.postponed = self.postponed, None
        self._begin()
        for each in pieces:
            self.on_body(each)

    def _read_directly(self, cycle: RequestResponseCycle) -> None:
        """Have the rest of the body past the parser, if it is large and nobody has read of it."""
        declared = next((value for name, value in self.headers if name == b"content-length"), b"")
        size = int(declared) if declared.isdigit() else 0
        if size - self.body_bytes < LARGE or size > self.settings.max_body_bytes:
            return
        if len(cycle.body) != self.body_bytes:
            return
        cycle.__class__ = Cycle
        large = cast(Cycle, cycle)

        def done(whole: memoryview) -> None:
            large.whole = None if large.response_complete else whole
            self.parser = HttpRequestParser(self)  # the old one waits for the body
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as it was made
            self._read_by(self)
            self.on_message_complete()

        self._read_by(Receiver(self, size, bytes(cycle.body), done))
        cycle.body = bytearray()
        cycle.message_event.clear()

    def _read_by(self, protocol: BaseProtocol) -> None:
        """Let another protocol have what comes next; a transport looks at it when it begins to read."""
        self.transport.pause_reading()
        self.transport.set_protocol(protocol)
        self.transport.resume_reading()
        self.flow.read_paused = False

    def on_headers_complete(self) -> None:
        self._head_is_here()
        self.in_head = False
        route = self._shortest()
        if route is None:
            self._begin()
        else:
            self.postponed = route, []

    def _begin(self) -> None:
        self.app = _full if len(self.connections) > self.settings.max_connections else self.full_app
        super().on_headers_complete()

    def _shortest(self) -> str | None:
        """The route of a request that may take the shortcut: nothing else is going on."""
        cycle: RequestResponseCycle | None = self.cycle
        busy = cycle is not None and not cycle.response_complete
        busy = busy or self.server_state.total_requests - self.answered >= MAX_AT_ONCE
        if busy or self.flow.write_paused or len(self.connections) > self.settings.max_connections:
            return None
        if self.parser.get_http_version() != "1.1" or not self.parser.should_keep_alive():
            return None
        return self.shortcut.route(self.parser.get_method(), self.url, self.headers)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser refuses, and close."""
        self.postponed = None
        if self.head_bytes > self.settings.max_head_bytes or len(self.headers or ()) >= MAX_HEADERS:
            problem = Problem(
                "head-too-large", f"At most {self.settings.max_head_bytes} bytes and {MAX_HEADERS} headers."
            )
        else:
            problem = Problem("invalid-http", "The request is not well-formed HTTP/1.1.")
        body = _document(problem)
        head = (
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
            "x-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(STATUS_LINE[problem.code.status] + head.encode() + body)
        self.transport.close()

    def _count(self, size: int) -> None:
        self.head_bytes += size
        if self.head_bytes > self.settings.max_head_bytes or len(self.headers) >= MAX_HEADERS:
            raise _HeadTooLargeError

    def _expect_head(self) -> None:
        if self.head_timer is None:
            self.head_timer = self.loop.call_later(self.settings.head_timeout_seconds, self.transport.close)

    def _head_is_here(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None


async def _full(scope: Scope, receive: Receive, send: Send) -> None:
    problem = Problem("overloaded", "Too many connections.", headers={"Connection": "close"})
    await Response(_document(problem), problem.code.status, problem.headers, MEDIA_TYPE)(scope, receive, send)


def _document(problem: Problem) -> bytes:
    return document(problem, max_errors=1, max_bytes=1024)
