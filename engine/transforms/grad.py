"""Reverse mode as a graph transform: the cotangents of a graph's values, as nodes appended to the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.errors import EngineError, GraphFreed
from engine.grad_mode import set_grad_enabled
from engine.graph import GraphBuilder, GraphNode, Value, locate
from engine.pullback import pullback


@dataclass(slots=True)
class Sweep:
    """What one sweep found: a cotangent per value, and the nodes it went through."""

    cotangents: dict[Value, Value] = field(default_factory=dict)
    visited: list[GraphNode] = field(default_factory=list)


def grad(
    builder: GraphBuilder,
    roots: Sequence[tuple[Value, Value]],
    *,
    wrt: Sequence[Value] | None = None,
    create_graph: bool = False,
    freed: set[GraphNode] | None = None,
) -> Sweep:
    """Append the vjp of `roots`, pairs of an output and its cotangent, to the graph of `builder`.

    Cotangents are found for every value behind the roots, or only for what leads to `wrt`. The nodes appended
    are recorded themselves with `create_graph`. GraphFreed if a node in `freed` is met that saved tensors.
    """
    sweep = Sweep()
    nodes = _behind([output for output, _ in roots])
    if wrt is not None:
        nodes = _leading_to(nodes, wrt)
    with set_grad_enabled(create_graph):
        for output, cotangent in roots:
            _add(builder, sweep.cotangents, output, cotangent)
        for node in nodes:
            _through(builder, node, sweep, freed or set())
    return sweep


def _through(builder: GraphBuilder, node: GraphNode, sweep: Sweep, freed: set[GraphNode]) -> None:
    cotangents = [sweep.cotangents.get(output) for output in node.outputs]
    if all(each is None for each in cotangents):
        return
    if node in freed and node.saves_tensors:
        raise GraphFreed
    site, builder.site = builder.site, node.site
    try:
        found = pullback(node.op, builder.F, node.operands, node.outputs, cotangents, node.attrs, node.needs)
    except EngineError as error:
        raise locate(error, node.site) from None
    finally:
        builder.site = site
    sweep.visited.append(node)
    for operand, cotangent in zip(node.operands, found, strict=True):
        if cotangent is not None:
            _add(builder, sweep.cotangents, operand, cotangent)


def _add(builder: GraphBuilder, cotangents: dict[Value, Value], value: Value, new: Value) -> None:
    known = cotangents.get(value)
    cotangents[value] = new if known is None else builder.F.add(known, new)


def _behind(outputs: Sequence[Value]) -> list[GraphNode]:
    """The recorded nodes that lead to `outputs`, latest first."""
    stack = [output.maker for output in outputs if output.maker]
    seen = set(stack)
    while stack:
        node = stack.pop()
        for operand, needed in zip(node.operands, node.needs, strict=True):
            maker = operand.maker if needed else None
            if maker is not None and maker not in seen:
                seen.add(maker)
                stack.append(maker)
    return sorted(seen, key=lambda each: -each.number)


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
