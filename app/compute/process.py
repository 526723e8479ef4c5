"""One compute process as the front sees it: a child, a socket, shared memory, at most one call at a time."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from app.compute import frames
from app.compute.call import Answer, Call, Cost, Piece
from app.compute.shared import Shared
from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]  # where `app` and `engine` are
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
STEP = 1 << 20  # bytes copied at once


class ProcessLostError(Exception):
    """The process ended before it answered."""


class Process(asyncio.Protocol):
    """A child process; `free` is called whenever it can take a call, `lost` once it has ended."""

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        calls: Shared,
        answers: Shared,
        free: Callable[[Process], None],
        lost: Callable[[Process], None],
    ) -> None:
        self.child = child
        self.ready = False
        self._free = free
        self._lost = lost
        self._reader = frames.Reader()
        self._calls, self._answers = calls, answers
        self._transport: asyncio.WriteTransport | None = None
        self._answer: asyncio.Future[tuple[Any, bytes]] | None = None
        self._handed = False  # whether the process has the call that waits for this answer
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def start(
        cls, settings: Settings, free: Callable[[Process], None], lost: Callable[[Process], None]
    ) -> Process:
        """A new process; it calls `free` when it has warmed up."""
        ours, theirs = socket.socketpair()
        calls, answers = Shared.new(), Shared.new()
        with theirs:
            child = _spawn(theirs.fileno(), calls.descriptor, answers.descriptor)
            process = cls(child, calls, answers, free, lost)
        await asyncio.get_running_loop().create_unix_connection(lambda: process, sock=ours)
        process._send(settings.model_dump(mode="json"))
        return process

    async def ask(self, call: Call) -> Answer:
        """The process's answer. Raises ProcessLostError."""
        if self._is_closing():
            raise ProcessLostError
        answer = self._answer = asyncio.get_running_loop().create_future()
        self._handed = False
        head = {"route": call.route, "request_id": call.request_id, "size": len(call.body)}
        head |= {"sent": call.sent[:], "wanted": call.wanted[:], "named": call.named and call.named[:]}
        if len(call.body) > frames.SMALL:
            await _fill(self._calls.room(len(call.body)), call.body)
            self._send(head)
        else:
            self._send(head, call.body)
        self._handed = True
        head, body = await answer
        try:
            small = len(body) == head["size"]
            pieces = (body,) if small else await _taken(self._answers.content(head["size"]))
        finally:
            self._free_if_alive()
        graph, nodes, flops = head["cost"] or ("", 0, 0)
        cost = Cost(bytes.fromhex(graph), nodes, flops) if graph else None
        return Answer(head["status"], tuple(map(tuple, head["headers"])), pieces, cost)

    def kill(self) -> None:
        """End the process now, whatever it does."""
        self.child.kill()

    def abandon(self, patience: float) -> None:
        """The answer is no longer wanted: let the process finish, but not for longer than `patience`."""
        unwanted = self._answer
        if unwanted is None:
            return
        if not self._handed:
            unwanted.cancel()
            self._answer = None
            self._free_if_alive()
            return

        def check() -> None:
            if self._answer is unwanted:
                self.kill()

        asyncio.get_running_loop().call_later(patience, check)

    async def end(self) -> None:
        """End the process and wait until it has gone."""
        self.kill()
        await self._gone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        frame = self._reader.feed(data)
        if frame is None:
            return
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result(frame)
        else:  # it is ready, or nobody waits any more
            self.ready = True
            self._free_if_alive()

    def connection_lost(self, error: Exception | None) -> None:
        self.kill()  # its socket is closed, so it can do nothing of use
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ProcessLostError())
        self._lost(self)
        reaper = asyncio.get_running_loop().run_in_executor(None, self.child.wait)
        reaper.add_done_callback(self._reaped)

    def _reaped(self, done: asyncio.Future[int]) -> None:
        self._calls.close()
        self._answers.close()
        self._gone.set_result(None)

    def _is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _free_if_alive(self) -> None:
        if not self._is_closing():
            self._calls.trim()
            self._answers.trim()
            self._free(self)

    def _send(self, head: Any, body: Piece = b"") -> None:
        if self._transport is not None and not self._transport.is_closing():  # else `connection_lost` tells
            self._transport.write(frames.pack(head, body))


async def _fill(room: memoryview, body: Piece) -> None:
    """Copy a large body in steps, between which others have their turn."""
    for start in range(0, len(body), STEP):
        room[start : start + STEP] = memoryview(body)[start : start + STEP]
        await asyncio.sleep(0)


async def _taken(content: memoryview) -> tuple[bytes, ...]:
    """A large answer, copied in steps likewise."""
    pieces = []
    for start in range(0, len(content), STEP):
        pieces.append(bytes(content[start : start + STEP]))
        await asyncio.sleep(0)
    return tuple(pieces)


def _spawn(*descriptors: int) -> subprocess.Popen[bytes]:
    """A child on the other end of a socket, with one BLAS thread and our modules."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    return subprocess.Popen(  # noqa: S603  # our own interpreter and module
        [sys.executable, "-P", "-m", "app.compute.worker", *map(str, (os.getpid(), *descriptors))],
        stdin=subprocess.DEVNULL,
        pass_fds=descriptors,
        env={**os.environ, **ONE_THREAD, "PYTHONPATH": path},
    )
