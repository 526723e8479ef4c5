"""Reading the arguments of statements: references, scalars, tensors, nested nodes, attributes."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable
from typing import Any

from engine.errors import ArgumentError, DuplicateId, EngineError, GraphError, Pointer, UnknownField, UnknownId
from engine.limits import Limits
from engine.op import Op
from engine.statements import Literal, Ref, Statement

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}").fullmatch
_RESERVED = frozenset({"data", "dtype", "shape", "tensor", "ref"})
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
Decode = Callable[[Any], Any]


class Arguments:
    """What a reader knows of ids, and how it reads what stands in "in" and "attrs"."""

    def __init__(self, decode: Decode, limits: Limits, inputs: frozenset[str] | None = None) -> None:
        self._decode = decode
        self._limits = limits
        self._defined: set[str] = set()
        self._free: dict[str, Pointer] = {}  # names used before any definition: they must be inputs
        self._inputs = inputs
        self._count = 0

    @property
    def inputs_used(self) -> dict[str, Pointer]:
        """The names that the program takes from outside, with the place of their first use."""
        return self._free

    @property
    def defined(self) -> set[str]:
        """The ids that the program defines, outside of loop bodies."""
        return self._defined


    def _define(self, name: Any, pointer: Pointer) -> str:
        if not valid_id(name):
            raise GraphError(
                "an id is a letter or _ and up to 63 more letters, digits or _, and no keyword", pointer=pointer
            )
        if name in self._defined or (self._inputs is not None and name in self._inputs):
            raise DuplicateId(f"id '{name}' is defined twice", pointer=pointer)
        if name in self._free:
            raise UnknownId(f"id '{name}' is used before it is defined", pointer=self._free[name])
        self._defined.add(name)
        return str(name)

    def _attrs(self, op: Op, raw: Any, positional: int, pointer: Pointer) -> dict[str, Any]:
        if not raw and isinstance(raw, dict):
            return {}
        if not isinstance(raw, dict):
            raise GraphError("attrs is an object", pointer=("attrs",), actual=type(raw).__name__)
        named = {p.name: at for at, p in enumerate(op.params)}
        found = {}
        for name, value in raw.items():
            at = named.get(name)
            if at is None:
                known = ", ".join(named)
                raise UnknownField(
                    f"{op.short}() got an unexpected keyword argument '{shown(name)}'",
                    expected=known,
                    pointer=("attrs", name),
                )
            if at < positional and not op.params[at].keyword_only:
                raise ArgumentError(f"{op.short}() got multiple values for argument '{name}'", pointer=("attrs", name))
            if op.params[at].kind != "str" and isinstance(value, str):
                value = _NON_FINITE.get(value, value)
                found[name] = value
            else:
                found[name] = self._attr(value, (*pointer, "attrs", name))
        return found

    def _args(self, raw: Any, pointer: Pointer, into: list[Statement]) -> list[Any]:
        if not isinstance(raw, list):
            raise GraphError("in is a list of arguments", pointer=("in",), actual=type(raw).__name__)
        self._limits.check("arity", len(raw))
        return [self._arg(each, (*pointer, at), into) for at, each in enumerate(raw)]

    def _arg(self, raw: Any, pointer: Pointer, into: list[Statement]) -> Any:
        kind = type(raw)
        if kind is str:
            return self._reference(raw, pointer)
        if raw is None or kind is bool or kind is int:
            return raw
        if kind is float:
            return _finite(raw, pointer)
        if kind is list:
            if any(type(each) in (str, dict) for each in raw):
                self._limits.check("arity", len(raw))
            return [self._arg(each, (*pointer, at), into) for at, each in enumerate(raw)]
        if kind is dict:
            return self._special(raw, pointer, into)
        if hasattr(raw, "meta"):
            return Literal(raw, raw)
        raise ArgumentError("not an argument", pointer=pointer, actual=kind.__name__)

    def _special(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> Any:
        if "op" in raw:
            return self._nested(raw, pointer, into)
        if len(raw) == 1:
            ((key, value),) = raw.items()
            if key == "tensor":
                return self._placed(value, (*pointer, "tensor"))
            if key == "slice" and isinstance(value, list) and len(value) == 3:
                return slice(*(self._arg(each, (*pointer, "slice", at), into) for at, each in enumerate(value)))
            if key == "ellipsis" and value is True:
                return Ellipsis
            if key == "complex" and isinstance(value, list) and len(value) == 2 and all(type(v) in (int, float) for v in value):
                return complex(*value)
            if key == "ref" and isinstance(value, str):
                return self._reference(value, (*pointer, "ref"))
        raise GraphError("not an argument: an object is an op node, a tensor, a slice, an ellipsis or a complex", pointer=pointer)

    def _nested(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> Ref:
        if "id" in raw or "out" in raw:
            raise UnknownField("a nested node has no id", pointer=(*pointer, "id" if "id" in raw else "out"))
        self._limits.check("depth", len(pointer))
        name = f"${self._count}"
        self._statement(dict(raw, id=_Temporary(name)), pointer, into)
        return Ref(name)

    def _attr(self, raw: Any, pointer: Pointer) -> Any:
        if type(raw) is str:
            return raw
        if type(raw) is float:
            return _finite(raw, pointer)
        if type(raw) is list:
            return [self._attr(each, (*pointer, at)) for at, each in enumerate(raw)]
        if type(raw) is dict and "op" in raw:
            raise GraphError("an attribute is no op node: give the node an id and refer to it", pointer=pointer)
        return self._arg(raw, pointer, [])

    def _reference(self, name: str, pointer: Pointer) -> Ref:
        if name not in self._defined:
            if not valid_id(name) or (self._inputs is not None and name not in self._inputs):
                raise UnknownId(f"unknown id '{shown(name)}'", pointer=pointer)
            self._free.setdefault(name, pointer)
        return Ref(name)

    def _placed(self, raw: Any, pointer: Pointer) -> Literal:
        try:
            return self._literal(raw, ())
        except EngineError as error:
            raise error.at(pointer) from None

    def _literal(self, raw: Any, pointer: Pointer = ("tensor",)) -> Literal:
        try:
            return Literal(raw, self._decode(raw))
        except EngineError as error:
            raise error.at(pointer) from None

    def _statement(self, raw: Any, pointer: Pointer, into: list[Statement]) -> None:
        raise NotImplementedError


class _Temporary(str):
    """The id of a nested node."""


def valid_id(name: Any) -> bool:
    if type(name) is _Temporary:
        return True
    return isinstance(name, str) and bool(_ID(name)) and not keyword.iskeyword(name) and name not in _RESERVED


def shown(name: object) -> str:
    text = str(name)
    return text if len(text) <= 64 and text.isprintable() else "…"


def _finite(value: float, pointer: Pointer) -> float:
    if not math.isfinite(value):
        raise ArgumentError("a number in a graph is finite", pointer=pointer)
    return value


def fields(raw: Any, allowed: frozenset[str], pointer: Pointer = ()) -> None:
    if not isinstance(raw, dict):
        raise GraphError("not an object", pointer=pointer, actual=type(raw).__name__)
    unknown = raw.keys() - allowed
    if unknown:
        name = min(map(str, unknown))
        raise UnknownField(f"unknown field '{shown(name)}'", expected=sorted(allowed), pointer=(*pointer, name))


def booleans(settings: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if name in settings and not isinstance(settings[name], bool):
            raise ArgumentError(f"{name} is true or false", pointer=("attrs", name), actual=type(settings[name]).__name__)
