"""Compressed bodies: bounded while they grow, one layer, nothing behind it; compressed answers."""

import contextlib
import gzip
import json
import random
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.codec import compression
from app.codec.compression import deflated, inflated, zstd
from app.compute.call import BINARY, JSON
from app.compute.warm import REQUEST
from app.errors import Problem
from app.settings import Settings
from tests.app.binaries import packed, unpacked
from tests.app.harness import serve

pytestmark = pytest.mark.anyio

LIMIT = 1 << 20
ZEROS = bytes(50 << 20)
COMPRESS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd.compress}
CODINGS = tuple(COMPRESS)


@given(st.binary(max_size=5000), st.sampled_from(CODINGS))
def test_there_and_back(data: bytes, coding: str) -> None:
    assert inflated(COMPRESS[coding](data), coding, len(data)) == data
    half = len(data) // 2
    pieces = deflated((data[:half], memoryview(data)[half:]), coding)
    assert inflated(b"".join(pieces), coding, len(data)) == data


def refused(body: bytes, coding: str, limit: int = LIMIT) -> Problem:
    with pytest.raises(Problem) as caught:
        inflated(body, coding, limit)
    return caught.value


@pytest.mark.parametrize("coding", CODINGS)
def test_the_bound_holds_while_it_grows(coding: str) -> None:
    bomb = COMPRESS[coding](ZEROS)
    assert len(bomb) < 60_000
    tracemalloc.start()
    problem = refused(bomb, coding)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (problem.code.name, problem.code.status) == ("body-too-large", 413)
    assert peak < 4 * LIMIT
    assert len(inflated(bomb, coding, len(ZEROS))) == len(ZEROS)
    assert refused(bomb, coding, len(ZEROS) - 1).code.name == "body-too-large"


GOOD = {coding: COMPRESS[coding](b"[1, 2, 3]" * 10) for coding in CODINGS}
BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda good: b"",
    "no magic": lambda good: b"{}" + good,
    "plain": lambda good: b'{"graph": []}',
    "cut by a byte": lambda good: good[:-1],
    "cut in the middle": lambda good: good[: len(good) // 2],
    "its beginning": lambda good: good[:3],
    "a byte more": lambda good: good + b"\x00",
    "text behind it": lambda good: good + b"{}",
    "twice": lambda good: good + good,  # members of gzip, frames of zstd
}


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("name", BROKEN)
def test_broken(name: str, coding: str) -> None:
    problem = refused(BROKEN[name](GOOD[coding]), coding)
    assert (problem.code.name, problem.code.status) == ("invalid-body", 400)
    assert problem.detail.startswith(f"The body is no {coding}: ")


def test_other_formats_are_not_taken_for_it() -> None:
    assert refused(zlib.compress(b"{}"), "gzip").code.name == "invalid-body"
    assert refused(GOOD["gzip"], "zstd").code.name == "invalid-body"
    assert refused(GOOD["zstd"], "gzip").code.name == "invalid-body"
    skippable = b"\x50\x2a\x4d\x18\x04\x00\x00\x00gwgw"
    assert refused(skippable + GOOD["zstd"], "zstd").code.name == "invalid-body"


def test_a_window_beyond_what_a_sender_may_use_is_refused() -> None:
    wide = {zstd.CompressionParameter.window_log: 24, zstd.CompressionParameter.content_size_flag: 0}
    compressor = zstd.ZstdCompressor(options=wide)
    body = compressor.compress(random.Random(0).randbytes(1 << 16)) + compressor.flush()
    assert refused(body, "zstd").code.name == "invalid-body"


@pytest.mark.parametrize("coding", CODINGS)
def test_broken_bytes_are_refused_or_are_what_they_were(coding: str) -> None:
    dice = random.Random(0)
    for _ in range(500):
        body = bytearray(GOOD[coding])
        body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
        with contextlib.suppress(Problem):
            assert len(inflated(bytes(body), coding, 100)) <= 100


