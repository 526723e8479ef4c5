"""Dead code and common subexpressions. The graph stays as it is: a plan gets a shorter list of calls."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from engine.bounded import Bounded, bounded_in
from engine.flow import ControlKernel
from engine.graph import GraphNode, Value
from engine.levels import Levels
from engine.op import Op


class Instruction(NamedTuple):
    """One call that a plan makes, over `levels`; operands are values or Python scalars."""

    op: Op
    operands: tuple[Any, ...]
    attrs: dict[str, Any]
    outputs: tuple[Value, ...]
    levels: Levels = ()


def simplify(
    nodes: Sequence[GraphNode],
    given: Iterable[Value],
    wanted: Iterable[Value | None],
    *,
    effects: str = "all",
    apart: Container[Value] = (),
) -> tuple[list[Instruction], dict[Value, Value]]:
    """The calls that `wanted` needs, each once, and which value stands for a merged one.

    Values in `given` are known and not computed. With `effects` "all", random draws and loops that may not
    end are kept even if nobody reads them; with "draws" random draws; with "none" neither. Control flow is
    never merged. What decides a size is kept if the size is used, and not merged either: each has a size of
    its own. Nor are values `apart`.
    """
    deciding = _deciding(nodes)
    unique = {*deciding.values(), *(node for node in nodes if any(y in apart for y in node.outputs))}
    instructions: list[Instruction] = []
    seen: dict[Any, tuple[Value, ...]] = {}
    same: dict[Value, Value] = {}
    for each in live(nodes, given, wanted, effects=effects, deciding=deciding):
        operands = tuple(same.get(x, x) if isinstance(x, Value) else x for x in each.operands)
        if each.op.kind not in ("random", "control") and each.outputs[0].node not in unique:
            values = tuple(x if type(x) is Value else _key(x) for x in operands)
            key = (each.op, values, _key(each.attrs) if each.attrs else None)
            first = seen.setdefault(key, each.outputs)
            if first is not each.outputs:
                same.update(zip(each.outputs, first, strict=True))
                continue
        instructions.append(each._replace(operands=operands))
    return instructions, same


def live(
    nodes: Sequence[GraphNode],
    given: Iterable[Value],
    wanted: Iterable[Value | None],
    *,
    effects: str = "all",
    deciding: dict[int, GraphNode] | None = None,
) -> list[Instruction]:
    """The calls that `wanted` needs, in order; control flow cut down to what is read of it."""
    deciding = _deciding(nodes) if deciding is None else deciding
    known, used = set(given), {value for value in wanted if value is not None}
    required: set[GraphNode | None] = set()
    sizes: set[int] = set()
    found = []
    for node in reversed(nodes):
        read = [output in used and output not in known for output in node.outputs]
        if True in read or node in required or _is_effect(node.op, effects):
            each = _cut(node, read)
            found.append(each)
            used.update(x for x in each.operands if isinstance(x, Value) and x not in known)
            required.update(deciding.get(size) for size in _sizes_in(node, sizes) if deciding)
    return found[::-1]


def _cut(node: GraphNode, read: Sequence[bool]) -> Instruction:
    """The call of a node; of control flow only what gives the outputs that are `read`."""
    op, operands = node.op, node.operands
    if isinstance(op.run, ControlKernel):
        run, reads = op.run.cut(read)
        op = replace(op, run=run)
        operands = tuple(x if needed else None for x, needed in zip(operands, reads, strict=True))
    return Instruction(op, operands, node.attrs, node.outputs, node.levels)


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


def _is_effect(op: Op, effects: str) -> bool:
    if effects == "none":
        return False
    return op.kind == "random" or (effects == "all" and isinstance(op.run, ControlKernel) and op.run.effect)


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
