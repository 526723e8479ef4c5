"""A sample of an op as a program: its tensors are inputs, its call the one statement."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

import engine
from engine.op import Op
from tests.engine import harness
from tests.engine.building import Json
from tests.engine.harness import Array, Sampled


class Programmed(NamedTuple):
    """A sample as statements; `leaves` are the names of the inputs that are its floating arrays, in order."""

    id: str
    op: Op
    graph: list[Json]
    inputs: dict[str, Array]
    leaves: list[str]
    outputs: list[str]

    def tensors(self, **changed: Array) -> dict[str, engine.Tensor]:
        """The inputs, some of them `changed`; leaves require grad."""
        given = {**self.inputs, **changed}
        return {name: engine.tensor(each, requires_grad=name in self.leaves) for name, each in given.items()}


def programmed(sampled: Sampled) -> Programmed:
    """`sampled` as a program."""
    inputs: dict[str, Array] = {}
    op, call = sampled.op, sampled.call

    def value(given: Any, *, setting: bool = False) -> Any:
        if isinstance(given, np.ndarray):
            name = f"x{len(inputs)}"
            inputs[name] = given
            return {"ref": name} if setting else name
        if isinstance(given, slice):
            return {"slice": [given.start, given.stop, given.step]}
        if isinstance(given, complex):
            return {"complex": [given.real, given.imag]}
        if isinstance(given, (list, tuple)):
            return [value(each, setting=setting) for each in given]
        return {"ellipsis": True} if given is Ellipsis else given

    names = [param.name for param in op.params]
    args, attrs = list(call.args), {}
    if args and isinstance(args[0], str):  # an equation: it is an attribute, and the operands follow
        attrs[names[0]] = args.pop(0)
    texts = [at for at, each in enumerate(args) if isinstance(each, str) or _infinite(each)]
    if texts:
        attrs |= dict(zip(names[texts[0] :], args[texts[0] :], strict=False))
        args = args[: texts[0]]
    statement: Json = {"op": op.name, "in": [value(each) for each in args]}
    attrs |= call.kwargs
    if attrs:
        statement["attrs"] = {name: value(each, setting=True) for name, each in attrs.items()}
    found = harness.evaluate(op, call, harness.leaves_of(call))
    outputs = [f"y{at}" for at in range(len(found))]
    statement = {"id": "y0", **statement} if op.single and len(found) == 1 else {"out": outputs, **statement}
    leaves = [name for name, each in inputs.items() if harness.is_floating(each)]
    return Programmed(sampled.id, op, [statement], inputs, leaves, outputs)


def _infinite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
