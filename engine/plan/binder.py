"""From calls in order to a frame: which arrays have a place, which pass through registers."""

from __future__ import annotations

from collections import defaultdict
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
from engine.plan.frame import GENERATOR, SIZES, Array, Frame, Memory, Step, takes
from engine.plan.instruction import Instruction
from engine.plan.late import is_late, late_call
from engine.plan.memory import Unit, is_view
from engine.plan.reducing import axes, reduction, share
from engine.plan.rows import full_shape
from engine.plan.tiles import Tiles
from engine.watch import Watch, watching

SMALL = 1 << 10  # bytes of a value that has a place in the frame


class Binder:
    """Builds a frame, unit after unit. Where values are `watched`, none has a place."""

    def __init__(self, inputs: Sequence[Value], watched: Mapping[Value, Watch]) -> None:
        self._registers: list[Any] = [None, None]
        self._steps: list[Step] = []
        self._sites: list[Site] = []
        self._watched = watched
        self._numbers: dict[Value, int] = {}
        self._held: set[int] = set()  # registers that always hold the same
        self._own: dict[Value, Array] = {}  # places to give back
        self._free: dict[Any, list[Array]] = defaultdict(list)
        self._memory = Memory()
        self._outside: set[int] = set()  # registers that hold constants
        self._sized = is_bounded([value.meta for value in inputs])  # a size of the run has come up
        self._entered = [self._enter(value) for value in inputs]

    def add(self, unit: Unit, dead: Sequence[Value]) -> None:
        """The steps of a unit, after which the values in `dead` are read no more."""
        before = len(self._steps)
        if isinstance(unit, Tiles):
            self._several(unit, [self._operand(x) for x in unit.operands], unit.outputs)
        else:
            self._instruction(unit)
        for value in dead:
            self._release(value)
        site = unit.outputs[0].node.site  # type: ignore[union-attr]
        self._sites += [site] * (len(self._steps) - before)

    def frame(self, wanted: Sequence[Value | None]) -> Frame:
        """The frame, which gives the values `wanted`."""
        left: list[tuple[int, bool] | None] = []
        for value in wanted:
            number = None if value is None else self._operand(value)
            copied = number in self._held and value is not None and value.constant is None
            left.append(None if number is None else (number, copied))
        passing = [at for at in range(len(self._registers)) if at not in self._held]
        return Frame(self._registers, self._steps, self._sites, self._entered, left, passing)

    # -- values

    def _new(self) -> int:
        self._registers.append(None)
        return len(self._registers) - 1

    def _hold(self, content: Any, number: int | None = None) -> int:
        """The register, a new one unless it is given, that always holds `content`."""
        number = self._new() if number is None else number
        self._registers[number] = content
        self._held.add(number)
        return number

    def _operand(self, operand: Any) -> int:
        """The register of a value or of a scalar."""
        if not isinstance(operand, Value):
            return self._constant(operand)
        number = self._numbers.get(operand)
        if number is None:
            number = self._numbers[operand] = self._new()
            if operand.constant is not None:
                self._constant(operand.constant, number)
        return number

    def _constant(self, content: Any, number: int | None = None) -> int:
        number = self._hold(content, number)
        self._outside.add(number)
        return number

    def _enter(self, value: Value) -> tuple[int, Array | None]:
        number = self._operand(value)
        place = self._place(full_shape(value), value.dtype.numpy) if self._is_small(value) else None
        if place is not None:
            self._hold(place, number)
        return number, place

    def _is_small(self, value: Value) -> bool:
        if self._watched or value.meta is RECORD or value.meta.strides or is_bounded(value.meta):
            return False
        return value.nbytes <= SMALL

    def _place(self, shape: tuple[int, ...], dtype: Any) -> Array | None:
        """Memory for an array; None where there is too much already."""
        known = self._free.get((shape, dtype))
        if known:
            return known.pop()
        return self._memory.array(shape, dtype)

    def _release(self, value: Value) -> None:
        """Nobody reads `value` any more, nor a view of it."""
        own = self._own.pop(value, None)
        if own is not None:
            self._free[own.shape, own.dtype].append(own)
        elif value.constant is None and self._numbers[value] not in self._held and value.nbytes > SMALL:
            self._steps.append(Step(nothing, takes(()), self._numbers[value]))

    # -- calls

    def _instruction(self, each: Instruction) -> None:
        self._sized = self._sized or is_bounded([y.meta for y in each.outputs])
        late = self._sized and is_late(each)
        if isinstance(each.op.run, Kernel) and not late and self._is_small(each.outputs[0]):
            self._elementwise(each)
            return
        if not late and self._reduction(each):
            return
        sources = [self._operand(x) for x in each.operands]
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
        if self._watched or not is_view(each) or not each.op.single or sources[0] not in self._held:
            return False
        found = call(*[self._registers[at] for at in sources])
        if not isinstance(found, np.ndarray) or not np.may_share_memory(found, self._registers[sources[0]]):
            return False
        self._hold(found, self._operand(each.outputs[0]))
        return True

    def _call(self, each: Instruction, call: Callable[..., Any], sources: Sequence[int]) -> None:
        if any(at in self._held and at not in self._outside for at in sources):
            call = on_its_own(call, single=each.op.single)
        watches = [self._watched.get(y) for y in each.outputs] if self._watched else ()
        call = watching(call, watches, single=each.op.single) if any(watches) else call
        if each.op.single:
            self._steps.append(Step(call, takes(sources), self._operand(each.outputs[0])))
        else:
            self._several(call, sources, each.outputs)

    def _kept(self, number: int) -> int:
        """A register with a copy of what has a place: control flow keeps what it reads."""
        if number not in self._held or number in self._outside:
            return number
        copy = self._new()
        self._steps.append(Step(np.copy, takes((number,)), copy))
        return copy

    def _several(self, call: Callable[..., Any], sources: Sequence[int], outputs: Sequence[Value]) -> None:
        """A call that gives a tuple."""
        together = self._new()
        self._steps.append(Step(call, takes(sources), together))
        for at, value in enumerate(outputs):
            taken = takes((together, self._constant(at)))
            self._steps.append(Step(getitem, taken, self._operand(value)))
        self._steps.append(Step(nothing, takes(()), together))

    def _elementwise(self, each: Instruction) -> None:
        """The ufuncs of a kernel, each with a place for its result."""
        (out,) = each.outputs
        metas = [getattr(x, "meta", x) for x in each.operands]
        calls = each.op.run.calls(each.op.params, metas, each.attrs)  # type: ignore[union-attr]
        dtypes = result_dtypes(
            calls, [x.dtype.numpy if isinstance(x, Value) else None for x in each.operands]
        )
        if dtypes[-1] != out.dtype.numpy:
            calls.append(Micro(cast_to(out.dtype.numpy), (len(metas) + len(calls) - 1,)))
            dtypes.append(out.dtype.numpy)
        numbers = [self._aligned(x, out) for x in each.operands]
        places = [self._place(full_shape(out), dtype) for dtype in dtypes]
        for call, place in zip(calls, places, strict=True):
            number = self._operand(out) if len(numbers) == len(metas) + len(calls) - 1 else self._new()
            sources = [numbers[a] if type(a) is int else self._constant(as_array(a)) for a in call.args]
            self._write(call.function, sources, number, place)
            numbers.append(number)
        *temporary, own = places
        if own is not None:
            self._own[out] = own
        for place in temporary:
            if place is not None:
                self._free[place.shape, place.dtype].append(place)

    def _reduction(self, each: Instruction) -> bool:
        """Whether a call is a reduction of a small value that numpy writes to a place."""
        found = reduction(each)
        (out, *_) = each.outputs
        if found is None or not self._is_small(out) or not all(full_shape(each.operands[0])):
            return False
        place = self._place(full_shape(out), out.dtype.numpy)
        source, number = self._operand(each.operands[0]), self._operand(out)
        if place is None or source not in self._held:
            return False
        self._hold(place, number)
        self._own[out] = place
        settings = (axes(each), None, place, bool(each.attrs.get("keepdim")))
        self._steps.append(Step(found.combine.reduce, (self._registers[source], *settings), None))
        if found.mean:
            divisor = np.asarray(share(each.operands[0], out), place.dtype)
            self._steps.append(Step(np.divide, (place, divisor, place), None))
        return True

    def _aligned(self, operand: Any, out: Value) -> int:
        """The register of an operand whose axes stand as those of `out`."""
        number = self._operand(operand)
        place = aligned(operand, out.levels, out.ndim) if isinstance(operand, Value) else None
        if place is None:
            return number
        if number in self._held:
            return self._hold(self._registers[number][place])
        view = self._new()
        self._steps.append(Step(getitem, takes((number, self._constant(place))), view))
        return view

    def _write(
        self, function: Callable[..., Any], sources: Sequence[int], number: int, place: Array | None
    ) -> None:
        """A call whose result goes to `place`, or to memory of its own."""
        if place is None:
            self._steps.append(Step(function, takes(sources), number))
            return
        self._hold(place, number)
        if self._held.issuperset(sources):
            args = tuple([self._registers[at] for at in (*sources, number)])
            self._steps.append(Step(function, args, None))
        else:
            self._steps.append(Step(function, takes((*sources, number)), number))


def on_its_own(call: Callable[..., Any], *, single: bool) -> Callable[..., Any]:
    """`call`, with results that are parts of other arrays copied: a place is written to again."""

    def run(*arrays: Any) -> Any:
        found = call(*arrays)
        if single:
            return found if found.flags.owndata else found.copy()
        return [each if each.flags.owndata else each.copy() for each in found]

    return run


def nothing() -> None:
    """What is put into a register to give its array back."""
