"""Binary bodies as a client has them: written by the `safetensors` package, and read by it."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import safetensors.numpy

from app.codec import read, write
from app.compute.call import BINARY
from tests.app.wire import RULES, array_of

HEADERS = {"content-type": BINARY}
PAIRS = {"complex64": "float32", "complex128": "float64"}

Arrays = dict[str, npt.NDArray[Any]]


def packed(request: Any, arrays: Arrays) -> bytes:
    """The body with this JSON and these tensors."""
    text = request if isinstance(request, str) else json.dumps(request)
    return safetensors.numpy.save(dict(arrays), metadata={"gradwire": text})


def paired(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array; of complex numbers, their real and imaginary parts on a last axis."""
    if array.dtype.kind != "c":
        return array.copy(order="C")
    return np.stack([array.real, array.imag], axis=-1)


def unpacked(body: bytes) -> tuple[Any, Arrays]:
    """The JSON and the tensors of an answer."""
    size = int.from_bytes(body[:8], "little")
    header = json.loads(body[8 : 8 + size])
    return json.loads(header["__metadata__"]["gradwire"]), safetensors.numpy.load(body)


def filled(body: bytes) -> Any:
    """The answer as JSON would have it: each tensor's numbers put to its place."""
    document, arrays = unpacked(body)
    for name, array in arrays.items():
        place = document
        for part in name.split("/"):
            place = place[int(part)] if isinstance(place, list) else place[part]
        dtype = place["dtype"]
        if dtype in PAIRS:
            assert array.dtype.name == PAIRS[dtype]
            array = array.view(dtype)[..., 0]
        assert (array.dtype.name, [*array.shape]) == (dtype, place["shape"])
        place["data"] = orjson.loads(write.numbers_of(array, "list"))
    return document


def as_binary(request: Any) -> bytes:
    """A JSON request with all of its inputs that are objects, and their grads, as tensors beside it."""
    arrays: Arrays = {}
    inputs = {}
    for name, given in request.get("inputs", {}).items():
        found, grad = read.tensor_and_grad(json.dumps(given).encode(), RULES, ())
        inputs[name] = {"dtype": found.dtype.name, "requires_grad": found.requires_grad}
        for place, value in ((f"inputs/{name}", found), (f"inputs/{name}/grad", grad)):
            if value is not None:
                arrays[place] = paired(array_of(value))
    return packed({**request, "inputs": inputs} if inputs else request, arrays)
