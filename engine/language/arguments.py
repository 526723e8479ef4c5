"""Reading the arguments of statements: references, scalars, tensors, nested nodes, attributes.

What a method raises names its place from the statement on (`("attrs", "dim")`) or from the program on
(`("graph", 3, "in", 0)`); the reader puts the first kind under the statement's own place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.eager.factories import FACTORIES
from engine.errors import (
    ArgumentError,
    DuplicateId,
    EngineError,
    GraphError,
    LimitExceeded,
    Pointer,
    UnknownField,
    UnknownId,
    shown,
)
from engine.language.notation import (
    Temporary,
    booleans,
    complex_of,
    finite,
    finite_names,
    slice_of,
    valid_id,
    whole,
)
from engine.language.statements import Literal, Ref, Statement
from engine.limits import Limits
from engine.op import Op

Decode = Callable[[Any], Any]


class Arguments:
    """What a reader knows of ids, and how it reads what stands in "in" and "attrs"."""

    def __init__(self, decode: Decode, limits: Limits) -> None:
        self._decode = decode
        self._limits = limits
        self._defined: dict[str, Ref] = {}
        self._inner: set[str] = set()
        self._free: dict[str, Pointer] = {}
        self._bodies: list[Pointer] = []  # that are being read, the innermost last
        self._ops: dict[str, Op] = {}  # by the names that were met
        self._count = 0

    @property
    def inputs_used(self) -> dict[str, Pointer]:
        """The names that the program takes from outside, with the place of their first use."""
        return self._free

    def relocate(self, place: Callable[[Pointer], Pointer]) -> None:
        """Give the first uses of names from outside other places."""
        for name, pointer in self._free.items():
            self._free[name] = place(pointer)

    @property
    def defined(self) -> set[str]:
        """The ids that the program defines, those of loop bodies too."""
        return self._inner.union(self._defined)

    def _define(self, name: Any, pointer: Pointer) -> str:
        if not valid_id(name):
            raise GraphError(
                "an id is a letter or _ and up to 63 more letters, digits or _, and no keyword",
                pointer=pointer,
            )
        if name in self._defined:
            raise DuplicateId(f"id '{name}' is defined twice", pointer=pointer)
        if name in self._free:
            body = self._bodies[-1] if self._bodies else ()
            if self._free[name][: len(body)] != body:
                text = f"id '{name}' is defined in a body and used outside of it"
                raise DuplicateId(text, pointer=pointer)
            raise UnknownId(f"id '{name}' is used before it is defined", pointer=self._free[name])
        found = str(name)
        self._defined[found] = Ref(found)
        return found

    # -- attributes

    def _attrs(self, op: Op, raw: Any, positional: int, pointer: Pointer) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise GraphError("attrs is an object", pointer=("attrs",), actual=type(raw).__name__)
        if not raw:
            return {}
        leading = _leading(op)
        if leading in raw:  # "in" starts after it: a string constant never stands there
            positional += 1
        return {name: self._named_attr(op, name, raw[name], positional, leading, pointer) for name in raw}

    def _named_attr(
        self, op: Op, name: str, value: Any, positional: int, leading: str | None, pointer: Pointer
    ) -> Any:
        at = op.positions.get(name)
        if at is None and name == "requires_grad" and op.name in FACTORIES:
            booleans({name: value}, (name,))
            return value
        if at is None:
            raise UnknownField(
                f"{op.short}() got an unexpected keyword argument '{shown(name)}'",
                expected=", ".join(op.positions),
                pointer=("attrs", name),
            )
        param = op.params[at]
        if at < positional and not param.keyword_only and name != leading:
            raise ArgumentError(
                f"{op.short}() got multiple values for argument '{name}'", pointer=("attrs", name)
            )
        found = self._attr(value, (*pointer, "attrs", name))
        if param.kind == "Data" or (param.kind != "str" and type(found) is str):
            return finite_names(found)
        return found

    def _attr(self, raw: Any, pointer: Pointer) -> Any:
        if type(raw) in (str, float):  # a number may be infinite or NaN here: as text it is "Infinity"
            return raw
        if type(raw) is list:
            self._checked("depth", len(pointer), pointer)
            return [self._attr(each, (*pointer, at)) for at, each in enumerate(raw)]
        if type(raw) is dict and "op" in raw:
            raise GraphError(
                "an attribute is no op node: give the node an id and refer to it", pointer=pointer
            )
        return self._arg(raw, pointer, [])

    # -- arguments

    def _args(self, raw: Any, pointer: Pointer, into: list[Statement]) -> list[Any]:
        if type(raw) is not list:
            raise GraphError("in is a list of arguments", pointer=("in",), actual=type(raw).__name__)
        if len(raw) > self._limits.arity:
            self._checked("arity", len(raw), pointer)
        found: list[Any] = []
        for at, each in enumerate(raw):
            known = self._defined.get(each) if type(each) is str else None
            found.append(known or self._arg(each, (*pointer, at), into))
        return found

    def _arg(self, raw: Any, pointer: Pointer, into: list[Statement]) -> Any:
        kind = type(raw)
        if kind is str:
            return self._reference(raw, pointer)
        if raw is None or kind is bool:
            return raw
        if kind is int:
            return whole(raw, pointer)
        if kind is float:
            return finite(raw, pointer)
        if kind is complex:
            return complex_of([raw.real, raw.imag], pointer)
        if kind is list:
            self._checked("depth", len(pointer), pointer)
            if any(type(each) in (str, dict) for each in raw):
                self._checked("arity", len(raw), pointer)
            return [self._arg(each, (*pointer, at), into) for at, each in enumerate(raw)]
        if kind is dict:
            return self._special(raw, pointer, into)
        if hasattr(raw, "meta"):
            return Literal(raw, raw)
        raise ArgumentError("not an argument", pointer=pointer, actual=kind.__name__)

    def _special(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> Any:
        if "op" in raw:
            return self._nested(raw, pointer, into)
        ((key, value),) = raw.items() if len(raw) == 1 else ((None, None),)
        if key == "tensor":
            return self._literal(value, (*pointer, "tensor"))
        if key == "slice":
            return slice_of(value, (*pointer, "slice"))
        if key == "ellipsis" and value is True:
            return Ellipsis
        if key == "complex":
            return complex_of(value, (*pointer, "complex"))
        if key == "ref" and isinstance(value, str):
            return self._reference(value, (*pointer, "ref"))
        raise GraphError(
            "not an argument: an object is an op node, a tensor, a slice, an ellipsis or a complex",
            pointer=pointer,
        )

    def _nested(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> Ref:
        if "id" in raw or "out" in raw:
            raise UnknownField("a nested node has no id", pointer=(*pointer, "id" if "id" in raw else "out"))
        name = f"${self._count}"
        self._statement(dict(raw, id=Temporary(name)), pointer, into)
        return Ref(name)

    def _reference(self, name: str, pointer: Pointer) -> Ref:
        if name in self._defined:
            return self._defined[name]
        if name not in self._free:
            if not valid_id(name):
                raise UnknownId(f"unknown id '{shown(name)}'", pointer=pointer)
            self._free[name] = pointer
        return Ref(name)

    def _literal(self, raw: Any, pointer: Pointer) -> Literal:
        try:
            return Literal(raw, self._decode(raw))
        except EngineError as error:
            raise error.at(pointer) from None

    def _checked(self, limit: str, asked: int, pointer: Pointer) -> None:
        if asked > getattr(self._limits, limit):
            raise LimitExceeded(limit, asked, getattr(self._limits, limit)).at(pointer)

    def _statement(self, raw: Any, pointer: Pointer, into: list[Statement]) -> None:
        raise NotImplementedError


def _leading(op: Op) -> str | None:
    """The name of a first parameter that is a setting with operands behind it, as in einsum and polygamma."""
    if not op.params or op.params[0].kind not in ("str", "int"):
        return None
    first, *others = op.params
    return first.name if first.kind == "str" or any(each.is_operand for each in others) else None
