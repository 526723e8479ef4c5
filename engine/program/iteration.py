"""How a loop runs, and how its vjp does: kernels over the plans of its condition and body."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.errors import IterationLimit
from engine.grad_mode import set_grad_enabled
from engine.graph import Graph, GraphBuilder, GraphNode, Value
from engine.op import ControlKernel
from engine.plan.execute import Plan
from engine.transforms.grad import grad

_OBJECT_BYTES = 120  # a small array's own size, beside its data
_CALL_FLOPS = 1000  # what a call takes beside its arithmetic: of small arrays, nearly all
_ITERATION_BYTES = 80  # a tuple of residuals and its place in the list


@dataclass(slots=True)
class LoopRecord:
    """How a loop ran: the residuals of each iteration, and the records of the loops inside it."""

    residuals: list[tuple[Any, ...]] = field(default_factory=list)
    inner: list[tuple[LoopRecord, ...]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """The number of iterations."""
        return len(self.residuals)


@dataclass(slots=True)
class LoopGraphs:
    """The graphs of a loop. Their inputs are the carried values, then the captured ones.

    `backward` gives, from residuals and the cotangents of the carried results, the cotangents of the carried
    and of the captured values; `active` tells which carried values have one.
    """

    cond: Graph
    cond_result: Value
    body: Graph
    results: list[Value]
    carried: list[Value]
    captured: list[Value]
    active: list[bool]
    max_iters: int
    builder: GraphBuilder  # of the body
    freed: set[GraphNode]  # nodes of the body that a `grad` inside it has freed
    residuals: list[Value] = field(default_factory=list)
    seeds: list[Value] = field(default_factory=list)
    cotangents: list[Value | None] = field(default_factory=list)
    boundary: int = 0  # nodes of the body from here on belong to the backward pass

    @property
    def forward_nodes(self) -> list[GraphNode]:
        """The body's own nodes, without those of its vjp."""
        return self.body.nodes[: self.boundary] if self.seeds else self.body.nodes

    def differentiate(self) -> None:
        """Append the body's vjp to its graph, once, and find what it needs from the forward pass."""
        if self.seeds:
            return
        self.boundary = len(self.body.nodes)
        pairs = []
        for result, active in zip(self.results, self.active, strict=True):
            seed = Value(result.meta)
            self.seeds.append(seed)
            if active and result.requires_grad:
                pairs.append((result, seed))
        sweep = grad(self.builder, pairs, freed=self.freed)
        with set_grad_enabled(False):
            sources = [*self.carried, *self.captured]
            self.cotangents = [sweep.cotangents.get(each) if each.requires_grad else None for each in sources]
        self.residuals = self._needed()

    def _needed(self) -> list[Value]:
        own = set(self.seeds)
        found: dict[Value, None] = {}
        backward = self.body.nodes[self.boundary :]
        used = [operand for node in backward for operand in node.operands] + [*self.cotangents]
        for each in used:
            if not isinstance(each, Value) or each in own or each.constant is not None:
                continue
            if each.node is None or each.node.number < self.boundary:
                found[each] = None
        return list(found)


class LoopKernel(ControlKernel):
    """The kernel of a loop: runs the body of `graphs` while the condition holds."""

    effect = True  # it may not end

    def __init__(self, graphs: LoopGraphs) -> None:
        self.graphs = graphs

    @functools.cached_property
    def _plans(self) -> tuple[Plan, Plan, bool]:
        graphs = self.graphs
        inputs = [*graphs.carried, *graphs.captured]
        nodes = graphs.forward_nodes
        loops = [node.outputs[-1] for node in nodes if isinstance(node.op.run, LoopKernel)]
        cond = Plan(graphs.cond.nodes, inputs, [graphs.cond_result])
        return cond, Plan(nodes, inputs, [*graphs.results, *graphs.residuals, *loops]), bool(loops)

    @property
    def saves_tensors(self) -> bool:
        """Whether a second backward through the loop is refused, whether or not it ran."""
        return any(node.recorded and node.saves_tensors for node in self.graphs.forward_nodes)

    def peak_bytes(self) -> int:
        """The bytes of one iteration's work and of the residuals of `max_iters` iterations."""
        cond, body, _ = self._plans
        return max(cond.peak_bytes, body.peak_bytes) + self.record_bytes()

    def record_bytes(self) -> int:
        """The bytes of the residuals of `max_iters` iterations, those of the loops inside them too."""
        each = _ITERATION_BYTES
        for value in self.graphs.residuals:
            kernel = value.node.op.run if value.node else None
            each += (
                kernel.record_bytes() if isinstance(kernel, LoopKernel) else value.meta.nbytes + _OBJECT_BYTES
            )
        return self.graphs.max_iters * each

    def flops(self) -> int:
        """The flops of `max_iters` iterations."""
        cond, body, _ = self._plans
        calls = cond.calls + body.calls + 1
        return self.graphs.max_iters * (cond.flops + body.flops + calls * _CALL_FLOPS)

    def __call__(self, generator: Any, *arrays: Any) -> tuple[Any, ...]:
        graphs, (cond, body, nested) = self.graphs, self._plans
        count = len(graphs.carried)
        kept = count + len(graphs.residuals)
        state, captured = list(arrays[:count]), arrays[count:]
        record = LoopRecord()
        while bool(cond.run(generator, [*state, *captured])[0]):
            if record.count >= graphs.max_iters:
                limit = graphs.max_iters
                raise IterationLimit("iterations", limit + 1, limit, f"while: max_iters {limit} reached")
            found = body.run(generator, [*state, *captured])
            state = found[:count]
            record.residuals.append(tuple(found[count:kept]))
            if nested:
                record.inner.append(tuple(found[kept:]))
        return (*state, record)


class BackwardKernel(ControlKernel):
    """The kernel of a loop's vjp: the body's vjp for each iteration, the last one first."""

    def __init__(self, graphs: LoopGraphs) -> None:
        self._graphs = graphs

    @functools.cached_property
    def _plan(self) -> Plan:
        graphs = self._graphs
        inputs = [*graphs.residuals, *graphs.captured, *graphs.seeds]
        wanted = [each for each in graphs.cotangents if each is not None]
        return Plan(graphs.body.nodes[graphs.boundary :], list(dict.fromkeys(inputs)), wanted, effects=False)

    def peak_bytes(self) -> int:
        """The bytes of one iteration's work."""
        return self._plan.peak_bytes

    def flops(self) -> int:
        """The flops of `max_iters` iterations."""
        return self._graphs.max_iters * (self._plan.flops + (self._plan.calls + 1) * _CALL_FLOPS)

    def __call__(self, generator: Any, record: LoopRecord, *arrays: Any) -> Any:
        graphs, plan = self._graphs, self._plan
        count = len(graphs.carried)
        cotangents, constants = list(arrays[:count]), arrays[count : count + len(graphs.captured)]
        names = [*graphs.residuals, *graphs.captured, *graphs.seeds]
        totals = [np.zeros(each.meta.shape, each.meta.dtype.numpy) for each in graphs.captured]
        for residuals in reversed(record.residuals):
            values = dict(zip(names, (*residuals, *constants, *cotangents), strict=True))
            found = iter(plan.run(generator, list(values.values())))
            new = [None if each is None else next(found) for each in graphs.cotangents]
            cotangents = [
                np.zeros_like(old) if each is None else each
                for old, each in zip(cotangents, new[:count], strict=True)
            ]
            totals = [
                old if each is None else old + each for old, each in zip(totals, new[count:], strict=True)
            ]
        every = (*cotangents, *totals)
        return every if len(every) > 1 else every[0]
