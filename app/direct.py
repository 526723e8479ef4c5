"""Large bodies straight from the socket into memory of their size, past the parser, where each of their
pieces is copied several times."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
from uvicorn._types import ASGIReceiveEvent
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

LARGE = 1 << 18  # bytes of a body that are still to come


class Cycle(RequestResponseCycle):
    """A request and its response; `whole` is a body that was read here."""

    whole: memoryview | None = None

    async def receive(self) -> ASGIReceiveEvent:
        message = await super().receive()
        if self.whole is not None and message["type"] == "http.request":
            message["body"], self.whole = self.whole, None  # type: ignore[typeddict-item]  # as good as bytes
        return message


class Receiver(asyncio.BufferedProtocol):
    """Takes the place of a connection's protocol until `size` bytes of a body have come, with those that have
    come already; `done` is given them all."""

    def __init__(
        self, outer: asyncio.Protocol, size: int, begun: bytes, done: Callable[[memoryview], None]
    ) -> None:
        self._outer = outer
        self._whole = np.empty(size, np.uint8).data  # takes no memory until it is written to
        self._whole[: len(begun)] = begun
        self._have = len(begun)
        self._done = done

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._whole[self._have :]

    def buffer_updated(self, nbytes: int) -> None:
        self._have += nbytes
        if self._have == len(self._whole):
            self._done(self._whole)

    def eof_received(self) -> bool | None:
        return self._outer.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._outer.connection_lost(exc)

    def pause_writing(self) -> None:
        self._outer.pause_writing()

    def resume_writing(self) -> None:
        self._outer.resume_writing()
