"""The `.grad` of a program's values while it is built: what backward passes read and leave behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine import seeds
from engine.errors import EngineError, GradError, Site
from engine.grad_checks import check_inputs, check_retained, unused
from engine.grad_mode import set_grad_enabled
from engine.graph import GraphNode, Value, locate
from engine.graph_builder import GraphBuilder
from engine.transforms.reverse import Sweep, grad


class Slots:
    """`.grad` by value, which values keep theirs, and the nodes whose saved values are gone. `names` are the
    values that have one at the time."""

    def __init__(self, builder: GraphBuilder, names: Mapping[str, Value]) -> None:
        self._builder = builder
        self._names = names
        self.grads: dict[Value, Value] = {}
        self.retained: dict[Value, None] = {}
        self.freed: set[GraphNode] = set()
        self.hooks: dict[Value, list[Callable[[Value], Value]]] = {}
        self.given: set[Value] = set()  # values whose .grad came with the request
        self.swept: list[tuple[Sequence[Value], Sequence[Value]]] = []  # from what, into whose .grad
        self.last_sweep: Sweep | None = None

    def targets(self) -> list[Value]:
        """The values that backward accumulates into: leaves that require grad, and retained ones."""
        named = self._names.values()
        leaves = [each for each in named if each.requires_grad and each.maker is None]
        return list(dict.fromkeys([*leaves, *self.retained]))

    def retain(self, value: Value) -> None:
        """Keep `.grad` of a non-leaf too."""
        check_retained(value)
        if value.maker is not None:
            self.retained[value] = None

    def zero(self, values: Sequence[Value]) -> None:
        """Forget the `.grad` of `values`, or of all if there are none."""
        for value in values or list(self.grads):
            self.grads.pop(value, None)

    def backward(
        self,
        tensors: Sequence[Value],
        gradients: Sequence[Value | None],
        *,
        inputs: Sequence[Value] | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        sites: Sequence[Site] = (),
    ) -> None:
        """Append a sweep from `tensors` and accumulate what it finds into the `.grad` slots. `sites` are the
        places of the gradients."""
        if inputs is not None:
            check_inputs(inputs, "backward")
        roots = self.roots(tensors, gradients, create_graph, sites)
        for value in inputs or ():
            self.retain(value)
        with self._builder.summing():
            sweep = self.sweep(roots, inputs, retain_graph, create_graph)
        into = self.targets() if inputs is None else list(dict.fromkeys([*inputs, *self.retained]))
        with set_grad_enabled(create_graph):
            for target in into:
                found = sweep.cotangents.get(target)
                if found is not None:
                    known = self.grads.get(target)
                    self.grads[target] = found if known is None else self._builder.F.add(known, found)
        self.last_sweep = sweep
        self.swept.append((tensors, into))

    def roots(
        self,
        tensors: Sequence[Value],
        gradients: Sequence[Value | None],
        create_graph: bool,
        sites: Sequence[Site] = (),
    ) -> list[tuple[Value, Value]]:
        """Each tensor with the cotangent that a sweep starts from: the given one, or else ones."""
        for gradient in gradients:
            seeds.check_gradient(gradient)
        seeds.check_count(len(tensors), len(gradients))
        pairs = list(zip(tensors, gradients, strict=True))
        found: list[tuple[Value, Value]] = []
        try:
            for index, (tensor, gradient) in enumerate(pairs):
                if gradient is None:
                    seeds.check_output(tensor, index)
            with set_grad_enabled(create_graph):
                for index, (tensor, gradient) in enumerate(pairs):
                    found.append((tensor, seeds.seed(self._builder.F, tensor, gradient, index)))
            for index, (tensor, _) in enumerate(pairs):
                seeds.check_output(tensor, index)
        except EngineError as error:
            raise locate(error, sites[index]) if sites else error from None
        return found

    def sweep(
        self,
        roots: Sequence[tuple[Value, Value]],
        wrt: Sequence[Value] | None,
        retain_graph: bool | None,
        create_graph: bool,
    ) -> Sweep:
        """Append the vjp of `roots`, and free what it went through unless `retain_graph`."""
        found = grad(
            self._builder, roots, wrt=wrt, create_graph=create_graph, freed=self.freed, hooks=self.hooks
        )
        if not (create_graph if retain_graph is None else retain_graph):
            self.freed.update(found.visited)
        return found


def check_unused(settings: dict[str, Any], name: str | None, index: int) -> None:
    """A gradient that is None is refused in torch's words unless it is allowed, and then may have no name."""
    if not settings.get("allow_unused"):
        raise unused(index)
    if name is not None:
        raise GradError(
            f"grad: '{name}' would be None: nothing flows to it. Drop it with null in \"out\", or ask for "
            "zeros with materialize_grads",
            pointer=("attrs", "wrt", index),
        )
