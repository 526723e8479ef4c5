"""What crosses the compute boundary, and what a place that computes must be able to do."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from app.graphs.named import Named

JSON = "application/json"
BINARY = "application/vnd.gradwire.safetensors"


Piece = bytes | bytearray | memoryview


class Form(NamedTuple):
    """How a body is written: its media type, without parameters, and its content coding, which an answer has
    from `least` bytes on."""

    media: str = JSON
    coding: str = "identity"
    least: int = 0


PLAIN = Form()


class Call(NamedTuple):
    """A request to compute: its route's name, its whole body, the loop's time when an answer is too late;
    the form that the body has, and the one that the answer shall have (a problem is always JSON); the
    registered graph that it is about, if any."""

    route: str
    body: Piece
    deadline: float = math.inf
    request_id: str = "-"
    sent: Form = PLAIN
    wanted: Form = PLAIN
    named: Named | None = None


class Cost(NamedTuple):
    """What a graph was predicted to cost, under the sha256 of its text or its quoted graph_id."""

    graph: bytes
    nodes: int
    flops: int


class Answer(NamedTuple):
    """A response, its body in pieces: arrays need not be copied into one. `cost` only from a computation that
    went well."""

    status: int
    headers: tuple[tuple[str, str], ...]
    pieces: tuple[Piece, ...]
    cost: Cost | None = None

    @property
    def size(self) -> int:
        """The body's bytes; a memoryview here is one of bytes."""
        return len(self.pieces[0]) if len(self.pieces) == 1 else sum(map(len, self.pieces))

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.pieces)


class Place(Protocol):
    """Somewhere to compute."""

    @property
    def ready(self) -> bool:
        """Whether a call would be computed now."""
        ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def __call__(self, call: Call) -> Answer:
        """The answer, errors of the request included. Raises Problem where the service is at fault."""
        ...
