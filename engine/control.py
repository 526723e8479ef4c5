"""Loops as nodes: a `while` is one op whose kernel runs the plans of its condition and body.

Each loop makes a record of its own, so that the sweep, the trace and the plan see an ordinary node. Its last
output is a `LoopRecord`: how often it ran, and per iteration the values that the body's vjp needs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.dtypes import int64
from engine.errors import DTypeError, IterationLimit, ShapeError
from engine.grad_mode import set_grad_enabled
from engine.graph import Graph, GraphBuilder, GraphNode, Value
from engine.op import NoDerivative, Op
from engine.plan.execute import Plan
from engine.signature import MISSING, Param
from engine.transforms.grad import grad
from engine.types import Type

RECORD = Type((), int64)  # the type that stands for a LoopRecord, which is no tensor
_OBJECT_BYTES = 120  # a small array's own size, beside its data
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
    residuals: list[Value] = field(default_factory=list)
    seeds: list[Value] = field(default_factory=list)
    cotangents: list[Value | None] = field(default_factory=list)
    boundary: int = 0  # nodes of the body from here on belong to the backward pass
    limits: Any = None

    @property
    def forward_nodes(self) -> list[GraphNode]:
        """The body's own nodes, without those of its vjp."""
        return self.body.nodes[: self.boundary] if self.seeds else self.body.nodes

    def differentiate(self) -> None:
        """Append the body's vjp to its graph, once, and find what it needs from the forward pass."""
        if self.seeds:
            return
        self.boundary = len(self.body.nodes)
        builder = GraphBuilder(self.body, self.limits)
        pairs = []
        for result, active in zip(self.results, self.active, strict=True):
            seed = Value(result.meta)
            self.seeds.append(seed)
            if active and result.requires_grad:
                pairs.append((result, seed))
        sweep = grad(builder, pairs)
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
            if isinstance(each, Value) and each not in own and each.constant is None:
                if each.node is None or each.node.number < self.boundary:
                    found[each] = None
        return list(found)


class LoopKernel:
    """The kernel of a loop: runs the body of `graphs` while the condition holds."""

    def __init__(self, graphs: LoopGraphs) -> None:
        self.graphs = graphs

    @functools.cached_property
    def _plans(self) -> tuple[Plan, Plan, bool]:
        graphs = self.graphs
        inputs = [*graphs.carried, *graphs.captured]
        nodes = graphs.forward_nodes
        loops = [node.outputs[-1] for node in nodes if node.op.name == "while"]
        cond = Plan(graphs.cond.nodes, inputs, [graphs.cond_result])
        return cond, Plan(nodes, inputs, [*graphs.results, *graphs.residuals, *loops]), bool(loops)

    def peak_bytes(self) -> int:
        """The bytes of one iteration's work and of the residuals of `max_iters` iterations."""
        cond, body, _ = self._plans
        return max(cond.peak_bytes, body.peak_bytes) + self.record_bytes()

    def record_bytes(self) -> int:
        """The bytes of the residuals of `max_iters` iterations, those of the loops inside them too."""
        each = _ITERATION_BYTES
        for value in self.graphs.residuals:
            kernel = value.node.op.run if value.node else None
            each += kernel.record_bytes() if isinstance(kernel, LoopKernel) else value.meta.nbytes + _OBJECT_BYTES
        return self.graphs.max_iters * each

    def flops(self) -> int:
        """The flops of `max_iters` iterations."""
        cond, body, _ = self._plans
        return self.graphs.max_iters * (cond.flops + body.flops)

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


class _Backward:
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
        return self._graphs.max_iters * self._plan.flops

    def __call__(self, generator: Any, record: LoopRecord, *arrays: Any) -> Any:
        graphs, plan = self._graphs, self._plan
        count = len(graphs.carried)
        cotangents, constants = list(arrays[:count]), arrays[count:]
        names = [*graphs.residuals, *graphs.captured, *graphs.seeds]
        totals = [np.zeros(each.meta.shape, each.meta.dtype.numpy) for each in graphs.captured]
        for residuals in reversed(record.residuals):
            values = dict(zip(names, (*residuals, *constants, *cotangents), strict=True))
            found = iter(plan.run(generator, list(values.values())))
            new = [None if each is None else next(found) for each in graphs.cotangents]
            cotangents = [
                np.zeros_like(old) if each is None else each for old, each in zip(cotangents, new[:count], strict=True)
            ]
            totals = [old if each is None else old + each for old, each in zip(totals, new[count:], strict=True)]
        every = (*cotangents, *totals)
        return every if len(every) > 1 else every[0]


def while_op(graphs: LoopGraphs, *, random: bool) -> Op:
    """The record of one loop, `random` if its condition or body draws."""
    count = len(graphs.carried)
    total = count + len(graphs.captured)

    def vjp(F: Any, x: Any, y: Any, g: Any) -> Sequence[Callable[[], Any]]:
        graphs.differentiate()
        found: list[Any] = []

        def component(at: int) -> Any:
            if not found:
                seeds = [F.zeros_like(r) if c is None else c for r, c in zip(y[:count], g[:count], strict=True)]
                produced = F.apply_op(_while_vjp(graphs), y[count], *seeds, *x[count:])
                found.extend(produced if isinstance(produced, tuple) else (produced,))
            return found[at]

        return [functools.partial(component, at) for at in range(total)]

    return Op(
        name="while",
        params=_params(["Tensor"] * total),
        doc="A loop.",
        kind="random" if random else "control",
        run=LoopKernel(graphs),
        infer=lambda *operands: (*(each.meta for each in graphs.carried), RECORD),
        vjp=vjp,
        grad_fn="WhileBackward0",
        outputs=(*(f"r{at}" for at in range(count)), "record"),
    )


def _while_vjp(graphs: LoopGraphs) -> Op:
    types = tuple(each.meta for each in (*graphs.carried, *graphs.captured))
    return Op(
        name="while_vjp",
        params=_params(["Fixed", *["Tensor"] * len(types)]),
        doc="The vjp of a loop.",
        kind="control",
        run=_Backward(graphs),
        infer=lambda *operands: types,
        vjp=NoDerivative("a second derivative through while is not implemented yet"),
        grad_fn="WhileBackwardBackward0",
        outputs=tuple(f"r{at}" for at in range(len(types))),
    )


def _params(kinds: Sequence[str]) -> tuple[Param, ...]:
    return tuple(Param(f"v{at}", kind, False, MISSING, False) for at, kind in enumerate(kinds))


def check_carry(name: str, initial: Type, yielded: Type) -> None:
    """A carried value keeps its shape and dtype."""
    if initial.shape != yielded.shape:
        raise ShapeError(
            f"while: carry '{name}' starts with shape {list(initial.shape)} and is yielded with {list(yielded.shape)}",
            expected=list(initial.shape), actual=list(yielded.shape),
        )
    if initial.dtype is not yielded.dtype:
        raise DTypeError(
            f"while: carry '{name}' starts as {initial.dtype.name} and is yielded as {yielded.dtype.name}",
            expected=initial.dtype.name, actual=yielded.dtype.name,
        )


