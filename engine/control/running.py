"""One run of a loop, iteration by iteration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.control.history import History, LoopRecord, entries
from engine.control.kernel import select
from engine.control.spec import LEAD
from engine.dtypes import bool_
from engine.errors import IterationLimit
from engine.graph import Value
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
        self.count, self.states, masks = operands[:LEAD]
        self.masks = None if masks is None else np.moveaxis(masks, -1, 0)
        self.generator = Generator() if spec.replays and loop.draws else generator
        self.state = list(operands[LEAD : LEAD + spec.carried])
        inputs = spec.body.inputs
        given = operands[LEAD + spec.carried :]
        self.xs = [
            None if array is None else entries(array, value)
            for array, value in zip(given[: spec.xs], inputs[spec.carried :], strict=False)
        ]
        self.captured = given[spec.xs :]
        self.reads = [value in loop.read for value in inputs]
        self.histories = self._collect(places.histories, inputs[: spec.carried], spec.kept)
        self.ys = self._collect(places.ys, spec.body.outputs[spec.carried :], spec.size)
        mask = Value(Type((), bool_), levels=spec.masks or ())
        self.mask_history = History(mask, spec.kept) if loop.wanted[places.masks] else None
        self.kept_states: list[Any] = []
        self.record = LoopRecord()

    def _collect(self, place: slice, values: Sequence[Value], size: int) -> list[History | None]:
        wanted = self.loop.wanted[place]
        backwards = self.spec.reverse
        return [
            History(v, size, backwards=backwards) if asked else None
            for v, asked in zip(values, wanted, strict=True)
        ]

    def results(self) -> tuple[Any, ...]:
        """Run it; the results, None where none is wanted."""
        cond, body = self.loop.plans
        for number, at in enumerate(self._order()):
            if number % self.spec.every == 0 and self.states is not None:
                self.generator.set_state(self.states[at // self.spec.every])
            before = self.generator.get_state() if self.loop.wanted[self.loop.places.states] else None
            inputs = self._inputs(at)
            mask = self._mask(cond, inputs, at)
            if mask is not None and cond is not None and not self._goes_on(mask, number):
                break
            self._keep(at if self.spec.reverse else number, before, mask)
            self._enter(at, body.run(self.generator, inputs), mask)
            self.record.count = number + 1
        return self._gather()

    def _order(self) -> Iterator[int]:
        spec = self.spec
        size = spec.limit + 1 if spec.cond else int(self.count) if spec.counted else spec.size
        return iter(range(size - 1, -1, -1) if spec.reverse else range(size))

    def _inputs(self, at: int) -> list[Any]:
        every = [*self.state, *(None if x is None else x[at] for x in self.xs), *self.captured]
        return [array for array, read in zip(every, self.reads, strict=True) if read]

    def _mask(self, cond: Plan | None, inputs: list[Any], at: int) -> Any:
        if cond is None:
            return None if self.masks is None else self.masks[at]
        found = np.asarray(cond.run(self.generator, inputs)[0]).astype(bool)
        return found.reshape([level.size for level in self.spec.masks or ()])

    def _goes_on(self, mask: Any, number: int) -> bool:
        going = bool(mask.any())
        if going and number >= self.spec.limit:
            if self.spec.strict:
                limit = self.spec.limit
                raise IterationLimit("iterations", limit + 1, limit, f"while: max_iters {limit} reached")
            return False
        return going

    def _keep(self, number: int, state: Any, mask: Any) -> None:
        at, skip = divmod(number, self.spec.every)
        if skip:
            return
        for history, value in zip(self.histories, self.state, strict=True):
            if history is not None:
                history.put(at, value)
        if state is not None:
            self.kept_states.append(state)
        if self.mask_history is not None:
            self.mask_history.put(at, mask)

    def _enter(self, at: int, found: list[Any], mask: Any) -> None:
        spec = self.spec
        masked = spec.masks if mask is not None and spec.masks else None
        for number, live in enumerate(self.loop.live):
            if live:
                to, value = self.loop.spreads[number], spec.body.inputs[number]
                new = found[number] if to is None else to(found[number])
                old = self.state[number]
                self.state[number] = new if masked is None else select(mask, masked, value, new, old)
        for history, y, value in zip(
            self.ys, found[spec.carried :], spec.body.outputs[spec.carried :], strict=False
        ):
            if history is not None:
                history.put(at, y if masked is None else select(mask, masked, value, y, 0))
        if self.loop.wanted[self.loop.places.record] and self.loop.records:
            self.record.inner.append(tuple(found[len(spec.body.outputs) :]))

    def _gather(self) -> tuple[Any, ...]:
        arrays = [None if each is None else each.array() for each in (*self.ys, *self.histories)]
        masks = None if self.mask_history is None else self.mask_history.array()
        return (*self.state, *arrays, self.kept_states, masks, np.asarray(self.record.count), self.record)
