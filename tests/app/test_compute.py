"""The places that compute: deadlines, lost processes, full queues; tiny graphs on the event loop."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from app.compute import Compute
from app.compute.pool import Pool
from app.compute.warm import REQUEST
from app.errors import Problem
from tests.app.computing import SLOW, call, computing, until, works
from tests.app.server import is_alive

pytestmark = pytest.mark.anyio


async def refused(compute: Compute, body: bytes, seconds: float = 20) -> Problem:
    """The problem that the service itself answers with."""
    with pytest.raises(Problem) as caught:
        await compute(call(body, seconds))
    return caught.value


def pids(compute: Compute) -> list[int]:
    assert isinstance(compute.place, Pool)
    return [process.child.pid for process in compute.place._processes]


@pytest.mark.parametrize("place", ["process", "thread", "inline"])
async def test_every_place_gives_the_same_answer(place: str) -> None:
    async with computing(compute=place) as compute:
        answer = await compute(call(REQUEST, route="backward"))
        bad = await compute(call(b'{"graph": 5}'))
    assert (answer.status, dict(answer.headers)["content-type"]) == (200, "application/json")
    assert json.loads(answer.body)["outputs"]["out"]["data"] == 27.0
    assert (bad.status, dict(bad.headers)["content-type"]) == (422, "application/problem+json")
    assert not compute.ready


async def test_a_deadline_ends_the_process_and_the_next_request_works() -> None:
    async with computing() as compute:
        before = pids(compute)
        start = time.perf_counter()
        problem = await refused(compute, SLOW, seconds=0.4)
        assert time.perf_counter() - start < 0.9
        assert problem.code.name == "deadline-exceeded"
        assert await works(compute)
        assert set(pids(compute)).isdisjoint(before)
        assert not any(map(is_alive, before))


async def test_a_deadline_counts_the_wait() -> None:
    async with computing() as compute:
        first = asyncio.create_task(refused(compute, SLOW, seconds=1.5))
        await asyncio.sleep(0.05)
        assert (await refused(compute, REQUEST, seconds=0.2)).code.name == "deadline-exceeded"
        assert not first.done()
        assert (await first).code.name == "deadline-exceeded"
        assert await works(compute)


@pytest.mark.parametrize("busy", [True, False])
async def test_a_killed_process_takes_only_its_own_request(busy: bool) -> None:
    async with computing() as compute:
        slow = asyncio.create_task(refused(compute, SLOW)) if busy else None
        await asyncio.sleep(0.3)
        (pid,) = pids(compute)
        os.kill(pid, signal.SIGKILL)
        if slow is not None:
            problem = await slow
            assert problem.code.name == "worker-lost"
            assert int(problem.headers["Retry-After"]) >= 1
        else:
            await asyncio.sleep(0.1)
        assert await works(compute)
        assert pids(compute) != [pid]


async def test_a_full_queue_sheds() -> None:
    async with computing(queue_length=1) as compute:
        running = asyncio.create_task(refused(compute, SLOW, seconds=1.5))
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(works(compute))
        await asyncio.sleep(0.1)
        start = time.perf_counter()
        problem = await refused(compute, REQUEST)
        assert time.perf_counter() - start < 0.05
        assert problem.code.name == "overloaded"
        assert int(problem.headers["Retry-After"]) >= 1
        await running
        assert await waiting


async def test_who_has_gone_frees_the_process() -> None:
    async with computing() as compute:
        gone = asyncio.create_task(compute(call(SLOW)))
        await asyncio.sleep(0.3)
        gone.cancel()
        start = time.perf_counter()
        assert await works(compute)
        assert time.perf_counter() - start < 10  # of some 15 that it would have taken


async def test_stopping_leaves_no_process() -> None:
    async with computing() as compute:
        found = pids(compute)
        slow = asyncio.create_task(compute(call(SLOW)))
        await asyncio.sleep(0.2)
        assert all(map(is_alive, found))
    with pytest.raises(Problem):
        await slow
    assert not any(map(is_alive, found))


async def test_a_large_body_and_a_large_answer_cross_the_boundary() -> None:
    data = [[i * 0.5 for i in range(1000)]] * 300
    body = json.dumps({"inputs": {"x": data}, "graph": [{"id": "y", "op": "mul", "in": ["x", 2]}]}).encode()
    async with computing() as compute:
        answer = await compute(call(body))
        assert await works(compute)
    assert len(answer.body) > 1_500_000
    assert json.loads(answer.body)["outputs"]["y"]["data"][299][999] == 999.0


async def test_tight_limits_do_not_keep_it_from_getting_ready() -> None:
    async with computing(max_peak_bytes=1, max_output_bytes=1, max_rank=1, max_statements=1) as compute:
        answer = await compute(call(REQUEST, route="backward"))
    assert json.loads(answer.body)["code"] == "limit-exceeded"


def test_a_process_has_a_memory_limit_and_says_so() -> None:
    script = """if True:
        from app.compute import worker
        from app.compute.service import Service
        from app.settings import Settings
        import numpy
        worker._limit_memory(100 << 20)
        numpy.ones(10 << 20, numpy.uint8)
        try:
            numpy.ones(1 << 30, numpy.uint8)
        except MemoryError as error:
            print(Service(Settings()).failed(error, "").status)
    """
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.split() == ["503"]


async def test_a_thread_answers_late_requests_and_sheds_too() -> None:
    async with computing(compute="thread", queue_length=0) as compute:
        quick = SLOW.replace(b"2000", b"600")
        slow = asyncio.create_task(refused(compute, quick, seconds=0.1))
        await asyncio.sleep(0.02)
        assert (await refused(compute, REQUEST)).code.name == "overloaded"
        assert (await slow).code.name == "deadline-exceeded"
        await until(lambda: not compute.place._taken)  # type: ignore[attr-defined]
        assert await works(compute)
