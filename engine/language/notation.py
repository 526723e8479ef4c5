"""How ids, fields and numbers are written in a program, and the refusal of what is not."""

from __future__ import annotations

import keyword
import math
from typing import Any

from engine.errors import ArgumentError, GraphError, Pointer, UnknownField, ValueArgumentError, shown

_LONGEST = 64  # letters of an id
_RESERVED = frozenset({"data", "dtype", "shape", "tensor", "ref", *keyword.kwlist})
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class Temporary(str):
    """The id of a nested node, which a program cannot write."""


def valid_id(name: Any) -> bool:
    """Whether `name` may be given to a value."""
    if type(name) is Temporary:
        return True
    plain = isinstance(name, str) and name.isidentifier() and name.isascii()
    return plain and len(name) <= _LONGEST and name not in _RESERVED


def fields(raw: Any, allowed: frozenset[str], pointer: Pointer = ()) -> None:
    """`raw` is an object with no other fields than `allowed`."""
    if not isinstance(raw, dict):
        raise GraphError("not an object", pointer=pointer, actual=type(raw).__name__)
    if not raw.keys() <= allowed:
        name = min(map(str, raw.keys() - allowed))
        raise UnknownField(
            f"unknown field '{shown(name)}'", expected=sorted(allowed), pointer=(*pointer, name)
        )


def booleans(settings: dict[str, Any], names: tuple[str, ...]) -> None:
    """Those of `settings` that `names` names are true or false."""
    for name in names:
        if name in settings and not isinstance(settings[name], bool):
            raise ArgumentError(
                f"{name} is true or false", pointer=("attrs", name), actual=type(settings[name]).__name__
            )


def finite(value: float, pointer: Pointer) -> float:
    """`value`, of which "in" has no text if it is not finite; attributes have one."""
    if not math.isfinite(value):
        raise ArgumentError(
            'a number here is finite; "attrs" takes "NaN", "Infinity" and "-Infinity"', pointer=pointer
        )
    return value


def whole(value: int, pointer: Pointer) -> int:
    if not -(2**63) <= value < 2**64:
        raise ValueArgumentError("a whole number has at most 64 bits", pointer=pointer)
    return value


def finite_names(value: Any) -> Any:
    """Numbers in place of "NaN", "Infinity" and "-Infinity", in nested lists too."""
    if type(value) is list:
        return [finite_names(each) for each in value]
    return _NON_FINITE.get(value, value) if type(value) is str else value


def finite_or_name(value: float) -> float | str:
    """A number as JSON has it: "NaN", "Infinity" or "-Infinity" where it is not finite."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def slice_of(value: Any, pointer: Pointer) -> slice:
    if not isinstance(value, list) or len(value) != 3:
        raise GraphError("a slice has three parts: start, stop, step", pointer=pointer, expected=3)
    for at, each in enumerate(value):
        if each is not None and type(each) is not int:
            raise ArgumentError("a part of a slice is a whole number or null", pointer=(*pointer, at))
    return slice(*value)


def complex_of(value: Any, pointer: Pointer) -> complex:
    if not isinstance(value, list) or len(value) != 2:
        raise GraphError("a complex number has two parts: [re, im]", pointer=pointer, expected=2)
    for at, each in enumerate(value):
        if type(each) not in (int, float):
            raise ArgumentError("a part of a complex number is a number", pointer=(*pointer, at))
        if not math.isfinite(whole(each, (*pointer, at)) if type(each) is int else each):
            raise ArgumentError("a part of a complex number is finite", pointer=(*pointer, at))
    return complex(*value)
