"""What iterations leave behind: one array with an entry for each, and a loop's record for the trace."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from engine.bounded import Bounded
from engine.graph import Value
from engine.types import Shape, Type


class Inside(NamedTuple):
    """How a body ran: the records of the control flow in it, and the sizes known only then."""

    records: tuple[Any, ...]
    sizes: tuple[tuple[int, int], ...]


class LoopRecord(NamedTuple):
    """How a loop ran: the number of its iterations, and how each ran, if there is more to know."""

    iterations: int
    inner: tuple[Inside, ...] = ()


class BranchRecord(NamedTuple):
    """Which branches ran (both, where samples disagree), and how each did."""

    taken: tuple[bool, ...]
    inner: tuple[Inside, ...]


class History:
    """Entries of one value, collected into an array of `size` of them, behind the value's levels; the last
    one comes first if they come `backwards`. `shape` is an entry's where none comes."""

    def __init__(self, value: Value, shape: Shape, size: int, *, backwards: bool = False) -> None:
        self._backwards = backwards
        self._axis = len(value.levels)
        self._late = type(size) is Bounded  # as many as there turn out to be
        self._entries: list[Any] = []
        self._dtype = value.dtype.numpy
        self._size = 0 if self._late else size
        self._shape = shape
        self._array: Any = None

    def put(self, at: int, entry: Any) -> None:
        """Enter what iteration `at` has; in order, where the size is not known."""
        if self._late:
            self._entries.append(entry)
            return
        if self._array is None:  # sizes of the run are known from the first entry
            self._array = np.zeros((self._size, *entry.shape), self._dtype)
        self._array[at] = entry

    def array(self) -> Any:
        """All entries, in an array whose axis behind the levels counts them."""
        found = self._entries[::-1] if self._backwards else self._entries
        if found:
            self._array = np.empty((len(found), *found[0].shape), self._dtype)
            for at, entry in enumerate(found):
                self._array[at] = entry
            self._entries = []
        elif self._array is None:
            self._array = np.zeros((self._size, *self._shape), self._dtype)
        return np.moveaxis(self._array, 0, self._axis) if self._axis else self._array


def entries(array: Any, value: Value) -> Any:
    """An array of entries of `value`, its first axis counting them."""
    return np.moveaxis(array, len(value.levels), 0)


def stacked(value: Value, size: int) -> Type:
    """The type of `size` entries of `value`."""
    return Type((size, *value.shape), value.dtype)
