"""Numbers as base64 has them → numpy arrays, without a copy."""

from __future__ import annotations

import binascii
import math
from typing import Any

import numpy as np

import engine
from app.codec.arrays import Array
from engine import errors


def from_buffer(data: dict[str, Any], dtype: engine.DType | None, shape: tuple[int, ...] | None) -> Array:
    """The array behind `{"buffer", "encoding": "base64"}`: little-endian, in C order, not copied."""
    for name in data:
        if name not in ("buffer", "encoding"):
            raise errors.UnknownField(
                "encoded data has no such field", expected=["buffer", "encoding"], pointer=(name,)
            )
    if data.get("encoding") != "base64":
        raise errors.ArgumentError("the encoding is 'base64'", expected="base64", pointer=("encoding",))
    buffer = data.get("buffer")
    if not isinstance(buffer, str):
        raise errors.ArgumentError("base64 text is expected", expected="string", pointer=("buffer",))
    if dtype is None or shape is None:
        raise errors.ArgumentError(
            "encoded data needs dtype and shape beside it", expected="dtype" if dtype is None else "shape"
        )
    size = math.prod(shape) * dtype.itemsize
    try:
        content = binascii.a2b_base64(buffer, strict_mode=True)
    except ValueError:  # binascii.Error, or text beyond ASCII
        raise errors.ValueArgumentError("no valid base64", expected="base64", pointer=("buffer",)) from None
    if len(content) != size:
        text = f"the buffer holds {len(content)} bytes, {dtype.name} of shape {list(shape)} has {size}"
        raise errors.ShapeError(text, expected=size, actual=len(content), pointer=("buffer",))
    if dtype.name == "bool" and content.strip(b"\x00\x01"):
        raise errors.ValueArgumentError("a boolean's byte is 0 or 1", expected="0 or 1", pointer=("buffer",))
    return np.frombuffer(content, dtype.numpy.newbyteorder("<")).reshape(shape)
