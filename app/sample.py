"""A request that calls an op: the op's first sample, as a client would write it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import engine

RESERVED = {"data", "dtype", "shape", "tensor", "ref", "y"}  # the last is the result's


class Unsayable(Exception):
    """The sample has a value that has no JSON form in this place."""


class Writer:
    """One sample's arrays become inputs, its scalars stay where they are."""

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}

    def argument(self, value: Any, name: str) -> Any:
        """What stands in `in` for a value."""
        if isinstance(value, np.ndarray):
            return self.named(value, name)
        if isinstance(value, (list, tuple)):
            return [self.argument(each, f"{name}_{i}") for i, each in enumerate(value)]
        if isinstance(value, slice):
            return {"slice": [value.start, value.stop, value.step]}
        if value is Ellipsis:
            return {"ellipsis": True}
        if isinstance(value, complex):
            return {"complex": [value.real, value.imag]}
        if isinstance(value, float) and not math.isfinite(value):
            raise Unsayable
        return value

    def attribute(self, value: Any, name: str) -> Any:
        """What stands in `attrs` for a value."""
        if isinstance(value, np.ndarray):
            return {"ref": self.named(value, name)}
        if isinstance(value, engine.DType):
            return value.name
        if isinstance(value, float) and not math.isfinite(value):
            return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
        return value if isinstance(value, str) else self.argument(value, name)

    def named(self, array: np.ndarray[Any, Any], name: str) -> str:
        stem = name = "x" if name in RESERVED else name
        number = 1
        while name in self.inputs:
            number += 1
            name = f"{stem}_{number}"
        self.inputs[name] = _tensor(array)
        return name


def _tensor(array: np.ndarray[Any, Any]) -> Any:
    if not array.size and array.ndim > 1:  # lists do not tell its shape
        return {**_tensor(array.reshape(-1)), "shape": list(array.shape)}
    if array.dtype.kind == "f":
        return {"data": np.round(array.astype(np.float64), 2).tolist(), "requires_grad": True}
    if array.dtype.kind == "c":
        pairs = np.round(np.stack([array.real, array.imag], -1).astype(np.float64), 2)
        return {"data": pairs.tolist(), "dtype": array.dtype.name, "requires_grad": True}
    found: dict[str, Any] = {"data": array.tolist()}
    return found if array.dtype.name in ("bool", "int64") else {**found, "dtype": array.dtype.name}


def request(op: engine.Entry) -> dict[str, Any] | None:
    """A body for POST /forward that calls `op`; None if no sample can be written."""
    for call in op.samples():
        writer = Writer()
        try:
            called = statement(op, writer, call)
            results = names(op, call)
        except Unsayable:
            continue
        return {"inputs": writer.inputs, "graph": [{**results, **called}]}
    return None


def statement(op: engine.Entry, writer: Writer, call: engine.Call) -> dict[str, Any]:
    """A call as a statement, but for what it calls its results. Raises Unsayable if it has no JSON form."""
    arguments: list[Any] = []
    attributes: dict[str, Any] = {}
    last = len(op.params) - 1
    for position, value in enumerate(call.args):
        param = op.params[min(position, last)]
        if isinstance(value, (str, engine.DType)):
            attributes[param.name] = writer.attribute(value, param.name)  # a string in `in` is a reference
        elif param.kind == "Keys" and isinstance(value, tuple):
            arguments += [writer.argument(each, f"index_{i}") for i, each in enumerate(value)]
        else:
            arguments.append(writer.argument(value, param.name))
    attributes |= {name: writer.attribute(value, name) for name, value in call.kwargs.items()}
    found = {"op": op.name, "in": arguments}
    return {**found, "attrs": attributes} if attributes else found


def names(op: engine.Entry, call: engine.Call) -> dict[str, Any]:
    """What the statement calls the op's results; where the record does not say how many, the call does."""
    if op.outputs and op.kind != "composite":
        return {"id": "y"} if len(op.outputs) == 1 else {"out": list(op.outputs)}
    named = {name: tensors(value) for name, value in call.kwargs.items()}
    results = engine.lookup(op.name)(*map(tensors, call.args), **named)
    if not isinstance(results, (tuple, list)):
        return {"id": "y"}
    if len(results) == len(op.outputs) > 1:
        return {"out": list(op.outputs)}
    return {"out": [f"y{i}" for i in range(len(results))]}


def tensors(value: Any) -> Any:
    """A sample's argument, its arrays as tensors."""
    if isinstance(value, np.ndarray):
        return engine.tensor(value)
    return type(value)(map(tensors, value)) if isinstance(value, (list, tuple)) else value
