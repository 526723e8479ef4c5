"""How much one program may ask for."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.errors import LimitExceeded
from engine.types import Type


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that hold before anything is computed.

    `statements` counts nested nodes too, `depth` the levels of lists and objects around one; `text` are the
    characters and `tokens` the words and signs of a program that is written as text; `nodes` are the
    calls that statements and derivatives become; `elements` and `rank` are of one tensor, `iterations` of one
    loop. `history_bytes` is what one loop may keep for its derivative: beyond it only checkpoints are kept,
    and the rest is computed again; 0 keeps everything. `trace` holds when a loop has run: the nodes that a
    trace shows.
    """

    statements: int = 100_000
    arity: int = 64
    depth: int = 100
    text: int = 4 << 20
    tokens: int = 200_000
    nodes: int = 1_000_000
    rank: int = 32
    elements: int = 2**27
    peak_bytes: int = 2 << 30
    output_bytes: int = 64 << 20
    iterations: int = 1_000_000
    history_bytes: int = 16 << 20
    trace: int = 100_000

    def check(self, name: str, asked: int) -> None:
        """LimitExceeded if `asked` is more than the limit called `name`."""
        allowed = getattr(self, name)
        if asked > allowed:
            raise LimitExceeded(name, asked, allowed)

    def check_type(self, meta: Type) -> None:
        """LimitExceeded if a tensor of this type has too many dimensions or elements.

        A size of 0 counts as 1: numpy has no array of no rows of 2**62 elements either.
        """
        if len(meta.shape) > self.rank:
            raise LimitExceeded("rank", len(meta.shape), self.rank)
        elements = meta.numel or math.prod(size or 1 for size in meta.shape)
        if elements > self.elements:
            raise LimitExceeded("elements", elements, self.elements)
