"""One compute process as the front sees it: a child, a socket, at most one call at a time."""

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
from app.compute.call import Answer, Call, Cost
from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]  # where `app` and `engine` are
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
PATIENCE = 0.25  # seconds that a call may run on after its client has gone


class ProcessLostError(Exception):
    """The process ended before it answered."""


class Process(asyncio.Protocol):
    """A child process; `free` is called whenever it can take a call, `lost` once it has ended."""

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        free: Callable[[Process], None],
        lost: Callable[[Process], None],
    ) -> None:
        self.child = child
        self.ready = False
        self._free = free
        self._lost = lost
        self._reader = frames.Reader()
        self._transport: asyncio.WriteTransport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def start(
        cls, settings: Settings, free: Callable[[Process], None], lost: Callable[[Process], None]
    ) -> Process:
        """A new process; it calls `free` when it has warmed up."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = cls(_spawn(theirs.fileno()), free, lost)
        await asyncio.get_running_loop().create_unix_connection(lambda: process, sock=ours)
        process._send(settings.model_dump(mode="json"))
        return process

    async def ask(self, call: Call) -> Answer:
        """The process's answer. Raises ProcessLostError."""
        self._answer = asyncio.get_running_loop().create_future()
        head = {"route": call.route, "request_id": call.request_id}
        self._send({**head, "sent": [*call.sent], "wanted": [*call.wanted]}, call.body)
        return await self._answer

    def kill(self) -> None:
        """End the process now, whatever it does."""
        self.child.kill()

    def abandon(self) -> None:
        """The answer is no longer wanted: let the process finish, but not for long."""
        unwanted = self._answer

        def check() -> None:
            if self._answer is unwanted and unwanted is not None:
                self.kill()

        asyncio.get_running_loop().call_later(PATIENCE, check)

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
        head, body = frame
        if not self.ready:
            self.ready = True
        else:
            self._answered(head, body)
        self._free(self)

    def _answered(self, head: dict[str, Any], body: bytes | bytearray) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            graph, nodes, flops = head["cost"] or ("", 0, 0)
            cost = Cost(bytes.fromhex(graph), nodes, flops) if graph else None
            answer.set_result(Answer(head["status"], tuple(map(tuple, head["headers"])), (body,), cost))

    def connection_lost(self, error: Exception | None) -> None:
        self.kill()  # its socket is closed, so it can do nothing of use
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ProcessLostError())
        self._lost(self)
        reaper = asyncio.get_running_loop().run_in_executor(None, self.child.wait)
        reaper.add_done_callback(self._reaped)

    def _reaped(self, done: asyncio.Future[int]) -> None:
        self._gone.set_result(None)

    def _send(self, head: Any, body: bytes = b"") -> None:
        if self._transport is None or self._transport.is_closing():
            raise ProcessLostError
        self._transport.writelines(piece for piece in frames.pack(head, body) if piece)


def _spawn(descriptor: int) -> subprocess.Popen[bytes]:
    """A child on the other end of a socket, with one BLAS thread and our modules."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    return subprocess.Popen(  # noqa: S603  # our own interpreter and module
        [sys.executable, "-P", "-m", "app.compute.worker", str(descriptor), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        pass_fds=(descriptor,),
        env={**os.environ, **ONE_THREAD, "PYTHONPATH": path},
    )
