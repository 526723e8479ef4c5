"""Fusion: which calls run together, a tile of rows at a time.

Every call gets a stage. It is that of its operands, one higher where it reads what is complete only after a
whole group has run. Calls of one stage that work by the same number of rows are a group: whatever leads from
one of its calls through others back to it would have raised the stage.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from engine.flow import ControlKernel
from engine.graph import Value
from engine.plan.instruction import Instruction
from engine.plan.late import is_late
from engine.plan.rows import Use, use_of

MIN_ELEMENTS = 16_384  # of the largest array; below, a tile costs more than it saves
MAX_MEMBERS = 500  # more of them make two groups


class Group(NamedTuple):
    """Calls that run together, in order, each on the same rows. `outputs` are read by others."""

    members: tuple[Instruction, ...]
    uses: tuple[Use, ...]
    outputs: tuple[Value, ...]

    @property
    def operands(self) -> list[Value]:
        """The values that come from outside."""
        own = {each.outputs[0] for each in self.members}
        read = [x for each in self.members for x in each.operands if isinstance(x, Value) and x not in own]
        return list(dict.fromkeys(read))


Unit = Instruction | Group


def grouped(instructions: Sequence[Instruction], wanted: Iterable[Value]) -> list[Unit]:
    """The calls in an order in which they can run, those that are worth it in groups."""
    if not any(is_large(y) for each in instructions for y in each.outputs):
        return list(instructions)
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    uses = _staged(instructions, found)
    readers = _readers(instructions)
    kept = set(wanted)
    units: dict[int, Unit] = dict(enumerate(instructions))
    ordered = {at for at, each in enumerate(instructions) if _keeps_order(each)}
    for places in _parted(found.values()):
        members = [instructions[at] for at in places]
        if not _pays(members):
            continue
        outputs = [y for each in members for y in each.outputs if y in kept or not readers[y] <= {*places}]
        group = Group(tuple(members), tuple([uses[at] for at in places]), tuple(outputs))
        for at in places:
            del units[at]
        units[places[-1]] = group
    return _sorted(units, ordered)


def is_large(value: Value) -> bool:
    """Whether it pays to run what makes `value` by tiles."""
    return value.nbytes >= MIN_ELEMENTS * value.dtype.itemsize


def _pays(members: Sequence[Instruction]) -> bool:
    values = [x for each in members for x in (*each.operands, *each.outputs) if isinstance(x, Value)]
    return any(is_large(x) for x in values)


def _parted(groups: Iterable[list[int]]) -> Iterator[list[int]]:
    """Groups of bounded size: the first calls of one never read what later ones make."""
    for places in groups:
        for start in range(0, len(places), MAX_MEMBERS):
            yield places[start : start + MAX_MEMBERS]


def _staged(instructions: Sequence[Instruction], groups: dict[tuple[int, int], list[int]]) -> dict[int, Use]:
    """How the calls that can be fused work, by their places; `groups` gets the places by rows and stage."""
    stage: dict[Value, int] = {}
    rows: dict[Value, int] = {}  # of what a group makes and can be read within it; 0: only after it
    effects = 0
    uses = _usable(instructions)
    for at, each in enumerate(instructions):
        use = uses.get(at)
        if use is not None and each.op.kind == "view" and rows.get(each.operands[0]) != use.rows:
            use = None  # a view of what comes from outside costs nothing there, and a copy here
            del uses[at]
        here = 0
        for position, x in enumerate(each.operands):
            if isinstance(x, Value):
                inside = use is not None and use.carried[position] and rows.get(x) == use.rows
                here = max(here, stage.get(x, 0) + (x in rows and not inside))
        if use is not None:
            groups[use.rows, here].append(at)
            rows[each.outputs[0]] = 0 if use.joins else use.rows
        elif _keeps_order(each):
            here = effects = max(here, effects)  # they stay in their order
        stage.update(dict.fromkeys(each.outputs, here))
    return uses


def _usable(instructions: Sequence[Instruction]) -> dict[int, Use]:
    """How calls work by rows, where there is a large array with as many."""
    found, rows = {}, set()
    for at, each in enumerate(instructions):
        use = None if is_late(each) else use_of(each)
        if use is not None:
            found[at] = use
            if any(is_large(x) for x in (*each.operands, *each.outputs) if isinstance(x, Value)):
                rows.add(use.rows)
    return {at: use for at, use in found.items() if use.rows in rows}


def _readers(instructions: Sequence[Instruction]) -> Mapping[Value, set[int]]:
    found: dict[Value, set[int]] = defaultdict(set)
    for at, each in enumerate(instructions):
        for x in each.operands:
            if isinstance(x, Value):
                found[x].add(at)
    return found


def _keeps_order(each: Instruction) -> bool:
    """Whether a call stays behind those before it of its kind: it draws, runs plans, or knows sizes."""
    return each.op.kind == "random" or isinstance(each.op.run, ControlKernel) or is_late(each)


def _sorted(units: Mapping[int, Unit], ordered: Container[int]) -> list[Unit]:
    """The units in an order in which each has what it reads, as near to the program's as that allows; those
    at the places `ordered` stay in theirs."""
    maker = {y: at for at, unit in units.items() for y in _made(unit)}
    waiting: dict[int, int] = {}
    after: dict[int, list[int]] = defaultdict(list)
    last: int | None = None
    for at in sorted(units):
        needs = {maker[x] for x in _read(units[at]) if x in maker}
        if at in ordered:
            needs.update(() if last is None else (last,))
            last = at
        waiting[at] = len(needs)
        for each in needs:
            after[each].append(at)
    ready = [at for at, count in waiting.items() if not count]
    heapq.heapify(ready)
    found = []
    while ready:
        at = heapq.heappop(ready)
        found.append(units[at])
        for each in after[at]:
            waiting[each] -= 1
            if not waiting[each]:
                heapq.heappush(ready, each)
    return found


def _made(unit: Unit) -> Sequence[Value]:
    """What a unit makes, for others or not."""
    return unit.outputs if isinstance(unit, Instruction) else [each.outputs[0] for each in unit.members]


def _read(unit: Unit) -> Iterable[Value]:
    if isinstance(unit, Group):
        return unit.operands
    return [x for x in unit.operands if isinstance(x, Value)]
