"""The POST routes: bytes in, bytes out. The work is done behind the compute boundary."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.compute.call import JSON, Answer, Call
from app.endpoints import ENDPOINTS, Endpoint
from app.errors import Problem
from app.openapi import REF, problems
from app.schemas.response import Explained

CODES = (
    "invalid-json", "json-too-deep", "not-acceptable", "body-timeout", "body-too-large",
    "unsupported-media-type", "unknown-field", "unknown-op", "unknown-id", "duplicate-id",
    "invalid-argument", "shape-mismatch", "dtype-mismatch",
    "not-differentiable", "not-scalar", "nan-found", "graph-freed", "limit-exceeded", "iteration-limit",
    "not-implemented", "overloaded", "worker-lost", "deadline-exceeded",
)  # fmt: skip
MAX_DEADLINE_DIGITS = 12
MAX_PIECE = 1 << 18  # of an answer, written at once: a large one shares the event loop


class Gradients:
    """The ASGI endpoint of one route."""

    def __init__(self, route: str) -> None:
        self.route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = scope["app"]
        headers: dict[bytes, bytes] = dict(scope["headers"])
        deadline = asyncio.get_running_loop().time() + _seconds(headers, app.state.settings.deadline_seconds)
        _check_media(headers)
        try:
            body = await _body(receive)
        except ClientDisconnect:
            return
        call = Call(self.route, body, deadline, scope["state"]["request_id"])
        answer = app.state.compute.at_once(call)
        if answer is None:
            answer = await _unless_gone(app.state.compute(call), receive)
        if answer is not None:
            await _send(answer, send)


async def _body(receive: Receive) -> bytes:
    """The whole body, joined once. Raises ClientDisconnect."""
    pieces = []
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


async def _send(answer: Answer, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
    size = answer.size
    headers.append((b"content-length", b"%d" % size))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if size <= MAX_PIECE:
        await send({"type": "http.response.body", "body": answer.body})
        return
    for piece in answer.pieces:
        view = memoryview(piece)
        for start in range(0, len(view), MAX_PIECE):
            part = bytes(view[start : start + MAX_PIECE])
            await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _check_media(headers: dict[bytes, bytes]) -> None:
    """Refuse what this route does not read, and clients that do not read what it writes."""
    kind, *parameters = headers.get(b"content-type", b"").decode("latin-1").lower().split(";")
    charsets = [each.strip() for each in parameters if each.strip().startswith("charset")]
    if kind.strip() != JSON or charsets not in ([], ["charset=utf-8"], ['charset="utf-8"']):
        raise Problem("unsupported-media-type", f"Content-Type: {JSON} in UTF-8 is expected.")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Problem(
            "unsupported-media-type", "Content-Encoding: bodies are read as they are, not compressed."
        )
    accept = headers.get(b"accept")
    if accept is not None and not _accepts(accept.decode("latin-1").lower().split(",")):
        raise Problem("not-acceptable", f"Accept: the answer is {JSON}.")


def _accepts(ranges: Iterable[str]) -> bool:
    """Whether JSON is among them; the most specific range decides, a quality of 0 excludes."""
    best, accepted = -1, False
    for each in ranges:
        kind, *parameters = (part.strip() for part in each.split(";"))
        rank = {"*/*": 0, "application/*": 1, JSON: 2}.get(kind, -1)
        if rank > best:
            best = rank
            accepted = not any(part.replace(" ", "").rstrip("0.") == "q=" for part in parameters)
    return accepted


def _seconds(headers: dict[bytes, bytes], allowed: float) -> float:
    """The time for this request: the server's, or less if the client wants less."""
    asked = headers.get(b"x-request-deadline-ms")
    if asked is None:
        return allowed
    if not (asked.isdigit() and len(asked) <= MAX_DEADLINE_DIGITS and int(asked)):
        raise Problem(
            "invalid-argument", "X-Request-Deadline-Ms: a whole number of milliseconds is expected."
        )
    return min(allowed, int(asked) / 1000)


def _describe(endpoint: Endpoint) -> dict[str, Any]:
    """The route's path item in the OpenAPI document."""
    deadline = {
        "name": "X-Request-Deadline-Ms",
        "in": "header",
        "description": "Milliseconds after which the answer is of no use; the server's limit still holds.",
        "schema": {"type": "integer", "minimum": 1},
    }
    answers = {"oneOf": [_reference(endpoint.response), _reference(Explained)]}
    return {
        "post": {
            "tags": ["gradients"],
            "summary": endpoint.summary,
            "description": endpoint.description,
            "operationId": endpoint.name,
            "parameters": [deadline],
            "requestBody": {
                "required": True,
                "content": {JSON: {"schema": _reference(endpoint.request)}},
            },
            "responses": {
                "200": {
                    "description": "What was asked for, or with `explain` what it would be.",
                    "content": {JSON: {"schema": answers}},
                },
                **{str(status): each for status, each in problems(*CODES).items()},
            },
        }
    }


def _reference(model: type) -> dict[str, str]:
    return {"$ref": REF.format(model=model.__name__)}


ROUTES = tuple(Route(f"/{name}", Gradients(name), methods=["POST"]) for name in ENDPOINTS)
OPENAPI = {f"/{name}": _describe(endpoint) for name, endpoint in ENDPOINTS.items()}
MODELS: tuple[type[BaseModel], ...] = (
    *(endpoint.request for endpoint in ENDPOINTS.values()),
    *(endpoint.response for endpoint in ENDPOINTS.values()),
    Explained,
)
