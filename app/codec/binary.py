"""The binary body: the safetensors format, with the JSON of the request or the answer in its metadata.

    8 bytes     n, little-endian
    n bytes     {"__metadata__": {"gradwire": "{…}"}, "inputs/x": {"dtype": "F64", "shape": [2, 3],
                 "data_offsets": [0, 48]}, …}, spaces behind it
    the rest    the tensors' bytes, little-endian, in C order, end to end

A tensor is named by its place in that JSON: the RFC 6901 pointer without its first slash. complex128, which
the format lacks, is F64 with a last axis of 2, and so is complex64 as F32; the JSON says which it is.
"""

from __future__ import annotations

import math
import sys
from typing import Any, NamedTuple

import msgspec
import numpy as np
import orjson

import engine
from app.codec import text
from app.codec.arrays import Array
from app.errors import MAX_NAME, Problem
from engine import errors

METADATA, OURS = "__metadata__", "gradwire"
ALIGNMENT = 8
MAX_RANK = 64  # numpy's; a limit of ours is below it
DTYPES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64",
    "F16": "float16", "F32": "float32", "F64": "float64", "C64": "complex64", "BF16": "bfloat16",
}  # fmt: skip
NAMES = {each: name for name, each in DTYPES.items()} | {"complex64": "F32", "complex128": "F64"}
COUNTERPARTS = {"complex64": "float32", "complex128": "float64"}

Buffer = bytes | bytearray | memoryview


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


_ENTRY = msgspec.json.Decoder(_Entry)


class Stored(NamedTuple):
    """A tensor of a binary body: as many bytes as its shape takes, though the shape may be beyond limits."""

    dtype: engine.DType
    shape: tuple[int, ...]
    content: memoryview


class Attached(NamedTuple):
    """What a request's JSON says of a tensor, and the tensors of a binary body that stand at its place."""

    raw: bytes = b"{}"
    data: Stored | None = None
    grad: Stored | None = None


def split(body: Buffer) -> tuple[bytes, dict[str, Stored]]:
    """The JSON and the tensors by name, on the body's own memory. Raises Problem."""
    view = memoryview(body).toreadonly()
    size = int.from_bytes(view[:8], "little")
    if len(view) < 8 or size > len(view) - 8:
        raise invalid(f"the header's size is {size}, the body has {len(view)} bytes", "truncated")
    header, content = bytes(view[8 : 8 + size]), view[8 + size :]
    if header[:1] != b"{":
        raise invalid("the header begins with '{'", "no header")
    parts = text.members(header)
    document = _document(parts.pop(METADATA, b"{}"))
    entries = sorted(((name, _entry(name, raw)) for name, raw in parts.items()), key=_offsets)
    found, end = {}, 0
    for name, entry in entries:
        found[name] = _stored(name, entry, content, end)
        end = entry.data_offsets[1]
    if end != len(content):
        raise invalid(f"the tensors end at byte {end} of {len(content)}", "bytes that no tensor has")
    return document, found


def invalid(detail: str, actual: str) -> Problem:
    """The problem of a body that is not what its headers say."""
    return Problem("invalid-body", f"The body is no safetensors: {detail}.", errors=[{"actual": actual}])


def _document(raw: bytes) -> bytes:
    metadata = text.value(raw, (METADATA,))
    found = metadata.get(OURS) if isinstance(metadata, dict) else None
    if not isinstance(found, str):
        raise invalid(f"{METADATA} has the request's JSON, as a string, under '{OURS}'", "no such string")
    return found.encode()


def _entry(name: str, raw: bytes) -> _Entry:
    try:
        entry = _ENTRY.decode(raw)
    except (ValueError, RecursionError) as error:
        raise invalid(f"{_shown(name)} has {text.invalid(error).detail}", "no entry") from None
    if raw.count(b":") != 3:
        raise invalid(f"{_shown(name)} has a key twice", "duplicate key")
    return entry


def _offsets(named: tuple[str, _Entry]) -> tuple[int, int]:
    return named[1].data_offsets


