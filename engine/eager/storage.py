"""What tensors are made of: a shape, and memory that views share."""

from __future__ import annotations

import itertools
import math

numbers = itertools.count()  # in the order in which storages and nodes are made


class Size(tuple[int, ...]):
    """A shape, printed as torch prints it."""

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def numel(self) -> int:
        """The number of elements."""
        return math.prod(self)


class Storage:
    """The memory that views share; `version` counts in-place changes."""

    __slots__ = ("number", "version")

    def __init__(self) -> None:
        self.version = 0
        self.number = next(numbers)
