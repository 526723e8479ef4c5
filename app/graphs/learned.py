"""What the event loop knows of the store: it reads no file, and is told by threads what they have read."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict

from app.errors import Problem
from app.graphs.shelf import Nowhere
from app.graphs.store import Store
from app.settings import Settings

MAX_GRAPHS = 1024


class NotLearnedError(Exception):
    """The event loop does not know this graph: ask elsewhere."""


class Learned(Nowhere):
    """The texts of small graphs that were asked for by graph_id."""

    def __init__(self, settings: Settings) -> None:
        self.store = Store(settings)
        self.largest = settings.inline_body_bytes
        self._texts: OrderedDict[str, bytes] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, graph_id: str) -> bytes:
        """The graph's text. Raises NotLearnedError, and learns it in a while."""
        text = self._texts.get(graph_id)
        if text:
            self._texts.move_to_end(graph_id)
            return text
        if text is None and not self._tasks:  # one at a time
            task = asyncio.get_running_loop().create_task(self._learn(graph_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        raise NotLearnedError(graph_id)

    async def stop(self) -> None:
        """Wait for what is being read."""
        await asyncio.gather(*self._tasks)
        self.store.database.close()

    async def _learn(self, graph_id: str) -> None:
        with contextlib.suppress(Problem):  # the request itself is answered elsewhere
            text = await asyncio.to_thread(self.store.find, graph_id)
            self._texts[graph_id] = text if len(text) <= self.largest else b""
            if len(self._texts) > MAX_GRAPHS:
                self._texts.popitem(last=False)
