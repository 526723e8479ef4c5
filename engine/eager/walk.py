"""The walk of a sweep: cotangents through recorded nodes, in torch's order.

Nodes run in decreasing creation order once all that feeds them has run; AccumulateGrad runs as soon as it
can. There is no recursion, so a chain of any length works.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import levels
from engine.dtypes import DType
from engine.eager import anomaly
from engine.eager.active import active_levels
from engine.eager.builder import F
from engine.eager.function import Context
from engine.eager.node import AccumulateGrad, Edge, Node, edge_of
from engine.eager.tensor import Tensor
from engine.errors import ArgumentError, RuntimeArgumentError
from engine.grad_mode import set_grad_enabled

Key = tuple[int, int]  # a node's id and an output number


class Sweep:
    """One backward pass from `roots`; with `targets`, only the paths to them run and are caught. What reaches
    a leaf goes into its `.grad` if it is to `accumulate`."""

    def __init__(
        self,
        roots: Sequence[tuple[Tensor, Tensor]],
        targets: Sequence[Tensor] | None,
        *,
        create_graph: bool,
        accumulate: bool,
    ) -> None:
        self._create_graph, self._accumulate = create_graph, accumulate
        self._levels = active_levels()
        self._buffers: dict[int, list[Any]] = {}
        self._nodes: list[Node] = []
        self._ran: list[Node] = []
        self.caught: dict[Key, Tensor] = {}
        self._wanted: set[Key] | None = None
        edges = [edge_of(output) for output, _ in roots]
        self._pending = self._count([node for node, _ in edges if node])
        if targets is not None:
            keys = [key_of(edge_of(target)) for target in targets]
            self._wanted = set(keys)
            self._useful = self._reaching({node for node, _ in keys})
        for (node, number), (_, gradient) in zip(edges, roots, strict=True):
            if node is not None:
                self._add(node, number, gradient)

    def _count(self, roots: list[Node]) -> dict[int, int]:
        """How many edges lead to each node behind `roots`."""
        pending: dict[int, int] = {}
        seen = {id(node) for node in roots}
        stack = list({id(node): node for node in roots}.values())
        while stack:
            node = stack.pop()
            self._nodes.append(node)
            for following, _ in node.next_functions:
                if following is not None:
                    pending[id(following)] = pending.get(id(following), 0) + 1
                    if id(following) not in seen:
                        seen.add(id(following))
                        stack.append(following)
        return pending

    def _reaching(self, targets: set[int]) -> set[int]:
        """The nodes from which a target can be reached."""
        useful = set(targets)
        for node in sorted(self._nodes, key=lambda each: each.sequence if each.next_functions else -1):
            if any(id(following) in useful for following, _ in node.next_functions if following):
                useful.add(id(node))
        return useful

    def _add(self, node: Node, number: int, gradient: Any) -> None:
        if gradient.levels:  # of samples that this sweep does not tell apart
            kept = (*node.levels, *self._levels)
            gradient = levels.without(F, gradient, [each for each in gradient.levels if each not in kept])
        buffer = self._buffers.setdefault(id(node), [None] * len(node.outputs))
        buffer[number] = gradient if buffer[number] is None else F.add(buffer[number], gradient)

    def run(self) -> list[Node]:
        """Run every node that a gradient reaches; gives those whose own backward ran."""
        ready = [(_priority(node), id(node), node) for node in self._nodes if not self._pending.get(id(node))]
        heapq.heapify(ready)
        with set_grad_enabled(self._create_graph):
            while ready:
                node = heapq.heappop(ready)[2]
                for (following, number), gradient in zip(node.next_functions, self._step(node), strict=True):
                    if following is None:
                        continue
                    if gradient is not None:
                        self._add(following, number, gradient)
                    self._pending[id(following)] -= 1
                    if not self._pending[id(following)]:
                        heapq.heappush(ready, (_priority(following), id(following), following))
        return self._ran

    def _step(self, node: Node) -> Sequence[Any]:
        """The cotangents for the node's edges; hooks, retained and caught gradients on the way."""
        gradients = self._buffers.pop(id(node), None)
        nothing = [None] * len(node.next_functions)
        if gradients is None and isinstance(node, Context):
            gradients = [None] * len(node.outputs)  # a custom Function is called all the same
        elif gradients is None:
            return nothing
        if isinstance(node, AccumulateGrad):
            gradients = [_hooked(node.variable.hooks, gradients[0])]
        for number, hooks in node.tensor_hooks.items():
            if gradients[number] is not None:
                gradients[number] = _hooked(hooks, gradients[number])
        self._keep(node, gradients)
        if isinstance(node, AccumulateGrad):
            if self._accumulate and (self._wanted is None or (id(node), 0) in self._wanted):
                accumulate(node.variable, gradients[0], self._create_graph)
            return nothing
        if self._wanted is not None and not self._leads_on(node):
            return nothing
        self._ran.append(node)
        return anomaly.watched(node, gradients, F) if anomaly.is_anomaly_enabled() else node.run(gradients, F)

    def _leads_on(self, node: Node) -> bool:
        return any(id(following) in self._useful for following, _ in node.next_functions if following)

    def _keep(self, node: Node, gradients: list[Any]) -> None:
        for number, reference in node.retained.items():
            tensor = reference()
            if tensor is not None and gradients[number] is not None:
                kept = gradients[number] if self._create_graph else gradients[number].detach()
                tensor._grad = kept if tensor._grad is None else F.add(tensor._grad, kept)
        for number, gradient in enumerate(gradients):
            if self._wanted and (id(node), number) in self._wanted and gradient is not None:
                self.caught[id(node), number] = gradient


def _priority(node: Node) -> int:
    return -(2**63) if isinstance(node, AccumulateGrad) else -node.sequence


def key_of(edge: Edge) -> Key:
    """Where a sweep keeps what arrives at an edge."""
    return (id(edge[0]), edge[1])


def _hooked(hooks: Sequence[Any], gradient: Any) -> Any:
    for hook in list(hooks):
        new = hook(gradient)
        if new is None:
            continue
        if not isinstance(new, Tensor):
            raise ArgumentError(f"expected Variable, but hook returned '{type(new).__name__}'")
        if new.dtype is not gradient.dtype:
            raise RuntimeArgumentError(
                f"hook '{hook.__name__}' has changed the type of value (was {_kind(gradient.dtype)} "
                f"got {_kind(new.dtype)})"
            )
        if new.shape != gradient.shape:
            raise RuntimeArgumentError(f"hook '{hook.__name__}' has changed the size of value")
        gradient = new
    return gradient


def accumulate(variable: Tensor, gradient: Tensor, create_graph: bool) -> None:
    """Add `gradient` to `variable.grad`: in place, as torch does, unless a graph of it is wanted."""
    if create_graph:
        variable._grad = gradient if variable._grad is None else F.add(variable._grad, gradient)
    elif variable._grad is None:
        variable._grad = Tensor(np.array(gradient.array, order="C"))
    else:
        np.add(variable._grad.array, gradient.array, out=variable._grad.array)
        variable._grad.storage.version += 1
    for hook in list(variable.accumulated_hooks):
        hook(variable)


def _kind(dtype: DType) -> str:
    """What torch calls a tensor of that dtype here."""
    return f"CPU{dtype.title}Type" if dtype.is_complex else f"torch.{dtype.title}Tensor"
