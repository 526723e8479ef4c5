"""A request that calls an op: the op's first sample, as a client would write it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import engine

RESERVED = {"data", "dtype", "shape", "tensor", "ref"}


class _Unsayable(Exception):
    """The sample has a value that has no JSON form in this place."""


class _Writer:
    """One sample's arrays become inputs, its scalars stay where they are."""

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}

    def argument(self, value: Any, name: str) -> Any:
        """What stands in `in` for a value."""
        if isinstance(value, np.ndarray):
            return self._input(value, name)
        if isinstance(value, (list, tuple)):
            return [self.argument(each, f"{name}_{i}") for i, each in enumerate(value)]
        if isinstance(value, slice):
            return {"slice": [value.start, value.stop, value.step]}
        if value is Ellipsis:
            return {"ellipsis": True}
        if isinstance(value, complex):
            return {"complex": [value.real, value.imag]}
        if isinstance(value, float) and not math.isfinite(value):
            raise _Unsayable
        return value

    def attribute(self, value: Any, name: str) -> Any:
        """What stands in `attrs` for a value."""
        if isinstance(value, np.ndarray):
            return {"ref": self._input(value, name)}
        if isinstance(value, engine.DType):
            return value.name
        if isinstance(value, float) and not math.isfinite(value):
            return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
        return value if isinstance(value, str) else self.argument(value, name)

    def _input(self, array: np.ndarray[Any, Any], name: str) -> str:
        stem = name = "x" if name in RESERVED else name
        number = 1
        while name in self.inputs:
            number += 1
            name = f"{stem}_{number}"
        self.inputs[name] = _tensor(array)
        return name


def _tensor(array: np.ndarray[Any, Any]) -> Any:
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
        writer = _Writer()
        try:
            statement = _statement(op, writer, call.args, call.kwargs)
            names = _names(op, call.args, call.kwargs)
        except _Unsayable:
            continue
        return {"inputs": writer.inputs, "graph": [{**names, **statement}]}
    return None


def _statement(
    op: engine.Entry, writer: _Writer, args: Sequence[Any], kwargs: dict[str, Any]
) -> dict[str, Any]:
    arguments: list[Any] = []
    attributes: dict[str, Any] = {}
    last = len(op.params) - 1
    for position, value in enumerate(args):
        param = op.params[min(position, last)]
        if isinstance(value, (str, engine.DType)):
            attributes[param.name] = writer.attribute(value, param.name)  # a string in `in` is a reference
        elif param.kind == "Keys" and isinstance(value, tuple):
            arguments += [writer.argument(each, f"index_{i}") for i, each in enumerate(value)]
        else:
            arguments.append(writer.argument(value, param.name))
    attributes |= {name: writer.attribute(value, name) for name, value in kwargs.items()}
    found = {"op": op.name, "in": arguments}
    return {**found, "attrs": attributes} if attributes else found


def _names(op: engine.Entry, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """What the statement calls the op's results; where the record does not say how many, the call does."""
    if len(op.outputs) == 1:
        return {"id": "y"}
    if op.outputs:
        return {"out": list(op.outputs)}
    named = {name: _tensors(value) for name, value in kwargs.items()}
    results = engine.lookup(op.name)(*map(_tensors, args), **named)
    return {"out": [f"y{i}" for i in range(len(results))]}


def _tensors(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return engine.tensor(value)
    return type(value)(map(_tensors, value)) if isinstance(value, (list, tuple)) else value
