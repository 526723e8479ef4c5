"""The tables of the store, and how a file gets them.

`user_version` counts the steps that a file has taken. `tenant` is the same everywhere today; it is part of
the keys, so that a service with several tenants needs no new tables.
"""

from __future__ import annotations

import sqlite3
import time

TENANT = ""

STEPS = (
    # graphs: those seen lately, by graph_id; their JSON as it was sent. held: their number and their size.
    # versions: registered ones, the current one of a name has its highest number.
    # defaults: the tensors of a version, little-endian in C order.
    """
    CREATE TABLE graphs (
        tenant TEXT NOT NULL, id TEXT NOT NULL, text BLOB NOT NULL, size INTEGER NOT NULL,
        used INTEGER NOT NULL, PRIMARY KEY (tenant, id));
    CREATE INDEX graphs_by_use ON graphs (tenant, used);
    CREATE TABLE held (tenant TEXT PRIMARY KEY, graphs INTEGER NOT NULL, bytes INTEGER NOT NULL);
    CREATE TRIGGER graphs_more AFTER INSERT ON graphs BEGIN
        INSERT INTO held VALUES (NEW.tenant, 1, NEW.size) ON CONFLICT (tenant)
            DO UPDATE SET graphs = graphs + 1, bytes = bytes + NEW.size;
    END;
    CREATE TRIGGER graphs_fewer AFTER DELETE ON graphs BEGIN
        UPDATE held SET graphs = graphs - 1, bytes = bytes - OLD.size WHERE tenant = OLD.tenant;
    END;
    CREATE TABLE versions (
        number INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL,
        graph_id TEXT NOT NULL, text BLOB NOT NULL, outputs TEXT, default_dtype TEXT NOT NULL,
        size INTEGER NOT NULL, UNIQUE (tenant, name, id));
    CREATE INDEX versions_by_graph ON versions (tenant, graph_id);
    CREATE INDEX versions_by_size ON versions (tenant, name, number, size);
    CREATE TABLE defaults (
        version INTEGER NOT NULL REFERENCES versions (number) ON DELETE CASCADE, position INTEGER NOT NULL,
        name TEXT NOT NULL, dtype TEXT NOT NULL, shape TEXT NOT NULL, requires_grad INTEGER NOT NULL,
        data BLOB NOT NULL, PRIMARY KEY (version, position));
    """,
)
PATIENCE = 5.0  # seconds that a connection waits for the one that writes
_TRIES, _PAUSE = 100, 0.05


class UnusableError(Exception):
    """The file cannot be used; the text says why."""


def connect(path: str) -> sqlite3.Connection:
    """A connection to the store, made or brought up to date first. Raises sqlite3.Error, UnusableError."""
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_size_limit = 4194304")
        if _steps(connection) != len(STEPS):
            _update(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Let readers and a writer go on side by side. SQLite does not wait for others who switch just now."""
    for _ in range(_TRIES):
        try:
            found = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
        else:
            if found == "wal":
                return
            raise UnusableError("its file system allows no write-ahead log")
        time.sleep(_PAUSE)
    raise UnusableError("another program holds it")


def _steps(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _update(connection: sqlite3.Connection) -> None:
    """Take the steps that the file has not taken yet; another process may be at it too."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in _untaken(connection):
            for statement in _statements(step):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(STEPS):d}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _untaken(connection: sqlite3.Connection) -> tuple[str, ...]:
    taken = _steps(connection)
    if taken > len(STEPS):
        raise UnusableError(f"a newer version of the service wrote it (format {taken})")
    return STEPS[taken:]


def _statements(step: str) -> list[str]:
    """The statements of a step, triggers whole."""
    found, open_ = [], ""
    for line in step.strip().splitlines():
        open_ += line + "\n"
        if sqlite3.complete_statement(open_):
            found.append(open_)
            open_ = ""
    return found
