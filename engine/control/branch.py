"""Choices: `cond` and its derivatives.

Under batch levels both branches run where samples disagree, and each sample takes the results of its own: so
a branch that a sample does not take cannot reach its gradient, not even as nan.

Operands: the state of the random generator (or None), the predicate, then captured values.
Results: those of the branches, the state at the start, and the record for the trace.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.batched import spread
from engine.bounded import Sizes
from engine.control.body import Body, narrowed, placeholder, zeros
from engine.control.history import BranchRecord, Inside
from engine.control.kernel import CALL_FLOPS, MANY, STATE_BYTES, control_op, select, ways
from engine.flow import RECORD, ControlKernel
from engine.graph import Value
from engine.graph_builder import GraphBuilder
from engine.levels import Levels, merged, union
from engine.plan.execute import Plan
from engine.random import Generator
from engine.transforms.forward import jvp
from engine.transforms.reverse import vjp

LEAD = 2  # operands before the captured values


@dataclass(frozen=True, eq=False)
class Branch(ControlKernel):
    """The kernel of a choice: `bodies` are what runs where the predicate is true, and where it is false."""

    name: str
    bodies: tuple[Body, Body]
    captured: Sequence[Value]
    masks: Levels  # of the predicate
    replays: bool = False
    primal: bool = False
    wanted: Sequence[bool] = ()

    @functools.cached_property
    def outputs(self) -> list[Value]:
        """Values that stand for the results, with the levels of either branch and of the predicate."""
        pairs = zip(*(body.outputs for body in self.bodies), strict=True)
        return [placeholder(a, merged(union([a, b]), self.masks)) for a, b in pairs]

    @property
    def takes(self) -> tuple[Any, ...]:  # type: ignore[override]
        """The levels of the operands."""
        return ((), self.masks, *(value.levels for value in self.captured))

    @property
    def results(self) -> tuple[Any, ...]:  # type: ignore[override]
        """The levels of the results."""
        return (*(value.levels for value in self.outputs), (), ())

    @property
    def draws(self) -> bool:
        """Whether it draws from the program's generator."""
        return not self.replays and any(body.draws for body in self.bodies)

    def append(self, builder: GraphBuilder, operands: Sequence[Any]) -> tuple[Value, ...]:
        """The results of a node of this choice."""
        types = [*(value.meta for value in self.outputs), RECORD, RECORD]
        op = control_op(self.name, self, types, LEAD, len(operands) - LEAD, draws=self.draws)
        found: tuple[Value, ...] = builder.append(op, tuple(operands))
        if not self.primal:
            pairs = zip(self.captured, operands[LEAD:], strict=True)
            changed = [v for v, x in pairs if getattr(x, "requires_grad", False)]
            known = set().union(*(body.varied(changed) for body in self.bodies))
            for result, *each in zip(found, *(body.outputs for body in self.bodies), strict=False):
                result.requires_grad = result.requires_grad and not known.isdisjoint(each)
        return found

    # -- what is read of it, and what it takes

    def specialised(self, wanted: Sequence[bool]) -> tuple[ControlKernel, Sequence[bool]]:
        """The choice with only those results, and the operands that it reads."""
        found = replace(self, wanted=tuple(wanted))
        states = self.replays and any(plan.draws for plan in found._plans)
        return found, [states, True, *(value in found._read for value in self.captured)]

    def _asked(self, body: Body) -> list[Value | None]:
        pairs = zip(body.outputs, self.wanted, strict=False)
        asked = [y if wanted else None for y, wanted in pairs]
        if self.wanted[-1]:
            asked += [node.outputs[-1] for node in body.nodes if _is_primal(node.op.run)]
        return asked

    @functools.cached_property
    def _effects(self) -> str:
        """What its plans do besides. Of the draws that it replays they make all, in their order, or none."""
        if not self.replays:
            return "all" if self.primal else "draws"
        return "draws" if any(body.draws_for(self._asked(body)) for body in self.bodies) else "none"

    @functools.cached_property
    def _read(self) -> set[Value]:
        return set().union(*(body.reads(self._asked(body), self._effects) for body in self.bodies))

    @functools.cached_property
    def _plans(self) -> tuple[Plan, ...]:
        inputs = [value for value in self.captured if value in self._read]
        return tuple(body.plan(inputs, self._asked(body), self._effects) for body in self.bodies)

    @property
    def ways(self) -> int:
        """In how many ways it may run, as its record tells them."""
        if any(body.sized for body in self.bodies):
            return MANY
        one, other = (ways(body.nodes) for body in self.bodies)
        return one + other + (one * other if self.masks else 0)

    @property
    def saves_tensors(self) -> bool:
        """Whether a second backward through it is refused, whichever branch was taken."""
        return any(node.recorded and node.saves_tensors for body in self.bodies for node in body.nodes)

    def peak_bytes(self) -> int:
        """The bytes that the branches may need: of both, where samples may disagree."""
        bytes_ = [plan.peak_bytes for plan in self._plans]
        return (sum(bytes_) if self.masks else max(bytes_)) + STATE_BYTES

    def flops(self) -> int:
        """The flops that the branches may take."""
        flops = [plan.flops + (plan.calls + 1) * CALL_FLOPS for plan in self._plans]
        return sum(flops) if self.masks else max(flops)

    # -- running

    def __call__(self, generator: Any, state: Any, predicate: Any, *captured: Any) -> tuple[Any, ...]:
        if state is not None:
            generator = Generator().set_state(state)
        before = generator.get_state() if self.wanted[-2] else None
        mask = np.asarray(predicate).astype(bool).reshape([level.size for level in self.masks])
        taken = (bool(mask.any()), not mask.all())
        inputs = [a for a, value in zip(captured, self.captured, strict=True) if value in self._read]
        known: tuple[Sizes, Sizes] = ({}, {})
        runs = [
            plan.within(generator, inputs, sizes) if ran else None
            for plan, ran, sizes in zip(self._plans, taken, known, strict=True)
        ]
        count = len(self.outputs)
        found = [self._pick(at, mask, runs) for at in range(count)]
        inner = [
            Inside(tuple(run[count:] if run else ()), tuple(sizes.items()))
            for run, sizes in zip(runs, known, strict=True)
        ]
        return (*found, before, BranchRecord(taken, tuple(inner)))

    def _pick(self, at: int, mask: Any, runs: Sequence[Any]) -> Any:
        value = self.outputs[at]
        if not self.wanted[at]:
            return None
        arrays = [
            None if run is None else _as(body.outputs[at], value)(run[at])
            for run, body in zip(runs, self.bodies, strict=True)
        ]
        if None in [None if array is None else 0 for array in arrays]:
            return next(array for array in arrays if array is not None)
        return select(mask, self.masks, value, *arrays)

    # -- derivatives

    def pullback(
        self, builder: Any, x: Sequence[Any], y: Sequence[Any], g: Sequence[Any], needs: Sequence[bool]
    ) -> list[Any]:
        """A choice between the vjps of the branches."""
        wanted = [n and v.dtype.differentiable for n, v in zip(needs[LEAD:], self.captured, strict=True)]
        wrt = [v for v, is_ in zip(self.captured, wanted, strict=True) if is_]
        given = [each if v.dtype.differentiable else None for each, v in zip(g, self.outputs, strict=False)]
        # for which samples a branch counts is known only outside of a sum: its cotangents have all levels
        seeds = [
            None if each is None else placeholder(v, merged(each.levels, v.levels))
            for each, v in zip(given, self.outputs, strict=True)
        ]
        bodies = []
        for body in self.bodies:
            with body.open(builder.active, self.masks) as inside:
                roots = [
                    (result, narrowed(inside, seed, value.levels, result.levels))
                    for result, value, seed in zip(body.outputs, self.outputs, seeds, strict=True)
                    if seed is not None
                ]
                found = vjp(inside, roots, wrt, body.nodes)
                outputs = [each or zeros(inside.F, v) for each, v in zip(found, wrt, strict=True)]
            bodies.append(body.extended([], outputs))
        results = iter(self._again(builder, bodies, "vjp", seeds, given, x, y))
        every = [narrowed(builder, next(results), self.masks, v.levels) if is_ else None
                 for v, is_ in zip(self.captured, wanted, strict=True)]  # fmt: skip
        return [None] * LEAD + every

    def pushforward(self, builder: Any, x: Sequence[Any], y: Sequence[Any], t: Sequence[Any]) -> list[Any]:
        """A choice between the jvps of the branches."""
        given = t[LEAD:]
        seeds = [None if each is None else placeholder(v, each.levels)
                 for each, v in zip(given, self.captured, strict=True)]  # fmt: skip
        known = {v: seed for v, seed in zip(self.captured, seeds, strict=True) if seed is not None}
        bodies = []
        for body in self.bodies:
            with body.open(builder.active) as inside:
                found = jvp(inside, known, body.outputs, body.nodes)
                moving = zip(found, body.outputs, strict=True)
                outputs = [each or zeros(inside.F, v) for each, v in moving if v.dtype.differentiable]
            bodies.append(body.extended([], outputs))
        results = iter(self._again(builder, bodies, "jvp", seeds, given, x, y))
        return [*(next(results) if v.dtype.differentiable else None for v in self.outputs), None, None]

    def _again(
        self,
        builder: GraphBuilder,
        bodies: Sequence[Body],
        what: str,
        seeds: Sequence[Value | None],
        given: Sequence[Value | None],
        x: Sequence[Any],
        y: Sequence[Any],
    ) -> tuple[Value, ...]:
        """The results of a choice between `bodies`, which read the values `given` too."""
        captured = [*self.captured, *(seed for seed in seeds if seed is not None)]
        for body in bodies:
            body.inputs = captured
        again = replace(
            self,
            name=f"{self.name}_{what}" if self.primal else self.name,
            bodies=(bodies[0], bodies[1]),
            captured=captured,
            replays=self.replays or self.draws,
            primal=False,
        )
        state = x[0] if self.replays else y[-2] if self.draws else None
        more = [each for each, seed in zip(given, seeds, strict=True) if seed is not None]
        return again.append(builder, [state, *x[1:], *more])


def _is_primal(run: Any) -> bool:
    return isinstance(run, ControlKernel) and run.primal


def _as(value: Value, like: Value) -> Any:
    """What gives an array of `value` the levels of `like`."""
    return spread(value, like.levels) or (lambda array: array)
