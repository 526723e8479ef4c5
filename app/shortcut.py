"""Requests that are answered where they are parsed: with no task and no layers, by what the event loop can do
at once.

They are those whose headers ask for nothing out of the ordinary, with a small body for a route that computes.
All others, and those that the event loop cannot answer at once, go through the application, and whatever is
answered here is what would be answered there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app import negotiation
from app.compute.call import Call
from app.errors import Problem
from app.exchange import head
from app.middleware import fixed, request_id

Headers = Sequence[tuple[bytes, bytes]]
ORDINARY = frozenset(
    (b"accept", b"accept-encoding", b"connection", b"content-length", b"content-type", b"host", b"user-agent",
     b"x-request-id")
)  # fmt: skip


class Shortcut:
    """The application's routes that compute, for requests that have come whole."""

    def __init__(self, app: Any) -> None:
        self.state = app.state
        self.routes = {path.encode(): path.removeprefix("/") for path in app.direct}
        self.longest = app.state.settings.inline_body_bytes

    def route(self, method: bytes, url: bytes, headers: Headers) -> str | None:
        """The route of a request that might be answered here."""
        found = self.routes.get(url) if method == b"POST" else None
        if found is None:
            return None
        given = dict(headers)
        size = given.get(b"content-length", b"")
        short = size.isdigit() and len(size) < 10 and int(size) <= self.longest
        plain = given.keys() <= ORDINARY and len(given) == len(headers)
        kept = given.get(b"connection", b"keep-alive").lower() == b"keep-alive"
        return found if short and plain and kept else None

    def answer(self, route: str, headers: Headers, body: bytes) -> tuple[int, Headers, bytes] | None:
        """Status, headers and body of the answer; None if it is not had at once."""
        given = dict(headers)
        try:
            sent = negotiation.sent(given)
            wanted = negotiation.wanted(given, self.state.settings.min_compressed_bytes)
        except Problem:
            return None
        name = request_id(headers)
        answer = self.state.compute.at_once(Call(route, body, request_id=name, sent=sent, wanted=wanted))
        return None if answer is None else (answer.status, [*head(answer), *fixed(name)], answer.body)


def written(status: int, headers: Headers, body: bytes) -> bytes:
    """The answer as HTTP/1.1."""
    found = [STATUS_LINE[status]]
    for name, value in headers:
        found += (name, b": ", value, b"\r\n")
    return b"".join([*found, b"\r\n", body])
