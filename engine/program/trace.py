"""The grad_fn trace of a program: the nodes eager torch would have made, read from the graph.

Loops are expanded per iteration, so the trace of a program with loops is known only after its run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from engine.control.branch import Branch
from engine.control.history import BranchRecord, Inside, LoopRecord
from engine.control.loop import Loop, is_primal
from engine.control.spec import LEAD
from engine.errors import LimitExceeded
from engine.graph import GraphNode, Value
from engine.program.edges import Edge, Summaries, TraceNode

Record = LoopRecord | BranchRecord
Records = dict[Value, Record]  # how control flow ran, by the last result of its node
_NOTHING = Inside((), ())


class Trace:
    """The edges of a graph's values, nodes made in creation order.

    `records` tell how the loops ran, `limit` bounds the nodes that they may become. Without a limit only
    `edge` and `reached` are known: each iteration is summed up, so that a long loop takes no memory, and
    iterations that are the same are followed once.
    """

    def __init__(self, nodes: Sequence[GraphNode], records: Records, limit: int | None = None) -> None:
        self._edges: dict[Value, Edge] = {}
        self._order: dict[TraceNode, int] = {}
        self._keep = limit is not None or not records
        if limit is not None and (asked := _size(nodes, records)) > limit:
            text = f"trace: {asked} nodes, {limit} allowed; without a trace the program runs"
            raise LimitExceeded("trace", asked, limit, text).at(("trace",))
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

    def _enter(self, node: GraphNode, scope: dict[Value, Edge], records: Records, sizes: Any = ()) -> None:
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
        short = None if self._keep else Summaries([*state, *outer], xs)
        for at in range(record.iterations):
            ran = record.inner[at] if record.inner else _NOTHING
            found = short.known(ran, state) if short else None
            if found is None:
                entries = [edge and (edge[0], at) for edge in xs]
                inner = dict(zip(inputs, [*state, *entries, *outer], strict=True))
                self._inside(body, inner, ran)
                found = [self._edge(result, inner) for result in spec.body.outputs]
                found = short.of(ran, state, found) if short else found
            elif not record.inner and found[: spec.carried] == state:
                break  # and so it goes on
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
        inner = _within(nodes, ran)
        for node in nodes:
            self._enter(node, scope, inner, ran.sizes)

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


def _within(nodes: Sequence[GraphNode], ran: Inside) -> Records:
    """The records of the control flow among the nodes of a body."""
    flow = [node.outputs[-1] for node in nodes if is_primal(node.op.run)]
    return dict(zip(flow, ran.records, strict=True)) if flow else {}


def _size(nodes: Sequence[GraphNode], records: Records) -> int:
    """How many nodes those of a graph become, as control flow ran."""
    found = 0
    for node in nodes:
        run, record = node.op.run, records.get(node.outputs[-1])
        if isinstance(run, Loop) and isinstance(record, LoopRecord):
            body, inner = run.spec.body.nodes, record.inner
            found += sum(_size(body, _within(body, ran)) for ran in inner) if inner else (
                record.iterations * sum(each.recorded for each in body))  # fmt: skip
        elif isinstance(run, Branch) and isinstance(record, BranchRecord):
            ways = zip(run.bodies, record.taken, record.inner, strict=True)
            found += sum(_size(body.nodes, _within(body.nodes, ran)) for body, taken, ran in ways if taken)
        else:
            found += node.recorded
    return found
