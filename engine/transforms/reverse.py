"""Reverse mode as a graph transform: the cotangents of a graph's values, as nodes appended to the graph.

`grad` follows what torch would have recorded, from outputs to leaves. `vjp` follows what depends on what, and
so differentiates by any value. Both call each node's rule once, latest node first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from engine.errors import EngineError, GraphFreed
from engine.flow import ControlKernel
from engine.grad_mode import set_grad_enabled
from engine.graph import GraphNode, Value, locate
from engine.graph_builder import GraphBuilder
from engine.levels import Levels, without
from engine.transforms import rules
from engine.watch import Watch

Hooks = Mapping[Value, Sequence[Callable[[Value], Value]]]  # of a value: what its cotangent goes through
Needs = tuple[bool, ...]  # of a node: whose cotangents are wanted, one per operand


@dataclass(slots=True)
class Sweep:
    """What one sweep found: a cotangent per value, and the nodes it went through. A cotangent is summed over
    the levels that its value has not, unless they are in `kept` (None: all are)."""

    kept: Levels | None
    hooks: Hooks = field(default_factory=dict)
    cotangents: dict[Value, Value] = field(default_factory=dict)
    visited: list[GraphNode] = field(default_factory=list)
    hooked: set[Value] = field(default_factory=set)

    def arrived(self, value: Value) -> Value | None:
        """The cotangent of a value, when nothing more will be added to it; its hooks are called first."""
        found = self.cotangents.get(value)
        if found is not None and value in self.hooks and value not in self.hooked:
            self.hooked.add(value)
            for hook in self.hooks[value]:
                found = hook(found)
            self.cotangents[value] = found
        return found


def grad(
    builder: GraphBuilder,
    roots: Sequence[tuple[Value, Value]],
    *,
    wrt: Sequence[Value] | None = None,
    create_graph: bool = False,
    freed: set[GraphNode] | None = None,
    hooks: Hooks | None = None,
) -> Sweep:
    """Append the vjp of `roots`, pairs of an output and its cotangent, to the graph of `builder`.

    Cotangents are found for every value behind the roots, or only for what leads to `wrt`. The nodes appended
    are recorded themselves with `create_graph`. GraphFreed if a node in `freed` is met that saved tensors.
    """
    roots = summed(builder, roots)
    sweep = Sweep(builder.kept, hooks or {})
    nodes = _behind([output for output, _ in roots])
    if wrt is not None:
        nodes = _leading_to(nodes, wrt)
    with set_grad_enabled(create_graph):
        _run(builder, sweep, roots, {node: node.needs for node in nodes}, freed or set())
    return sweep


def vjp(
    builder: GraphBuilder,
    roots: Sequence[tuple[Value, Value]],
    wrt: Sequence[Value],
    nodes: Sequence[GraphNode],
    *,
    linear: bool = False,
) -> list[Value | None]:
    """The cotangents of `wrt` (None: nothing flows there) from those of the outputs in `roots`.

    What `nodes` made from `wrt` is differentiated, whether or not it requires grad. With `linear` a cotangent
    is summed over no level: the answer is that of each sample.
    """
    sweep = Sweep(None if linear else builder.kept)
    needs = dependents(nodes, wrt)
    _run(builder, sweep, roots, dict(reversed(needs.items())), set())
    return [sweep.cotangents.get(value) for value in wrt]


def summed(builder: GraphBuilder, roots: Iterable[tuple[Value, Value]]) -> list[tuple[Value, Value]]:
    """Roots with the sum of the cotangents of all samples, where a sum is differentiated and all samples have
    the same output."""
    kept = builder.kept
    gone = [level for level in builder.active if level not in kept]
    return [
        (output, without(builder.F, cotangent, [each for each in gone if each not in output.levels]))
        for output, cotangent in roots
    ]


def dependents(nodes: Iterable[GraphNode], wrt: Iterable[Value]) -> dict[GraphNode, Needs]:
    """Those of `nodes` that depend on `wrt`, in order, and by which operands they do."""
    known = set(wrt)
    found: dict[GraphNode, Needs] = {}
    for node in nodes:
        if not node.taped or known.isdisjoint(node.operands):
            continue
        variant, operands, outputs = node.variant, node.operands, node.outputs
        needs = variant.needs(tuple([operands[at] in known for at in variant.tensors]))
        if needs:
            found[node] = needs
            known.update([outputs[at] for at in variant.differentiable])
    return found


def _run(
    builder: GraphBuilder,
    sweep: Sweep,
    roots: Sequence[tuple[Value, Value]],
    nodes: Mapping[GraphNode, Needs],
    freed: set[GraphNode],
) -> None:
    for output, cotangent in roots:
        gone = _unmet(builder, sweep, output, cotangent)
        _add(builder, sweep.cotangents, output, without(builder.F, cotangent, gone))
    arrived = sweep.arrived if sweep.hooks else sweep.cotangents.get
    for node, needs in nodes.items():
        cotangents = [arrived(output) for output in node.outputs]
        if cotangents.count(None) < len(cotangents):
            if node in freed and node.saves_tensors:
                raise GraphFreed
            _through(builder, node, needs, cotangents, sweep)
    for value in sweep.hooks:
        sweep.arrived(value)


def _through(
    builder: GraphBuilder, node: GraphNode, needs: Needs, cotangents: list[Value | None], sweep: Sweep
) -> None:
    source, builder.source = builder.source, node.source
    sweeping, builder.sweeping = builder.sweeping, True
    try:
        found = _cotangents(builder, node, cotangents, needs)
        sweep.visited.append(node)
        if builder.ledger.watched is not None:
            _watch(builder.ledger.watched, node, found)
        levelled = node.variant.levels or node.op.is_control
        for at, cotangent in enumerate(found):
            if cotangent is not None:
                if levelled:
                    cotangent = without(builder.F, cotangent, _summed(node, at, sweep.kept))
                _add(builder, sweep.cotangents, node.operands[at], cotangent)
    except EngineError as error:
        raise locate(error, node.site) from None
    finally:
        builder.source, builder.sweeping = source, sweeping


def _cotangents(
    builder: GraphBuilder, node: GraphNode, g: Sequence[Value | None], needs: Needs
) -> Sequence[Value | None]:
    run = node.op.run
    if isinstance(run, ControlKernel):
        return run.pullback(builder, node.operands, node.outputs, g, needs)
    return rules.cotangents(builder, node, g, needs)


def _watch(watched: dict[Value, Watch], node: GraphNode, found: Sequence[Value | None]) -> None:
    """In anomaly mode, look at what a node gave."""
    name = node.op.node_name(node.operands, node.given)
    for number, at in enumerate(node.op.slots(node.operands)):
        value = found[at]
        if value is not None:
            watched.setdefault(value, Watch.backward(name, number))


def _unmet(builder: GraphBuilder, sweep: Sweep, output: Value, cotangent: Value) -> Levels:
    """The open levels of a cotangent that its output does not depend on: it is one for all their samples."""
    if sweep.kept is None:
        return ()
    summed = (level for level in builder.active if level not in sweep.kept)
    return tuple(level for level in summed if level in cotangent.levels and level not in output.levels)


def _summed(node: GraphNode, at: int, kept: Levels | None) -> Levels:
    """The levels over which a node repeats its operand: the operand's cotangent is the sum over them."""
    run = node.op.run
    levels: Levels = run.takes[at] if isinstance(run, ControlKernel) else node.variant.levels
    if not levels or kept is None or node.op.kind == "level":
        return ()
    own: Levels = node.operands[at].levels
    return tuple(level for level in levels if level not in own and level not in kept)


def _add(builder: GraphBuilder, cotangents: dict[Value, Value], value: Value, new: Value) -> None:
    known = cotangents.get(value)
    cotangents[value] = new if known is None else builder.F.add(known, new)


def _behind(outputs: Sequence[Value]) -> list[GraphNode]:
    """The recorded nodes that lead to `outputs`, latest first."""
    stack = [output.maker for output in outputs if output.maker]
    seen = set(stack)
    while stack:
        node = stack.pop()
        for at in node.variant.tensors:
            maker = node.operands[at].maker if node.needs[at] else None
            if maker is not None and maker not in seen:
                seen.add(maker)
                stack.append(maker)
    return sorted(seen, key=attrgetter("number"), reverse=True)


def _leading_to(nodes: list[GraphNode], wrt: Sequence[Value]) -> list[GraphNode]:
    """Those of `nodes`, latest first, behind which one of `wrt` lies."""
    targets: set[Any] = set(wrt)
    useful: set[GraphNode] = set()
    for node in reversed(nodes):
        for operand, needed in zip(node.operands, node.needs, strict=True):
            if needed and (operand in targets or operand.maker in useful):
                useful.add(node)
                break
    return [node for node in nodes if node in useful]
