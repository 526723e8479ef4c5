"""The define-by-run sweep: backward() and grad() over recorded nodes, in torch's order.

Nodes run in decreasing creation order once all that feeds them has run; AccumulateGrad runs as soon as it
can. There is no recursion, so a chain of any length works.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import grad_checks, seeds
from engine.eager.builder import F
from engine.eager.function import Function
from engine.eager.node import AccumulateGrad, Node, edge_of
from engine.eager.tensor import Tensor
from engine.errors import ArgumentError, NotImplementedYet, RuntimeArgumentError
from engine.grad_mode import set_grad_enabled

__all__ = ["Function", "backward", "grad"]

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
        self._buffers: dict[int, list[Any]] = {}
        self._nodes: list[Node] = []
        self._ran: list[Node] = []
        self.caught: dict[Key, Tensor] = {}
        self._wanted: set[Key] | None = None
        edges = [edge_of(output) for output, _ in roots]
        self._pending = self._count([node for node, _ in edges if node])
        if targets is not None:
            keys = [_key(edge_of(target)) for target in targets]
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
        if gradients is None or all(each is None for each in gradients):
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
        return node.run(gradients, F)

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


def _key(edge: tuple[Node | None, int]) -> Key:
    return (id(edge[0]), edge[1])


def _hooked(hooks: Sequence[Any], gradient: Any) -> Any:
    for hook in list(hooks):
        new = hook(gradient)
        if new is None:
            continue
        if not isinstance(new, Tensor):
            raise ArgumentError(f"expected Variable, but hook returned '{type(new).__name__}'")
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


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (tuple, list)) else [value]


def _roots(tensors: Any, gradients: Any) -> list[tuple[Tensor, Tensor]]:
    outputs = _as_list(tensors)
    given = [None] * len(outputs) if gradients is None else _as_list(gradients)
    for gradient in given:
        seeds.check_gradient(gradient)
    seeds.check_count(len(outputs), len(given))
    for index, output in enumerate(outputs):
        if given[index] is None:
            seeds.check_output(output, index)
    found = [(o, seeds.seed(F, o, g, index)) for index, (o, g) in enumerate(zip(outputs, given, strict=True))]
    for index, output in enumerate(outputs):
        seeds.check_output(output, index)
    return found


def _finish(ran: list[Node], retain_graph: bool) -> None:
    if not retain_graph:
        for node in ran:
            node.release()


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Accumulate the vjp of `tensors` with `grad_tensors` into the leaves' `.grad`, or that of `inputs`."""
    targets = None if inputs is None else _as_list(inputs)
    if targets is not None:
        grad_checks.check_inputs(targets, "backward")
    for target in targets or ():
        grad_checks.check_retained(target)
    sweep = Sweep(_roots(tensors, grad_tensors), targets, create_graph=create_graph, accumulate=True)
    ran = sweep.run()
    for target in targets or ():
        caught = sweep.caught.get(_key(edge_of(target)))
        if not target.is_leaf and caught is not None:
            accumulate(target, caught, create_graph)
    _finish(ran, create_graph if retain_graph is None else retain_graph)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The vjp of `outputs` with `grad_outputs` for each of `inputs`; `.grad` is left alone."""
    if is_grads_batched:
        raise NotImplementedYet("is_grads_batched is not implemented yet")
    grad_checks.check_materialized(materialize_grads, allow_unused)
    targets = _as_list(inputs)
    grad_checks.check_inputs(targets, "grad")
    grad_checks.check_wrt(targets)
    sweep = Sweep(_roots(outputs, grad_outputs), targets, create_graph=create_graph, accumulate=False)
    ran = sweep.run()
    found = [sweep.caught.get(_key(edge_of(target))) for target in targets]
    for index, gradient in enumerate(found):
        if gradient is None and not (allow_unused or materialize_grads):
            raise grad_checks.unused(index)
    _finish(ran, create_graph if retain_graph is None else retain_graph)
    if materialize_grads:
        return tuple(F.zeros_like(t) if g is None else g for t, g in zip(targets, found, strict=True))
    return tuple(found)