def _stored(name: str, entry: _Entry, content: memoryview, end: int) -> Stored:
    """The tensor, whose bytes must begin where those before it end."""
    dtype = DTYPES.get(entry.dtype)
    if dtype is None:
        raise Problem(
            "not-implemented",
            f"{_shown(name)}: such a dtype is not supported",
            errors=[{"pointer": f"/{name[:MAX_NAME]}", "expected": list(DTYPES)}],
        )
    found, (start, stop) = engine.dtype(dtype), entry.data_offsets
    if start != end or not start <= stop <= len(content):
        raise invalid(
            f"{_shown(name)} has bytes {start} to {stop}; it begins at {end}, and there are {len(content)}",
            "a gap, an overlap, or too few bytes",
        )
    if len(entry.shape) > MAX_RANK:  # before their product is taken
        raise invalid(f"{_shown(name)} has {len(entry.shape)} dimensions", "too many dimensions")
    if min(entry.shape, default=0) < 0 or math.prod(entry.shape) * found.itemsize != stop - start:
        raise invalid(f"the shape of {_shown(name)} does not take {stop - start} bytes", "another size")
    return Stored(found, tuple(entry.shape), content[start:stop])


def _shown(name: str) -> str:
    return f"'{name if len(name) <= MAX_NAME else name[:MAX_NAME] + '…'}'"


def from_stored(
    stored: Stored, dtype: engine.DType | None, shape: tuple[int, ...] | None, limits: tuple[int, int]
) -> Array:
    """The array, on the body's memory where that is aligned, not writable. `dtype` and `shape` are what the
    JSON declares, `limits` rank and elements."""
    sizes, wanted = stored.shape, stored.dtype if dtype is None else dtype
    pairs = COUNTERPARTS.get(wanted.name) == stored.dtype.name and sizes[-1:] == (2,)
    if stored.dtype is not wanted and not pairs:
        raise errors.DTypeError(
            f"the tensor is {stored.dtype.name}, declared is {wanted.name}",
            expected=wanted.name,
            actual=stored.dtype.name,
        )
    sizes = sizes[:-1] if pairs else sizes
    if shape is not None and shape != sizes:
        raise errors.ShapeError(
            f"the tensor has shape {list(sizes)}, declared is {list(shape)}",
            expected=list(shape),
            actual=list(sizes),
        )
    if len(sizes) > limits[0]:
        raise errors.LimitExceeded("rank", len(sizes), limits[0])
    elements = math.prod(size or 1 for size in sizes)  # numpy counts so too
    if elements > limits[1]:
        raise errors.LimitExceeded("elements", elements, limits[1])
    if wanted.name == "bool" and np.frombuffer(stored.content, np.uint8).max(initial=0) > 1:
        raise errors.ValueArgumentError("a boolean's byte is 0 or 1", expected="0 or 1")
    array = np.frombuffer(stored.content, wanted.numpy.newbyteorder("<"))
    array = array if array.flags.aligned and sys.byteorder == "little" else array.astype(wanted.numpy)
    array.flags.writeable = False
    return array.reshape(sizes)


class Writer:
    """Takes the tensors out of an answer, and puts them behind its JSON."""

    def __init__(self) -> None:
        self._tensors: list[tuple[str, str, Array]] = []

    def tensor(self, value: engine.Tensor, place: tuple[str, ...]) -> dict[str, Any]:
        """What stands at the tensor's place: what is known of it but its numbers."""
        array = np.ascontiguousarray(value.detach().numpy()).reshape(tuple(value.shape))
        self._tensors.append(("/".join(place), value.dtype.name, array))
        return {"dtype": value.dtype.name, "shape": list(array.shape)}

    def lift(self, value: Any, place: tuple[str, ...]) -> Any:
        """The value with each tensor in it taken out."""
        if isinstance(value, engine.Tensor):
            return self.tensor(value, place)
        if isinstance(value, dict):
            return {name: self.lift(each, (*place, name)) for name, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.lift(each, (*place, str(number))) for number, each in enumerate(value)]
        return value

    def pieces(self, document: Any) -> tuple[bytes | memoryview, ...]:
        """The body: its head, then the tensors' own memory; large elements first, so that all are aligned."""
        header: dict[str, Any] = {METADATA: {OURS: orjson.dumps(document).decode()}}
        contents, end = [], 0
        for name, dtype, array in sorted(self._tensors, key=_itemsize, reverse=True):
            shape = [*array.shape, 2] if array.dtype.kind == "c" else [*array.shape]
            header[name] = {"dtype": NAMES[dtype], "shape": shape, "data_offsets": [end, end + array.nbytes]}
            contents.append(_bytes(array))
            end += array.nbytes
        found = orjson.dumps(header)
        found += b" " * (-len(found) % ALIGNMENT)
        return len(found).to_bytes(8, "little") + found, *contents


def _itemsize(named: tuple[str, str, Array]) -> int:
    return int(named[2].real.itemsize)


def _bytes(array: Array) -> memoryview:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return little.reshape(-1).view(np.uint8).data
