"""A request to compute, as ASGI: body in, answer out. The work is done behind the compute boundary."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from app import negotiation
from app.compute.call import Answer, Call, Form, Piece
from app.errors import Problem
from app.graphs.named import Named

MAX_DEADLINE_DIGITS = 12
MAX_PIECE = 1 << 20  # of an answer, written at once: a large one shares the event loop
NO_CONTENT = (204, 304)  # statuses whose answers have no body, nor a length
_VARY = (b"vary", negotiation.VARY.encode())

Headers = Mapping[bytes, bytes]


async def exchange(
    scope: Scope, receive: Receive, send: Send, route: str, named: Named | None = None, *, reads: bool = True
) -> None:
    """Answer a request with what compute makes of its body, if it `reads` one. Raises Problem."""
    state = scope["app"].state
    settings, compute = state.settings, state.compute
    headers = _joined(scope["headers"])
    deadline = asyncio.get_running_loop().time() + _seconds(headers, settings.deadline_seconds)
    sent = negotiation.sent(headers) if reads else Form()
    wanted = negotiation.wanted(headers, settings.min_compressed_bytes)
    try:
        body = await _body(receive)  # to the end: what comes after it is that the client has gone
    except ClientDisconnect:
        return
    if not reads:
        body = b""
    call = Call(route, body, deadline, scope["state"]["request_id"], sent, wanted, named)
    answer = compute.at_once(call)
    if answer is None:
        answer = await _unless_gone(compute(call), receive)
    if answer is not None:
        await respond(answer, send)


def _joined(given: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers by name; one that stands several times is one list."""
    headers: dict[bytes, bytes] = dict(given)
    if len(headers) == len(given):
        return headers
    headers = {}
    for name, value in given:
        headers[name] = headers[name] + b", " + value if name in headers else value
    return headers


async def _body(receive: Receive) -> Piece:
    """The whole body; a large one comes in one piece (`app.direct`). Raises ClientDisconnect."""
    pieces: list[Piece] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _unless_gone(work: Any, receive: Receive) -> Answer | None:
    """The work's answer; cancelled, and None, if the client goes away before."""
    answer = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(receive())
    try:
        await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        if not answer.done():
            answer.cancel()
    return answer.result() if answer.done() else None


def head(answer: Answer) -> list[tuple[bytes, bytes]]:
    """The answer's headers."""
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
    headers.append(_VARY)
    if answer.status not in NO_CONTENT:
        headers.append((b"content-length", b"%d" % answer.size))
    return headers


async def respond(answer: Answer, send: Send) -> None:
    """Send the answer; a large one in pieces."""
    await send({"type": "http.response.start", "status": answer.status, "headers": head(answer)})
    if answer.size <= MAX_PIECE:
        await send({"type": "http.response.body", "body": answer.body})
        return
    for piece in answer.pieces:
        with memoryview(piece) as view:
            for start in range(0, len(view), MAX_PIECE):
                whole = len(view) <= MAX_PIECE and isinstance(piece, bytes)
                part = piece if whole else bytes(view[start : start + MAX_PIECE])
                await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _seconds(headers: Headers, allowed: float) -> float:
    """The time for this request: the server's, or less if the client wants less."""
    asked = headers.get(b"x-request-deadline-ms")
    if asked is None:
        return allowed
    if not (asked.isdigit() and len(asked) <= MAX_DEADLINE_DIGITS and int(asked)):
        raise Problem(
            "invalid-argument", "X-Request-Deadline-Ms: a whole number of milliseconds is expected."
        )
    return min(allowed, int(asked) / 1000)
