"""The graphs seen lately, parsed and validated: the same text is read once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Any, NamedTuple

from pydantic import ValidationError

import engine
from app.codec import canonical, read, text
from app.errors import Problem, from_validation
from app.graphs.shelf import Nowhere, Shelf, unknown
from app.schemas.graph import STATEMENTS

MAX_PROGRAMS = 256
MAX_BYTES = 8 << 20  # of graph text; a parsed graph takes some forty times its text
MAX_PLAN_BYTES = 256 << 20  # of the plans of all


class CacheInfo(NamedTuple):
    """How often something was there already, and how much is kept now."""

    hits: int
    misses: int
    kept: int
    bytes: int


class Entry(NamedTuple):
    """A program, its public id, its text and the text's digest."""

    program: engine.Program
    graph_id: str
    digest: bytes
    text: bytes


class Programs:
    """Least recently used first; bounded by count, by the size of the texts and by what the plans take."""

    def __init__(self, limits: engine.Limits, shelf: Shelf | None = None) -> None:
        self.limits = limits
        self.shelf = shelf or Nowhere()
        self.size = 0
        self._hits = self._misses = 0
        self._entries: OrderedDict[tuple[bytes, str], Entry] = OrderedDict()
        self._by_id: dict[tuple[str, str], tuple[bytes, str]] = {}  # graph_id and dtype → key of an entry

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def info(self) -> CacheInfo:
        """How often a graph was there already, and how many are kept, of how many bytes of text."""
        return CacheInfo(self._hits, self._misses, len(self._entries), self.size)

    @property
    def plans(self) -> CacheInfo:
        """The same of the plans of the programs that are kept."""
        found = [entry.program.cache_info() for entry in self._entries.values()]
        return CacheInfo(*map(sum, zip(*found, strict=True))) if found else CacheInfo(0, 0, 0, 0)

    def get(self, raw: bytes, rules: read.Rules) -> Entry:
        """The program of this graph text; `rules` decide what its literals are."""
        key = (hashlib.sha256(raw).digest(), rules.floats.name)
        entry = self._entries.get(key)
        if entry is not None:
            self._hits += 1
            self._entries.move_to_end(key)
            return entry
        self._misses += 1
        entry = self._build(raw, key[0], rules)
        self._entries[key] = entry
        self._by_id[entry.graph_id, key[1]] = key
        self.size += len(raw)
        while len(self._entries) > MAX_PROGRAMS or (self.size > MAX_BYTES and len(self._entries) > 1):
            self._drop()
        return entry

    def by_id(self, graph_id: str, rules: read.Rules, text: bytes | None = None) -> Entry:
        """The program of this graph_id, which has this text; without one, Problem where neither this process
        nor the shelf knows it."""
        key = self._by_id.get((graph_id, rules.floats.name))
        if key is not None:
            self._hits += 1
            self._entries.move_to_end(key)
            return self._entries[key]
        if text is not None:
            return self.get(text, rules)
        entry = self.get(self.shelf.find(graph_id), rules)
        if entry.graph_id != graph_id:  # kept by a version of the service that wrote graphs in another way
            raise unknown()
        return entry

    def trim(self) -> None:
        """Keep the bound on plans; for after one was made."""
        taken = self.plans.bytes
        while taken > MAX_PLAN_BYTES and len(self._entries) > 1:
            taken -= self._drop().program.cache_info().bytes

    def forget(self) -> None:
        """Drop all of it."""
        self._entries.clear()
        self._by_id.clear()
        self.size = 0

    def _drop(self) -> Entry:
        key, entry = self._entries.popitem(last=False)
        self.size -= len(entry.text)
        if self._by_id.get((entry.graph_id, key[1])) == key:
            del self._by_id[entry.graph_id, key[1]]
        return entry

    def _build(self, raw: bytes, digest: bytes, rules: read.Rules) -> Entry:
        graph = text.value(raw, ("graph",))
        if isinstance(graph, list) and len(graph) > self.limits.statements:
            raise engine.errors.LimitExceeded("statements", len(graph), self.limits.statements).at(("graph",))
        if not isinstance(graph, str):
            _validate(graph)
        program = engine.Program(
            graph, decode=lambda literal: read.literal(literal, rules), limits=self.limits
        )
        return Entry(program, canonical.graph_id(program.statements), digest, raw)


def _validate(graph: Any) -> None:
    """The shape of each statement; Problem for the first that has another."""
    try:
        STATEMENTS.validate_python(graph)
    except ValidationError as error:
        raise _problem(error) from None


def _problem(error: ValidationError) -> Problem:
    """The first bad statement's errors; pydantic puts the kind of statement into their places."""
    errors = [
        {**each, "loc": (*each["loc"][:1], *each["loc"][2:])} for each in error.errors(include_url=False)
    ]
    return from_validation(errors, ("graph",))
