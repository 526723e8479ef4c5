"""Compute processes: each takes one call at a time, is killed at the call's deadline, and is replaced.

Only the end of a process interrupts one numpy call, and only a process of its own may run out of memory. Each
has a socket of its own, so one that is killed at any moment takes nothing but its call with it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque

from app.compute.call import Answer, Call
from app.compute.malloc import keep_pages
from app.compute.process import Process, ProcessLostError
from app.compute.shares import processes
from app.errors import Problem
from app.settings import Settings

log = logging.getLogger("gradwire")

PATIENCE = 0.25  # seconds that a call may run on after its client has gone
MAX_DELAY = 5.0  # seconds between starts of a process that never gets ready


class Pool:
    """A fixed number of processes and a bounded queue before them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.size = processes(settings)
        self.mean_seconds = 0.1  # of the latest calls, for Retry-After
        self._processes: set[Process] = set()
        self._idle: list[Process] = []
        self._waiting: deque[asyncio.Future[Process]] = deque()
        self._timers: set[asyncio.TimerHandle] = set()
        self._starts: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._stopped = True

    @property
    def ready(self) -> bool:
        """Whether a process has warmed up."""
        return not self._stopped and any(process.ready for process in self._processes)

    async def start(self) -> None:
        """Start the processes; they get ready in the background."""
        keep_pages()
        self._stopped = False
        for _ in range(self.size):
            self._replace(0.0)

    async def stop(self) -> None:
        """End the processes and whatever they compute."""
        self._stopped = True
        for timer in self._timers:
            timer.cancel()
        await asyncio.gather(*self._starts)
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(Problem("not-ready", "The service is stopping."))
        await asyncio.gather(*(process.end() for process in tuple(self._processes)))

    async def __call__(self, call: Call) -> Answer:
        process = await self._take(call.deadline)
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout_at(call.deadline):
                answer = await process.ask(call)
        except TimeoutError:
            process.abandon(0)
            raise _late() from None
        except ProcessLostError:
            raise Problem(
                "worker-lost", "The process that computed this request ended; send it again."
            ) from None
        except asyncio.CancelledError:  # nobody waits for the answer
            process.abandon(PATIENCE)
            raise
        self.mean_seconds += 0.1 * (loop.time() - started - self.mean_seconds)
        return answer

    async def _take(self, deadline: float) -> Process:
        """An idle process; a full queue and a deadline in the queue are refused."""
        if self._idle:
            return self._idle.pop()
        if len(self._waiting) >= self.settings.queue_length:
            wait = math.ceil(self.mean_seconds * (len(self._waiting) + 1) / self.size)
            raise Problem(
                "overloaded",
                f"All {self.size} compute processes are busy and {len(self._waiting)} requests wait.",
                headers={"Retry-After": str(max(1, wait))},
            )
        waiter: asyncio.Future[Process] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout_at(deadline):
                return await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._free(waiter.result())  # it came just now, too late
            if isinstance(error, TimeoutError):
                raise _late() from None
            raise
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def _free(self, process: Process) -> None:
        """The process has nothing to do: the next call, if it still waits, gets it."""
        self._failures = 0
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(process)
                return
        self._idle.append(process)

    def _lost(self, process: Process) -> None:
        """The process has ended: start another, later and later if they never get ready."""
        self._processes.discard(process)
        if process in self._idle:
            self._idle.remove(process)
        if not self._stopped:
            self._failures += not process.ready
            self._replace(self._delay())

    def _replace(self, delay: float) -> None:
        loop = asyncio.get_running_loop()

        def start() -> None:
            self._timers.discard(timer)
            begun = loop.create_task(self._start())
            self._starts.add(begun)
            begun.add_done_callback(self._starts.discard)

        timer = loop.call_later(delay, start)
        self._timers.add(timer)

    async def _start(self) -> None:
        try:
            self._processes.add(await Process.start(self.settings, self._free, self._lost))
        except (OSError, ProcessLostError):
            log.exception("a compute process could not be started")
            self._failures += 1
            self._replace(self._delay())

    def _delay(self) -> float:
        return min(0.1 * 2.0**self._failures, MAX_DELAY) if self._failures else 0.0


def _late() -> Problem:
    return Problem("deadline-exceeded", "The request took longer than its deadline.")
