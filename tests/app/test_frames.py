"""Frames between front and process come in any pieces; a large answer goes out in small ones."""

import json
from typing import Any

import pytest

from app.compute import Answer, frames
from app.compute.frames import Reader
from app.exchange import respond


@pytest.mark.parametrize("size", [1, 5, 12, 13, 40, 1000, 5000])
@pytest.mark.parametrize("body", [b"", b"x", b"ab" * 2000])
def test_frames_in_pieces(size: int, body: bytes) -> None:
    reader = Reader()
    for number in range(3):
        wire = frames.pack({"number": number}, body)
        pieces = [wire[at : at + size] for at in range(0, len(wire), size)]
        found = [reader.feed(piece) for piece in pieces]
        assert found[:-1] == [None] * (len(pieces) - 1)
        assert found[-1] == ({"number": number}, body)


@pytest.mark.anyio
@pytest.mark.parametrize("size", [0, 10, 1 << 20, (1 << 20) + 1, 3 << 20])
@pytest.mark.parametrize("kind", [bytes, bytearray])
async def test_an_answer_goes_out_in_pieces(kind: Any, size: int) -> None:
    body = json.dumps("y" * size).encode()[:size]
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await respond(Answer(200, (("Content-Type", "application/json"),), (kind(body),)), send)
    assert dict(sent[0]["headers"])[b"content-length"] == b"%d" % size
    assert b"".join(each["body"] for each in sent[1:]) == body
    assert all(type(each["body"]) is bytes and len(each["body"]) <= 1 << 20 for each in sent[1:])
    assert [each.get("more_body", False) for each in sent[1:]] == [True] * (len(sent) - 2) + [False]
