"""Bodies: a part of a graph with inputs and outputs, which control flow runs as a plan of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from engine.bounded import is_bounded
from engine.grad_mode import set_grad_enabled
from engine.graph import GraphNode, Value
from engine.graph_builder import GraphBuilder
from engine.levels import Levels, merged, without
from engine.plan.execute import Plan
from engine.plan.simplify import live
from engine.transforms.reverse import dependents


@dataclass(slots=True)
class Body:
    """The first `stop` nodes of a graph. Its derivatives are appended to the same graph, so that they compute
    again what they need of it."""

    builder: GraphBuilder
    inputs: list[Value]
    outputs: list[Value]
    stop: int

    @property
    def nodes(self) -> list[GraphNode]:
        """The nodes that its outputs are made of, and others that stand between them."""
        return self.builder.graph.nodes[: self.stop]

    @property
    def draws(self) -> bool:
        """Whether it draws random numbers."""
        return any(node.op.kind == "random" for node in self.nodes)

    @property
    def sized(self) -> bool:
        """Whether sizes come up in it that only a run knows."""
        return any(is_bounded(y.meta) for node in self.nodes for y in node.outputs)

    def draws_for(self, wanted: Sequence[Value | None]) -> bool:
        """Whether random numbers are needed for the outputs `wanted`."""
        found = live(self.nodes, self.inputs, wanted, effects="none")
        return any(each.op.kind == "random" for each in found)

    def extended(self, inputs: Sequence[Value], outputs: Sequence[Value]) -> Body:
        """A body of everything that its graph has by now."""
        return Body(self.builder, list(inputs), list(outputs), len(self.builder.graph.nodes))

    @contextmanager
    def open(self, active: Levels, masks: Levels | None = None) -> Iterator[GraphBuilder]:
        """Its builder, to append derivatives to it where the levels `active` are open. Nothing is summed over
        `masks`: which samples count is known only outside of the body."""
        builder, ledger = self.builder, self.builder.ledger
        before, builder.active = builder.active, active
        outer, ledger.masks = ledger.masks, merged(ledger.masks, masks or ())
        try:
            with set_grad_enabled(True):  # what is appended can be differentiated again
                yield builder
        finally:
            builder.active, ledger.masks = before, outer

    def varied(self, by: Sequence[Value]) -> set[Value]:
        """The values that depend on `by`, those among them."""
        found = set(by)
        for node in dependents(self.nodes, by):
            found.update(output for output in node.outputs if output.dtype.differentiable)
        return found

    def reads(self, wanted: Sequence[Value | None], effects: str) -> set[Value]:
        """The inputs that the outputs `wanted` are computed from, and what else the body does."""
        used = {value for value in wanted if value is not None}
        for each in live(self.nodes, self.inputs, wanted, effects=effects):
            used.update(x for x in each.operands if isinstance(x, Value))
        return used.intersection(self.inputs)

    def plan(self, inputs: Sequence[Value], wanted: Sequence[Value | None], effects: str) -> Plan:
        """The plan of its outputs `wanted`, for arrays of `inputs`."""
        return Plan(self.nodes, inputs, wanted, effects=effects, watched=self.builder.ledger.watched)


def placeholder(like: Value, levels: Levels | None = None) -> Value:
    """An input that stands for a value of that type; with the levels given, or the same."""
    found = Value(like.meta, levels=like.levels if levels is None else levels)
    found.requires_grad = like.requires_grad
    return found


def narrowed(builder: GraphBuilder, cotangent: Value, wide: Levels, own: Levels) -> Any:
    """The cotangent of a value of the levels `own` that was repeated for the samples of the levels `wide`."""
    kept = builder.kept
    return without(builder.F, cotangent, [each for each in wide if each not in own and each not in kept])


def zeros(F: Any, like: Value) -> Any:
    """Zeros of the type of `like`."""
    return F.zeros(like.shape, dtype=like.dtype)
