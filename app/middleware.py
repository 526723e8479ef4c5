"""What surrounds every request, as plain ASGI classes; outermost first:

`Answer` (request id, fixed headers, the catch-all 500) · `HeadAsGet` · `BodyGuard` (size, time). Inside them
are the framework's own layers, but for the routes that compute. A layer that waits for nothing is no
coroutine of its own but gives back the next one's: there are many, and small graphs take little time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import re
from collections.abc import Awaitable, Generator, Iterable
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import Problem, internal
from app.handlers import ProblemResponse

log = logging.getLogger("gradwire")

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
DRAIN_SECONDS = 2.0

_ids = random.Random()  # an id tells requests apart and keeps no secret


class Answer:
    """Gives the request an id and every request an answer.

    The id is the client's `X-Request-ID` where that is well-formed, else a new one; it stands in
    `request.state.request_id` and in the answer. Whatever nothing else has handled becomes a 500 here and
    goes no further: an exception that reaches the server resets the connection under the next request. A
    Problem is answered here too, where the framework's layers are not there to do it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = request_id(scope["headers"])
        scope.setdefault("state", {})["request_id"] = name
        started = False

        def answer(message: Message) -> Awaitable[None]:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", ()), *fixed(name)]
            return send(message)

        try:
            await self.app(scope, receive, answer)
        except ClientDisconnect:
            log.debug("request %s: the client went away", name)
        except asyncio.CancelledError:
            # The server stops and its patience with this request has ended.
            if not started:
                problem = Problem("not-ready", "The service is stopping.", headers={"Connection": "close"})
                await ProblemResponse(problem, scope)(scope, receive, answer)
            raise
        except Exception as error:
            problem = error if isinstance(error, Problem) else internal(name)
            if problem is not error or started:
                log.exception("request %s: unhandled exception", name)
            if started:
                raise  # half an answer is out: only cutting the connection tells the client
            quoted = None if problem is error else name
            await ProblemResponse(problem, scope, quoted)(scope, receive, answer)


def fixed(name: str) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that every answer has, that to the request of this id."""
    return (b"x-request-id", name.encode()), (b"x-content-type-options", b"nosniff")


def request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The id that a request has or gets."""
    for name, value in headers:
        if name == b"x-request-id" and REQUEST_ID.fullmatch(value):
            return str(value, "ascii")
    return f"{_ids.getrandbits(64):016x}"


class HeadAsGet:
    """Answers HEAD wherever GET is answered; the server leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        return self.app(scope, receive, send)


class BodyGuard:
    """Refuses a body over `max_bytes` (413, declared or streamed) or slower than `seconds` in all (408).

    Either way the connection is closed after the answer. A body that is too large is read on for a moment:
    a client that is still sending when the connection closes would see a reset and not the answer.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, seconds: float) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.seconds = seconds

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self.app(scope, receive, send)
        for name, declared in scope["headers"]:
            if name == b"content-length" and declared.isdigit() and int(declared[:20]) > self.max_bytes:
                return self._refuse(scope, receive, send)
        return self.app(scope, _Guarded(self, receive).receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not any(name == b"expect" for name, _ in scope["headers"]):
            await _drain(receive)
        await ProblemResponse(self.too_large(), scope)(scope, receive, send)

    def too_large(self) -> Problem:
        return Problem(
            "body-too-large",
            f"The body is larger than the limit of {self.max_bytes} bytes.",
            headers={"Connection": "close"},
        )

    def too_slow(self) -> Problem:
        return Problem(
            "body-timeout",
            f"The body did not arrive within {self.seconds:g} seconds.",
            headers={"Connection": "close"},
        )


class _Guarded:
    """The `receive` of one request: counts, and keeps time until the body is complete."""

    __slots__ = ("complete", "deadline", "guard", "inner", "size")

    def __init__(self, guard: BodyGuard, receive: Receive) -> None:
        self.guard = guard
        self.inner = receive
        self.size = 0
        self.deadline: float | None = None  # from the first read on: a wait for compute may come before it
        self.complete = False

    async def receive(self) -> Message:
        if self.complete:
            return await self.inner()
        steps = self.inner().__await__()
        try:
            waits_for = next(steps)
        except StopIteration as done:  # it was here already, as most bodies are: no timer for it
            message: Message = done.value
        else:
            message = await self._in_time(_Begun(steps, waits_for))
        self.complete = not message.get("more_body", False)
        self.size += len(message.get("body", b""))
        if self.size > self.guard.max_bytes:
            if not self.complete:
                self.complete = True
                await _drain(self.inner)
            raise self.guard.too_large()
        return message

    async def _in_time(self, message: Awaitable[Message]) -> Message:
        now = asyncio.get_running_loop().time()
        if self.deadline is None:
            self.deadline = now + self.guard.seconds
        try:
            async with asyncio.timeout_at(self.deadline):
                return await message
        except TimeoutError:
            raise self.guard.too_slow() from None


class _Begun:
    """Something awaitable that has been run up to where it waits for the first time."""

    def __init__(self, steps: Generator[Any, Any, Any], waits_for: Any) -> None:
        self._steps = steps
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        waits_for = self._waits_for
        try:
            while True:
                try:
                    sent = yield waits_for
                except BaseException as error:  # noqa: BLE001  # passed on, as a cancellation is
                    waits_for = self._steps.throw(error)
                else:
                    waits_for = self._steps.send(sent)
        except StopIteration as stop:
            return stop.value
        finally:
            self._steps.close()


async def _drain(receive: Receive) -> None:
    """Read on for a moment, so that the answer is seen."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while (await receive()).get("more_body", False):
                pass
