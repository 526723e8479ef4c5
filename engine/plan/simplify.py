"""Dead code and common subexpressions. The graph stays as it is: a plan gets a shorter list of calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from engine.bounded import Bounded
from engine.graph import GraphNode, Value
from engine.op import Op


class Instruction(NamedTuple):
    """One call that a plan makes; operands are values or Python scalars."""

    op: Op
    operands: tuple[Any, ...]
    attrs: dict[str, Any]
    outputs: tuple[Value, ...]


def simplify(
    nodes: Sequence[GraphNode], given: Iterable[Value], wanted: Iterable[Value | None], *, effects: bool
) -> tuple[list[Instruction], dict[Value, Value]]:
    """The calls that `wanted` needs, each once, and which value stands for a merged one.

    Values in `given` are known and not computed. Random draws and loops are effects: kept even if nobody
    reads them (unless `effects` is false), and never merged.
    """
    known = set(given)
    live = _live(nodes, known, wanted, effects)
    instructions: list[Instruction] = []
    seen: dict[Any, tuple[Value, ...]] = {}
    same: dict[Value, Value] = {}
    for node in nodes:
        if node not in live:
            continue
        operands = tuple(same.get(x, x) if isinstance(x, Value) else x for x in node.operands)
        if node.op.kind not in ("random", "control"):
            values = tuple(x if type(x) is Value else _key(x) for x in operands)
            key = (node.op, values, _key(node.attrs) if node.attrs else None)
            first = seen.setdefault(key, node.outputs)
            if first is not node.outputs:
                same.update(zip(node.outputs, first, strict=True))
                continue
        instructions.append(Instruction(node.op, operands, node.attrs, node.outputs))
    return instructions, same


def _live(
    nodes: Sequence[GraphNode], known: set[Value], wanted: Iterable[Value | None], effects: bool
) -> set[GraphNode]:
    own = set(nodes)
    live = {node for node in nodes if effects and (node.op.kind == "random" or node.op.name == "while")}
    stack = [value.node for value in wanted if value is not None and value not in known and value.node]
    stack.extend(live)
    live.update(stack)
    while stack:
        for operand in stack.pop().operands:
            if isinstance(operand, Value) and operand not in known:
                maker = operand.node
                if maker is not None and maker in own and maker not in live:
                    live.add(maker)
                    stack.append(maker)
    return live


def _key(each: Any) -> Any:
    """Something hashable that tells operands and settings apart, 1 from 1.0 and True among them."""
    if isinstance(each, Value):
        return each
    if isinstance(each, dict):
        return tuple((name, _key(value)) for name, value in each.items())
    if isinstance(each, (tuple, list)):
        return tuple(map(_key, each))
    if type(each) is Bounded:
        return id(each)
    return (type(each), repr(each)) if isinstance(each, (bool, int, float, complex)) else each
