"""Numbers and nested lists of them as arrays: torch.tensor's rules of shape, dtype and overflow."""

from __future__ import annotations

import functools
import itertools
from typing import Any, NamedTuple

import numpy as np

from engine import dtypes
from engine.dtypes import BOOL, COMPLEX, FLOAT, INTEGER, DType, promote, scalar_dtype
from engine.errors import ArgumentError, NotImplementedYet, RuntimeArgumentError, ValueArgumentError

_MAX_RANK = 64  # numpy's
_NESTED = (list, tuple, range)
_EXAMPLES = ((bool, True), (int, 1), (float, 1.0), (complex, 1j))
_C_NAMES = {"bool": "bool", "float16": "c10::Half", "float32": "float", "float64": "double"}
_C_NAMES |= {"complex64": "c10::complex<float>", "complex128": "c10::complex<double>"}


class Numbers(NamedTuple):
    """The numbers of nested lists in row-major order, the shape of the lists, the dtype torch infers."""

    items: list[Any]
    shape: tuple[int, ...]
    dtype: DType

    def array(self, dtype: DType) -> np.ndarray[Any, Any]:
        """An array of `dtype`; refused where a number does not fit it, wrapped where torch wraps."""
        return converted(self.items, dtype).reshape(self.shape)


def parse(data: Any) -> Numbers:
    """Read a number or nested lists of numbers; all else is refused in torch's words."""
    level: list[Any] = [data]
    shape: list[int] = []
    while True:
        level = [_opened(each) for each in level]
        kinds = set(map(type, level))
        nested = {kind for kind in kinds if issubclass(kind, _NESTED)}
        if not nested:
            return Numbers(level, tuple(shape), _common_dtype(kinds, bool(shape)))
        if nested != kinds:
            first_is_list = type(level[0]) in nested
            raise ArgumentError(
                "not a sequence" if first_is_list else "'list' object cannot be interpreted as an integer"
            )
        length = len(level[0])
        wrong = next((len(each) for each in level if len(each) != length), length)
        if wrong != length:
            raise ValueArgumentError(
                f"expected sequence of length {length} at dim {len(shape)} (got {wrong})",
                expected=length,
                actual=wrong,
            )
        if len(shape) == _MAX_RANK:
            raise RuntimeArgumentError(f"too many dimensions: more than {_MAX_RANK}")
        shape.append(length)
        level = list(itertools.chain.from_iterable(level))


def _opened(value: Any) -> Any:
    """An array among the numbers as a sequence of its own; a tensor of one element as its number."""
    if hasattr(value, "meta"):
        if value.meta.numel != 1:
            raise ValueArgumentError("only one element tensors can be converted to Python scalars")
        if not hasattr(value, "array"):  # a value of a program that is being built
            raise NotImplementedYet("a tensor in a list of numbers is not implemented yet: stack them")
        return value.array.reshape(())[()]
    if isinstance(value, np.ndarray):
        return tuple(value) if value.ndim else value[()]
    return value


def _common_dtype(kinds: set[type], listed: bool) -> DType:
    found = [_dtype_of(kind, listed) for kind in kinds]
    return functools.reduce(promote, found) if found else dtypes.get_default_dtype()


def _dtype_of(kind: type, listed: bool) -> DType:
    if issubclass(kind, np.generic):
        return dtypes.dtype(kind)
    for number, example in _EXAMPLES:
        if issubclass(kind, number):
            return scalar_dtype(example)
    if issubclass(kind, str):
        if listed:
            raise ValueArgumentError("too many dimensions 'str'")
        raise ArgumentError("new(): invalid data type 'str'")
    raise RuntimeArgumentError(f"Could not infer dtype of {kind.__name__}")


def converted(items: list[Any], dtype: DType) -> np.ndarray[Any, Any]:
    """A flat array of `dtype`: floats are truncated to integers, negative ones wrap in unsigned dtypes."""
    target = dtype.numpy
    if dtype.category >= FLOAT or dtype.category == BOOL:
        if dtype.category == FLOAT and any(isinstance(each, (complex, np.complexfloating)) for each in items):
            raise ArgumentError("must be real number, not complex")
        with np.errstate(all="ignore"):
            return np.array(items, dtype=target)
    try:
        values = np.array(items, dtype=None if items else target)
    except OverflowError:
        values = np.array(items, dtype=object)
    if values.dtype.kind in "Ou":
        if any(not -(2**63) <= each < 2**63 for each in items):
            raise ValueArgumentError("Overflow when unpacking long long")
        values = np.array(items, dtype=np.int64)
    if values.dtype.kind == "c":
        raise ArgumentError("must be real number, not complex")
    if not _fits(values, dtype):
        raise RuntimeArgumentError(f"value cannot be converted to type {dtype.name} without overflow")
    return values.astype(target)


def _fits(values: np.ndarray[Any, Any], dtype: DType) -> bool:
    limits = np.iinfo(dtype.numpy)
    low = -int(limits.max) if limits.min == 0 else int(limits.min)
    high = int(limits.max)
    if values.dtype.kind != "f":
        return values.size == 0 or (int(values.min()) >= low and int(values.max()) <= high)
    return bool(np.all((values >= low) & (values < float(high) + (high < 2**53))))


def fill_value(value: Any, dtype: DType) -> Any:
    """A Python scalar as a numpy scalar of `dtype`; RuntimeError in torch's words if it does not fit."""
    too_big = (
        f"value cannot be converted to type {_C_NAMES.get(dtype.name, f'{dtype.name}_t')} without overflow"
    )
    if isinstance(value, int) and not -(2**63) <= value < 2**63 and dtype.category == INTEGER:
        raise ValueArgumentError("Overflow when unpacking long long")
    if isinstance(value, complex) and dtype.category != COMPLEX:
        raise RuntimeArgumentError(too_big)
    if dtype.category == INTEGER and not _fits(np.asarray(value), dtype):
        raise RuntimeArgumentError(too_big)
    with np.errstate(all="ignore"):
        found = np.asarray(value).astype(dtype.numpy)[()]
    if dtype.category >= FLOAT and np.isfinite(value) and not np.isfinite(found):
        raise RuntimeArgumentError(too_big)
    return found
