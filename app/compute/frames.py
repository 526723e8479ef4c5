"""How front and process talk: frames of a JSON head and raw bytes, each with its length. They are small: a
large body crosses in shared memory, and its size stands in the head."""

from __future__ import annotations

import socket
import struct
from typing import Any

import orjson

from app.compute.call import Piece

SMALL = 1 << 16  # bytes of a body that is part of its frame
_LENGTHS = struct.Struct(">II")


def pack(head: Any, body: Piece = b"") -> bytes:
    """A frame."""
    text = orjson.dumps(head)
    return b"".join((_LENGTHS.pack(len(text), len(body)), text, body))


class Reader:
    """Puts frames together from the pieces that arrive."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, piece: bytes) -> tuple[Any, bytes] | None:
        """The frame that this piece completes; there is at most one, as calls and answers alternate."""
        self._data += piece
        if len(self._data) < _LENGTHS.size:
            return None
        head_size, body_size = _LENGTHS.unpack_from(self._data)
        middle = _LENGTHS.size + head_size
        if len(self._data) < middle + body_size:
            return None
        data, self._data = self._data, b""
        return orjson.loads(data[_LENGTHS.size : middle]), data[middle:]


def receive(connection: socket.socket) -> tuple[Any, bytes] | None:
    """The next frame, waiting for it; None where the other side has gone."""
    reader = Reader()
    while piece := connection.recv(SMALL):
        frame = reader.feed(piece)
        if frame is not None:
            return frame
    return None


def send(connection: socket.socket, head: Any, body: Piece = b"") -> None:
    """Send a frame, waiting until it is on its way."""
    connection.sendall(pack(head, body))
