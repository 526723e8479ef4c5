"""How a transform's function sees its arguments: as leaves that require grad, whatever they are outside.

An `Argument` shares the memory of the tensor it stands for. Its node passes a gradient on to that tensor's
history where there is one, so that a derivative made inside can be differentiated outside; else the path
ends there. When the transform is over, what it gives back is `released`: results that lead to nothing but
such ends do not require grad.
"""

from __future__ import annotations

from typing import Any, Self

from engine import grad_checks
from engine.builder import Functions
from engine.eager.active import Recording
from engine.eager.node import AccumulateGrad, Edge, Node, edge_of
from engine.eager.tensor import Tensor
from engine.errors import ValueArgumentError
from engine.grad_mode import is_grad_enabled, set_grad_enabled


class Passage(Node):
    """The node of an Argument: one edge to the history of the tensor outside, or none."""

    def __init__(self, argument: Argument, edges: tuple[Edge, ...], transform: Transform) -> None:
        super().__init__(edges)
        self.outputs, self.levels = (argument.meta,), argument.levels
        self.tensor_hooks[0] = argument.hooks
        self.transform = transform

    def name(self) -> str:
        """The name of the view of all of a tensor."""
        return "AliasBackward0"

    def backward(self, gradients: list[Any], F: Functions) -> list[Any]:
        return gradients[: len(self.next_functions)]


class Argument(Tensor):
    """A leaf that stands for `outside` in one call of a transform."""

    def __init__(self, outside: Tensor, transform: Transform, *, linked: bool) -> None:
        super().__init__(outside.array, outside.meta, requires_grad=True, levels=outside.levels)
        self.storage = outside.storage
        self.outside = outside
        self.passage = Passage(self, (edge_of(outside),) if linked else (), transform)

    def accumulate_node(self) -> Any:
        """Where its gradient goes."""
        return self.passage


class Transform(Recording):
    """One call of a transform: the block in which its function runs, always recorded.

    Inside `no_grad` the function is recorded all the same, and nothing of it shows outside.
    """

    def __init__(self) -> None:
        super().__init__()
        self.recorded = is_grad_enabled()

    def __enter__(self) -> Self:
        set_grad_enabled(True)
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        set_grad_enabled(self.recorded)

    def track(self, tensor: Any) -> Argument:
        """The argument that stands for `tensor`."""
        if not isinstance(tensor, Tensor):
            raise ValueArgumentError(f"Thing passed to transform API must be Tensor, got {type(tensor)}")
        grad_checks.check_switched(tensor.dtype, is_leaf=True, wanted=True)
        return Argument(tensor, self, linked=self.recorded and tensor.requires_grad)

    def release(self, tensor: Tensor) -> Tensor:
        """A result for outside: with its history if that leads out of the transform."""
        if isinstance(tensor, Argument) and tensor.passage.transform is self:
            tensor = tensor.outside
        if not tensor.requires_grad or (self.recorded and self._leads_out(tensor)):
            return tensor
        return tensor.detach()

    def _leads_out(self, tensor: Tensor) -> bool:
        """Whether a leaf lies behind it that is no end of a transform that is over."""
        stack, seen = [edge_of(tensor)[0]], set()
        while stack:
            node = stack.pop()
            if node is None or id(node) in seen:
                continue
            seen.add(id(node))
            if node.sequence < self.start or isinstance(node, AccumulateGrad):
                return True
            if isinstance(node, Passage) and not node.next_functions and self._is_open(node.transform):
                return True
            stack += [following for following, _ in node.next_functions]
        return False

    def _is_open(self, transform: Transform) -> bool:
        return transform is not self and transform.active

    def reaches(self, tensor: Tensor) -> bool:
        """Whether an argument of this transform lies behind it."""
        stack, seen = [edge_of(tensor)[0]], set()
        while stack:
            node = stack.pop()
            if node is None or id(node) in seen or node.sequence < self.start:
                continue
            seen.add(id(node))
            if isinstance(node, Passage) and node.transform is self:
                return True
            stack += [following for following, _ in node.next_functions]
        return False
