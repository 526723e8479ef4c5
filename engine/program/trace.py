"""The grad_fn trace of a program: the nodes eager torch would have made, read from the graph.

Loops are expanded per iteration, so the trace of a program with loops is known only after its run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from engine import saved
from engine.bounded import Sizes, resolve
from engine.control.branch import Branch, BranchRecord
from engine.control.history import Inside, LoopRecord
from engine.control.loop import Loop, is_primal
from engine.control.spec import LEAD
from engine.dtypes import DType
from engine.eager.tensor import Tensor
from engine.errors import LimitExceeded
from engine.graph import GraphNode, Value
from engine.language.notation import finite_or_name

Edge = tuple["TraceNode", int] | None
Record = LoopRecord | BranchRecord
Records = dict[Value, Record]  # how control flow ran, by the last result of its node
_NOTHING = Inside((), {})


class Shown(Protocol):
    """What a trace with values shows: tensors, or None where there is none."""

    def value(self, value: Value) -> Tensor | None: ...

    def cotangent(self, value: Value) -> Tensor | None: ...


class TraceNode:
    """A grad_fn: that of `node`, or one that eager torch would make besides, called `title`; or (both are
    None) the AccumulateGrad of the leaf `value`."""

    __slots__ = ("edges", "node", "sizes", "title", "value")

    def __init__(
        self,
        node: GraphNode | None,
        edges: Sequence[Edge],
        value: Value | None = None,
        title: str | None = None,
        sizes: Sizes | None = None,
    ) -> None:
        self.node = node
        self.edges = edges
        self.value = value
        self.title = title
        self.sizes = sizes  # those known only from the run of the body that the node is in

    @property
    def is_leaf(self) -> bool:
        return self.node is None and self.title is None

    @property
    def needs(self) -> list[bool]:
        """Which operands of the node lead on."""
        assert self.node is not None
        found = [False] * len(self.node.operands)
        for at, edge in zip(self.node.op.slots(self.node.operands), self.edges, strict=True):
            found[at] = edge is not None
        return found

    @property
    def name(self) -> str:
        if self.node is None:
            return self.title or "AccumulateGrad"
        return self.node.op.node_name(self.node.operands, self.node.given)


class Trace:
    """The edges of a graph's values, nodes made in creation order.

    `records` tell how the loops ran, `limit` bounds the nodes that they may become. Without a limit only
    `edge` and `reached` are known: each iteration is summed up, so that a long loop takes no memory.
    """

    def __init__(self, nodes: Iterable[GraphNode], records: Records, limit: int | None = None) -> None:
        self._edges: dict[Value, Edge] = {}
        self._order: dict[TraceNode, int] = {}
        self._limit = limit
        self._keep = limit is not None or not records
        for node in nodes:
            self._enter(node, self._edges, records)

    def edge(self, value: Value) -> Edge:
        """Where the cotangent of `value` goes: None if it does not require grad."""
        return self._edge(value, self._edges)

    def _edge(self, operand: Any, scope: dict[Value, Edge], required: bool = False) -> Edge:
        """The edge of a value; a leaf may have `required` grad when it was used and no longer do."""
        if not isinstance(operand, Value):
            return None
        required = required or operand.requires_grad
        if operand not in scope and required and operand.maker is None:
            scope[operand] = (TraceNode(None, (), operand), 0)
        return scope.get(operand)

    def _enter(
        self, node: GraphNode, scope: dict[Value, Edge], records: Records, sizes: Sizes | None = None
    ) -> None:
        if is_primal(node.op.run):
            record = records[node.outputs[-1]]
            if isinstance(record, LoopRecord):
                self._loop(node, scope, record)
            else:
                self._branch(node, scope, record)
            return
        if not node.recorded:
            return
        slots = node.op.slots(node.operands)
        edges = [self._edge(node.operands[at], scope, True) if node.needs[at] else None for at in slots]
        if any(edges):
            made = TraceNode(node, edges, sizes=sizes)
            if self._keep:
                self._order[made] = len(self._order)
            for output in node.outputs:
                if output.requires_grad:
                    scope[output] = (made, output.index)

    def _make(self, title: str, edges: Sequence[Edge], value: Value) -> Edge:
        """The edge to a node that eager torch would make besides; None if nothing leads on."""
        if not any(edges):
            return None
        made = TraceNode(None, edges, value, title)
        if self._keep:
            self._order[made] = len(self._order)
        return made, 0

    def _loop(self, node: GraphNode, scope: dict[Value, Edge], record: LoopRecord) -> None:
        assert isinstance(node.op.run, Loop)
        spec, inputs = node.op.run.spec, node.op.run.spec.body.inputs
        body, edges = spec.body.nodes, [self._edge(x, scope) for x in node.operands[LEAD:]]
        state, outer = edges[: spec.carried], edges[spec.carried + spec.xs :]
        xs = [
            edge and self._make("UnbindBackward0", [edge], value)
            for edge, value in zip(edges[spec.carried :][: spec.xs], inputs[spec.carried :], strict=False)
        ]
        ys: list[list[Edge]] = [[] for _ in range(spec.ys)]
        self._check(record.count * sum(each.recorded for each in body))
        boundary = {edge[0] for edge in (*state, *xs, *outer) if edge}
        for iteration in range(record.count):
            entries = [edge and (edge[0], iteration) for edge in xs]
            inner = dict(zip(inputs, [*state, *entries, *outer], strict=True))
            self._inside(body, inner, record.inner[iteration] if record.inner else _NOTHING)
            found = [self._edge(result, inner) for result in spec.body.outputs]
            if not self._keep:
                found = [_summary(edge, boundary) for edge in found]
            state = found[: spec.carried]
            for stacked, edge in zip(ys, found[spec.carried :], strict=True):
                stacked.append(edge)
        scope.update(zip(node.outputs, state, strict=False))
        scope.update(zip(node.outputs[spec.carried + spec.ys :], state, strict=False))  # the histories
        for result, stacked in zip(node.outputs[spec.carried :], ys, strict=False):
            scope[result] = self._make("StackBackward0", stacked, result)

    def _branch(self, node: GraphNode, scope: dict[Value, Edge], record: BranchRecord) -> None:
        """The branch that was taken; where samples disagree both, and a choice between them."""
        assert isinstance(node.op.run, Branch)
        branch, edges = node.op.run, [self._edge(x, scope) for x in node.operands[2:]]
        found: list[list[Edge]] = []
        for body, taken, ran in zip(branch.bodies, record.taken, record.inner, strict=True):
            if taken:
                inner = dict(zip(branch.captured, edges, strict=True))
                self._inside(body.nodes, inner, ran)
                found.append([self._edge(result, inner) for result in body.outputs])
        for result, *each in zip(node.outputs, *found, strict=False):
            whole = len(each) > 1
            scope[result] = self._make("WhereBackward0", [None, *each], result) if whole else each[0]

    def _inside(self, nodes: Sequence[GraphNode], scope: dict[Value, Edge], ran: Inside) -> None:
        flow = [node.outputs[-1] for node in nodes if is_primal(node.op.run)]
        inner = dict(zip(flow, ran.records, strict=True)) if flow else {}
        for node in nodes:
            self._enter(node, scope, inner, ran.sizes)

    def _check(self, more: int) -> None:
        asked = len(self._order) + more
        if self._limit is not None and asked > self._limit:
            text = f"trace: {asked} nodes, {self._limit} allowed; without a trace the program runs"
            raise LimitExceeded("trace", asked, self._limit, text).at(("trace",))

    def reached(self, roots: Iterable[Value], targets: Iterable[Value]) -> set[Value]:
        """Those of `targets` that a sweep from `roots` comes to."""
        seen = _behind(self.edge(root) for root in roots)
        return {target for target in targets if (edge := self.edge(target)) and edge[0] in seen}

    def behind(self, roots: Iterable[Edge]) -> list[TraceNode]:
        """The nodes that roots lead to, youngest first, then AccumulateGrad by first use."""
        seen = _behind(roots)
        made = sorted((each for each in seen if not each.is_leaf), key=lambda each: -self._order[each])
        used = (edge[0] for each in made for edge in each.edges if edge and edge[0].is_leaf)
        rest = (each for each in seen if each.is_leaf)
        return [*made, *dict.fromkeys([*used, *rest])]


def _behind(roots: Iterable[Edge]) -> set[TraceNode]:
    stack = [edge[0] for edge in roots if edge]
    seen = set(stack)
    while stack:
        for edge in stack.pop().edges:
            if edge and edge[0] not in seen:
                seen.add(edge[0])
                stack.append(edge[0])
    return seen


def _summary(edge: Edge, boundary: set[TraceNode]) -> Edge:
    """An edge to one node in place of all those up to `boundary`."""
    if edge is None or edge[0] in boundary:
        return edge
    ends: dict[TraceNode, None] = {}
    stack, seen = [edge[0]], {edge[0]}
    while stack:
        for each in stack.pop().edges:
            if each and each[0] in boundary:
                ends[each[0]] = None
            elif each and each[0] not in seen:
                seen.add(each[0])
                stack.append(each[0])
    made = edge[0]
    return TraceNode(made.node, [(end, 0) for end in ends], made.value, made.title), edge[1]


def render(trace: Trace, roots: dict[str, Value], values: Shown | None = None) -> dict[str, Any]:
    """The trace as JSON; with `values`, the Tensors themselves stand in it."""
    found = {name: trace.edge(value) for name, value in roots.items()}
    edges = {
        name: edge if edge and not edge[0].is_leaf else None for name, edge in found.items()
    }  # a leaf has none
    nodes = trace.behind(edges.values())
    numbers = {node: at for at, node in enumerate(nodes)}
    return {
        "roots": {name: numbers[edge[0]] if edge else None for name, edge in edges.items()},
        "nodes": [_render(node, numbers, values) for node in nodes],
    }


def _render(each: TraceNode, numbers: dict[TraceNode, int], values: Shown | None) -> dict[str, Any]:
    found: dict[str, Any] = {"name": each.name}
    if each.node is None:
        assert each.value is not None
        found["tensor" if each.title else "variable"] = each.value.name
        produced: Sequence[Value] = (each.value,)
    else:
        produced = each.node.outputs
        name = next((value.name for value in produced if value.name), None)
        if name:
            found["tensor"] = name
    found["next_functions"] = [[numbers[edge[0]], edge[1]] if edge else None for edge in each.edges]
    if each.node is not None:
        node = each.node
        kept = saved.describe(node.op, node.operands, node.outputs, node.given, each.needs)
        plain = {key: shown(kept[key], values) for key in sorted(kept)}
        found["saved"] = resolve(plain, each.sizes) if each.sizes else plain
    elif each.title:
        found["saved"] = {} if each.title == "WhereBackward0" else {"dim": 0}
    if values is not None:
        found["value"] = values.value(produced[0])
        found["grad"] = values.cotangent(produced[0])
    return found


def shown(value: Any, values: Shown | None) -> Any:
    """A saved value as JSON: tensors as their dtype and shape (or as they are, with `values`)."""
    if isinstance(value, Value):
        found = values.value(value) if values is not None else None
        return (
            found if found is not None else {"dtype": value.meta.dtype.name, "shape": list(value.meta.shape)}
        )
    if isinstance(value, saved.Wrapped):
        return {"dtype": value.dtype.name, "shape": []}
    if isinstance(value, (list, tuple)):
        return [shown(each, values) for each in value]
    if isinstance(value, DType):
        return value.name
    if isinstance(value, complex):
        return {"complex": [shown(value.real, values), shown(value.imag, values)]}
    return finite_or_name(value) if isinstance(value, float) else value
