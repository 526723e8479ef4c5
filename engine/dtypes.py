"""The dtypes, and torch's rules of type promotion.

Categories are ordered bool < integer < float < complex. Operands come in three priorities: tensors with
dimensions, 0-dim tensors, Python scalars. A lower priority changes the result's dtype only if its category
is higher (torch docs, "Type promotion").
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from engine.errors import NotImplementedYet, RuntimeArgumentError, ValueArgumentError

BOOL, INTEGER, FLOAT, COMPLEX = range(4)
_KIND_CATEGORY = {"b": BOOL, "i": INTEGER, "u": INTEGER, "f": FLOAT, "c": COMPLEX}


class DType:
    """An element type: `name`, its numpy dtype `numpy`, its promotion `category` and `itemsize` in bytes."""

    __slots__ = ("category", "itemsize", "name", "numpy", "title")

    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.title = title  # as torch's error texts call it: Float, Long …
        self.numpy: np.dtype[Any] = np.dtype(name)
        self.category = _KIND_CATEGORY[self.numpy.kind]
        self.itemsize = self.numpy.itemsize

    @property
    def is_floating_point(self) -> bool:
        return self.category == FLOAT

    @property
    def is_complex(self) -> bool:
        return self.category == COMPLEX

    @property
    def differentiable(self) -> bool:
        return self.category >= FLOAT

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return dtype, (self.name,)


_TITLES = {
    "bool": "Bool",
    "uint8": "Byte",
    "int8": "Char",
    "int16": "Short",
    "int32": "Int",
    "int64": "Long",
    "float16": "Half",
    "float32": "Float",
    "float64": "Double",
    "complex64": "ComplexFloat",
    "complex128": "ComplexDouble",
}
DTYPES: dict[str, DType] = {name: DType(name, title) for name, title in _TITLES.items()}
bool_, uint8, int8, int16, int32, int64, float16, float32, float64, complex64, complex128 = DTYPES.values()
ALIASES = {"half": "float16", "float": "float32", "double": "float64", "long": "int64", "int": "int32"}
ALIASES |= {"short": "int16", "cfloat": "complex64", "cdouble": "complex128"}
REFUSED = ("bfloat16", "complex32", "chalf")
_BY_NUMPY = {d.numpy: d for d in DTYPES.values()}
_TO_COMPLEX = {float16: complex64, float32: complex64, float64: complex128}
_TO_REAL = {complex64: float32, complex128: float64}

_default: contextvars.ContextVar[DType] = contextvars.ContextVar("default_dtype", default=float32)


def dtype(name: str | DType | np.dtype[Any] | type) -> DType:
    """The DType called `name` (`"float32"`, a numpy dtype, `float`); ValueError if there is none."""
    if isinstance(name, str):
        if name in DTYPES:
            return DTYPES[name]
        short = name.removeprefix("torch.")
        found = DTYPES.get(ALIASES.get(short, short))
        if found is not None:
            return found
        if short in REFUSED:
            raise NotImplementedYet(f"dtype '{short}' is not supported")
        raise ValueArgumentError(f"unknown dtype, expected one of {', '.join(DTYPES)}")
    if isinstance(name, DType):
        return name
    if isinstance(name, np.dtype) and name in _BY_NUMPY:
        return _BY_NUMPY[name]
    if isinstance(name, type) and name in (bool, int, float, complex):
        return {
            bool: bool_,
            int: int64,
            float: get_default_dtype(),
            complex: complex_of(get_default_dtype()),
        }[name]
    try:
        return _BY_NUMPY[np.dtype(name).newbyteorder("=")]
    except (KeyError, TypeError) as error:
        raise ValueArgumentError(f"unknown dtype, expected one of {', '.join(DTYPES)}") from error


def get_default_dtype() -> DType:
    """The dtype that Python floats become; float32 unless changed."""
    return _default.get()


def set_default_dtype(new: DType) -> None:
    """Make `new`, a floating dtype, the one that Python floats become (in this context)."""
    if not new.is_floating_point:
        raise RuntimeArgumentError(
            f"only floating-point types are supported as the default type, got {new!r}"
        )
    _default.set(new)


@contextlib.contextmanager
def default_dtype(new: DType) -> Iterator[None]:
    """`new` is the default dtype inside the block."""
    token = _default.set(new)
    try:
        yield
    finally:
        _default.reset(token)


def complex_of(real: DType) -> DType:
    """The complex dtype whose parts are `real`."""
    return _TO_COMPLEX.get(real, real)


def real_of(dtype: DType) -> DType:
    """The dtype of the real part."""
    return _TO_REAL.get(dtype, dtype)


def scalar_dtype(value: bool | int | float | complex) -> DType:
    """The dtype a Python scalar has as a 0-dim tensor."""
    if isinstance(value, (bool, np.bool_)):
        return bool_
    if isinstance(value, (int, np.integer)):
        return int64
    return complex_of(_default.get()) if isinstance(value, complex) else _default.get()


def promote(left: DType, right: DType) -> DType:
    """The common dtype of two operands of one priority."""
    if left is right:
        return left
    if left.category != right.category and BOOL < min(left.category, right.category) < FLOAT:
        return left if left.category > right.category else right
    if {left.category, right.category} == {BOOL, COMPLEX}:
        return left if left.category == COMPLEX else right
    return _BY_NUMPY[np.promote_types(left.numpy, right.numpy)]


def _combine(higher: DType | None, lower: DType | None) -> DType | None:
    if higher is None or lower is None:
        return higher or lower
    if lower.category <= higher.category or higher.category == COMPLEX:
        return higher
    if higher.category == FLOAT:
        return complex_of(higher)
    return promote(higher, lower)


def result_dtype(dimensioned: Iterable[DType], zero_dim: Iterable[DType], scalars: Iterable[DType]) -> DType:
    """The dtype of an op on operands of the three priorities; at least one is given."""
    found: list[DType | None] = []
    for group in (dimensioned, zero_dim, scalars):
        common: DType | None = None
        for each in group:
            common = each if common is None else promote(common, each)
        found.append(common)
    result = _combine(_combine(found[0], found[1]), found[2])
    assert result is not None
    return result
