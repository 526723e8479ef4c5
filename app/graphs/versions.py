"""A version of a registered graph: statements with what a request need not send again.

Its id is a hash of its content: the graph_id where there is nothing but the graph, else the hash of the
graph_id, of the default inputs (dtype, shape, flag, bytes), of the outputs and of the default dtype.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import engine
from app.codec import canonical

Inputs = dict[str, engine.Tensor]
FLOATS = "float32"  # the default dtype where none is named


@dataclass(frozen=True, slots=True)
class Version:
    """What was registered under a name. `text` is the graph's JSON as it was sent."""

    graph_id: str
    text: bytes
    inputs: Inputs = field(default_factory=dict)
    outputs: list[str] | None = None
    default_dtype: str = FLOATS

    @property
    def size(self) -> int:
        """What it takes in the store and, but for the program, in memory."""
        return len(self.text) + sum(each.numel() * each.dtype.itemsize for each in self.inputs.values())


def version_id(version: Version, stored: list[Stored]) -> str:
    """The hash of the version's content; `stored` are its inputs."""
    if not stored and version.outputs is None and version.default_dtype == FLOATS:
        return version.graph_id
    inputs = {
        each.name: [each.dtype, list(each.shape), each.requires_grad, hashlib.sha256(each.data).hexdigest()]
        for each in stored
    }
    content = {
        "graph_id": version.graph_id,
        "inputs": inputs,
        "outputs": version.outputs,
        "default_dtype": version.default_dtype,
    }
    return canonical.digest(content)


@dataclass(frozen=True, slots=True)
class Stored:
    """A default input as bytes, little-endian in C order."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    requires_grad: bool
    data: bytes | memoryview


def stored(inputs: Inputs) -> list[Stored]:
    """The inputs as the store keeps them; nothing is copied where numpy needs no copy."""
    return [_stored(name, value) for name, value in inputs.items()]


def _stored(name: str, value: engine.Tensor) -> Stored:
    array = np.ascontiguousarray(value.detach().numpy())
    little: Any = array.astype(array.dtype.newbyteorder("<"), copy=False)
    data = little.reshape(-1).view(np.uint8).data
    return Stored(name, value.dtype.name, tuple(value.shape), value.requires_grad, data)


def tensor(each: Stored) -> engine.Tensor:
    """The input again; nobody may write to it, as requests to come have it too."""
    dtype = engine.dtype(each.dtype).numpy
    array = np.frombuffer(each.data, dtype.newbyteorder("<")).astype(dtype, copy=False)
    value = engine.tensor(array.reshape(each.shape), requires_grad=each.requires_grad)
    value.detach().numpy().setflags(write=False)
    return value
