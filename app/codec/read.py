"""A wire tensor → engine.Tensor: a bare number or list, `{"data", …}`, the base64 object, or a tensor of a
binary body, with what the JSON says of it.

Types are strict: a string is no number (but for the three non-finite ones, and digits under an integer
dtype), a boolean is no number, a number is no boolean. What is wrong is raised as an engine error whose
pointer is relative to the tensor; what is no JSON as a Problem, so `at` says where the tensor stands.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import engine
from app.codec import text
from app.codec.arrays import FLOATING, Array, Place, from_numbers, kind_of
from app.codec.binary import Attached, Stored, from_stored
from app.codec.buffers import from_buffer
from app.codec.numbers import array_of
from engine import errors

FIELDS = ("data", "dtype", "shape", "requires_grad", "object_type")
LONG = 512  # bytes of JSON from which simdjson is faster than a list


@dataclass(frozen=True, slots=True)
class Rules:
    """What a tensor may be, and what it is where the request does not say."""

    rank: int
    elements: int
    floats: engine.DType
    integers: engine.DType | None = None  # None: int64, or `floats` under requires_grad
    lists: Mapping[bytes, bytes] | None = None  # that were cut out, by their marks

    def exactly(self, dtype: engine.DType) -> Rules:
        """The same for tensors that are of this dtype where they do not say another."""
        return replace(self, floats=dtype, integers=dtype)


Raw = bytes | Attached  # a tensor that nobody has read yet


def tensor(raw: Raw, rules: Rules, at: text.Path) -> engine.Tensor:
    """The tensor that this JSON text, or a part of a binary body, describes."""
    return _tensor(_fields(raw, rules, at), rules, _place(isinstance(raw, bytes) and raw[:1] == b"{"))


def tensor_and_grad(raw: Raw, rules: Rules, at: text.Path) -> tuple[engine.Tensor, engine.Tensor | None]:
    """The same for an input, which may carry an earlier `.grad`."""
    fields = _fields(raw, rules, at)
    grad = fields.pop("grad", None)
    found = _tensor(fields, rules, _place(isinstance(raw, bytes) and raw[:1] == b"{"))
    if grad is None:
        return found, None
    try:
        return found, tensor(grad, rules.exactly(found.dtype), (*at, "grad"))
    except errors.EngineError as error:
        raise error.at(("grad",)) from None


def literal(value: Any, rules: Rules) -> engine.Tensor:
    """The tensor that this value inside a graph describes."""
    named = isinstance(value, dict)
    return _tensor(value if named else {"data": value}, rules, _place(named))


def _place(named: bool) -> Place:
    """Where the numbers stand in the tensor."""
    return ("data",) if named else ()


def _fields(raw: Raw, rules: Rules, at: text.Path) -> dict[str, Any]:
    """The tensor's fields as values; a long list of numbers as an array already, `grad` as its own text."""
    if isinstance(raw, Attached):
        return _attached(raw, rules, at)
    if raw[:1] != b"{":
        return {"data": _data(raw, None, rules, at)}
    parts = text.members(raw, at)
    late = {name: parts.pop(name) for name in ("data", "grad") if name in parts}
    fields = {name: text.value(part, (*at, name)) for name, part in parts.items()}
    if "data" in late:
        fields["data"] = _data(late["data"], fields.get("dtype"), rules, (*at, "data"))
    if late.get("grad", b"null") != b"null":
        fields["grad"] = late["grad"]
    return fields


def _attached(raw: Attached, rules: Rules, at: text.Path) -> dict[str, Any]:
    """The fields that stand in the JSON, and those that stand beside it."""
    if raw.raw[:1] != b"{":
        raise errors.ArgumentError("an object is expected beside a binary tensor", expected="object")
    fields = _fields(raw.raw, rules, at)
    beside = {"data": raw.data, "grad": None if raw.grad is None else Attached(data=raw.grad)}
    for name, value in beside.items():
        if value is not None and name in fields:
            raise errors.ArgumentError(
                f"'{name}' stands in the JSON and beside it", expected="one of them", pointer=(name,)
            )
        if value is not None:
            fields[name] = value
    return fields


def _data(raw: bytes, dtype: object, rules: Rules, at: text.Path) -> Any:
    raw = rules.lists.get(raw, raw) if rules.lists else raw
    if len(raw) >= LONG and raw[:1] == b"[":
        wanted = kind_of(dtype) if isinstance(dtype, str) else None
        if wanted != "bool":
            array = array_of(raw, FLOATING[wanted], rules.elements)
            if array is not None:
                return array
    return text.value(raw, at)


def _tensor(fields: dict[str, Any], rules: Rules, place: Place) -> engine.Tensor:
    for name in fields:
        if name not in FIELDS:
            raise errors.UnknownField("a tensor has no such field", expected=list(FIELDS), pointer=(name,))
    if "data" not in fields:
        raise errors.ArgumentError("a tensor needs data", expected="data")
    if fields.get("object_type", "array") != "array":
        raise errors.ArgumentError("the object type is 'array'", expected="array", pointer=("object_type",))
    requires_grad = fields.get("requires_grad", False)
    if not isinstance(requires_grad, bool):
        raise errors.ArgumentError(
            "true or false is expected", expected="boolean", pointer=("requires_grad",)
        )
    dtype = _dtype(fields["dtype"]) if "dtype" in fields else None
    shape = _shape(fields["shape"], rules) if "shape" in fields else None
    try:
        array = _array(fields["data"], dtype, shape, requires_grad, rules)
    except errors.EngineError as error:
        raise error.at(place) from None
    return engine.from_numpy(array, requires_grad=requires_grad)


def _array(
    data: Any, dtype: engine.DType | None, shape: tuple[int, ...] | None, requires_grad: bool, rules: Rules
) -> Array:
    if isinstance(data, Stored):
        return from_stored(data, dtype, shape, (rules.rank, rules.elements))
    if isinstance(data, dict):
        return from_buffer(data, dtype, shape)
    integers = rules.integers or (rules.floats if requires_grad else engine.dtype("int64"))
    return from_numbers(data, dtype, shape, (rules.floats, integers), (rules.rank, rules.elements))


def _dtype(name: object) -> engine.DType:
    if not isinstance(name, str):
        raise errors.ArgumentError("a dtype is given by its name", expected="string", pointer=("dtype",))
    try:
        return engine.dtype(name)
    except errors.EngineError as error:
        raise error.at(("dtype",)) from None


def _shape(sizes: object, rules: Rules) -> tuple[int, ...]:
    """The declared shape, refused before anything of that size exists."""
    if not isinstance(sizes, list):
        raise errors.ArgumentError("a shape is a list of sizes", expected="array", pointer=("shape",))
    if len(sizes) > rules.rank:
        raise errors.LimitExceeded("rank", len(sizes), rules.rank).at(("shape",))
    for axis, size in enumerate(sizes):
        if type(size) is not int or size < 0:
            raise errors.ValueArgumentError(
                "a size is a whole number from 0", expected="integer >= 0", pointer=("shape", axis)
            )
    elements = math.prod(size or 1 for size in sizes)  # numpy counts so too
    if elements > rules.elements:
        raise errors.LimitExceeded("elements", elements, rules.elements).at(("shape",))
    return tuple(sizes)
