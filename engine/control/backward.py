"""The vjp of a loop: a loop that goes the other way.

It carries the cotangents of what the loop carried, and the sums of those of what it captured. An iteration
computes again what it needs from the carried values that the loop had there, its history. All of that is a
loop, so that the vjp of a vjp is one more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.control.body import Body, narrowed, placeholder, zeros
from engine.control.parts import Parts
from engine.control.spec import LEAD
from engine.graph import Value
from engine.graph_builder import GraphBuilder
from engine.levels import Levels, merged, union
from engine.transforms.reverse import vjp

if TYPE_CHECKING:
    from engine.control.loop import Loop


class Backward(Parts):
    """The vjp of `loop`, from the cotangents `g` of its results; `needs` tells the operands that want one."""

    def __init__(
        self,
        loop: Loop,
        builder: GraphBuilder,
        x: Sequence[Any],
        y: Sequence[Any],
        g: Sequence[Any],
        needs: Sequence[bool],
    ) -> None:
        super().__init__(loop, builder, x, y)
        places, inner = loop.places, len(self.carried) + len(self.xs)
        self.needs = [a and v.dtype.differentiable for a, v in zip(needs[LEAD:], self.inputs, strict=True)]
        self.active = self.spec.varied(self.needs)[: self.spec.carried]
        self.g, self.g_ys, self.g_histories = g[places.carried], g[places.ys], g[places.histories]
        self.of_xs, self.of_captured = self.needs[len(self.carried) : inner], self.needs[inner:]
        self.body = self._build()

    def _build(self) -> Body:
        """The body. The levels of a carried cotangent are those that it has after an iteration."""
        levels = [self._held(g, v) for g, v in zip(self.g, self.carried, strict=True)]
        while True:
            body = self._differentiate(levels)
            found = [merged(a, union([b])) for a, b in zip(levels, self.new, strict=True)]
            if found == levels:
                return body
            levels = found

    def _held(self, g: Value | None, value: Value) -> Levels:
        """The levels of the cotangent of a value of the body. In a masked loop it has those of the masks and
        of the value, for which samples it counts is known only outside of a sum."""
        held = union([g])
        return held if self.spec.masks is None else merged(held, merged(value.levels, self.spec.masks))

    def _differentiate(self, levels: Sequence[Levels]) -> Body:
        spec = self.spec
        self.seeds = [
            placeholder(r, held) if a else None
            for r, held, a in zip(self.results, levels, self.active, strict=True)
        ]
        self.seeds_ys = self._entries(self.ys, self.g_ys)
        self.seeds_histories = self._entries(self.carried, self.g_histories)
        sought = [*self.active, *self.of_xs, *self.of_captured]
        wrt = [v for v, is_ in zip(self.inputs, sought, strict=True) if is_]
        with spec.body.open(self.builder.active, spec.masks) as inside:
            wide, seeds = [*self.carried, *spec.written], [*self.seeds, *self.seeds_ys]
            roots = [
                (result, narrowed(inside, seed, value.levels, result.levels))
                for result, value, seed in zip(spec.body.outputs, wide, seeds, strict=True)
                if seed is not None
            ]
            cotangents = vjp(inside, roots, wrt, spec.body.nodes)
            return self._outputs(inside.F, dict(zip(wrt, cotangents, strict=True)))

    def _entries(self, values: Sequence[Value], given: Sequence[Value | None]) -> list[Value | None]:
        """Placeholders of an entry of each of `given`, the cotangents of all entries of `values`."""
        return [
            None if g is None or not v.dtype.differentiable else placeholder(v, self._held(g, v))
            for v, g in zip(values, given, strict=True)
        ]

    def _outputs(self, F: Any, found: dict[Value, Value | None]) -> Body:
        spec = self.spec
        self.new: list[Any] = []
        for value, seed, more in zip(self.carried, self.seeds, self.seeds_histories, strict=True):
            each = None if seed is None else (found[value] or zeros(F, value))
            self.new.append(each if each is None or more is None else F.add(each, more))
        self.of_xs = [is_ and found[v] is not None for v, is_ in zip(self.xs, self.of_xs, strict=True)]
        xs = [found[v] for v, is_ in zip(self.xs, self.of_xs, strict=True) if is_]
        self.sums = [v for v, is_ in zip(self.captured, self.of_captured, strict=True) if is_ and found[v]]
        masks = spec.masks or ()
        self.totals = [placeholder(v, merged(union([found[v]]), masks)) for v in self.sums]
        added = [F.add(total, found[v]) for total, v in zip(self.totals, self.sums, strict=True)]
        inputs = [*_some(self.seeds), *self.totals, *self.carried, *self.xs]
        inputs += [*_some(self.seeds_ys), *_some(self.seeds_histories), *self.captured]
        return spec.body.extended(inputs, [*_some(self.new), *added, *_some(xs)])

    @property
    def looks_back(self) -> bool:
        """Whether an iteration needs what the loop had there, and not only the cotangents of its results."""
        if self.masks is not None or any(each is not None for each in self.seeds_histories):
            return True
        draws = self.states is not None and self.body.draws_for(self.body.outputs)
        return draws or not self.body.reads(self.body.outputs, "none").isdisjoint(self.carried)

    def cotangents(self) -> list[Any]:
        """Append the loop; what it gives for each operand."""
        spec, F = self.spec, self.F
        carried = [
            zeros(F, v) if g is None else g
            for v, g, seed in zip(self.carried, self.g, self.seeds, strict=True)
            if seed is not None
        ] + [zeros(F, v) for v in self.totals]
        xs = [*self.histories, *self.x_xs, *_given(self.g_ys, self.seeds_ys)]
        xs += _given(self.g_histories, self.seeds_histories)
        backward = replace(
            spec,
            name=f"{spec.name}_vjp" if spec.primal else spec.name,
            body=self.body,
            carried=len(carried),
            xs=len(xs),
            size=spec.kept if spec.cond else spec.size,
            kept=spec.kept if spec.cond else spec.size,
            cond=None,
            counted=self.count is not None,
            reverse=not spec.reverse,
            replays=self.states is not None,
            inside=spec.inside or spec.cond is not None,
            every=1,
            primal=False,
        )
        operands = [self.count, self.states, self.masks, *carried, *xs, *self.x_captured]
        found = iter(type(self.loop)(backward).append(self.builder, operands))
        return self._by_operand(found)

    def _by_operand(self, found: Iterator[Value]) -> list[Any]:
        carried = [None if seed is None else next(found) for seed in self.seeds]
        totals = {value: self._summed(next(found), value) for value in self.sums}
        pairs = zip(self.xs, self.of_xs, strict=True)
        xs = [self._summed(next(found), value) if is_ else None for value, is_ in pairs]
        every = [*carried, *xs, *(totals.get(v) for v in self.captured)]
        return [None] * LEAD + [a if is_ else None for a, is_ in zip(every, self.needs, strict=True)]

    def _summed(self, total: Value, value: Value) -> Any:
        """The cotangent of a value, summed over the levels that a masked loop left it."""
        return narrowed(self.builder, total, self.spec.masks or (), value.levels)


def _some(values: Sequence[Any]) -> list[Any]:
    return [each for each in values if each is not None]


def _given(values: Sequence[Any], seeds: Sequence[Value | None]) -> list[Any]:
    return [each for each, seed in zip(values, seeds, strict=True) if seed is not None]
