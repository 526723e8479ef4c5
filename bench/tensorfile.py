"""The binary body, as a client writes and reads it: the safetensors format with the JSON in its metadata."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

MEDIA = "application/vnd.gradwire.safetensors"
_NAMES = {"float64": "F64", "float32": "F32", "int64": "I64"}
_DTYPES = {name: dtype for dtype, name in _NAMES.items()}


def write(request: Mapping[str, Any], arrays: Mapping[str, Any]) -> bytes:
    """A body of a request and its tensors, `inputs/x` and so on."""
    header: dict[str, Any] = {"__metadata__": {"gradwire": json.dumps(request)}}
    at = 0
    for name, array in arrays.items():
        end = at + array.nbytes
        header[name] = {
            "dtype": _NAMES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [at, end],
        }
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([struct.pack("<Q", len(text)), text, *[each.tobytes() for each in arrays.values()]])


def read(body: bytes) -> dict[str, Any]:
    """The tensors of an answer, by name."""
    (length,) = struct.unpack_from("<Q", body)
    header = json.loads(body[8 : 8 + length])
    data = memoryview(body)[8 + length :]
    found = {}
    for name, each in header.items():
        if name != "__metadata__":
            begin, end = each["data_offsets"]
            found[name] = np.frombuffer(data[begin:end], _DTYPES[each["dtype"]]).reshape(each["shape"])
    return found
