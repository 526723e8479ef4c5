"""The nodes of a trace, and the edges from one to the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from engine.control.history import Inside
from engine.graph import GraphNode, Value

Edge = tuple["TraceNode", int] | None


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
        sizes: Sequence[tuple[int, int]] = (),
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


class Summaries:
    """The iterations of one loop, each from the edges that it carries to those that it gives: an edge to one
    node in place of all those up to what is `around` the loop, or to an entry of `xs`."""

    def __init__(self, around: Iterable[Edge], xs: Iterable[Edge]) -> None:
        self._entries = {edge[0] for edge in xs if edge}
        self._boundary = self._entries.union(edge[0] for edge in around if edge)
        self._nodes: dict[Any, TraceNode] = {}
        self._known: dict[Any, list[Edge]] = {}

    def known(self, ran: Inside, state: list[Edge]) -> list[Edge] | None:
        """What an iteration gives that is the same as an earlier one."""
        return self._known.get((id(ran), *state))

    def of(self, ran: Inside, state: list[Edge], found: Iterable[Edge]) -> list[Edge]:
        """What an iteration gives, `found` as it is."""
        short = [self._summary(edge) for edge in found]
        if not any(edge and edge[0] in self._entries for edge in (*state, *short)):  # entries differ
            self._known[id(ran), *state] = short
        return short

    def _summary(self, edge: Edge) -> Edge:
        if edge is None or edge[0] in self._boundary:
            return edge
        ends: dict[TraceNode, None] = {}
        stack, seen = [edge[0]], {edge[0]}
        while stack:
            for each in stack.pop().edges:
                if each and each[0] in self._boundary:
                    ends[each[0]] = None
                elif each and each[0] not in seen:
                    seen.add(each[0])
                    stack.append(each[0])
        made = edge[0]
        short = TraceNode(made.node, [(end, 0) for end in ends], made.value, made.title)
        return self._nodes.setdefault((made.node, made.value, made.title, *ends), short), edge[1]
