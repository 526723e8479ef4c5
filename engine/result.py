"""What a program answers."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import GradError
from engine.node import Node
from engine.op import Functions
from engine.tensor import Tensor
from engine.types import Type


@dataclass(slots=True)
class Result:
    """`outputs` by name; `grads` of every leaf and retained value, None where nothing flowed; `trace` as JSON."""

    outputs: dict[str, Tensor]
    grads: dict[str, Tensor | None]
    trace: dict[str, Any] | None


class ProgramNode(Node):
    """The grad_fn of a program's output: a name. Its graph lives in the trace."""

    def backward(self, gradients: list[Any], F: Functions) -> list[Any]:
        raise GradError("an output of a Program has its gradients in the Result: call Program.backward")


@functools.cache
def _node_class(name: str) -> type[ProgramNode]:
    return type(name, (ProgramNode,), {})


def output_tensor(array: Any, meta: Type, requires_grad: bool, grad_fn: str | None) -> Tensor:
    """An output with its flags: a leaf without `grad_fn`, else the output of a node of that name."""
    found = Tensor(owned(array), meta)
    if grad_fn is not None:
        found.attach(_node_class(grad_fn)(()), 0)
    elif requires_grad:
        found.requires_grad = True
    return found


def owned(array: Any) -> np.ndarray[Any, Any]:
    """`array` in memory of its own, row-major, so that nobody else's array changes with it."""
    found = np.asarray(array)
    return found if found.base is None and found.flags.c_contiguous and found.flags.writeable else found.copy(order="C")
