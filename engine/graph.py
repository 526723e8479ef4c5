"""The flat SSA form of a program: values, nodes in creation order, and the builder that appends them.

A node remembers which of its operands required grad when it was made (`needs`), so the backward graph, its
names and saved values are read straight from here; `recorded` nodes are those torch would give a grad_fn.
Transforms ask instead what depends on what: any node that is `taped`, made with grad mode on, can be
differentiated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from engine import saved
from engine.bounded import refuse_new
from engine.builder import Functions
from engine.dtypes import DType
from engine.errors import EngineError, Pointer
from engine.flow import ControlKernel
from engine.grad_mode import is_grad_enabled
from engine.levels import Levels, count, levels_of
from engine.limits import Limits
from engine.op import Op
from engine.types import Shape, Type
from engine.watch import Watch


class Site(NamedTuple):
    """The statement that a node comes from: its place in the program, its id and its op as written."""

    pointer: Pointer
    id: str | None
    op: str | None


class Value:
    """One tensor of a graph: an output of `node`, or (node is None) an input or a constant. `meta` is the
    type of one sample of its `levels`."""

    __slots__ = ("constant", "index", "levels", "meta", "name", "node", "requires_grad")

    def __init__(
        self,
        meta: Type,
        node: GraphNode | None = None,
        index: int = 0,
        *,
        name: str | None = None,
        levels: Levels = (),
    ) -> None:
        self.meta = meta
        self.levels = levels
        self.node = node
        self.index = index
        self.requires_grad = False
        self.name = name
        self.constant: Any = None

    @property
    def shape(self) -> Shape:
        return self.meta.shape

    @property
    def dtype(self) -> DType:
        return self.meta.dtype

    @property
    def ndim(self) -> int:
        return len(self.meta.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of all its samples."""
        return self.meta.nbytes * count(self.levels)

    @property
    def maker(self) -> GraphNode | None:
        """The node that is its grad_fn; None for a leaf."""
        return self.node if self.node is not None and self.requires_grad and self.node.recorded else None

    def __repr__(self) -> str:
        return f"<{self.name or 'value'}: {self.meta!r}>"


class GraphNode:
    """One call of an op. `number` is its place in creation order, `levels` are those it is run over."""

    __slots__ = (
        "attrs", "given", "levels", "needs", "number", "op", "operands", "outputs", "recorded", "site",
        "taped",
    )  # fmt: skip

    def __init__(
        self,
        op: Op,
        operands: tuple[Any, ...],
        attrs: dict[str, Any],
        given: dict[str, Any],
        number: int,
        site: Site,
    ) -> None:
        self.op = op
        self.operands = operands
        self.attrs = attrs
        self.given = given
        self.number = number
        self.site = site
        self.outputs: tuple[Value, ...] = ()
        self.needs: Sequence[bool] = ()
        self.levels: Levels = ()
        self.recorded = False
        self.taped = False

    @property
    def saves_tensors(self) -> bool:
        """Whether a second backward through it is refused once it was freed."""
        if isinstance(self.op.run, ControlKernel):
            return self.op.run.saves_tensors
        return saved.saves_tensors(self.op, self.operands, self.needs)

    def __repr__(self) -> str:
        return f"<{self.number}: {self.op.name}>"


_NOWHERE = Site((), None, None)


class Graph:
    """Nodes in creation order, and the values that come from outside."""

    def __init__(self) -> None:
        self.nodes: list[GraphNode] = []
        self.inputs: list[Value] = []

    def input(self, meta: Type, *, name: str | None = None, requires_grad: bool = False) -> Value:
        """A value given when the graph is run."""
        value = Value(meta, name=name)
        value.requires_grad = requires_grad
        self.inputs.append(value)
        return value


