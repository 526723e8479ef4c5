"""Where the arrays of a tile are, and the calls on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from engine.graph import Value
from engine.plan.rows import Use, full_shape

NARROW = 64  # elements of a row that is kept along the rows, in scratch

Run = Callable[..., Any]
Array = np.ndarray[Any, Any]


@dataclass(slots=True, eq=False)
class Slot:
    """Where an array of a tile is. `shape` is that of one row; `source` is the group's operand that it is
    read from, at `place`, `target` its result that it is written to. What has neither is scratch, a
    `constant`, or (`fresh`) what a call made."""

    dtype: Any
    shape: tuple[int, ...] = ()
    rows: bool = True
    source: Value | None = None
    place: Any = None
    target: Value | None = None
    constant: Any = None
    fresh: bool = False
    base: Slot | None = None  # what it is a view of
    buffer: int = -1

    @property
    def scratch(self) -> bool:
        return self.rows and self.source is None and self.target is None and not self.fresh

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def row_bytes(self) -> int:
        return self.elements * int(self.dtype.itemsize)

    @property
    def is_narrow(self) -> bool:
        """Whether scratch of this shape is kept along the rows."""
        return 1 < self.elements <= NARROW


class Call(NamedTuple):
    """One call on a tile; `make` gives the function for a number of rows. It is told where to write, if that
    is scratch or a result, which may be the place of an operand unless it `spares` those."""

    make: Callable[[int], Run]
    args: tuple[Slot, ...]
    out: Slot
    spares: bool = False


class Join(NamedTuple):
    """A reduction over the rows: its parts are in `slot`, tile after tile."""

    slot: Slot
    use: Use
    value: Value
    elements: int  # that one of the result is made of

    def __call__(self, parts: Sequence[Any]) -> Array:
        """The result."""
        assert self.use.joins is not None
        found = self.use.joins.combine.reduce(np.stack(parts), axis=0)
        if self.use.joins.mean:
            found = np.divide(found, found.dtype.type(self.elements))
        return np.asarray(found, self.value.dtype.numpy).reshape(full_shape(self.value))
