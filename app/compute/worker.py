"""A compute process: `python -m app.compute.worker <parent's pid> <file descriptors>`: of its
socket and of the memory that calls and answers are in.

It answers one call at a time, and ends with the process that started it. Nothing but the
kernel interrupts a numpy call, so a call that takes too long ends with its process.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys
from typing import Any

import engine
from app.compute import frames
from app.compute.call import PLAIN, Answer, Call, Form, Piece
from app.compute.malloc import keep_pages
from app.compute.service import Service
from app.compute.shared import Shared
from app.compute.shares import threads
from app.compute.warm import warm
from app.graphs.named import Named
from app.graphs.store import Store
from app.settings import Settings

PR_SET_PDEATHSIG = 1
SPARE_BYTES = 1 << 30  # for a body's JSON on its way to arrays, and an answer's on its way out


def main(parent: int, *descriptors: int) -> None:
    """Serve until the other side closes."""
    _end_with(parent)
    keep_pages()
    os.nice(5)  # the process that answers /health goes first
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    connection = socket.socket(fileno=descriptors[0])
    calls, answers = map(Shared, descriptors[1:])
    first = frames.receive(connection)
    if first is None:
        return
    settings = Settings.model_validate(first[0])
    engine.set_num_threads(threads(settings))
    service = Service(settings, Store(settings))
    warm()
    gc.freeze()  # what was imported lives as long as the process: planning a graph need not look at it again
    _limit_memory(settings.max_peak_bytes + SPARE_BYTES)
    frames.send(connection, {"ready": True})
    while (call := frames.receive(connection)) is not None:
        head, body = call
        small = len(body) == head["size"]
        answer = service.answer(_call(head, body if small else calls.content(head["size"])))
        frames.send(connection, _told(answer), _body(answer, answers))
        del call, body, answer  # or they stay until the next call


def _call(head: Any, body: Piece) -> Call:
    """The call that a frame holds; whoever sent it watches its deadline."""
    sent, wanted = Form(*head["sent"]), Form(*head["wanted"])
    body = bytes(body) if sent == PLAIN else body  # what reads JSON reads bytes: one copy for all of it
    named = Named(*head["named"]) if head["named"] else None
    return Call(head["route"], body, request_id=head["request_id"], sent=sent, wanted=wanted, named=named)


def _told(answer: Answer) -> dict[str, Any]:
    """What a frame says of an answer."""
    cost = None if answer.cost is None else [answer.cost.graph.hex(), answer.cost.nodes, answer.cost.flops]
    return {"status": answer.status, "headers": answer.headers, "size": answer.size, "cost": cost}


def _body(answer: Answer, shared: Shared) -> bytes:
    """The answer's body for its frame; a large one goes to shared memory."""
    if answer.size <= frames.SMALL:
        return answer.body
    room, end = shared.room(answer.size), 0
    for piece in answer.pieces:
        room[end : end + len(piece)] = piece
        end += len(piece)
    return b""


def _end_with(parent: int) -> None:
    """Ask the kernel to kill this process when its parent's thread ends, if it can."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("the process that started this one has gone")


def _limit_memory(more: int) -> None:
    """Allow this process `more` bytes than it has now; beyond, numpy raises MemoryError."""
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[5])  # data and stack
        limit = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    except (ImportError, OSError, ValueError):
        return  # no such limit on this system


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        main(*map(int, sys.argv[1:]))
