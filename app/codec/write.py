"""engine.Tensor → a wire tensor, its numbers written straight from the array.

float32 and float16 are written with the digits that float32 has, integers exactly, complex numbers as
[re, im]. orjson writes null for what is not finite: each null is replaced by its own name.
"""

from __future__ import annotations

import binascii
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import orjson

import engine
from app.codec.arrays import Array

ENCODINGS = ("list", "flat", "base64")
_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def tensor(value: engine.Tensor, encoding: str) -> dict[str, Any]:
    """Its `data`, `dtype` and `shape`, for `dumps`."""
    array = np.ascontiguousarray(value.detach().numpy()).reshape(tuple(value.shape))
    found: dict[str, Any] = {"data": None, "dtype": value.dtype.name, "shape": list(array.shape)}
    if encoding == "base64":
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        text = b'"' + binascii.b2a_base64(little.data, newline=False) + b'"'
        return {
            "object_type": "array",
            **found,
            "data": {"buffer": orjson.Fragment(text), "encoding": "base64"},
        }
    found["data"] = orjson.Fragment(_numbers(array.reshape(-1) if encoding == "flat" else array))
    return found


def dumps(document: Any, encoding: str) -> bytes:
    """The document as JSON; tensors may stand anywhere in it."""

    def write(value: Any) -> Any:
        if isinstance(value, engine.Tensor):
            return tensor(value, encoding)
        raise TypeError(f"no JSON for {type(value).__name__}")

    return orjson.dumps(document, default=write)


def plain(value: Any) -> Any:
    """The value with dataclasses as objects, and numbers that are not finite as strings; tensors stay."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return _NAMES.get(str(value), value) if isinstance(value, float) else value


def _numbers(array: Array) -> bytes:
    if array.dtype.kind == "c":
        array = array.reshape(-1).view(array.real.dtype).reshape((*array.shape, 2))
    text = _finite(array) if array.ndim else _finite(array.reshape(1))[1:-1]
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        names = [_name(each) for each in array[~np.isfinite(array)].tolist()]
        between = text.split(b"null")
        text = b"".join(part for pair in zip(between, [*names, b""], strict=True) for part in pair)
    return text


def _finite(array: Array) -> bytes:
    return orjson.dumps(array, option=orjson.OPT_SERIALIZE_NUMPY)


def _name(value: float) -> bytes:
    return f'"{_NAMES[str(value)]}"'.encode()
