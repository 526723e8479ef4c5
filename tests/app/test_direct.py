"""Large bodies are read past the parser: all of them arrive, whatever comes before, between and after."""

import asyncio
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from app import direct
from tests.app.test_protocol import QUIET, listening, say

pytestmark = pytest.mark.anyio

HEAD = b"POST /%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n"
CLOSE = b"Connection: close\r\n"
LARGE = 4 * direct.LARGE


def request(size: int, *, route: bytes = b"forward", more: bytes = b"") -> bytes:
    """A request with a body of that many bytes, most of them in front of the last number."""
    start = b'{"inputs": {"x": [' + b"1,2,3, "
    end = b'4]}, "graph": [{"id": "y", "op": "neg", "in": ["x"]}], "trace": false}'
    body = start + b" " * (size - len(start) - len(end)) + end
    assert len(body) == size
    return HEAD % (route, len(body), more) + body


def answers(found: bytes) -> list[tuple[int, Any]]:
    """Status and body of each of the answers."""
    read = []
    while found:
        head, _, found = found.partition(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        read.append((int(head.split()[1]), json.loads(found[:size])))
        found = found[size:]
    return read


def is_negated(answer: tuple[int, Any]) -> bool:
    return answer[0] == 200 and answer[1]["outputs"]["y"]["data"] == [-1, -2, -3, -4]


@pytest.fixture
def receivers(monkeypatch: pytest.MonkeyPatch) -> list[direct.Receiver]:
    """Those that are made."""
    made: list[direct.Receiver] = []
    plain = direct.Receiver.__init__

    def init(self: direct.Receiver, *args: Any) -> None:
        made.append(self)
        plain(self, *args)

    monkeypatch.setattr(direct.Receiver, "__init__", init)
    return made


SMALL = request(1000)


@pytest.mark.parametrize(
    ("parts", "count", "direct_ones"),
    [
        ((request(LARGE, more=CLOSE),), 1, 1),
        ((request(64 * LARGE, more=CLOSE),), 1, 1),
        ((request(direct.LARGE // 2, more=CLOSE),), 1, 0),
        ((request(LARGE), request(LARGE), request(LARGE, more=CLOSE)), 3, 3),
        ((request(LARGE), SMALL, request(LARGE), request(1000, more=CLOSE)), 4, 2),
        ((request(LARGE) + SMALL + request(1000, more=CLOSE),), 3, 1),  # all at once
        ((SMALL + request(LARGE, more=CLOSE),), 2, None),
        ((request(LARGE)[:50], request(LARGE)[50:] + request(1000, more=CLOSE)), 2, 1),
        ((request(LARGE)[:-1], request(LARGE)[-1:] + request(1000, more=CLOSE)), 2, 1),
        (
            (
                request(LARGE)[:100_000],
                request(LARGE)[100_000:-7],
                b'": false}'[-7:],
                request(9000, more=CLOSE),
            ),
            2,
            1,
        ),
    ],
)
async def test_all_of_it_arrives(
    parts: tuple[bytes, ...], count: int, direct_ones: int | None, receivers: list[direct.Receiver]
) -> None:
    async with listening() as port:
        found = answers(await say(port, *parts))
    assert [is_negated(each) for each in found] == [True] * count
    assert direct_ones is None or len(receivers) == direct_ones


async def test_the_body_may_wait_for_a_word_of_the_server(receivers: list[direct.Receiver]) -> None:
    sent = request(LARGE, more=b"Expect: 100-continue\r\n" + CLOSE)
    at = sent.index(b"\r\n\r\n") + 4
    async with listening() as port:
        found = await say(port, sent[:at], sent[at:])
    assert found.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert is_negated(answers(found.partition(b"\r\n\r\n")[2])[0])
    assert receivers


async def test_chunks_are_for_the_parser(receivers: list[direct.Receiver]) -> None:
    plain = request(LARGE)
    body = plain[plain.index(b"\r\n\r\n") + 4 :]
    head = SMALL[: SMALL.index(b"Content-Length")] + b"Transfer-Encoding: chunked\r\n"
    chunks = [body[at : at + 100_000] for at in range(0, len(body), 100_000)]
    sent = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in chunks)
    async with listening() as port:
        found = answers(await say(port, head + CLOSE + b"\r\n" + sent + b"0\r\n\r\n"))
    assert is_negated(found[0])
    assert not receivers


async def test_a_request_that_is_refused_before_its_body_is_read() -> None:
    async with listening() as port:
        refused = request(LARGE, route=b"nowhere")
        found = answers(await say(port, refused, refused[:-1000], refused[-1000:], request(1000, more=CLOSE)))
    assert [status for status, _ in found[:2]] == [404, 404]
    assert is_negated(found[2])


async def test_a_body_over_the_limit() -> None:
    settings = QUIET.model_copy(update={"max_body_bytes": LARGE})
    async with listening(settings) as port:
        assert is_negated(answers(await say(port, request(LARGE, more=CLOSE)))[0])
        ((status, problem),) = answers(await say(port, request(LARGE + 1)))
    assert (status, problem["code"]) == (413, "body-too-large")


async def test_a_body_that_does_not_come() -> None:
    settings = QUIET.model_copy(update={"body_timeout_seconds": 0.3})
    async with listening(settings) as port:
        ((status, problem),) = answers(await say(port, request(LARGE)[:-1]))
        assert (status, problem["code"]) == (408, "body-timeout")
        assert is_negated(answers(await say(port, request(LARGE, more=CLOSE)))[0])


async def test_clients_that_go_in_the_middle() -> None:
    dice = random.Random(0)
    async with listening() as port:
        for _ in range(20):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request(8 * LARGE)[: dice.randrange(8 * LARGE)])
            await asyncio.sleep(0.005)
            writer.close()
        assert is_negated(answers(await say(port, request(LARGE, more=CLOSE)))[0])


def resident() -> int:
    """Bytes of this process's memory that are in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
async def test_a_body_takes_the_memory_that_has_come_not_what_was_announced() -> None:
    announced = HEAD % (b"forward", QUIET.max_body_bytes, b"") + b'{"inputs": {"x": [' + b" " * LARGE
    async with listening() as port:
        connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        before = resident()
        for _, writer in connections:
            writer.write(announced)
            await writer.drain()
        await asyncio.sleep(0.2)
        assert resident() - before < 20 * 4 * LARGE
        for _, writer in connections:
            writer.close()
