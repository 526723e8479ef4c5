"""What crosses the compute boundary, and what a place that computes must be able to do."""

from __future__ import annotations

from typing import NamedTuple, Protocol

JSON = "application/json"


class Call(NamedTuple):
    """A request to compute: its route's name, its whole body, the loop's time when an answer is too late."""

    route: str
    body: bytes
    deadline: float
    request_id: str


class Cost(NamedTuple):
    """What a graph was predicted to cost, under the sha256 of its text."""

    graph: bytes
    nodes: int
    flops: int


class Answer(NamedTuple):
    """A response; `cost` only from a computation that went well."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | bytearray
    cost: Cost | None = None


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
