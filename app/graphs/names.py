"""Registered graphs: names, their versions, and the versions decoded lately."""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import engine
from app.errors import Problem
from app.graphs import versions
from app.graphs.database import Database
from app.graphs.schema import TENANT
from app.graphs.versions import Stored, Version
from app.settings import Settings

CACHE_BYTES = 128 << 20  # of versions decoded in this process; the latest stays, however large

Condition = Callable[
    [str | None], None
]  # given the current version or None, raises Problem if it must not be


class Put(NamedTuple):
    """A version that is the current one now, and whether its name is new."""

    id: str
    graph_id: str
    created: bool


class Found(NamedTuple):
    """A version under its id."""

    id: str
    version: Version


class TooLargeError(Exception):
    """A version takes more bytes than were asked for."""


class Names:
    """What /graphs/{name} keeps. A version's id tells all that is in it, so each is decoded once."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.size = 0
        self._decoded: OrderedDict[str, Version] = OrderedDict()  # by id

    def put(self, name: str, version: Version, allowed: Condition) -> Put:
        """Make this the current version. Raises Problem where it is not `allowed`, LimitExceeded."""
        stored = versions.stored(version.inputs)
        self._check("stored_graph_bytes", version.size, self.settings.max_stored_graph_bytes)
        identity = versions.version_id(version, stored)
        with self.database.writing(durable=True) as connection:
            current = _current(connection, name)
            allowed(current)
            if current == identity:
                return Put(identity, version.graph_id, created=False)
            connection.execute(_REMOVE, {**_key(name), "id": identity})
            self._insert(connection, name, identity, version, stored)
            self._bound(connection, name, created=current is None)
        return Put(identity, version.graph_id, created=current is None)

    def get(self, name: str, identity: str | None = None, largest: int | None = None) -> Found:
        """The current version of a name, or another of its versions. Raises Problem `unknown-graph`, and
        TooLargeError for one that takes more than `largest` bytes."""
        with self.database.reading() as connection:
            row = connection.execute(_NUMBER, {**_key(name), "id": identity}).fetchone()
            if row is None:
                raise unknown_name(name, identity)
            number, found, size = row
            if largest is not None and size > largest:
                raise TooLargeError
            version = self._decoded.get(found)
            if version is None:
                version = _decoded(connection, number)
                self._remember(found, version)
            else:
                self._decoded.move_to_end(found)
        return Found(found, version)

    def history(self, name: str) -> list[str]:
        """The versions of a name, the current one first."""
        with self.database.reading() as connection:
            return [row[0] for row in connection.execute(_VERSIONS, _key(name))]

    def delete(self, name: str, allowed: Condition) -> None:
        """Forget a name and all of its versions. Raises Problem: `unknown-graph`, or where not `allowed`."""
        with self.database.writing(durable=True) as connection:
            current = _current(connection, name)
            allowed(current)
            if current is None:
                raise unknown_name(name)
            connection.execute(_DELETE, _key(name))

    def _insert(
        self, connection: sqlite3.Connection, name: str, identity: str, version: Version, stored: list[Stored]
    ) -> None:
        row = {
            **_key(name),
            "id": identity,
            "graph_id": version.graph_id,
            "text": version.text,
            "outputs": None if version.outputs is None else json.dumps(version.outputs),
            "default_dtype": version.default_dtype,
            "size": version.size,
        }
        number = connection.execute(_INSERT, row).lastrowid
        rows = (
            (number, place, each.name, each.dtype, json.dumps(each.shape), each.requires_grad, each.data)
            for place, each in enumerate(stored)
        )
        connection.executemany("INSERT INTO defaults VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def _bound(self, connection: sqlite3.Connection, name: str, *, created: bool) -> None:
        """Drop the oldest versions of this name; refuse one name or one byte too many."""
        settings = self.settings
        connection.execute(_TRIM, {**_key(name), "count": settings.max_stored_versions})
        graphs, size = connection.execute(_TOTAL, _key(name)).fetchone()
        if created:
            self._check("stored_graphs", graphs, settings.max_stored_graphs)
        self._check("stored_bytes", size, settings.max_stored_bytes)

    def _check(self, limit: str, asked: int, allowed: int) -> None:
        if asked > allowed:
            raise engine.errors.LimitExceeded(limit, asked, allowed)

    def _remember(self, identity: str, version: Version) -> None:
        self._decoded[identity] = version
        self.size += version.size
        while self.size > CACHE_BYTES and len(self._decoded) > 1:
            self.size -= self._decoded.popitem(last=False)[1].size


def unknown_name(name: str | None, identity: str | None = None) -> Problem:
    """The 404 of a name or of one of its versions; of None, that can be no name."""
    if name is None:
        return Problem("unknown-graph", "No graph is registered under this name.")
    if identity is not None:
        return Problem("unknown-graph", f"The graph '{name}' has no version {identity}, or not any more.")
    return Problem("unknown-graph", f"No graph is registered as '{name}'; PUT it to /graphs/{name} first.")


def _decoded(connection: sqlite3.Connection, number: int) -> Version:
    graph_id, text, outputs, default_dtype = connection.execute(_LOAD, (number,)).fetchone()
    inputs = {
        row[0]: versions.tensor(Stored(row[0], row[1], tuple(json.loads(row[2])), bool(row[3]), row[4]))
        for row in connection.execute(_DEFAULTS, (number,))
    }
    names = None if outputs is None else json.loads(outputs)
    return Version(graph_id, bytes(text), inputs, names, default_dtype)


def _key(name: str) -> dict[str, str | int | None]:
    return {"tenant": TENANT, "name": name}


def _current(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute(_NUMBER, {**_key(name), "id": None}).fetchone()
    return None if row is None else str(row[1])


_NUMBER = """
    SELECT number, id, size FROM versions
    WHERE tenant = :tenant AND name = :name AND (:id IS NULL OR id = :id)
    ORDER BY number DESC LIMIT 1"""
_VERSIONS = "SELECT id FROM versions WHERE tenant = :tenant AND name = :name ORDER BY number DESC"
_LOAD = "SELECT graph_id, text, outputs, default_dtype FROM versions WHERE number = ?"
_DEFAULTS = "SELECT name, dtype, shape, requires_grad, data FROM defaults WHERE version = ? ORDER BY position"
_INSERT = """
    INSERT INTO versions (tenant, name, id, graph_id, text, outputs, default_dtype, size)
    VALUES (:tenant, :name, :id, :graph_id, :text, :outputs, :default_dtype, :size)"""
_REMOVE = "DELETE FROM versions WHERE tenant = :tenant AND name = :name AND id = :id"
_DELETE = "DELETE FROM versions WHERE tenant = :tenant AND name = :name"
_TRIM = """
    DELETE FROM versions WHERE number IN (
        SELECT number FROM versions WHERE tenant = :tenant AND name = :name
        ORDER BY number DESC LIMIT -1 OFFSET :count)"""
_TOTAL = "SELECT COUNT(DISTINCT name), COALESCE(SUM(size), 0) FROM versions WHERE tenant = :tenant"
