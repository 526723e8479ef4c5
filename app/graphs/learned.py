"""What the event loop knows of the store: threads read and write it.

Only which version a name has now is looked up at once: that takes some 10 µs, and waits for nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any

from app.errors import Problem
from app.graphs.database import Database
from app.graphs.named import Named
from app.graphs.names import Names, TooLargeError
from app.graphs.shelf import Nowhere
from app.graphs.store import FRESH, REMEMBERED, Store
from app.graphs.versions import Version
from app.settings import Settings

MAX_TASKS = 8


class NotLearnedError(Exception):
    """The event loop does not know this graph: ask elsewhere."""


class Learned(Nowhere):
    """The texts of small graphs that were asked for by graph_id, and small registered ones."""

    def __init__(self, settings: Settings) -> None:
        self.store = Store(settings)
        self.reader = Database(settings.store, opens=False)
        self._names = Names(self.reader, settings)
        self.largest = settings.inline_body_bytes
        self._texts: OrderedDict[str, bytes] = OrderedDict()  # empty: too large for the event loop
        self._used: OrderedDict[str, float] = OrderedDict()  # graph_id → when the store was told, monotonic
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, graph_id: str) -> bytes:
        """The graph's text. Raises NotLearnedError, and learns it in a while."""
        text = self._texts.get(graph_id)
        if text:
            self._texts.move_to_end(graph_id)
            return text
        if text is None and len(self._tasks) < MAX_TASKS:
            self._begin(self._learn(graph_id))
        raise NotLearnedError(graph_id)

    def keep(self, graph_id: str, text: bytes) -> None:
        """The graph was used just now: the store is told in a while, unless it has been told lately."""
        now = time.monotonic()
        if now - self._used.get(graph_id, -FRESH) >= FRESH and len(self._tasks) < MAX_TASKS:
            _put(self._used, graph_id, now)
            self._begin(asyncio.to_thread(self.store.keep, graph_id, text))

    def version(self, named: Named) -> Version:
        """The registered graph that a path names. Raises NotLearnedError."""
        try:
            return self._names.get(named.name, named.version, self.largest).version
        except (Problem, TooLargeError):
            raise NotLearnedError(named.name) from None

    async def start(self) -> None:
        """Open the store."""
        await asyncio.to_thread(self.reader.open)

    async def stop(self) -> None:
        """Wait for what is being read and written."""
        await asyncio.gather(*self._tasks)
        self.store.database.close()
        self.reader.close()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _learn(self, graph_id: str) -> None:
        with contextlib.suppress(Problem):  # the request itself is answered elsewhere
            text = await asyncio.to_thread(self.store.find, graph_id)
            _put(self._texts, graph_id, text if len(text) <= self.largest else b"")


def _put(memory: OrderedDict[str, Any], key: str, value: Any) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
