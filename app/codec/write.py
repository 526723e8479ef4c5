"""engine.Tensor → a wire tensor, its numbers written straight from the array.

float32 and float16 are written with the digits that float32 has, integers exactly, complex numbers as
[re, im]. orjson writes null for what is not finite: each null is replaced by its own name.
"""

from __future__ import annotations

import binascii
import secrets
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import orjson

import engine
from app.codec.arrays import Array

ENCODINGS = ("list", "flat", "base64")
_HOLE = orjson.dumps(secrets.token_hex(16))  # no client can write it
_FEW = 64  # elements
_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def tensor(value: engine.Tensor, encoding: str, text: bytes | None = None) -> dict[str, Any]:
    """Its `data`, `dtype` and `shape`, for `dumps`; with `text` in place of its numbers."""
    numbers = orjson.Fragment(numbers_of(value.detach().numpy(), encoding) if text is None else text)
    found: dict[str, Any] = {"data": numbers, "dtype": value.dtype.name, "shape": [*value.shape]}
    if encoding == "base64":
        return {"object_type": "array", **found, "data": {"buffer": numbers, "encoding": "base64"}}
    return found


def dumps(document: Any, encoding: str) -> bytes:
    """The document as JSON; tensors may stand anywhere in it."""
    writer = Writer(encoding)
    return b"".join(writer.template(document).pieces(writer.arrays))


class Template:
    """JSON without the numbers of its tensors: what stands between them."""

    __slots__ = ("_between", "_encoding")

    def __init__(self, between: list[bytes], encoding: str) -> None:
        self._between = between
        self._encoding = encoding

    @property
    def size(self) -> int:
        """The bytes between the numbers."""
        return sum(map(len, self._between))

    def pieces(self, arrays: Sequence[Array]) -> list[bytes]:
        """The JSON with the numbers of these arrays, in pieces."""
        found, encoding = [self._between[0]], self._encoding
        for array, text in zip(arrays, self._between[1:], strict=True):
            found += (numbers_of(array, encoding), text)
        return found


class Writer:
    """Makes a template of a document; `arrays` are then the numbers of its tensors, in their order."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self.arrays: list[Array] = []

    def tensor(self, value: engine.Tensor) -> dict[str, Any]:
        """A tensor as it stands in the document. They are given in the order in which they stand there."""
        self.arrays.append(value.detach().numpy())
        return tensor(value, self.encoding, _HOLE)

    def template(self, document: Any) -> Template:
        """The document without its numbers; tensors may stand anywhere in it, those given before first."""

        def write(value: Any) -> Any:
            if isinstance(value, engine.Tensor):
                return self.tensor(value)
            raise TypeError(f"no JSON for {type(value).__name__}")

        return Template(orjson.dumps(document, default=write).split(_HOLE), self.encoding)


def plain(value: Any) -> Any:
    """The value with dataclasses as objects, and numbers that are not finite as strings; tensors stay."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return _NAMES.get(str(value), value) if isinstance(value, float) else value


def numbers_of(array: Array, encoding: str) -> bytes:
    """The numbers as JSON: in lists as nested as the array is, in one list, or as base64 text."""
    kind: str = array.dtype.kind
    if encoding == "base64":
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        return b'"' + binascii.b2a_base64(little.data, newline=False) + b'"'
    if encoding == "flat" or kind == "c":
        array, kind = _laid_out(array, encoding)
    if not array.flags.c_contiguous:
        array = array.copy()
    text = orjson.dumps(array if array.ndim else array[()], None, orjson.OPT_SERIALIZE_NUMPY)
    if kind != "f" or (b"null" not in text if array.size < _FEW else np.isfinite(array).all()):
        return text  # a short text is looked through sooner than its array
    names = [_name(each) for each in array[~np.isfinite(array)].tolist()]
    between = text.split(b"null")
    return b"".join(part for pair in zip(between, [*names, b""], strict=True) for part in pair)


def _laid_out(array: Array, encoding: str) -> tuple[Array, str]:
    """The numbers in one list if they shall be flat, complex ones as pairs; and their kind."""
    shape = (array.size,) if encoding == "flat" else array.shape
    flat = np.ascontiguousarray(array).reshape(-1)
    if array.dtype.kind != "c":
        return flat.reshape(shape), array.dtype.kind
    return flat.view(array.real.dtype).reshape((*shape, 2)), "f"


def _name(value: float) -> bytes:
    return f'"{_NAMES[str(value)]}"'.encode()
