"""Loops: how they run, and which loops their derivatives are.

A loop carries values from one iteration to the next, reads an entry of each sequence in `xs` and writes one
of each in `ys`. It goes on while `cond` holds, or `size` times (or as often as its first operand says), from
the first entry or in `reverse`. Under batch levels a loop with a condition runs until every sample is done; a
sample that is done keeps its carried values.

Operands: the number of iterations, the states of the random generator and the masks (each None where the loop
does not ask for it), then carried values, sequences, captured ones.
Results: carried values, ys, the history of each carried value, states, masks, the number of iterations, and
the record for the trace. Of the histories and states every `every`-th entry is there.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.batched import spread
from engine.control.backward import Backward
from engine.control.forward import Forward
from engine.control.kernel import CALL_FLOPS, MANY, RECORD_BYTES, STATE_BYTES, control_op, ways
from engine.control.running import Run
from engine.control.segments import Segments
from engine.control.spec import LEAD, Places, Spec
from engine.flow import ControlKernel
from engine.graph import Value
from engine.graph_builder import GraphBuilder
from engine.levels import count
from engine.plan.execute import Plan

_ENTRY_BYTES = 200  # an array's own size, where a history is a list until the loop ends
_POINTERS = 24  # bytes for an iteration in a record, while that is collected and put together


@dataclass(eq=False)
class Loop(ControlKernel):
    """The kernel of a loop; `wanted` tells which of its results are asked for."""

    spec: Spec
    wanted: Sequence[bool] = ()
    places: Places = field(init=False)

    def __post_init__(self) -> None:
        self.places = Places.of(self.spec)
        inputs = [value.levels for value in self.spec.body.inputs]
        carried = inputs[: self.spec.carried]
        ys = [value.levels for value in self.spec.written]
        masks = self.spec.masks or ()
        self.takes = ((), (), masks, *inputs)
        self.results = (*carried, *ys, *carried, (), masks, (), ())
        self.primal = self.spec.primal
        self.effect = self.spec.cond is not None and self.spec.primal  # it may not end

    def append(self, builder: GraphBuilder, operands: Sequence[Any]) -> tuple[Value, ...]:
        """The results of a node of this loop."""
        spec = self.spec
        op = control_op(spec.name, self, spec.types(), LEAD, len(operands) - LEAD, draws=spec.draws)
        found: tuple[Value, ...] = builder.append(op, tuple(operands))
        if not spec.primal:  # a statement's own knows better: of what its body did with flags
            varied = spec.varied([getattr(x, "requires_grad", False) for x in operands[LEAD:]])
            for result, is_ in zip(found, [*varied, *varied[: spec.carried]], strict=False):
                result.requires_grad = result.requires_grad and is_
        return found

    # -- what is read of it

    def specialised(self, wanted: Sequence[bool]) -> tuple[ControlKernel, Sequence[bool]]:
        """The loop with only those results, and the operands that it reads."""
        found = replace(self, wanted=tuple(wanted))
        read = found.read
        spec = self.spec
        masked = spec.masks is not None and spec.cond is None
        states = spec.replays and found.draws
        return found, [spec.counted, states, masked, *(value in read for value in spec.body.inputs)]

    @functools.cached_property
    def live(self) -> list[bool]:
        """Which carried values matter to the results that are wanted."""
        return self._living(self._effects)

    def _living(self, effects: str) -> list[bool]:
        spec, places = self.spec, self.places
        carried = spec.body.inputs[: spec.carried]
        histories = self.wanted[places.histories]
        found = [a or b for a, b in zip(self.wanted[places.carried], histories, strict=True)]
        always = spec.cond.reads(spec.cond.outputs, effects) if spec.cond else set()
        while True:
            read = always | spec.body.reads(self._asked(found), effects)
            more = [live or value in read for live, value in zip(found, carried, strict=True)]
            if more == found:
                return found
            found = more

    @functools.cached_property
    def read(self) -> set[Value]:
        """The inputs of the bodies that are read."""
        spec = self.spec
        found = spec.body.reads(self._asked(self.live), self._effects)
        if spec.cond:
            found |= spec.cond.reads(spec.cond.outputs, self._effects)
        live = zip(spec.body.inputs[: spec.carried], self.live, strict=True)
        return found | {value for value, wanted in live if wanted}

    @functools.cached_property
    def _effects(self) -> str:
        """What its plans do besides. Of the draws that it replays they make all, in their order, or none."""
        spec = self.spec
        if not spec.replays:
            return "all" if spec.primal else "draws"
        asked = self._asked(self._living("none"))
        drawn = spec.body.draws_for(asked) or (spec.cond and spec.cond.draws_for(spec.cond.outputs))
        return "draws" if drawn else "none"

    def _asked(self, live: Sequence[bool]) -> list[Value | None]:
        """The outputs of the body that an iteration computes: results of live carried values, wanted ys, and
        the records of the control flow in it."""
        spec = self.spec
        mask = [*live, *self.wanted[self.places.ys]]
        outputs = [y if wanted else None for y, wanted in zip(spec.body.outputs, mask, strict=True)]
        return outputs + (self.records if self.wanted[self.places.record] else [])

    @functools.cached_property
    def live_carried(self) -> list[tuple[int, Value, Any]]:
        """The carried values that matter: the number of each, its placeholder, and what gives the body's
        result the levels that it is carried with (None where it has them)."""
        pairs = zip(self.spec.body.inputs, self.spec.body.outputs, self.live, strict=False)
        return [(at, v, spread(y, v.levels)) for at, (v, y, live) in enumerate(pairs) if live]

    @functools.cached_property
    def written(self) -> list[tuple[Value, Any]]:
        """What stands for an entry of each sequence that it writes, and what gives the body's result the
        levels of that (None where it has them)."""
        pairs = zip(self.spec.written, self.spec.body.outputs[self.spec.carried :], strict=True)
        return [(value, spread(y, value.levels)) for value, y in pairs]

    @functools.cached_property
    def records(self) -> list[Value | None]:
        """The records of the control flow in the body."""
        return [node.outputs[-1] for node in self.spec.body.nodes if is_primal(node.op.run)]

    @functools.cached_property
    def recorded(self) -> bool:
        """Whether the trace asks how each iteration ran: its control flow, or sizes known only then."""
        asked: bool = self.wanted[self.places.record]
        return asked and (bool(self.records) or self.spec.body.sized)

    # -- what it takes

    @functools.cached_property
    def plans(self) -> tuple[Plan | None, Plan]:
        spec = self.spec
        inputs = [value for value in spec.body.inputs if value in self.read]
        cond = spec.cond.plan(inputs, spec.cond.outputs, self._effects) if spec.cond else None
        return cond, spec.body.plan(inputs, self._asked(self.live), self._effects)

    @property
    def draws(self) -> bool:
        cond, body = self.plans
        return body.draws or bool(cond and cond.draws)

    @property
    def ways(self) -> int:
        """In how many ways it may run, as its record tells them."""
        if self.records or self.spec.body.sized:
            return MANY
        return 1 if self.spec.cond is None else self.spec.limit + 1

    @property
    def saves_tensors(self) -> bool:
        """Whether a second backward through it is refused, whether or not it ran."""
        return any(node.recorded and node.saves_tensors for node in self.spec.body.nodes)

    def peak_bytes(self) -> int:
        """The bytes of one iteration's work, and of what is collected before it is put together."""
        cond, body = self.plans
        places, spec = self.places, self.spec
        late = zip(spec.types(), self.results, self.wanted, strict=True)
        collected = sum(
            meta.nbytes * count(levels) + _ENTRY_BYTES * meta.shape[0]
            for meta, levels, wanted in late
            if wanted and meta.shape and type(meta.shape[0]) is not int
        )
        drawn = 1 + (spec.cond is not None and spec.cond.draws)
        states = STATE_BYTES * spec.kept * drawn if self.wanted[places.states] else 0
        kinds = RECORD_BYTES * min(spec.limit, ways(spec.body.nodes))
        records = kinds + _POINTERS * spec.limit if self.recorded else 0
        return max(cond.peak_bytes if cond else 0, body.peak_bytes) + int(collected + states + records)

    def flops(self) -> int:
        """The flops of as many iterations as there may be."""
        cond, body = self.plans
        calls = body.calls + 1 + (cond.calls if cond else 0)
        return self.spec.limit * (body.flops + (cond.flops if cond else 0) + calls * CALL_FLOPS)

    # -- running

    def __call__(self, generator: Any, *operands: Any) -> tuple[Any, ...]:
        return Run(self, generator, operands).results()

    def pullback(
        self, builder: Any, x: Sequence[Any], y: Sequence[Any], g: Sequence[Any], needs: Sequence[bool]
    ) -> list[Any]:
        """A loop that goes the other way, over segments where the history would be long."""
        backward = Backward(self, builder, x, y, g, needs)
        if self.spec.every > 1 and backward.looks_back:
            return Segments(self, builder, x, y).backward(y, g, needs)
        return backward.cotangents()

    def pushforward(self, builder: Any, x: Sequence[Any], y: Sequence[Any], t: Sequence[Any]) -> list[Any]:
        """A loop that carries tangents too."""
        return Forward(self, builder, x, y, t).tangents()


def is_primal(run: Any) -> bool:
    """Whether a kernel is a statement's own control flow, which a trace shows."""
    return isinstance(run, ControlKernel) and run.primal