@pytest.mark.parametrize("coding", CODINGS)
async def test_a_compressed_request(client: httpx.AsyncClient, coding: str) -> None:
    headers = {"content-type": JSON, "content-encoding": coding}
    found = await client.post("/backward", content=COMPRESS[coding](REQUEST), headers=headers)
    assert found.json()["grads"]["x"]["data"] == [[4.5, 4.5], [4.5, 4.5]]
    body = packed({"graph": [{"id": "y", "op": "mul", "in": ["x", 2]}]}, {"inputs/x": np.ones(3)})
    headers = {"content-type": BINARY, "content-encoding": coding}
    found = await client.post("/forward", content=COMPRESS[coding](body), headers=headers)
    assert found.json()["outputs"]["y"]["data"] == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("place", ["inline", "thread", "process"])
async def test_bombs_are_413_everywhere(coding: str, place: Any) -> None:
    settings = Settings(compute=place, processes=1, max_body_bytes=LIMIT)  # type: ignore[arg-type]  # bytes
    headers = {"content-type": JSON, "content-encoding": coding}
    async with serve(settings) as client:
        found = await client.post("/backward", content=COMPRESS[coding](ZEROS), headers=headers)
        assert (found.status_code, found.json()["code"]) == (413, "body-too-large")
        twice = COMPRESS[coding](COMPRESS[coding](REQUEST))
        found = await client.post("/backward", content=twice, headers=headers)
        assert (found.status_code, found.json()["code"]) == (400, "invalid-json")


LONG = json.dumps({"inputs": {"x": [1.5] * 1000}, "graph": [{"id": "y", "op": "neg", "in": ["x"]}]}).encode()


@pytest.mark.parametrize(
    ("accepted", "coding"), [("gzip", "gzip"), ("zstd", "zstd"), ("gzip, zstd", "zstd"), ("identity", None)]
)
async def test_a_compressed_answer(client: httpx.AsyncClient, accepted: str, coding: str | None) -> None:
    headers = {"content-type": JSON, "accept-encoding": accepted}
    async with client.stream("POST", "/forward", content=LONG, headers=headers) as found:
        raw = b"".join([piece async for piece in found.aiter_raw()])
    assert found.headers.get("content-encoding") == coding
    assert found.headers["vary"] == "Accept, Accept-Encoding"
    assert int(found.headers["content-length"]) == len(raw)
    text = inflated(raw, coding, LIMIT) if coding else raw
    assert json.loads(text)["outputs"]["y"]["data"] == [-1.5] * 1000


async def test_small_answers_and_problems_are_plain(client: httpx.AsyncClient) -> None:
    for body, refusing in ((REQUEST[:-1], "gzip"), (REQUEST.replace(b'"z", "out"', b'"out"'), "gzip")):
        headers = {"content-type": JSON, "accept-encoding": refusing}
        found = await client.post("/forward", content=body, headers=headers)
        assert "content-encoding" not in found.headers
    headers["accept-encoding"] = "gzip, identity;q=0"
    found = await client.post("/forward", content=body, headers=headers)
    assert found.headers["content-encoding"] == "gzip"
    assert found.json()["outputs"]["out"]["data"] == 27.0


async def test_binary_answers_are_compressed_for_those_alone_who_take_no_others(
    client: httpx.AsyncClient,
) -> None:
    headers = {"content-type": JSON, "accept": BINARY, "accept-encoding": "gzip, zstd"}
    found = await client.post("/forward", content=LONG, headers=headers)
    assert "content-encoding" not in found.headers
    assert unpacked(found.content)[1]["outputs/y"].tolist() == [-1.5] * 1000
    headers["accept-encoding"] = "identity;q=0, gzip"
    found = await client.post("/forward", content=LONG, headers=headers)
    assert found.headers["content-encoding"] == "gzip"
    assert unpacked(found.content)[1]["outputs/y"].tolist() == [-1.5] * 1000


def test_every_coding_that_is_offered_is_there() -> None:
    from app.negotiation import CODINGS as offered

    assert set(offered) == set(compression.INFLATERS) == set(compression.DEFLATERS)
