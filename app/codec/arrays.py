"""Numbers as JSON has them → numpy arrays of a dtype, checked one by one only where something is odd."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

import engine
from engine import errors

Array = npt.NDArray[Any]
Place = tuple[str | int, ...]

NONFINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_KINDS = {"b": "bool", "i": "int", "u": "int", "f": "float", "c": "complex"}
_NAMES = {str: "a string", bool: "a boolean", dict: "an object", list: "a list", type(None): "null"}
_EXACT = 2**53
FLOATING = {None: None, "int": False, "float": True, "complex": True}  # what `numbers.array_of` is told


def kind_of(name: str) -> str | None:
    """`bool`, `int`, `float` or `complex`; None for an unknown dtype."""
    try:
        return _KINDS[engine.dtype(name).numpy.kind]
    except engine.errors.EngineError:
        return None


def from_numbers(
    data: Any,
    dtype: engine.DType | None,
    shape: tuple[int, ...] | None,
    defaults: tuple[engine.DType, engine.DType],
    limits: tuple[int, int],
) -> Array:
    """The array of a number, a nested list, or an array of float64 or int64 that came from one.

    `defaults` are the dtypes of floats and integers, `limits` rank and elements.
    """
    pairs = dtype is not None and dtype.is_complex
    if isinstance(data, np.ndarray):
        sizes, values = data.shape, data
        if len(sizes) - pairs > limits[0]:
            raise errors.LimitExceeded("rank", len(sizes) - pairs, limits[0])
        dtype = dtype or defaults[0 if data.dtype.kind == "f" else 1]
        if dtype.numpy.kind in "iu":
            values = _as_integers(values, dtype, sizes)
        elif values.dtype.kind == "i":
            values = values.astype(np.float64)  # as the numbers of a short list
    else:
        flat, sizes = _flatten(data, int(pairs), limits)
        dtype = dtype or _infer(set(map(type, flat)), defaults)
        values = _CONVERT[_KINDS[dtype.numpy.kind]](flat, dtype, sizes)
    if pairs and values.size:  # without elements there are no pairs to see
        if not sizes or sizes[-1] != 2:
            raise errors.ShapeError(
                "a complex number is written [re, im]", expected=2, actual=sizes[-1] if sizes else "a number"
            )
        sizes = sizes[:-1]
    if pairs:
        parts = np.dtype(np.float32 if dtype.numpy.itemsize == 8 else np.float64)
        values = as_real(values.reshape(-1), parts).view(dtype.numpy)
    else:
        values = as_real(values, dtype.numpy)
    found = _agreed(sizes, shape)
    return values if values.shape == found else values.reshape(found)


def as_real(values: Array, dtype: np.dtype[Any]) -> Array:
    """The same numbers in another dtype: 1e300 is inf in float32, as in torch."""
    if values.dtype == dtype:
        return values
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def _agreed(sizes: tuple[int, ...], shape: tuple[int, ...] | None) -> tuple[int, ...]:
    """The declared shape, if the list is flat or nested just so."""
    if shape is None or sizes == shape:
        return sizes
    count = math.prod(sizes)
    if math.prod(shape) != count:
        raise errors.ShapeError(
            f"shape '{list(shape)}' is invalid for input of size {count}",
            expected=list(shape),
            actual=list(sizes),
        )
    if len(sizes) != 1 and count:
        raise errors.ShapeError(
            f"data has shape {list(sizes)}, declared is {list(shape)}",
            expected=list(shape),
            actual=list(sizes),
        )
    return shape


def _flatten(data: Any, pairs: int, limits: tuple[int, int]) -> tuple[list[Any], tuple[int, ...]]:
    """The elements and the shape of a nested list; `pairs` is 1 if its last level makes complex numbers.

    Ragged lists are refused with both lengths.
    """
    rank, elements = limits
    sizes: list[int] = []
    level = [data]
    while level and type(level[0]) is list:
        if len(sizes) == rank + pairs:
            raise errors.LimitExceeded("rank", rank + _depth(level[0]), rank)
        length = len(level[0])
        for position, each in enumerate(level):
            if type(each) is not list:
                raise _odd_one(
                    position, sizes, f"a list of {length} is expected, not {_name(each)}", length, _name(each)
                )
            if len(each) != length:
                text = f"expected sequence of length {length} at dim {len(sizes)} (got {len(each)})"
                raise _odd_one(position, sizes, text, length, len(each))
        if len(level) * length > elements * (1 + pairs):
            raise errors.LimitExceeded("elements", len(level) * length // (1 + pairs), elements)
        sizes.append(length)
        level = list(chain.from_iterable(level))
    if list in set(map(type, level)):
        position = next(i for i, each in enumerate(level) if type(each) is list)
        raise _odd_one(position, sizes, "a number is expected, not a list", "number", "a list")
    return level, tuple(sizes)


def _depth(value: Any) -> int:
    depth = 0
    while type(value) is list:
        depth, value = depth + 1, value[0] if value else None
    return depth


def _odd_one(
    position: int, sizes: list[int], text: str, expected: object, actual: object
) -> errors.ShapeError:
    return errors.ShapeError(text, expected=expected, actual=actual, pointer=_index(position, tuple(sizes)))


def _index(position: int, sizes: tuple[int, ...]) -> Place:
    return tuple(int(i) for i in np.unravel_index(position, sizes)) if sizes else ()


def _name(value: object) -> str:
    return _NAMES.get(type(value), "a number")


def _infer(types: set[type], defaults: tuple[engine.DType, engine.DType]) -> engine.DType:
    if types == {bool}:
        return engine.dtype("bool")
    return defaults[1] if types == {int} else defaults[0]


def _refuse(
    flat: list[Any], sizes: tuple[int, ...], fits: Callable[[Any], bool], expected: str
) -> errors.ArgumentError:
    """The first element that does not fit, by its place; its value is not repeated."""
    position = next(i for i, each in enumerate(flat) if not fits(each))
    found = (
        "a fraction" if expected == "an integer" and type(flat[position]) is float else _name(flat[position])
    )
    return errors.ArgumentError(
        f"{expected} is expected, not {found}",
        expected=expected,
        actual=found,
        pointer=_index(position, sizes),
    )


def _booleans(flat: list[Any], dtype: engine.DType, sizes: tuple[int, ...]) -> Array:
    if set(map(type, flat)) - {bool}:
        raise _refuse(flat, sizes, _is_boolean, "a boolean")
    return np.array(flat, np.bool_)


def _is_boolean(value: Any) -> bool:
    return type(value) is bool


def _floats(flat: list[Any], dtype: engine.DType, sizes: tuple[int, ...]) -> Array:
    if set(map(type, flat)) - {float, int}:
        if not all(map(_is_number, flat)):
            raise _refuse(flat, sizes, _is_number, "a number")
        flat = [NONFINITE[each] if type(each) is str else each for each in flat]
    try:
        return np.array(flat, np.float64)
    except OverflowError:
        raise errors.ValueArgumentError(
            "a number is out of the range of float64", expected="float64"
        ) from None


def _is_number(value: Any) -> bool:
    return type(value) in (float, int) or (type(value) is str and value in NONFINITE)


def _integers(flat: list[Any], dtype: engine.DType, sizes: tuple[int, ...]) -> Array:
    if set(map(type, flat)) - {int}:
        if not all(map(_is_integer, flat)):
            raise _refuse(flat, sizes, _is_integer, "an integer")
        flat = [int(each) for each in flat]
    low, high = _bounds(dtype)
    if flat and (min(flat) < low or max(flat) > high):
        raise _overflow(dtype, next(i for i, each in enumerate(flat) if not low <= each <= high), sizes)
    return np.array(flat, dtype.numpy)


def _is_integer(value: Any) -> bool:
    """An integer, a float that is one exactly, or up to twenty digits as a string."""
    if type(value) is str:
        digits = value[1:] if value[:1] == "-" else value
        return 0 < len(digits) <= 20 and digits.isascii() and digits.isdigit()
    return type(value) is int or (type(value) is float and value.is_integer() and abs(value) <= _EXACT)


def _as_integers(values: Array, dtype: engine.DType, sizes: tuple[int, ...]) -> Array:
    if values.dtype == dtype.numpy:
        return values
    low, high = _bounds(dtype)
    if values.size and (values.min() < low or values.max() > high):
        raise _overflow(dtype, int(np.flatnonzero((values < low) | (values > high))[0]), sizes)
    return values.astype(dtype.numpy)


def _bounds(dtype: engine.DType) -> tuple[int, int]:
    info = np.iinfo(dtype.numpy)
    return int(info.min), int(info.max)


def _overflow(dtype: engine.DType, position: int, sizes: tuple[int, ...]) -> errors.RuntimeArgumentError:
    text = f"value cannot be converted to type {dtype.name} without overflow"
    return errors.RuntimeArgumentError(
        "Overflow when unpacking long long" if dtype.name == "int64" else text,
        expected=list(_bounds(dtype)),
        pointer=_index(position, sizes),
    )


_CONVERT: dict[str, Callable[[list[Any], engine.DType, tuple[int, ...]], Array]] = {
    "bool": _booleans,
    "int": _integers,
    "float": _floats,
    "complex": _floats,
}
