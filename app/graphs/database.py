"""One process's connection to the store: transactions, and what goes wrong with a file."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import Problem
from app.graphs import schema
from app.graphs.schema import UnusableError

log = logging.getLogger("gradwire")

FAULTS = (sqlite3.Error, UnusableError, OSError)


class Database:
    """The store's file. Opened on first use, and again after it has turned out to be damaged; or, unless it
    `opens`, by `open` alone, and it then waits for nobody: for the event loop, which only reads."""

    def __init__(self, path: str, *, opens: bool = True) -> None:
        self.given = path
        self.opens = opens
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._said = ""  # the latest complaint: each is logged once

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with. Raises Problem `store-unavailable`, never sqlite3.Error."""
        with self._lock, self._usable() as connection:
            yield connection

    @contextmanager
    def writing(
        self, *, durable: bool = False, patience: float = schema.PATIENCE
    ) -> Iterator[sqlite3.Connection]:
        """The same inside a transaction, undone by any exception; `durable`: it outlives a loss of power."""
        with self._lock, self._usable() as connection:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # SQLite may have undone it already, as when the disk is full
                    connection.execute("ROLLBACK")
                raise

    def open(self) -> None:
        """Open it now if that is possible, to wait for nobody."""
        with contextlib.suppress(*FAULTS):
            self._connection = self._open()
            self._connection.execute("PRAGMA busy_timeout = 0")

    def check(self) -> str | None:
        """Why the store cannot be written to, None if it can."""
        try:
            with contextlib.closing(self._open()) as connection:
                connection.execute("BEGIN IMMEDIATE")
        except FAULTS as error:
            return str(error)
        return None

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    @contextmanager
    def _usable(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._connection is None:
                if not self.opens:
                    raise UnusableError("it is not open")
                self._connection = self._open()
            yield self._connection
        except FAULTS as error:
            if not isinstance(
                error, sqlite3.OperationalError
            ):  # locked, full or read-only: it may get better
                self.close()
            if str(error) != self._said:
                self._said = str(error)
                log.warning("the store of graphs, %s: %s", self.given, error)
            text = "The store of graphs cannot be used now; requests that send `graph` need none."
            raise Problem("store-unavailable", text) from error

    def _open(self) -> sqlite3.Connection:
        """Only the service's own user may read the file: it holds what clients have sent."""
        try:
            path = Path(self.given).expanduser().absolute()  # so that it is a file, whatever it is called
        except RuntimeError as error:
            raise UnusableError(str(error)) from error
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        return schema.connect(str(path))
