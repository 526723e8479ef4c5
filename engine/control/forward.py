"""The jvp of a loop: the loop with tangents carried along. It needs no history, and so no memory for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.control.body import Body, placeholder, zeros
from engine.control.parts import Parts
from engine.control.spec import LEAD
from engine.graph import Value
from engine.graph_builder import GraphBuilder
from engine.levels import Levels, merged, union
from engine.transforms.forward import jvp

if TYPE_CHECKING:
    from engine.control.loop import Loop


class Forward(Parts):
    """The jvp of `loop`, along the tangents `t` of its operands."""

    def __init__(
        self, loop: Loop, builder: GraphBuilder, x: Sequence[Any], y: Sequence[Any], t: Sequence[Any]
    ) -> None:
        super().__init__(loop, builder, x, y)
        self.lead = x[:LEAD]
        self.t = list(t[LEAD:])
        moved = [each is not None for each in self.t]
        self.active = self.spec.varied(moved)[: self.spec.carried]
        self.moving = [*self.active, *(each is not None for each in self.t[len(self.carried) :])]
        self.body = self._build()

    def _build(self) -> Body:
        levels = [self._held(t, v) for t, v in zip(self.t, self.inputs, strict=True)]
        while True:
            body = self._differentiate(levels)
            carried = len(self.carried)
            found = [merged(a, union([b])) for a, b in zip(levels, self.new[:carried], strict=False)]
            if found == levels[:carried]:
                return body
            levels[:carried] = found

    def _held(self, t: Value | None, value: Value) -> Levels:
        held = union([t])
        return held if self.spec.masks is None else merged(held, merged(value.levels, self.spec.masks))

    def _differentiate(self, levels: Sequence[Levels]) -> Body:
        spec = self.spec
        self.seeds = [
            placeholder(v, held) if is_ else None
            for v, held, is_ in zip(self.inputs, levels, self.moving, strict=True)
        ]
        known = {v: seed for v, seed in zip(self.inputs, self.seeds, strict=True) if seed is not None}
        with spec.body.open(self.builder.active) as inside:
            found = jvp(inside, known, spec.body.outputs, spec.body.nodes)
            wanted = [*self.active, *(y.dtype.differentiable for y in self.ys)]
            self.new: list[Any] = [
                (t or zeros(inside.F, y)) if is_ else None
                for t, y, is_ in zip(found, spec.body.outputs, wanted, strict=True)
            ]
        a, b = len(self.carried), len(self.carried) + len(self.xs)
        inputs = [*self.carried, *_some(self.seeds[:a]), *self.xs, *_some(self.seeds[a:b])]
        inputs += [*self.captured, *_some(self.seeds[b:])]
        outputs = [*self.results, *_some(self.new[:a]), *self.ys, *_some(self.new[a:])]
        return spec.body.extended(inputs, outputs)

    def tangents(self) -> list[Any]:
        """Append the loop; the tangents of the results of the one that is differentiated."""
        spec, F = self.spec, self.F
        a, b = len(self.carried), len(self.carried) + len(self.xs)
        carried = [
            zeros(F, v) if t is None else t
            for v, t, is_ in zip(self.carried, self.t, self.active, strict=False)
            if is_
        ]
        along = _some(self.t[a:b])
        dual = replace(
            spec,
            name=f"{spec.name}_jvp" if spec.primal else spec.name,
            body=self.body,
            carried=a + len(carried),
            xs=spec.xs + len(along),
            replays=self.states is not None,
            primal=False,
        )
        operands = [self.lead[0], self.states, self.lead[2], *self.x_carried, *carried, *self.x_xs, *along]
        operands += [*self.x_captured, *_some(self.t[b:])]
        loop = type(self.loop)(dual)
        found, places = loop.append(self.builder, operands), loop.places
        new = iter(found[places.carried][a:])
        ys = iter(found[places.ys][len(self.ys) :])
        histories = iter(found[places.histories][a:])
        of_carried = [next(new) if is_ else None for is_ in self.active]
        of_ys = [None if each is None else next(ys) for each in self.new[a:]]
        of_histories = [next(histories) if is_ else None for is_ in self.active]
        return [*of_carried, *of_ys, *of_histories, None, None, None, None]


def _some(values: Sequence[Any]) -> list[Any]:
    return [each for each in values if each is not None]
