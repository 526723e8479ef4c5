"""Dead code, common subexpressions, constants and identities. The graph stays as it is: a plan gets a shorter
list of calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from engine.bounded import Bounded, bounded_in
from engine.flow import ControlKernel
from engine.graph import GraphNode, Value
from engine.op import Op
from engine.plan.folding import folded
from engine.plan.identities import IDENTITIES, Made
from engine.plan.instruction import Instruction
from engine.plan.products import PRODUCTS


def simplify(
    nodes: Sequence[GraphNode],
    given: Iterable[Value],
    wanted: Sequence[Value | None],
    *,
    effects: str = "all",
    apart: Collection[Value] = (),
) -> tuple[list[Instruction], dict[Value, Value]]:
    """The calls that `wanted` needs, each once, and which value stands for a merged one.

    Values in `given` are known and not computed. With `effects` "all", random draws and loops that may not
    end are kept even if nobody reads them; with "draws" random draws; with "none" neither. Control flow is
    never merged. What decides a size is kept if the size is used, and not merged either: each has a size of
    its own. Nor are values `apart`, for whose
    sake everything else stays as it is written.
    """
    deciding = _deciding(nodes)
    unique = {*deciding.values(), *(node for node in nodes if any(y in apart for y in node.outputs))}
    needed = live(nodes, given, wanted, effects=effects, deciding=deciding)
    merging = _Merging(unique, None if apart else _reads(needed, wanted))
    for each in needed:
        merging.add(each)
    found, same = merging.instructions, merging.same
    if apart:
        return found, same
    return _used(found, [same.get(each, each) for each in wanted if each is not None], effects, unique), same


def _reads(instructions: Iterable[Instruction], wanted: Iterable[Value | None]) -> Counter[Value]:
    """How often each value is read."""
    found = Counter([x for each in instructions for x in each.operands if isinstance(x, Value)])
    found.update([each for each in wanted if each is not None])
    return found


class _Merging:
    """Instructions, one after another: each is rewritten, merged with one before it, or kept. They stay as
    they are written where `reads`, how often each value is read, is not given."""

    def __init__(self, unique: Container[GraphNode | None], reads: Counter[Value] | None) -> None:
        self._unique = unique
        self.instructions: list[Instruction] = []
        self.same: dict[Value, Value] = {}
        self._seen: dict[Any, tuple[Value, ...]] = {}
        self._made = None if reads is None else Made({}, reads, self._seen)

    def add(self, each: Instruction) -> None:
        """Keep a call, or find what stands for its results."""
        each = self._resolved(each)
        if each.op.kind in ("random", "control") or each.outputs[0].node in self._unique:
            self._keep(each)
            return
        found = self._rewritten(each)
        if isinstance(found, Value):
            self.same[each.outputs[0]] = found
            return
        for call in found:
            self._merge(self._resolved(call))

    def _resolved(self, each: Instruction) -> Instruction:
        operands = tuple([self.same.get(x, x) if isinstance(x, Value) else x for x in each.operands])
        return each._replace(operands=operands)

    def _rewritten(self, each: Instruction) -> Value | list[Instruction]:
        """What equals a call: a value, or calls, the last of which makes its results."""
        if self._made is None:
            return [each]
        constant = folded(each)
        if constant is not None:
            return constant
        for rules in (IDENTITIES, PRODUCTS):
            rule = rules.get(each.op.name)
            found = rule(each, self._made) if rule else None
            if found is not None:
                return [found] if isinstance(found, Instruction) else found
        return [each]

    def _merge(self, each: Instruction) -> None:
        first = self._seen.setdefault(each.key, each.outputs)
        if first is each.outputs:
            self._keep(each)
        else:
            self.same.update(zip(each.outputs, first, strict=True))

    def _keep(self, each: Instruction) -> None:
        self.instructions.append(each)
        if self._made is not None:
            self._made.by.update(dict.fromkeys(each.outputs, each))


def _used(
    instructions: Sequence[Instruction], wanted: Iterable[Value], effects: str, unique: Container[Any]
) -> list[Instruction]:
    """Those of `instructions` that are read after all, or that something else keeps."""
    used = set(wanted)
    found = []
    for each in reversed(instructions):
        kept = each.outputs[0].node in unique or _is_effect(each.op, effects)
        if kept or not used.isdisjoint(each.outputs):
            found.append(each)
            used.update([x for x in each.operands if isinstance(x, Value)])
    return found[::-1]


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
        if True in read or node in required or (not node.variant.shared and _is_effect(node.op, effects)):
            each = _cut(node, read)
            found.append(each)
            used.update(each.operands)
            if deciding:
                required.update([deciding.get(size) for size in _sizes_in(node, sizes)])
    return found[::-1]


def _cut(node: GraphNode, read: Sequence[bool]) -> Instruction:
    """The call of a node; of control flow only what gives the outputs that are `read`."""
    op, operands, variant = node.op, node.operands, node.variant
    if op.is_control:
        run, reads = op.run.cut(read)  # type: ignore[union-attr]
        op = replace(op, run=run)
        operands = tuple(x if needed else None for x, needed in zip(operands, reads, strict=True))
    return Instruction(op, operands, variant.attrs, node.outputs, variant.levels)


def _deciding(nodes: Sequence[GraphNode]) -> dict[int, GraphNode]:
    """The node that decides each size known only at run time, by the size's id."""
    found: dict[int, GraphNode] = {}
    for node in nodes:
        for output in () if node.variant.shared else node.outputs:
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
