"""The conformance table: for every public op, what it is compared with."""

from __future__ import annotations

from typing import NamedTuple

import engine
from engine.samples import SampleMaker
from tests.conformance.cases import by_op, refused


class Row(NamedTuple):
    """An op, its stored cases and refused calls, and the samples of its own record."""

    op: str
    cases: int
    refused: int
    samples: int


def table() -> list[Row]:
    """A row for each op of the catalogue, in name order."""
    return [row(entry.name, entry.aliases) for entry in engine.catalogue()]


def row(op: str, aliases: tuple[str, ...] | list[str]) -> Row:
    names = (op, *aliases)
    cases = sum(len(by_op().get(name, ())) for name in names)
    texts = sum(len(refused().get(name, ())) for name in names)
    return Row(op, cases, texts, sum(1 for _ in engine.lookup(op).samples(SampleMaker(0))))