class Ledger:
    """What all builders of one program share: how many nodes they have made, held to a limit, whether a
    derivative taken now is `summing` samples, the `masks` that decide later which samples count, and (in
    anomaly mode) the values that are watched for nan."""

    def __init__(self, limits: Limits, *, watch: bool = False) -> None:
        self._limits = limits
        self.spent = 0
        self.summing = False
        self.masks: Levels = ()
        self.watched: dict[Value, Watch] | None = {} if watch else None

    def spend(self) -> None:
        """LimitExceeded if one more is more than the limit."""
        self.spent += 1
        if self.spent > self._limits.nodes:
            self._limits.check("nodes", self.spent)


class GraphBuilder:
    """Appends a node for each op applied to values; what `F` is while a graph is built."""

    def __init__(self, graph: Graph, limits: Limits, ledger: Ledger | None = None) -> None:
        self.active: Levels = ()  # the levels that are open: what is made here is made for each sample
        self.graph = graph
        self.limits = limits
        self.ledger = ledger or Ledger(limits)
        self.sweeping = False  # what is appended now belongs to a rule
        self.site = _NOWHERE
        self.F = Functions(self)

    @property
    def kept(self) -> Levels:
        """The levels for each sample of which derivatives are taken."""
        summed = [level for level in self.active if level.summed and self.ledger.summing]
        return (*(level for level in self.active if level not in summed), *self.ledger.masks)

    @contextmanager
    def summing(self) -> Iterator[None]:
        """Inside, derivatives are those of the sum over the levels that want it; those that a program takes
        itself are of each sample."""
        before, self.ledger.summing = self.ledger.summing, True
        try:
            yield
        finally:
            self.ledger.summing = before

    def apply(self, op: Op, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Append one call of `op`; its Value, or a tuple of them."""
        if op.kind == "composite":
            return op.expand(self.F, args, kwargs)
        operands, attrs, given = op.bind(args, kwargs)
        return self.append(op, operands, attrs, given)

    def append(self, op: Op, operands: tuple[Any, ...], attrs: dict[str, Any], given: dict[str, Any]) -> Any:
        """Append a call that is bound already."""
        self.ledger.spend()
        types = op.infer_types(operands, attrs)
        node = GraphNode(op, operands, attrs, given, len(self.graph.nodes), self.site)
        node.levels = levels_of(op, operands, attrs, self.active)
        if node.levels and not isinstance(op.run, ControlKernel) and not _is_shared_mask(op, operands):
            refuse_new(types, [getattr(each, "meta", each) for each in operands], attrs)
        control = op.run.results if isinstance(op.run, ControlKernel) else None
        outputs = []
        for index, meta in enumerate(types):
            if not control:
                self.limits.check_type(meta)
            outputs.append(Value(meta, node, index, levels=control[index] if control else node.levels))
        node.outputs = tuple(outputs)
        if op.vjp is not None and is_grad_enabled():
            node.taped = True
            self._record(node)
        self.graph.nodes.append(node)
        if self.ledger.watched is not None and not self.sweeping and not control:
            self.ledger.watched.update((each, Watch.forward(self.site.op or op.short)) for each in outputs)
        return outputs[0] if op.single else node.outputs

    def _record(self, node: GraphNode) -> None:
        slots = node.op.slots(node.operands)
        needs = [False] * len(node.operands)
        for at in slots:
            needs[at] = getattr(node.operands[at], "requires_grad", False)
        if True not in needs:
            return
        node.needs = needs
        for output in node.outputs:
            if output.meta.dtype.differentiable:
                output.requires_grad = node.recorded = True


def _is_shared_mask(op: Op, operands: Sequence[Any]) -> bool:
    """Whether indices tell what `op` gives the size of, and are the same for all samples."""
    kinds = op.operand_kinds(len(operands))
    indices = [each for each, kind in zip(operands, kinds, strict=True) if kind == "Indices"]
    return bool(indices) and not any(getattr(each, "levels", ()) for each in indices)


def locate(error: EngineError, site: Site) -> EngineError:
    """`error` with the place of a statement added, if it has none in the program yet."""
    placed = error.pointer[:1] == ("graph",)
    return error.at(() if placed else site.pointer, node=site.id, op=site.op)
