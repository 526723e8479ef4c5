"""What appends nodes to a graph: the builder that ops are applied to while a program is lowered."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from engine.bounded import refuse_new
from engine.builder import Functions
from engine.dtypes import get_default_dtype
from engine.errors import Site
from engine.flow import ControlKernel
from engine.grad_mode import grad_enabled
from engine.graph import Graph, GraphNode, Source, Value
from engine.levels import Levels, levels_of
from engine.limits import Limits
from engine.op import Op
from engine.variants import Sized, Variant, Variants
from engine.watch import Watch

_NOWHERE = Site((), None, None)


class Ledger:
    """What all builders of one program share: how many nodes they have made, held to a limit, the `variants`
    that these are calls of, whether a derivative taken now is `summing` samples, the `masks` that decide
    later which samples count, and (in anomaly mode) the values that are watched for nan."""

    def __init__(self, limits: Limits, *, watch: bool = False) -> None:
        self._limits, self._allowed = limits, limits.nodes
        self.spent = 0
        self.variants = Variants(Value, get_default_dtype(), limits.rank, limits.elements)
        self.summing = False
        self.masks: Levels = ()
        self.watched: dict[Value, Watch] | None = {} if watch else None

    def spend(self) -> None:
        """LimitExceeded if one more is more than the limit."""
        self.spent += 1
        if self.spent > self._allowed:
            self._limits.check("nodes", self.spent)


class GraphBuilder:
    """Appends a node for each op applied to values; what `F` is while a graph is built."""

    def __init__(self, graph: Graph, limits: Limits, ledger: Ledger | None = None) -> None:
        self.active: Levels = ()  # the levels that are open: what is made here is made for each sample
        self.graph = graph
        self.limits = limits
        self.ledger = ledger or Ledger(limits)
        self.sweeping = False  # what is appended now belongs to a rule
        self.source: Source = _NOWHERE  # of what is appended now
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

    def scratch(self) -> GraphBuilder:
        """A builder of a graph of its own, to see what would be appended; nothing of it is counted."""
        found = GraphBuilder(Graph(), self.limits, copy.copy(self.ledger))
        found.active, found.source, found.sweeping = self.active, self.source, True
        return found

    def apply(self, op: Op, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Append one call of `op`; its Value, or a tuple of them."""
        if op.kind == "composite":
            return op.expand(self.F, args, kwargs)
        variants = self.ledger.variants
        key, table = variants.find(op, args, kwargs)
        known = table.get(key)
        if known is not None:
            return self.call(known.variant, known.operands(args))
        operands, attrs, given = op.bind(args, kwargs)
        variant = self._variant(op, operands, attrs, given)
        if key is not None and variant.shared:
            variants.keep(key, table, args, operands, variant)
        return self.call(variant, operands)

    def append(self, op: Op, operands: tuple[Any, ...]) -> Any:
        """Append a call of an op that is made for it, and has no settings."""
        return self.call(self._variant(op, operands, {}, {}), operands)

    def call(self, variant: Variant, operands: tuple[Any, ...]) -> Any:
        """Append a call of a variant."""
        ledger, nodes = self.ledger, self.graph.nodes
        ledger.spend()
        node = GraphNode(variant, operands, len(nodes), self.source)
        if variant.single:
            outputs: tuple[Value, ...] = (Value(variant.meta, node, 0, variant.levels),)
        else:
            results = enumerate(variant.results)
            outputs = tuple([Value(meta, node, at, levels) for at, (meta, levels) in results])
        node.outputs = outputs
        nodes.append(node)
        if variant.taped and grad_enabled():
            node.taped = True
            node.needs = variant.needs(tuple([operands[at].requires_grad for at in variant.tensors]))
            if node.needs:
                for at in variant.differentiable:
                    outputs[at].requires_grad = node.recorded = True
        if ledger.watched is not None and not self.sweeping and not variant.op.is_control:
            watch = Watch.forward(self.source.site.op or variant.op.short)
            ledger.watched.update(dict.fromkeys(outputs, watch))
        return outputs[0] if variant.single else outputs

    def _variant(
        self, op: Op, operands: Sequence[Any], attrs: dict[str, Any], given: dict[str, Any]
    ) -> Variant:
        """What is known of a call before it is appended, everything about it checked."""
        types = op.infer_types(operands, attrs)
        levels = levels_of(op, operands, attrs, self.active)
        run = op.run
        if isinstance(run, ControlKernel):
            results = [Sized(meta, each) for meta, each in zip(types, run.results, strict=True)]
            return Variant(op, operands, (attrs, given), results, levels)
        if levels and not _is_shared_mask(op, operands):
            refuse_new(types, [getattr(each, "meta", each) for each in operands], attrs)
        for meta in types:
            self.limits.check_type(meta)
        return Variant(op, operands, (attrs, given), [Sized(meta, levels) for meta in types], levels)


def _is_shared_mask(op: Op, operands: Sequence[Any]) -> bool:
    """Whether indices tell what `op` gives the size of, and are the same for all samples."""
    kinds = op.operand_kinds(len(operands))
    indices = [each for each, kind in zip(operands, kinds, strict=True) if kind == "Indices"]
    return bool(indices) and not any(getattr(each, "levels", ()) for each in indices)
