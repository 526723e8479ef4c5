"""Computing in one thread of this process: no deadline can end it, so it is for tests."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import engine
from app.compute.call import Answer, Call
from app.compute.service import Service
from app.compute.shares import threads
from app.compute.warm import warm
from app.errors import Problem
from app.graphs.store import Store
from app.settings import Settings


class Thread:
    """One thread; further calls wait, up to `queue_length` of them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.service = Service(settings, Store(settings))
        self.ready = False
        self._taken = 0
        self._executor = ThreadPoolExecutor(1, "gradwire-compute")

    async def start(self) -> None:
        engine.set_num_threads(threads(self.settings))
        await asyncio.get_running_loop().run_in_executor(self._executor, warm)
        self.ready = True

    async def stop(self) -> None:
        self.ready = False
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, call: Call) -> Answer:
        if self._taken > self.settings.queue_length:
            raise Problem("overloaded", "Compute is busy and the queue is full.")
        self._taken += 1
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._executor, self.service.answer, call)
        work.add_done_callback(self._release)
        try:
            async with asyncio.timeout_at(call.deadline):
                return await asyncio.shield(work)
        except TimeoutError:
            work.cancel()  # if it has not begun
            raise Problem("deadline-exceeded", "The request took longer than its deadline.") from None

    def _release(self, work: asyncio.Future[Answer]) -> None:
        self._taken -= 1
        if not work.cancelled():
            work.exception()  # seen
