"""The calls of a group on one tile: which arrays they read and write, and where those are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import getitem
from typing import Any

import numpy as np

from engine.batched import aligned
from engine.elementary import select
from engine.graph import Value
from engine.kernels import Kernel, as_array, cast_to, result_dtypes
from engine.plan.grouping import Group
from engine.plan.identities import uniform
from engine.plan.instruction import Instruction
from engine.plan.reducing import share
from engine.plan.rows import Use, full_shape, on_tile
from engine.plan.slots import Array, Call, Join, Run, Slot

COPIES = 2  # of operands and result that a kernel may make on the way


@dataclass(slots=True)
class Block:
    """The calls of a group. `inputs` are read from its operands, `buffers` the types of the scratch."""

    group: Group
    flat: bool
    calls: list[Call] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    inputs: list[Slot] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)
    buffers: list[Slot] = field(default_factory=list)
    _made: dict[Value, Slot] = field(default_factory=dict)
    _read: dict[Any, Slot] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = set(self.group.outputs)
        for each, use in zip(self.group.members, self.group.uses, strict=True):
            if isinstance(each.op.run, Kernel):
                self._elementwise(each, use, kept)
            else:
                self._other(each, use, kept)
        self._share()

    @property
    def row_bytes(self) -> int:
        """What a row takes in all that a tile reads and writes."""
        named = [slot for slot in self.slots if slot.rows and (slot.source or slot.target)]
        return sum([slot.row_bytes for slot in (*named, *self.buffers)])

    @property
    def allocated(self) -> int:
        """Bytes for a row that its calls allocate themselves: their results, and what the largest needs."""
        made = [call for call in self.calls if call.out.fresh and call.out.base is None]
        largest = max([sum([x.row_bytes for x in (*call.args, call.out)]) for call in made], default=0)
        return sum([call.out.row_bytes for call in made]) + COPIES * largest

    # -- building

    def _slot(self, **fields: Any) -> Slot:
        self.slots.append(Slot(**fields))
        return self.slots[-1]

    def _row(self, value: Value) -> tuple[int, ...]:
        return () if self.flat else full_shape(value)[1:]

    def _operand(self, value: Value, carried: bool, out: Value | None) -> Slot:
        """The slot that an operand is read from, aligned with `out`."""
        place = None if out is None or self.flat else aligned(value, out.levels, out.ndim)
        number = None if carried else uniform(value)
        if number is not None:
            return self._slot(dtype=value.dtype.numpy, rows=False, constant=np.asarray(number))
        if not carried:
            return self._entered(value, (...,) if place is None else place, rows=False)
        found = self._made.get(value) or self._loaded(value)
        if place is None:
            return found
        view = self._slot(dtype=found.dtype, shape=found.shape, fresh=True, base=found.base or found)
        self.calls.append(Call(lambda size: _indexing(place), (found,), view))
        return view

    def _loaded(self, value: Value) -> Slot:
        """The slot of an operand's rows. Narrow ones are brought into the order of scratch: a call whose
        operands are in different orders is many times slower than the copy."""
        found = self._entered(value, None, rows=True)
        if not found.is_narrow:
            return found
        target = self._slot(dtype=found.dtype, shape=found.shape)
        self.calls.append(Call(_fixed(cast_to(found.dtype)), (found,), target))
        self._made[value] = target
        return target

    def _entered(self, value: Value, place: Any, *, rows: bool) -> Slot:
        key = (value, rows, repr(place))
        found = self._read.get(key)
        if found is None:
            shape = self._row(value) if rows else ()
            found = self._slot(dtype=value.dtype.numpy, shape=shape, rows=rows, source=value, place=place)
            self._read[key] = found
            self.inputs.append(found)
        return found

    def _elementwise(self, each: Instruction, use: Use, kept: set[Value]) -> None:
        (out,) = each.outputs
        metas = [getattr(x, "meta", x) for x in each.operands]
        calls = each.op.run.calls(each.op.params, metas, each.attrs)  # type: ignore[union-attr]
        dtypes = result_dtypes(
            calls, [x.dtype.numpy if isinstance(x, Value) else None for x in each.operands]
        )
        places: list[Any] = [
            self._operand(x, has, out) if isinstance(x, Value) else None
            for x, has in zip(each.operands, use.carried, strict=True)
        ]
        casting = dtypes[-1] != out.dtype.numpy
        for at, (call, dtype) in enumerate(zip(calls, dtypes, strict=True)):
            last = at == len(calls) - 1 and not casting
            target = self._result(out, kept) if last else self._slot(dtype=dtype, shape=self._row(out))
            args = tuple([places[a] if type(a) is int else self._number(a) for a in call.args])
            self.calls.append(Call(_fixed(call.function), args, target, spares=call.function is select))
            places.append(target)
        if casting:
            target = self._result(out, kept)
            self.calls.append(Call(_fixed(cast_to(out.dtype.numpy)), (places[-1],), target))
        if out in kept:
            self._stored(out)

    def _number(self, number: Any) -> Slot:
        return self._slot(dtype=None, rows=False, constant=as_array(number))

    def _result(self, out: Value, kept: set[Value]) -> Slot:
        """The slot that a call's result is written to, which is read where the group reads it."""
        found = Slot(out.dtype.numpy, self._row(out))
        if out in kept and not found.is_narrow:
            found.target = out
        self.slots.append(found)
        self._made[out] = found
        return found

    def _stored(self, out: Value) -> None:
        """The call that brings a result where it belongs, if it was not written there."""
        made = self._made[out]
        if made.target is None:
            target = self._slot(dtype=made.dtype, shape=made.shape, target=out)
            self.calls.append(Call(_fixed(cast_to(out.dtype.numpy)), (made,), target))

    def _other(self, each: Instruction, use: Use, kept: set[Value]) -> None:
        """A call that makes an array of its own, or a view."""
        (out,) = each.outputs
        args = tuple(
            [
                self._operand(x, has, None)
                for x, has in zip(each.operands, use.carried, strict=True)
                if isinstance(x, Value)
            ]
        )
        base = (args[0].base or args[0]) if each.op.kind in ("view", "structural") else None
        shape = () if use.joins else self._row(out)
        made = self._slot(dtype=out.dtype.numpy, shape=shape, rows=not use.joins, fresh=True, base=base)
        flat = self.flat
        self.calls.append(Call(lambda size: _whole_sum if flat else on_tile(each, use, size), args, made))
        if use.joins:
            self.joins.append(Join(made, use, out, share(each.operands[0], out)))
            return
        self._made[out] = made
        if out in kept:
            self._stored(out)

    def _share(self) -> None:
        """Give every scratch slot a buffer; one that nobody reads any more is used again."""
        last: dict[int, int] = {}
        for at, call in enumerate(self.calls):
            for slot in (*call.args, call.out):
                last[id(slot)] = last[id(slot.base or slot)] = at
        free: dict[Any, list[int]] = {}
        for at, call in enumerate(self.calls):
            dying = [x for x in dict.fromkeys(call.args) if x.scratch and last[id(x)] == at]
            spared = dying if call.spares else []
            self._release([x for x in dying if x not in spared], free)
            if call.out.scratch:
                key = (call.out.dtype, call.out.shape)
                known = free.get(key)
                if not known:
                    self.buffers.append(call.out)
                call.out.buffer = known.pop() if known else len(self.buffers) - 1
                if last[id(call.out)] == at:
                    self._release([call.out], free)
            self._release(spared, free)
            bases = {id(x.base): x.base for x in call.args if x.base is not None and last[id(x.base)] == at}
            self._release([x for x in bases.values() if x.scratch and x not in dying], free)

    def _release(self, slots: Sequence[Slot], free: dict[Any, list[int]]) -> None:
        for slot in slots:
            free.setdefault((slot.dtype, slot.shape), []).append(slot.buffer)


def _fixed(function: Run) -> Callable[[int], Run]:
    return lambda size: function


def _indexing(place: Any) -> Run:
    return lambda array: getitem(array, place)


def _whole_sum(array: Array) -> Any:
    return np.add.reduce(array)
