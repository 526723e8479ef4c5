"""How the front and a compute process talk: frames of a JSON head and raw bytes, each with its length."""

from __future__ import annotations

import socket
import struct
from typing import Any

import orjson

_LENGTHS = struct.Struct(">IQ")


def pack(head: Any, body: bytes = b"") -> tuple[bytes, bytes]:
    """A frame as two pieces, so that a large body is not copied."""
    text = orjson.dumps(head)
    return _LENGTHS.pack(len(text), len(body)) + text, body


class Reader:
    """Puts frames together from the pieces that arrive."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> tuple[Any, bytes] | None:
        """The frame that this piece completes; there is at most one, as calls and answers alternate."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size < _LENGTHS.size:
            return None
        if len(self._pieces[0]) < _LENGTHS.size:
            self._pieces = [b"".join(self._pieces)]
        head_size, body_size = _LENGTHS.unpack_from(self._pieces[0])
        start = _LENGTHS.size + head_size
        if self._size < start + body_size:
            return None
        whole = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces, self._size = [], 0
        return orjson.loads(whole[_LENGTHS.size : start]), whole[start:]


def receive(connection: socket.socket) -> tuple[Any, bytes] | None:
    """The next frame, waiting for it; None where the other side has gone."""
    lengths = _exactly(connection, _LENGTHS.size)
    if lengths is None:
        return None
    head_size, body_size = _LENGTHS.unpack(lengths)
    head, body = _exactly(connection, head_size), _exactly(connection, body_size)
    return None if head is None or body is None else (orjson.loads(head), bytes(body))


def send(connection: socket.socket, head: Any, body: bytes = b"") -> None:
    """Send a frame, waiting until it is on its way."""
    for piece in pack(head, body):
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
