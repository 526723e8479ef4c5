"""What iterations leave behind: one array with an entry for each, and a loop's record for the trace."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.bounded import Bounded
from engine.dtypes import int64
from engine.graph import Value
from engine.types import Type

RECORD = Type((), int64)  # the type that stands for a record, or generator states, which are no tensors


@dataclass(slots=True)
class LoopRecord:
    """How a loop ran: the number of its iterations, and the records of the control flow inside each."""

    count: int = 0
    inner: list[tuple[Any, ...]] = field(default_factory=list)


class History:
    """Entries of one value, collected into an array of `size` of them, behind the value's levels; the last
    one comes first if they come `backwards`."""

    def __init__(self, value: Value, size: int, *, backwards: bool = False) -> None:
        self._backwards = backwards
        self._axis = len(value.levels)
        self._late = type(size) is Bounded  # as many as there turn out to be
        self._entries: list[Any] = []
        self._dtype = value.dtype.numpy
        self._shape = (*(level.size for level in value.levels), *value.shape)
        self._array: Any = None if self._late else np.zeros((size, *self._shape), self._dtype)

    def put(self, at: int, entry: Any) -> None:
        """Enter what iteration `at` has; in order, where the size is not known."""
        if self._late:
            self._entries.append(entry)
        else:
            self._array[at] = entry

    def array(self) -> Any:
        """All entries, in an array whose axis behind the levels counts them."""
        if self._late:
            self._array = np.empty((len(self._entries), *self._shape), self._dtype)
            for at, entry in enumerate(reversed(self._entries) if self._backwards else self._entries):
                self._array[at] = entry
            self._entries = []
        return np.moveaxis(self._array, 0, self._axis)


def entries(array: Any, value: Value) -> Any:
    """An array of entries of `value`, its first axis counting them."""
    return np.moveaxis(array, len(value.levels), 0)


def stacked(value: Value, size: int) -> Type:
    """The type of `size` entries of `value`."""
    return Type((size, *value.shape), value.dtype)
