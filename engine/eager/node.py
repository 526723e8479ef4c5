"""The nodes of the define-by-run backward graph: what `tensor.grad_fn` is.

`next_functions` has a pair (node or None, output number) per differentiable slot. Nodes are numbered in
creation order; the sweep runs them in decreasing order, `AccumulateGrad` first.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import saved
from engine.builder import Functions
from engine.eager import anomaly
from engine.eager.ondemand import OnDemand
from engine.eager.storage import numbers
from engine.errors import GradError, GraphFreed
from engine.levels import Levels
from engine.pullback import pullback
from engine.types import Type
from engine.variants import Variant

if TYPE_CHECKING:
    from engine.eager.tensor import Tensor

Edge = tuple["Node | None", int]


class RemovableHandle:
    """Removes the hook that it was given for."""

    def __init__(self, hooks: list[Any], hook: Any) -> None:
        self._hooks, self._hook = hooks, hook

    def remove(self) -> None:
        """Take the hook away; nothing happens the second time."""
        if self._hook in self._hooks:
            self._hooks.remove(self._hook)


class Node:
    """A function of the backward graph."""

    outputs: tuple[Type, ...] = ()
    levels: Levels = ()  # of its outputs
    tensor_hooks = OnDemand[dict[int, list[Callable[[Any], Any]]]](dict)
    retained = OnDemand[dict[int, "weakref.ref[Tensor]"]](dict)
    _pre_hooks = OnDemand[list[Callable[..., Any]]](list)
    _post_hooks = OnDemand[list[Callable[..., Any]]](list)

    def __init__(self, next_functions: tuple[Edge, ...]) -> None:
        self.next_functions = next_functions
        self.sequence = next(numbers)
        self.origin = anomaly.origin()

    def name(self) -> str:
        """torch's name of the node."""
        return type(self).__name__

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(grad_inputs, grad_outputs)` after the node; a tuple from it replaces grad_inputs."""
        self._post_hooks.append(hook)
        return RemovableHandle(self._post_hooks, hook)

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(grad_outputs)` before the node runs; a tuple from it replaces grad_outputs."""
        self._pre_hooks.append(hook)
        return RemovableHandle(self._pre_hooks, hook)

    def run(self, gradients: list[Any], F: Functions) -> list[Any]:
        """The cotangent for each of `next_functions`, with the node's own hooks applied."""
        for hook in self._pre_hooks:
            gradients = list(hook(tuple(gradients)) or gradients)
        found = self.backward(gradients, F)
        for hook in self._post_hooks:
            found = list(hook(tuple(found), tuple(gradients)) or found)
        return found

    def backward(self, gradients: list[Any], F: Functions) -> list[Any]:
        raise NotImplementedError

    def release(self) -> None:
        """Forget the saved values."""


class AccumulateGrad(Node):
    """The end of a path: adds what arrives to `variable.grad`."""

    def __init__(self, variable: Tensor) -> None:
        super().__init__(())
        self.variable = variable
        self.outputs, self.levels = (variable.meta,), variable.levels

    def name(self) -> str:
        """torch's name of the node."""
        return "torch::autograd::AccumulateGrad"


class _Unsaved:
    """An operand or result that the node did not keep: only its type is known."""

    def __init__(self, meta: Type, levels: Levels) -> None:
        self.meta, self.levels = meta, levels
        self.shape, self.dtype, self.ndim = meta.shape, meta.dtype, meta.ndim


class SavedResult:
    """An output kept without its link to the node, which would be a cycle."""

    def __init__(self, tensor: Tensor, number: int) -> None:
        self.detached, self.number = tensor.detach(), number

    def unpack(self, node: Node) -> Any:
        return self.detached.attach(node, self.number)


class OpNode(Node):
    """The backward of one op call. Saved values are attributes: `node._saved_other`."""

    def __init__(
        self,
        variant: Variant,
        operands: Sequence[Any],
        results: Sequence[Tensor],
        needs: tuple[bool, ...],
    ) -> None:
        super().__init__(tuple([edge_of(operands[at]) for at in variant.slots]))
        self.op, self.variant, self.needs = variant.op, variant, needs
        self.outputs, self.levels = tuple([each.meta for each in results]), results[0].levels
        kept = variant.keeps(needs)
        self._x = [x if at in kept.operands else _unsaved(x) for at, x in enumerate(operands)]
        self._y: list[Any] = [
            SavedResult(y, at) if at in kept.outputs else _unsaved(y) for at, y in enumerate(results)
        ]
        tensors = [operands[at] for at in kept.operands if hasattr(operands[at], "version")]
        tensors += [y.detached for y in self._y if type(y) is SavedResult]
        self._versions = [(tensor, tensor.version) for tensor in tensors]
        self.saves_tensors = kept.tensors
        self._freed = False

    def backward(self, gradients: list[Any], F: Functions) -> list[Any]:
        x, y = self._unpack()
        cotangents = pullback(self.op, F, x, y, gradients, self.variant.attrs, self.needs)
        return [cotangents[at] for at in self.variant.slots]

    def _unpack(self) -> tuple[list[Any], list[Any]]:
        if self._freed and self.saves_tensors:
            raise GraphFreed
        results = [each.unpack(self) if type(each) is SavedResult else each for each in self._y]
        for tensor, version in self._versions:
            check_version(tensor, version)
        return self._x, results

    def release(self) -> None:
        """Forget the saved values."""
        if self.saves_tensors:
            self._x, self._y, self._versions = [], [], []
        self._freed = True

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_saved_"):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        x, y = self._unpack()
        found = saved.describe(self.op, x, y, self.variant.given, self.needs)
        if name.removeprefix("_saved_") not in found:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        value = found[name.removeprefix("_saved_")]
        return value if type(value) is int and saved.is_number_setting(self.op, name) else _public(value)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(f"_saved_{field.name}" for field in saved.fields(self.op))]


def _unsaved(operand: Any) -> Any:
    return _Unsaved(operand.meta, operand.levels) if hasattr(operand, "meta") else operand


def _public(value: Any) -> Any:
    """A saved value as torch shows it: scalars are tensors, sequences tuples, negative dims unsigned."""
    if isinstance(value, saved.Wrapped):
        from engine.eager.tensor import Tensor

        return Tensor(np.asarray(value.value, value.dtype.numpy), value.meta)
    if isinstance(value, (list, tuple)):
        return tuple(_public(each) for each in value)
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        return value + 2**64
    return value


def check_version(tensor: Tensor, version: int) -> None:
    """Refuse a saved tensor that was changed in place since it had `version`, in torch's words."""
    if tensor.version == version:
        return
    title = f"torch.{tensor.dtype.title}Tensor {list(tensor.shape)}"
    maker = tensor.grad_fn
    origin = f", which is output {tensor.output_nr} of {_stem(maker.name())}," if maker else ""
    raise GradError(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[{title}]{origin} is at version {tensor.version}; expected version {version} instead. Hint: enable "
        "anomaly detection to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def _stem(name: str) -> str:
    """A node's name as torch shortens it in that sentence: `MulBackward0` is `Mul`."""
    return name.rstrip("0123456789").removesuffix("Backward")


@functools.cache
def node_class(name: str) -> type[OpNode]:
    """A class of that name, so that `type(node).__name__` is torch's."""
    return type(name, (OpNode,), {})


def edge_of(operand: Any) -> Edge:
    """Where the cotangent of an operand goes."""
    if not getattr(operand, "requires_grad", False):
        return (None, 0)
    if operand.grad_fn is not None:
        return (operand.grad_fn, operand.output_nr)
    return (operand.accumulate_node(), 0)
