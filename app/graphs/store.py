"""The store of graphs that the service's processes share: those seen lately, and those registered by name.

SQLite, in one file, so it outlives the service and serves several of its workers. Compute processes and
threads use it, never the event loop. What clients send reaches SQL as parameters alone.
"""

from __future__ import annotations

import time
from collections import OrderedDict

from app.errors import Problem
from app.graphs.database import Database
from app.graphs.named import Named
from app.graphs.names import Names
from app.graphs.schema import TENANT
from app.graphs.shelf import unknown
from app.graphs.versions import Version
from app.settings import Settings

FRESH = 30.0  # seconds for which a graph's latest use is remembered here and not written again
LARGEST = 8  # a graph seen may take a so-manieth part of the room for all of them
PATIENCE = 0.5  # seconds: a request does not wait longer for another process that writes
REMEMBERED = 4096  # graphs, in each process


class Store:
    """Graphs by graph_id, of one process. `names` are the registered ones."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.store)
        self.names = Names(self.database, settings)
        self._used: OrderedDict[str, float] = OrderedDict()  # graph_id → when its use was written, monotonic

    def find(self, graph_id: str) -> bytes:
        """The text of a graph, seen or registered. Raises Problem: `unknown-graph`, `store-unavailable`."""
        with self.database.reading() as connection:
            found = connection.execute(_FIND, {"tenant": TENANT, "id": graph_id}).fetchone()
        if found is None:
            raise unknown()
        return bytes(found[0])

    def keep(self, graph_id: str, text: bytes) -> None:
        """The graph was used just now. The least used go where there are too many. Never raises."""
        now = time.monotonic()
        if now - self._used.get(graph_id, -FRESH) < FRESH:
            return
        self._used[graph_id] = now
        self._used.move_to_end(graph_id)
        if len(self._used) > REMEMBERED:
            self._used.popitem(last=False)
        if len(text) <= self.settings.max_seen_bytes // LARGEST:
            try:
                self._write(graph_id, text)
            except Problem:  # it has been logged, and the answer is right without
                self._used.pop(graph_id, None)

    def version(self, named: Named) -> Version:
        """The registered graph that a path names. Raises Problem: `unknown-graph`, `store-unavailable`."""
        return self.names.get(named.name, named.version).version

    def _write(self, graph_id: str, text: bytes) -> None:
        now = time.time_ns() // 1000
        values = {"tenant": TENANT, "id": graph_id, "text": text, "size": len(text), "now": now}
        with self.database.writing(patience=PATIENCE) as connection:
            if connection.execute(_USE, values).rowcount:
                return
            connection.execute(_ADD, values)
            graphs, size = connection.execute(_HELD, values).fetchone()
            while graphs > self.settings.max_seen_graphs or size > self.settings.max_seen_bytes:
                if not connection.execute(_DROP, values).rowcount:
                    return
                graphs, size = connection.execute(_HELD, values).fetchone()


_FIND = """
    SELECT text FROM graphs WHERE tenant = :tenant AND id = :id
    UNION ALL SELECT text FROM versions WHERE tenant = :tenant AND graph_id = :id LIMIT 1"""
_USE = "UPDATE graphs SET used = :now WHERE tenant = :tenant AND id = :id"
_ADD = "INSERT INTO graphs (tenant, id, text, size, used) VALUES (:tenant, :id, :text, :size, :now)"
_HELD = "SELECT graphs, bytes FROM held WHERE tenant = :tenant"
_DROP = """
    DELETE FROM graphs WHERE rowid =
        (SELECT rowid FROM graphs WHERE tenant = :tenant AND id <> :id ORDER BY used LIMIT 1)"""
