"""How the front and a compute process talk: frames of a JSON head and raw bytes, each with its length."""

from __future__ import annotations

import socket
import struct
from typing import Any

import orjson

from app.compute.call import Piece

_LENGTHS = struct.Struct(">IQ")


def pack(head: Any, *body: Piece) -> tuple[Piece, ...]:
    """A frame in pieces, so that a large body is not copied."""
    text = orjson.dumps(head)
    return _LENGTHS.pack(len(text), sum(map(len, body))) + text, *body


class Reader:
    """Puts frames together from the pieces that arrive, each copied once and at once: joining a large body's
    pieces at its end would hold up everyone else."""

    def __init__(self) -> None:
        self._start = b""  # lengths and head, until they are complete
        self._head: Any = None
        self._body: bytearray | None = None
        self._filled = 0

    def feed(self, piece: bytes) -> tuple[Any, bytes | bytearray] | None:
        """The frame that this piece completes; there is at most one, as calls and answers alternate."""
        if self._body is None:
            self._start += piece
            if len(self._start) < _LENGTHS.size:
                return None
            head_size, body_size = _LENGTHS.unpack_from(self._start)
            end = _LENGTHS.size + head_size
            if len(self._start) < end:
                return None
            self._head = orjson.loads(self._start[_LENGTHS.size : end])
            if len(self._start) == end + body_size:
                return self._taken(self._start[end:])
            self._body, piece = bytearray(body_size), self._start[end:]
        self._body[self._filled : self._filled + len(piece)] = piece
        self._filled += len(piece)
        return self._taken(self._body) if self._filled == len(self._body) else None

    def _taken(self, body: bytes | bytearray) -> tuple[Any, bytes | bytearray]:
        head = self._head
        self._start, self._head, self._body, self._filled = b"", None, None, 0
        return head, body


def receive(connection: socket.socket) -> tuple[Any, bytes] | None:
    """The next frame, waiting for it; None where the other side has gone."""
    lengths = _exactly(connection, _LENGTHS.size)
    if lengths is None:
        return None
    head_size, body_size = _LENGTHS.unpack(lengths)
    head, body = _exactly(connection, head_size), _exactly(connection, body_size)
    return None if head is None or body is None else (orjson.loads(head), bytes(body))


def send(connection: socket.socket, head: Any, *body: Piece) -> None:
    """Send a frame, waiting until it is on its way."""
    for piece in pack(head, *body):
        connection.sendall(piece)


def _exactly(connection: socket.socket, size: int) -> bytearray | None:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        count = connection.recv_into(view[done:])
        if not count:
            return None
        done += count
    return data
