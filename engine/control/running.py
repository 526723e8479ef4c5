"""One run of a loop, iteration by iteration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.bounded import Sizes
from engine.control.history import History, Inside, LoopRecord, entries
from engine.control.kernel import select
from engine.control.spec import LEAD
from engine.dtypes import bool_
from engine.errors import IterationLimit
from engine.graph import Value
from engine.levels import sizes
from engine.plan.execute import Plan
from engine.random import Generator
from engine.types import Type

if TYPE_CHECKING:
    from engine.control.loop import Loop


class Run:
    """One run of `loop` on the arrays of its operands."""

    def __init__(self, loop: Loop, generator: Any, operands: Sequence[Any]) -> None:
        self.loop, self.spec = loop, loop.spec
        spec, places = loop.spec, loop.places
        count, self.states, masks = operands[:LEAD]
        self.limit = int(count) if spec.counted else spec.limit
        self.masks = None if masks is None else np.moveaxis(masks, -1, 0)
        self.generator = Generator() if spec.replays and loop.draws else generator
        inner = LEAD + spec.carried + spec.xs
        self.state = list(operands[LEAD : LEAD + spec.carried])
        inputs, xs = spec.body.inputs, operands[LEAD + spec.carried : inner]
        carried = inputs[: spec.carried]
        self.state_read = [at for at, value in enumerate(carried) if value in loop.read]
        self.xs = [
            entries(array, value)
            for array, value in zip(xs, inputs[spec.carried :], strict=False)
            if value in loop.read
        ]
        self.captured = [
            array for array, value in zip(operands[inner:], spec.captured, strict=True) if value in loop.read
        ]
        shapes = [getattr(array, "shape", ()) for array in self.state]
        self.histories = self._collect(places.histories, carried, shapes, spec.kept)
        ys = [value for value, _ in loop.written]
        self.ys = self._collect(places.ys, ys, [(*sizes(y.levels), *y.shape) for y in ys], spec.size)
        mask = Value(Type((), bool_), levels=spec.masks or ())
        wanted = loop.wanted[places.masks]
        self.mask_history = History(mask, sizes(mask.levels), spec.kept) if wanted else None
        self.states_kept: list[Any] | None = [] if loop.wanted[places.states] else None
        self.count = 0
        self.inner: list[Inside] = []
        self.ran: dict[Inside, Inside] = {}

    def _collect(
        self, place: slice, values: Sequence[Value], shapes: Sequence[Any], size: int
    ) -> list[History | None]:
        backwards = self.spec.reverse
        return [
            History(v, shape, size, backwards=backwards) if asked else None
            for v, shape, asked in zip(values, shapes, self.loop.wanted[place], strict=True)
        ]

    def results(self) -> tuple[Any, ...]:
        """Run it; the results, None where none is wanted."""
        cond, body = self.loop.plans
        every, states = self.spec.every, self.states
        state = mask = None
        for at in self._order():
            checkpoint = at % every == 0
            if checkpoint and states is not None and at // every < len(states):
                self.generator.set_state(states[at // every][self.spec.inside])
            if checkpoint and self.states_kept is not None:
                state = self.generator.get_state()
            read = self._read(at)
            if cond is not None:
                going, mask = self._condition(cond, read)
                if not going:
                    break
                self._check(at)
            elif self.masks is not None:
                mask = self.masks[at]
            if checkpoint:
                self._keep(at // every, state, mask)
            known: Sizes = {}
            self._enter(at, body.within(self.generator, read, known), mask, known)
        return self._gather()

    def _order(self) -> Iterable[int]:
        if self.spec.reverse:
            return range(self.limit - 1, -1, -1)
        return range(self.limit + (self.spec.cond is not None and self.spec.strict))

    def _read(self, at: int) -> list[Any]:
        """What an iteration computes from."""
        state = self.state
        return [*[state[each] for each in self.state_read], *[x[at] for x in self.xs], *self.captured]

    def _condition(self, cond: Plan, read: list[Any]) -> tuple[bool, Any]:
        """Whether a sample is still to go on, and the mask of those that are."""
        (found,) = cond.within(self.generator, read, {})
        if not self.spec.masks:
            return bool(found.item()), None
        mask = found.astype(bool).reshape(sizes(self.spec.masks))
        return bool(mask.any()), mask

    def _check(self, done: int) -> None:
        limit = self.spec.limit
        if done >= limit and self.spec.strict:
            raise IterationLimit("iterations", limit + 1, limit, f"while: max_iters {limit} reached")

    def _keep(self, at: int, state: Any, mask: Any) -> None:
        """Enter what there is before an iteration into the histories."""
        for history, value in zip(self.histories, self.state, strict=True):
            if history is not None:
                history.put(at, value)
        if self.states_kept is not None:
            drawn = self.spec.cond is not None and self.spec.cond.draws
            self.states_kept.append((state, self.generator.get_state() if drawn else state))
        if self.mask_history is not None:
            self.mask_history.put(at, mask)

    def _enter(self, at: int, found: list[Any], mask: Any, known: Sizes) -> None:
        """Carry on what an iteration gives. A sample that is done keeps what it had."""
        spec, state = self.spec, self.state
        held = () if mask is None or mask.all() else spec.masks or ()
        for number, value, to in self.loop.live_carried:
            new = found[number] if to is None else to(found[number])
            state[number] = select(mask, held, value, new, state[number]) if held else new
        for history, found_y, (value, to) in zip(
            self.ys, found[spec.carried :], self.loop.written, strict=False
        ):
            if history is not None:
                y = found_y if to is None else to(found_y)
                history.put(at, select(mask, held, value, y, 0) if held else y)
        self.count += 1
        if self.loop.recorded:
            ran = Inside(tuple(found[len(spec.body.outputs) :]), tuple(known.items()))
            self.inner.append(self.ran.setdefault(ran, ran))  # a long loop has few kinds of iterations

    def _gather(self) -> tuple[Any, ...]:
        arrays = [None if each is None else each.array() for each in (*self.ys, *self.histories)]
        masks = None if self.mask_history is None else self.mask_history.array()
        record = LoopRecord(self.count, tuple(self.inner))
        return (*self.state, *arrays, self.states_kept, masks, np.asarray(self.count), record)
