"""Large bodies cross to a compute process and back in memory that both map, and that is used again."""

import asyncio
import os
from collections.abc import Iterator

import numpy as np
import pytest

from app.compute import Compute
from app.compute.call import BINARY, Call, Form
from app.compute.pool import Pool
from app.compute.process import STEP, Process
from app.compute.shared import KEPT, PAGE, Shared
from app.errors import Problem
from tests.app.binaries import packed, unpacked
from tests.app.computing import SLOW, call, computing, works

pytestmark = pytest.mark.anyio

DOUBLE = {"graph": [{"id": "y", "op": "mul", "in": ["x", 2.0]}], "trace": False}


@pytest.fixture
def pair() -> Iterator[tuple[Shared, Shared]]:
    """The writing and the reading side."""
    writer = Shared.new()
    reader = Shared(os.dup(writer.descriptor))
    yield writer, reader
    writer.close()
    reader.close()


def forbidden(name: str) -> int:
    raise PermissionError(name)


@pytest.mark.parametrize("there", [True, False])
def test_without_such_memory_it_is_a_file_without_a_name(
    monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    monkeypatch.setattr(os, "memfd_create", forbidden, raising=False)
    if not there:
        monkeypatch.delattr(os, "memfd_create")
    writer = Shared.new()
    writer.room(5)[:] = b"12345"
    reader = Shared(os.dup(writer.descriptor))
    assert reader.content(5) == b"12345"
    writer.close()
    reader.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        writer.room(5)


def size(shared: Shared) -> int:
    return os.fstat(shared.descriptor).st_size


def test_what_is_written_is_read(pair: tuple[Shared, Shared]) -> None:
    writer, reader = pair
    for count in (0, 1, PAGE, PAGE + 1, 5, 3 * PAGE, KEPT + 3 * PAGE, 7, KEPT + PAGE, 2 * KEPT):
        room = writer.room(count)
        assert len(room) == count
        room[:] = os.urandom(1) * count
        content = reader.content(count)
        assert content == room
        assert content.readonly
        (reader if count % 2 else writer).trim()
        assert size(writer) <= KEPT


def test_views_outlive_what_they_are_of(pair: tuple[Shared, Shared]) -> None:
    writer, reader = pair
    writer.room(5)[:] = b"12345"
    old = reader.content(5)
    writer.room(4 * PAGE)[:5] = b"67890"
    assert reader.content(4 * PAGE)[:5] == b"67890"
    assert len(bytes(old)) == 5


def a_call(count: int) -> Call:
    body = packed(DOUBLE, {"inputs/x": np.arange(count, dtype=np.float64)})
    return call(body, route="forward")._replace(sent=Form(BINARY), wanted=Form(BINARY))


async def doubled(compute: Compute, count: int) -> None:
    answer = await compute(a_call(count))
    assert answer.status == 200, answer.body
    found = unpacked(answer.body)[1]["outputs/y"]
    assert np.array_equal(found, 2.0 * np.arange(count))


def only(compute: Compute) -> Process:
    assert isinstance(compute.place, Pool)
    (process,) = compute.place._processes
    return process


async def test_bodies_of_all_sizes_cross() -> None:
    async with computing() as compute:
        for count in (1, 8_000, 8_192, 9_000, 3_000_000, 200_000, 10, 5_000_000, 1):
            await doubled(compute, count)
        process = only(compute)
        assert 0 < size(process._calls) <= KEPT  # what one needed is not kept for ever
        assert 0 < size(process._answers) <= KEPT


async def test_answers_are_not_those_of_the_next_request() -> None:
    async with computing() as compute:
        first = await compute(a_call(300_000))
        await works(compute)
        await compute(a_call(400_000))
        assert np.array_equal(unpacked(first.body)[1]["outputs/y"], 2.0 * np.arange(300_000))


async def test_many_at_once() -> None:
    async with computing() as compute:
        await asyncio.gather(*(doubled(compute, count) for count in (100_000, 300_000, 50, 200_000, 20_000)))


async def test_who_has_gone_before_the_body_was_handed_over_costs_nothing() -> None:
    async with computing() as compute:
        process = only(compute)
        gone = asyncio.create_task(compute(a_call(30 * STEP // 8)))
        await asyncio.sleep(0)  # it begins
        await asyncio.sleep(0)
        assert process._answer is not None
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert await works(compute)
        assert only(compute) is process


async def test_a_deadline_before_the_body_was_handed_over_costs_nothing() -> None:
    async with computing() as compute:
        process = only(compute)
        with pytest.raises(Problem) as caught:
            await compute(a_call(30 * STEP // 8)._replace(deadline=0.0))
        assert caught.value.code.name == "deadline-exceeded"
        assert await works(compute)
        assert only(compute) is process


@pytest.mark.parametrize("steps", [0, 3, 20])
async def test_a_process_that_is_lost_while_a_body_crosses(steps: int) -> None:
    async with computing() as compute:
        process = only(compute)
        asked = asyncio.create_task(compute(a_call(30 * STEP // 8)))
        for _ in range(steps):
            await asyncio.sleep(0)
        process.kill()
        with pytest.raises(Problem) as caught:
            await asked
        assert caught.value.code.name == "worker-lost"
        assert await works(compute)


async def test_processes_give_their_memory_back() -> None:
    async with computing() as compute:
        await doubled(compute, 100_000)
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            with pytest.raises(Problem):
                await compute(call(SLOW, seconds=0.3))
            await doubled(compute, 100_000)
        await asyncio.sleep(0.2)
        assert len(os.listdir("/proc/self/fd")) <= before + 1
