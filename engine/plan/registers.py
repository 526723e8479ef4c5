"""The registers of a frame while it is built, and the small arrays that have a place in it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.graph import Value

CHUNK = 1 << 11  # bytes that are carved into small arrays, at first
MAX_BYTES = 8 << 20  # of all of them
_ALIGNED = 16

Array = np.ndarray[Any, Any]


class Registers:
    """What each register holds. Some always hold the same: a constant, a scalar, or a place, an array that is
    written to in every run."""

    def __init__(self, reserved: int) -> None:
        self._reserved = reserved
        self.contents: list[Any] = [None] * reserved
        self._held: set[int] = set()
        self._constants: set[int] = set()
        self._numbers: dict[Value, int] = {}
        self._own: dict[Value, Array] = {}  # places to give back
        self._free: dict[Any, list[Array]] = defaultdict(list)
        self._memory = Memory()

    def new(self) -> int:
        """A register for what comes and goes."""
        self.contents.append(None)
        return len(self.contents) - 1

    def constant(self, content: Any, number: int | None = None) -> int:
        """The register, a new one unless it is given, of what is only read."""
        number = self.hold(content, number)
        self._constants.add(number)
        return number

    def hold(self, place: Any, number: int | None = None) -> int:
        """The register, a new one unless it is given, of a place."""
        number = self.new() if number is None else number
        self.contents[number] = place
        self._held.add(number)
        return number

    def of(self, operand: Any) -> int:
        """The register of a value or of a scalar."""
        if not isinstance(operand, Value):
            return self.constant(operand)
        number = self._numbers.get(operand)
        if number is None:
            number = self._numbers[operand] = self.new()
            if operand.constant is not None:
                self.constant(operand.constant, number)
        return number

    def is_held(self, number: int) -> bool:
        """Whether a register always holds the same."""
        return number in self._held

    def is_place(self, number: int) -> bool:
        """Whether a register holds a place, or a view of one."""
        return number in self._held and number not in self._constants

    @property
    def passing(self) -> list[int]:
        """The registers that hold something else in each run, but for those reserved."""
        return [at for at in range(self._reserved, len(self.contents)) if at not in self._held]

    # -- places

    def places(self, shape: tuple[int, ...], dtypes: Sequence[Any]) -> list[Array] | None:
        """Memory for arrays of these dtypes; None where there is too much already."""
        found = []
        for dtype in dtypes:
            known = self._free.get((shape, dtype))
            place = known.pop() if known else self._memory.array(shape, dtype)
            if place is None:
                return None
            found.append(place)
        return found

    def own(self, value: Value, place: Array) -> None:
        """`place` is `value`'s as long as that is read."""
        self._own[value] = place

    def free(self, place: Array) -> None:
        """`place` may be another's from here on."""
        self._free[place.shape, place.dtype].append(place)

    def release(self, value: Value) -> bool:
        """Nobody reads `value` any more, nor a view of it. Whether what is in its register should go."""
        own = self._own.pop(value, None)
        if own is not None:
            self.free(own)
        return own is None and self._numbers[value] not in self._held


class Memory:
    """Places for small arrays, close to each other. No array owns its memory, nor does a view of it."""

    def __init__(self) -> None:
        self._chunk = np.empty(0, np.uint8)
        self._used = self._all = 0

    def array(self, shape: tuple[int, ...], dtype: Any) -> Array | None:
        """A new one; None if there are too many already."""
        size = -(-dtype.itemsize * math.prod(shape) // _ALIGNED) * _ALIGNED
        if self._used + size > self._chunk.nbytes:
            more = max(CHUNK, self._all)
            if self._all + more > MAX_BYTES:
                return None
            self._chunk, self._used = np.empty(more, np.uint8), 0
            self._all += more
        found: Array = np.ndarray(shape, dtype, self._chunk, self._used)
        self._used += size
        return found
