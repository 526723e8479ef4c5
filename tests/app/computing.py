"""Compute on its own, without HTTP, for its tests."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from app.compute import Call, Compute
from app.compute.warm import REQUEST
from app.settings import Settings

# Some 15 s of work: a product of 2000 × 2000 takes a tenth of a second or more.
SLOW = json.dumps(
    {
        "inputs": {"x": 0.0005},
        "graph": [
            {"id": "x0", "op": "mul", "in": [{"op": "expand", "in": ["x", [2000, 2000]]}, 1]},
            *({"id": f"x{i + 1}", "op": "matmul", "in": [f"x{i}", "x0"]} for i in range(150)),
            {"id": "out", "op": "sum", "in": ["x150"]},
        ],
    }
).encode()


async def until(condition: Callable[[], bool]) -> None:
    """Wait, 20 seconds at most."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)


@asynccontextmanager
async def computing(**settings: Any) -> AsyncIterator[Compute]:
    """Started and ready compute, stopped afterwards."""
    compute = Compute(Settings(processes=1, **settings))
    await compute.start()
    try:
        await until(lambda: compute.ready)
        yield compute
    finally:
        await compute.stop()


def call(body: bytes, seconds: float = 20, route: str = "forward") -> Call:
    return Call(route, body, asyncio.get_running_loop().time() + seconds, "test")


async def works(compute: Compute) -> bool:
    """Whether the next request is answered as ever."""
    answer = await compute(call(REQUEST, route="backward"))
    return answer.status == 200 and json.loads(answer.body)["grads"]["x"]["data"] == [[4.5, 4.5], [4.5, 4.5]]
