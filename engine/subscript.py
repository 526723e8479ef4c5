"""x[key]: its keys walked over F, views where a key makes one, index tensors for the rest."""

from __future__ import annotations

from typing import Any

from engine.dtypes import BOOL, DType, int32, int64, uint8
from engine.errors import ArgumentError, DimError, ValueArgumentError

_OPEN_END = 2**63 - 1  # what torch makes of x[1:]
_NOT_A_KEY = (
    "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices"
)
NOT_AN_INDEX = "tensors used as indices must be long, int, byte or bool tensors"


def selects(dtype: DType) -> bool:
    """Whether a tensor of `dtype` selects where it is true: bool, and uint8 as in torch."""
    return dtype.category == BOOL or dtype is uint8


def _count(key: tuple[Any, ...]) -> int:
    """How many dimensions of the tensor the keys use up."""
    used = 0
    for each in key:
        if hasattr(each, "meta") and selects(each.meta.dtype):
            used += each.meta.ndim
        elif each is not None and each is not Ellipsis and not isinstance(each, bool):
            used += 1
    return used


class _Subscript:
    """One x[key]: the tensor as views make it, the dimension reached, the index tensors gathered so far."""

    def __init__(self, F: Any, input: Any, key: tuple[Any, ...]) -> None:
        self.F, self.tensor, self.dim = F, input, 0
        self.place = -1  # of the key being applied, which torch's errors call the dimension
        self.indices: list[Any] = []
        used, rank = _count(key), input.meta.ndim
        if used > rank:
            raise DimError(f"too many indices for tensor of dimension {rank}", expected=rank, actual=used)
        self.hidden = rank - used  # dimensions that an Ellipsis stands for
        self.alone = len(key) == 1

    def take(self, key: Any) -> None:
        """Apply one key."""
        F = self.F
        self.place += 1
        if key is None:
            self.tensor = F.unsqueeze(self.tensor, self.dim)
            self.dim += 1
        elif key is Ellipsis:
            self.dim += self.hidden
        elif isinstance(key, bool):
            self.take_bool(key)
        elif isinstance(key, slice):
            self.take_slice(key)
        elif isinstance(key, int):
            self.take_int(key)
        elif isinstance(key, (list, tuple)):
            self.take_tensor(_from_list(F, key))
        elif hasattr(key, "meta"):
            self.take_tensor(key)
        else:
            raise DimError(f"{_NOT_A_KEY} (got {type(key).__name__})")

    def take_bool(self, key: bool) -> None:
        self.tensor = self.F.unsqueeze(self.tensor, self.dim)
        self.record(self.F.tensor([0] if key else [], dtype=int64))

    def take_int(self, key: int) -> None:
        size = self.tensor.meta.shape[self.dim]
        if not -size <= key < size:
            raise DimError(
                f"index {key} is out of bounds for dimension {self.place} with size {size}",
                expected=size,
                actual=key,
            )
        self.tensor = self.F.select(self.tensor, self.dim, key)

    def take_slice(self, key: slice) -> None:
        start, end, step = (
            None if each is None else _integer(each) for each in (key.start, key.stop, key.step)
        )
        if step == 0:
            raise ValueArgumentError("slice step cannot be zero")
        if step is not None and step < 0:
            raise ValueArgumentError("step must be greater than zero", actual=step)
        size = self.tensor.meta.shape[self.dim]
        everything = not start and step in (None, 1) and (end is None or end >= size)
        if self.alone or not everything:
            self.tensor = self.F.slice(
                self.tensor, self.dim, start or 0, _OPEN_END if end is None else end, step or 1
            )
        self.dim += 1

    def take_tensor(self, key: Any) -> None:
        dtype = key.meta.dtype
        indexes = selects(dtype) or dtype in (int64, int32) or (dtype.category == 1 and not key.meta.ndim)
        if not indexes:
            raise DimError(NOT_AN_INDEX, actual=dtype.name)
        if key.meta.ndim:
            self.record(key)
        elif selects(dtype):
            if hasattr(key, "__bool__"):
                self.take_bool(bool(key))
            else:
                self.tensor = self.F.unsqueeze(self.tensor, self.dim)
                self.record(self.F.reshape(key, (1,)))
        elif hasattr(key, "__index__") and not key.levels:
            self.take_int(int(key))
        else:
            self.tensor = self.F._select_at(self.tensor, key, self.dim)

    def record(self, key: Any) -> None:
        """Keep an index tensor for the gather; None stands for each dimension before it."""
        self.indices += [None] * (self.dim - _dims_of(self.indices)) + [key]
        self.dim += key.meta.ndim if selects(key.meta.dtype) else 1


def subscript(F: Any, input: Any, key: tuple[Any, ...]) -> tuple[Any, list[Any]]:
    """A key as views of `input` and, where it has lists or tensors, the index tensors to gather with."""
    found = _Subscript(F, input, key)
    for each in key:
        found.take(each)
    return found.tensor, found.indices


def _dims_of(indices: list[Any]) -> int:
    return sum(1 if each is None or not selects(each.meta.dtype) else each.meta.ndim for each in indices)


def _integer(value: Any) -> int:
    if isinstance(value, int) or hasattr(value, "__index__"):
        return int(value.__index__())
    raise ArgumentError("slice indices must be integers or None or have an __index__ method")


def _from_list(F: Any, key: Any) -> Any:
    """A list of ints or bools as a tensor."""
    found = F.tensor(list(key))
    if found.meta.numel == 0:
        return F.tensor(list(key), dtype=int64)
    if found.meta.dtype.category > 1:
        raise DimError(NOT_AN_INDEX, actual=found.meta.dtype.name)
    return found
