"""Graphs and plans as text, a call a line: for those who write transforms.

A value is called as its statement calls it; else `%4` is what node 4 gives, and `%a` comes from outside. The
type `5 × float32[3]` is that of five samples, of a value that has a level.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any

from engine.bounded import Bounded
from engine.control.branch import Branch
from engine.control.loop import Loop
from engine.dtypes import DType
from engine.flow import ControlKernel
from engine.graph import GraphNode, Value
from engine.plan import Plan
from engine.plan.identities import uniform
from engine.plan.instruction import Instruction
from engine.plan.tiles import Tiles

Row = tuple[str, str, str] | str  # a call, the types of its results, a remark; or text of its own


def graph_text(nodes: Iterable[GraphNode]) -> str:
    """The nodes of a graph in order. A node that a transform appended is marked with the statement whose
    derivative it belongs to. What control flow keeps for its derivative is shown where a node reads it."""
    nodes, names = list(nodes), _Names()
    read = {x for node in nodes for x in node.operands if isinstance(x, Value)}
    seen: set[Any] = {()}
    rows: list[Row] = []
    for node in nodes:
        shown = [y for y in node.outputs if y in read or y.index < _own(node.op.run, len(node.outputs))]
        appended = node.site.pointer in seen and node.site.op is not None
        seen.add(node.site.pointer)
        remark = f"of {node.site.id or node.site.op}" if appended else ""
        rows.append((_call(node, shown, names), _types(shown), remark))
    return _columns(rows)


def plan_text(plan: Plan) -> str:
    """The calls of a plan in order, and what is given back after each. Under control flow stand the plans
    that it runs."""
    return _columns(_rows(plan, _Names()))


def _rows(plan: Plan, names: _Names) -> Iterator[Row]:
    for unit, dead in zip(plan.units, plan.dead, strict=True):
        if isinstance(unit, Tiles):
            yield _together(unit, names), _types(unit.outputs), _freed(dead, (), names)
            yield textwrap.indent(_columns(_plain_rows(unit.members, names)), "    ")
            continue
        run = unit.op.run
        wanted = run.wanted if isinstance(run, ControlKernel) else [True] * len(unit.outputs)
        shown = [y for y, is_ in zip(unit.outputs, wanted, strict=True) if is_]
        unmade = {*unit.outputs} - {*shown}
        yield _call(unit, shown, names), _types(shown), _freed(dead, unmade, names)
        for title, inner in _inner(run):
            yield textwrap.indent(_body(title, inner), "    ")
    yield f"-> {', '.join(names[value] for value in plan.outputs if value is not None)}"


def _together(unit: Tiles, names: _Names) -> str:
    made = ", ".join(names[value] for value in unit.outputs)
    return f"{made} = together, {unit.count} × {unit.height} rows:"


def _plain_rows(members: Iterable[Instruction], names: _Names) -> list[Row]:
    return [(_call(each, each.outputs, names), _types(each.outputs), "") for each in members]


def _freed(dead: Iterable[Value], unmade: Container[Value], names: _Names) -> str:
    freed = [names[value] for value in dead if value not in unmade and value.constant is None]
    return f"frees {', '.join(freed)}" if freed else ""


def _body(title: str, plan: Plan) -> str:
    names = _Names()
    takes = ", ".join(names[value] for value in plan.inputs)
    return f"{title}({takes}):\n{textwrap.indent(_columns(_rows(plan, names)), '  ')}"


def _inner(run: Any) -> list[tuple[str, Plan]]:
    """The plans that a kernel runs, by their names in the statement."""
    if isinstance(run, Loop):
        cond, body = run.plans
        return [*([("cond", cond)] if cond else []), ("body", body)]
    return list(zip(("then", "else"), run._plans, strict=True)) if isinstance(run, Branch) else []


def _own(run: Any, count: int) -> int:
    """How many of the results of a node are what it computes; the others are kept for derivatives."""
    if isinstance(run, Loop):
        return run.spec.carried + run.spec.ys
    return len(run.outputs) if isinstance(run, Branch) else count


class _Names(dict[Value, str]):
    """What values are called."""

    def __init__(self) -> None:
        self._outer = map("%{}".format, itertools.chain("abcdefghijklmnopqrstuvwxyz", itertools.count(26)))

    def __missing__(self, value: Value) -> str:
        self[value] = found = value.name or self._unnamed(value)
        return found

    def _unnamed(self, value: Value) -> str:
        if value.constant is not None:
            number = uniform(value)
            return "constant" if number is None else repr(number.item())
        if value.node is None:
            return next(self._outer)
        return f"%{value.node.number}{_part(value.node, value.index)}"


def _part(node: GraphNode, index: int) -> str:
    """Which one of a node's results it is, if there are several."""
    run = node.op.run
    if index < 0:
        return "'"  # of a step that the plan made on the way to it
    if len(node.outputs) == 1:
        return ""
    if isinstance(run, Loop):
        return f".{_loop_part(run, index)}"
    if isinstance(run, Branch):
        return f".{[*range(len(run.outputs)), 'state', 'record'][index]}"
    return f".{index}"


def _loop_part(run: Loop, index: int) -> str:
    places = run.places
    for name, place in (("carry", places.carried), ("y", places.ys), ("history", places.histories)):
        if index in range(place.start, place.stop):
            several = place.stop - place.start > 1
            return f"{name}{index - place.start}" if several else name
    return {places.states: "states", places.masks: "masks", places.count: "count"}.get(index, "record")


def _call(each: GraphNode | Instruction, shown: Sequence[Value], names: _Names) -> str:
    given = [x for x in each.operands if x is not None or not isinstance(each.op.run, ControlKernel)]
    args = [names[x] if isinstance(x, Value) else _plain(x) for x in given]
    usual = {param.name: param.default for param in each.op.params}
    settings = {name: value for name, value in each.attrs.items() if value != usual.get(name)}
    args += [f"{name}={_plain(value)}" for name, value in settings.items()]
    return f"{', '.join(names[y] for y in shown)} = {each.op.name}({', '.join(args)})"


def _plain(value: Any) -> str:
    if isinstance(value, DType):
        return value.name
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_plain, value))}]"
    return f"≤{int(value)}" if type(value) is Bounded else repr(value)


def _types(values: Iterable[Value]) -> str:
    return ", ".join(_type(value) for value in values)


def _type(value: Value) -> str:
    levels = "".join(f"{level.size} × " for level in value.levels)
    return f"{levels}{value.dtype.name}{_plain(value.shape)}"


def _columns(rows: Iterable[Row]) -> str:
    """The rows below each other; one that is text already stays as it is."""
    lines = list(rows)
    calls = [row for row in lines if not isinstance(row, str)]
    widths = [max((len(row[at]) for row in calls), default=0) for at in range(2)]
    return "\n".join(
        row if isinstance(row, str) else f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip()
        for row in lines
    )
