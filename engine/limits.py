"""How much one program may ask for."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import LimitExceeded
from engine.types import Type


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that hold before anything is computed: counts, elements of one tensor, bytes at the peak and in
    the answer, iterations of one loop."""

    statements: int = 100_000
    arity: int = 64
    depth: int = 100
    rank: int = 32
    elements: int = 2**27
    peak_bytes: int = 2 << 30
    output_bytes: int = 64 << 20
    iterations: int = 1_000_000

    def check(self, name: str, asked: int) -> None:
        """LimitExceeded if `asked` is more than the limit called `name`."""
        allowed = getattr(self, name)
        if asked > allowed:
            raise LimitExceeded(name, asked, allowed)

    def check_type(self, meta: Type) -> None:
        """LimitExceeded if a tensor of this type has too many dimensions or elements."""
        if len(meta.shape) > self.rank:
            raise LimitExceeded("rank", len(meta.shape), self.rank)
        if meta.numel > self.elements:
            raise LimitExceeded("elements", meta.numel, self.elements)
