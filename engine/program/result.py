"""What a program answers."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from engine.builder import Functions
from engine.eager.node import Node
from engine.eager.storage import numbers
from engine.eager.tensor import Tensor
from engine.errors import GradError
from engine.plan.arena import lease_of
from engine.types import Type


@dataclass(slots=True)
class Result:
    """`outputs` by name; `grads` of every leaf and retained value, None where nothing flowed; `trace` as
    JSON, which results of one kind of request share: it is for reading. `derivative` is what a route that
    answers one gives: by input, by output, or (a Jacobian, a Hessian) by both, zeros where nothing flows."""

    outputs: dict[str, Tensor]
    grads: dict[str, Tensor | None]
    trace: dict[str, Any] | None
    derivative: dict[str, Any] | None = None


class ProgramNode(Node):
    """The grad_fn of a program's output: a name. Its graph lives in the trace."""

    next_functions = ()
    origin = None

    def __init__(self) -> None:
        self.sequence = next(numbers)

    def backward(self, gradients: list[Any], F: Functions) -> list[Any]:
        raise GradError("an output of a Program has its gradients in the Result: call Program.backward")


@functools.cache
def _node_class(name: str) -> type[ProgramNode]:
    return type(name, (ProgramNode,), {})


class Flags(NamedTuple):
    """What an output is: a leaf, or output `number` of a node called `grad_fn`."""

    requires_grad: bool
    grad_fn: str | None = None
    number: int = 0


def output_tensor(array: np.ndarray[Any, Any], meta: Type, flags: Flags) -> Tensor:
    """An output with its flags."""
    if flags.grad_fn is not None:
        return Tensor(array, meta).attach(_node_class(flags.grad_fn)(), flags.number)
    found = Tensor(array, meta)
    if flags.requires_grad:
        found.requires_grad = True
    return found


def owned(array: Any, taken: set[int] | None) -> np.ndarray[Any, Any]:
    """`array` in memory of its own, row-major, so that nobody else's array changes with it; `taken` are the
    identities of arrays that are somebody's already, None if it is known that this one is not."""
    if taken is None:
        return array  # type: ignore[no-any-return]
    found: np.ndarray[Any, Any] = np.asarray(array)
    holder = found if found.base is None else lease_of(found)
    if holder is None or not found.flags.carray or id(holder) in taken:
        return found.copy(order="C")
    taken.add(id(holder))
    return found
