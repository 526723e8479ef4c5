"""Memory for large results that is used again, by whoever comes next, once nobody holds the array.

A process gets fresh pages one fault at a time, which takes longer than most arithmetic on them. So
an array of the arena is a view of a lease, and the lease gives its memory back when the last view of it is
gone. What waits to be used again is bounded.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

LEAST = 1 << 17  # bytes of an array worth keeping
MOST = 128 << 20  # bytes that wait, of all together
_ROUND = 1 << 12

Array = np.ndarray[Any, Any]


class _Waiting:
    """Memory that nobody holds, by size. A lease may end at any moment, in the middle of a method of this one
    too: every step leaves it whole, and none takes a lock."""

    def __init__(self) -> None:
        self._blocks: dict[int, list[Array]] = {}

    @property
    def nbytes(self) -> int:
        return sum([size * len(blocks) for size, blocks in list(self._blocks.items())])

    def take(self, size: int) -> Array | None:
        """Memory of just this size."""
        try:
            return self._blocks[size].pop()
        except (KeyError, IndexError):
            return None

    def give(self, block: Array) -> None:
        """Keep memory; if there is too much, what is of other sizes goes."""
        size = block.nbytes
        for other in list(self._blocks):
            if self.nbytes + size <= MOST:
                break
            if other != size:
                self._blocks.pop(other, None)
        if self.nbytes + size <= MOST:
            self._blocks.setdefault(size, []).append(block)

    def clear(self) -> None:
        self._blocks.clear()


_waiting = _Waiting()


class _Lease:
    """Holds memory for the arrays that are views of it."""

    __slots__ = ("__array_interface__", "_block")

    def __init__(self, block: Array) -> None:
        self._block = block
        self.__array_interface__ = block.__array_interface__

    def __del__(self) -> None:
        _waiting.give(self._block)


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """A new array, its elements anything, in memory that was used before if there is some."""
    size = math.prod(shape) * dtype.itemsize
    if size < LEAST:
        return np.empty(shape, dtype)
    rounded = -(-size // _ROUND) * _ROUND
    block = _waiting.take(rounded)
    whole = np.asarray(_Lease(np.empty(rounded, np.uint8) if block is None else block))
    return np.ndarray(shape, dtype, whole)


def lease_of(array: Array) -> Array | None:
    """What `array` is a view of, if that is memory of the arena and most of it is the array's."""
    base: Any = array.base
    leased = isinstance(base, np.ndarray) and isinstance(base.base, _Lease)
    return base if leased and 2 * array.nbytes >= base.nbytes else None


def waiting_bytes() -> int:
    """How much memory waits to be used again."""
    return _waiting.nbytes


def forget() -> None:
    """Give back all memory that waits."""
    _waiting.clear()
