"""From calls in order to a frame: which arrays have a place, which pass through registers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import getitem
from typing import Any

import numpy as np

from engine.batched import aligned, compile_call
from engine.bounded import is_bounded
from engine.errors import Site
from engine.flow import RECORD, ControlKernel
from engine.graph import Value
from engine.kernels import Kernel, Micro, as_array, cast_to, result_dtypes
from engine.plan.frame import (
    GENERATOR,
    SIZES,
    Array,
    Frame,
    Step,
    clearing,
    into_arena,
    on_its_own,
    through,
)
from engine.plan.identities import uniform
from engine.plan.instruction import Instruction
from engine.plan.late import is_late, late_call
from engine.plan.memory import Unit, is_view
from engine.plan.reducing import axes, reduction, share
from engine.plan.registers import Registers
from engine.plan.rows import full_shape
from engine.plan.tiles import Tiles
from engine.watch import Watch, watching

SMALL = 1 << 10  # bytes of a value that has a place in the frame


class Binder:
    """Builds a frame, unit after unit. Where values are `watched`, none has a place."""

    def __init__(self, inputs: Sequence[Value], watched: Mapping[Value, Watch]) -> None:
        self._registers = Registers(2)
        self._steps: list[Step] = []
        self._sites: list[Site] = []
        self._watched = watched
        self._sized = is_bounded([value.meta for value in inputs])  # a size of the run has come up
        self._entered: list[tuple[int, int]] = []
        self._copied_in: list[tuple[int, Array]] = []
        for at, value in enumerate(inputs):
            self._enter(at, value)

    def add(self, unit: Unit, dead: Sequence[Value]) -> None:
        """The steps of a unit, after which the values in `dead` are read no more."""
        before = len(self._steps)
        if isinstance(unit, Tiles):
            self._several(unit, [self._registers.of(x) for x in unit.operands], unit.outputs)
        else:
            self._instruction(unit)
        for value in dead:
            if value.constant is None and self._registers.release(value) and value.nbytes > SMALL:
                self._clear(self._registers.of(value))
        site = unit.outputs[0].node.site  # type: ignore[union-attr]
        self._sites += [site] * (len(self._steps) - before)

    def frame(self, wanted: Sequence[Value | None]) -> Frame:
        """The frame, which gives the values `wanted`."""
        registers = self._registers
        numbers = [(at, registers.of(value)) for at, value in enumerate(wanted) if value is not None]
        return Frame(
            registers.contents,
            [Step(each.func, *each.args) for each in self._steps],  # made anew: in order in memory
            self._sites,
            self._entered,
            self._copied_in,
            [(at, number) for at, number in numbers if not registers.is_place(number)],
            [(at, registers.contents[number]) for at, number in numbers if registers.is_place(number)],
            len(wanted),
            registers.passing,
        )

    def _enter(self, at: int, value: Value) -> None:
        number = self._registers.of(value)
        small = self._is_small(value)
        places = self._registers.places(full_shape(value), [value.dtype.numpy]) if small else None
        if places is None:
            self._entered.append((at, number))
        else:
            self._registers.hold(places[0], number)
            self._copied_in.append((at, places[0]))

    def _is_small(self, value: Value) -> bool:
        if self._watched or value.meta is RECORD or value.meta.strides or is_bounded(value.meta):
            return False
        return value.nbytes <= SMALL

    # -- calls

    def _instruction(self, each: Instruction) -> None:
        self._sized = self._sized or is_bounded([y.meta for y in each.outputs])
        late = self._sized and is_late(each)
        if not late and (self._elementwise(each) or self._reduction(each)):
            return
        sources = [self._registers.of(x) for x in each.operands]
        if isinstance(each.op.run, ControlKernel):
            sources = [self._kept(at) for at in sources]
        if each.op.kind in ("random", "control"):
            sources = [GENERATOR, *sources]
        if late:
            self._call(each, late_call(each), [SIZES, *sources])
            return
        metas = tuple([y.meta for y in each.outputs])
        call = compile_call(each.op, each.operands, metas, each.attrs, each.levels)
        if not self._view(each, call, sources):
            self._call(each, call, sources)

    def _view(self, each: Instruction, call: Callable[..., Any], sources: Sequence[int]) -> bool:
        """Whether a call is a view of what has a place, and so is made once."""
        registers = self._registers
        fixed = sources and not self._watched and each.op.single and registers.is_held(sources[0])
        if not fixed or not is_view(each):
            return False
        found = call(*[registers.contents[at] for at in sources])
        if not isinstance(found, np.ndarray) or not np.may_share_memory(
            found, registers.contents[sources[0]]
        ):
            return False
        registers.hold(found, registers.of(each.outputs[0]))
        return True

    def _call(self, each: Instruction, call: Callable[..., Any], sources: Sequence[int]) -> None:
        if any(map(self._registers.is_place, sources)):
            call = on_its_own(call, single=each.op.single)
        elif each.op.takes_out and not is_bounded(each.outputs[0].meta):
            call = into_arena(call, each.outputs[0])
        watches = [self._watched.get(y) for y in each.outputs] if self._watched else ()
        call = watching(call, watches, single=each.op.single) if any(watches) else call
        if each.op.single:
            self._through(call, sources, self._registers.of(each.outputs[0]))
        else:
            self._several(call, sources, each.outputs)

    def _kept(self, number: int) -> int:
        """A register with a copy of what has a place: control flow keeps what it reads."""
        if not self._registers.is_place(number):
            return number
        copy = self._registers.new()
        self._through(np.copy, (number,), copy)
        return copy

    def _several(self, call: Callable[..., Any], sources: Sequence[int], outputs: Sequence[Value]) -> None:
        """A call that gives a tuple."""
        together = self._registers.new()
        self._through(call, sources, together)
        for at, value in enumerate(outputs):
            self._through(getitem, (together, self._registers.constant(at)), self._registers.of(value))
        self._clear(together)

    def _elementwise(self, each: Instruction) -> bool:
        """Whether a call is one on small values: ufuncs, each with a place for its result."""
        out = each.outputs[0]
        if not isinstance(each.op.run, Kernel) or not self._is_small(out):
            return False
        metas = [getattr(x, "meta", x) for x in each.operands]
        calls = each.op.run.calls(each.op.params, metas, each.attrs)
        given = [x.dtype.numpy if isinstance(x, Value) else None for x in each.operands]
        dtypes = result_dtypes(calls, given)
        if dtypes[-1] != out.dtype.numpy:
            calls.append(Micro(cast_to(out.dtype.numpy), (len(metas) + len(calls) - 1,)))
            dtypes.append(out.dtype.numpy)
        registers = self._registers
        places = registers.places(full_shape(out), dtypes)
        if places is None:
            return False
        numbers = [self._aligned(x, out) for x in each.operands]
        targets = [*(registers.new() for _ in calls[1:]), registers.of(out)]
        for call, number, place in zip(calls, targets, places, strict=True):
            sources = [numbers[a] if type(a) is int else registers.constant(as_array(a)) for a in call.args]
            self._write(call.function, sources, number, place)
            numbers.append(number)
        *temporary, own = places
        registers.own(out, own)
        for place in temporary:
            registers.free(place)
        return True

    def _reduction(self, each: Instruction) -> bool:
        """Whether a call is a reduction of what has a place: numpy writes to another."""
        found = reduction(each)
        out = each.outputs[0]
        if found is None or not self._is_small(out) or not all(full_shape(each.operands[0])):
            return False
        registers = self._registers
        source = registers.of(each.operands[0])
        if not registers.is_held(source):
            return False
        places = registers.places(full_shape(out), [out.dtype.numpy] * (1 + found.mean))
        if places is None:
            return False
        total, own = places[0], places[-1]
        reduce: Callable[..., Any] = found.combine.reduce
        settings = (axes(each), None, total, bool(each.attrs.get("keepdim")))
        self._steps.append(Step(reduce, registers.contents[source], *settings))
        if found.mean:  # to another place: numpy looks long at one number that is read and written
            divisor = np.asarray(share(each.operands[0], out), out.dtype.numpy)
            self._steps.append(Step(np.divide, total, divisor, own))
            registers.free(total)
        registers.hold(own, registers.of(out))
        registers.own(out, own)
        return True

    def _aligned(self, operand: Any, out: Value) -> int:
        """The register of an operand whose axes stand as those of `out`; a number that is repeated stands for
        all its elements, for the result's place has the shape."""
        repeated = uniform(operand) if isinstance(operand, Value) else None
        if repeated is not None:
            return self._registers.constant(np.asarray(repeated))
        number = self._registers.of(operand)
        place = aligned(operand, out.levels, out.ndim) if isinstance(operand, Value) else None
        if place is None:
            return number
        if self._registers.is_held(number):
            return self._registers.hold(self._registers.contents[number][place])
        view = self._registers.new()
        self._through(getitem, (number, self._registers.constant(place)), view)
        return view

    def _write(self, function: Callable[..., Any], sources: Sequence[int], number: int, place: Array) -> None:
        """A call whose result goes to `place`."""
        self._registers.hold(place, number)
        if all(map(self._registers.is_held, sources)):
            args = [self._registers.contents[at] for at in (*sources, number)]
            self._steps.append(Step(function, *args))
        else:
            self._through(function, (*sources, number), number)

    def _through(self, call: Callable[..., Any], sources: Sequence[int], target: int) -> None:
        self._steps.append(through(self._registers.contents, call, sources, target))

    def _clear(self, number: int) -> None:
        self._steps.append(clearing(self._registers.contents, number))
