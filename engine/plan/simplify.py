"""Dead code and common subexpressions. The graph stays as it is: a plan gets a shorter list of calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from engine.bounded import Bounded, bounded_in
from engine.graph import GraphNode, Value
from engine.op import ControlKernel, Op


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
    reads them (unless `effects` is false), and never merged. What decides a size is kept if the size is used,
    and not merged either: each has a size of its own.
    """
    known = set(given)
    deciding = _deciding(nodes)
    live = _live(nodes, known, wanted, effects, deciding)
    unique = set(deciding.values())
    instructions: list[Instruction] = []
    seen: dict[Any, tuple[Value, ...]] = {}
    same: dict[Value, Value] = {}
    for node in nodes:
        if node not in live:
            continue
        operands = tuple(same.get(x, x) if isinstance(x, Value) else x for x in node.operands)
        if node.op.kind not in ("random", "control") and node not in unique:
            values = tuple(x if type(x) is Value else _key(x) for x in operands)
            key = (node.op, values, _key(node.attrs) if node.attrs else None)
            first = seen.setdefault(key, node.outputs)
            if first is not node.outputs:
                same.update(zip(node.outputs, first, strict=True))
                continue
        instructions.append(Instruction(node.op, operands, node.attrs, node.outputs))
    return instructions, same


def _deciding(nodes: Sequence[GraphNode]) -> dict[int, GraphNode]:
    """The node that decides each size known only at run time, by the size's id."""
    found: dict[int, GraphNode] = {}
    for node in nodes:
        for output in node.outputs:
            for size in output.meta.shape:
                if type(size) is Bounded and size.evaluate is None:
                    found.setdefault(id(size), node)
    return found


def _sizes_in(node: GraphNode, seen: set[int]) -> Iterator[int]:
    """The ids of the sizes that a call needs to know and those are computed from, without those in `seen`."""
    metas = [getattr(x, "meta", x) for x in (*node.operands, *node.outputs)]
    stack = list(bounded_in([metas, node.attrs]))
    while stack:
        size = stack.pop()
        if id(size) not in seen:
            seen.add(id(size))
            yield id(size)
            stack.extend(each for each in size.of if isinstance(each, Bounded))


def _live(
    nodes: Sequence[GraphNode],
    known: set[Value],
    wanted: Iterable[Value | None],
    effects: bool,
    deciding: dict[int, GraphNode],
) -> set[GraphNode]:
    own, sizes = set(nodes), set[int]()
    live = {node for node in nodes if effects and _is_effect(node.op)}
    stack = [value.node for value in wanted if value is not None and value not in known and value.node]
    stack.extend(live)
    live.update(stack)
    while stack:
        node = stack.pop()
        makers = [x.node for x in node.operands if isinstance(x, Value) and x not in known]
        makers += [deciding.get(each) for each in _sizes_in(node, sizes)] if deciding else []
        for maker in makers:
            if maker is not None and maker in own and maker not in live:
                live.add(maker)
                stack.append(maker)
    return live


def _is_effect(op: Op) -> bool:
    return op.kind == "random" or (isinstance(op.run, ControlKernel) and op.run.effect)


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
