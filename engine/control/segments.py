"""Checkpoints: a loop as a loop over segments of itself.

A history of n entries is long where n is. A loop whose history would exceed the limit keeps every k-th
entry only, k about the root of n. Its vjp is that of a loop over segments, each a loop of k iterations that
runs again from its checkpoint. That takes memory for 2 k entries in place of k k, and one more forward pass;
the number of iterations need not be known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.bounded import Bounded
from engine.control.backward import Backward
from engine.control.body import Body, placeholder
from engine.control.kernel import STATE_BYTES
from engine.control.parts import Parts
from engine.control.spec import LEAD
from engine.dtypes import int64
from engine.graph import Graph, Value
from engine.graph_builder import GraphBuilder
from engine.limits import Limits
from engine.types import Type

if TYPE_CHECKING:
    from engine.control.loop import Loop

_SHORT = 16  # iterations of a loop whose history is kept whole, whatever its size
_ENTRY_BYTES = 200  # an entry's own size, where a history is a list until the loop ends


def stride(carried: Sequence[Value], iterations: int, limits: Limits, *, draws: bool) -> int:
    """How many iterations there are from one checkpoint to the next; 1: every one is in the history.

    The root of their number, or more if the checkpoints alone would exceed the limit; but so many checkpoints
    that segments of segments are soon short, for each level of them is one more forward pass.
    """
    entry = sum(value.nbytes + _ENTRY_BYTES for value in carried) + STATE_BYTES * draws
    whole = entry * iterations
    if iterations <= _SHORT or not limits.history_bytes or whole <= limits.history_bytes:
        return 1
    fitting = -(-whole // limits.history_bytes)
    most = math.ceil(float(iterations) ** (2 / 3))
    return int(min(max(math.isqrt(iterations - 1) + 1, fitting), most))


def kept(iterations: int, every: int, *, known: bool) -> int:
    """The number of checkpoints; a bound of it where the number of iterations is not known."""
    size = -(-iterations // every)
    return size if known else Bounded(size)


class Segments(Parts):
    """A loop with checkpoints, as a loop over its segments."""

    def __init__(self, loop: Loop, builder: GraphBuilder, x: Sequence[Any], y: Sequence[Any]) -> None:
        super().__init__(loop, builder, x, y)
        self.known = self.spec.cond is None
        self.length = self.spec.every
        self.number = self.spec.kept

    def backward(self, y: Sequence[Any], g: Sequence[Any], needs: Sequence[bool]) -> list[Any]:
        """The cotangents of the loop's operands."""
        spec, a = self.spec, len(self.carried)
        outer = type(self.loop)(
            replace(
                spec,
                body=self._body(),
                xs=spec.xs + 1,
                size=self.number,
                kept=self.number,
                limit=int(self.number),
                cond=None,
                counted=not self.known,
                masks=None,
                every=1,
                primal=False,
            )
        )
        xs = [self._lengths(), *map(self._cut, self.x_xs)]
        x = [self._segments(), self.states, None, *self.x_carried, *xs, *self.x_captured]
        places = self.loop.places
        ys = [None if each is None else self._cut(each) for each in g[places.ys]]
        g = [*g[places.carried], *ys, *g[places.histories], None, None, None, None]
        needs = [*needs[: LEAD + a], False, *needs[LEAD + a :]]
        found = Backward(outer, self.builder, x, y, g, needs).cotangents()
        del found[LEAD + a]
        end = LEAD + a + spec.xs
        found[LEAD + a : end] = map(self._joined, found[LEAD + a : end], self.x_xs)
        return found

    def _body(self) -> Body:
        """One segment: the loop from a checkpoint, for as many iterations as lie before the next."""
        spec, before = self.spec, self.spec.body.builder
        builder = GraphBuilder(Graph(), before.limits, before.ledger)
        carried = [placeholder(v) for v in self.carried]
        length = Value(Type((), int64))
        xs = [Value(Type((self.length, *v.shape), v.dtype), levels=v.levels) for v in self.xs]
        captured = [placeholder(v) for v in self.captured]
        draws = spec.draws or spec.replays
        every = stride(self.carried, self.length, before.limits, draws=draws)
        inner = replace(
            spec,
            size=self.length,
            kept=kept(self.length, every, known=self.known),
            limit=self.length,
            counted=True,
            strict=False,
            replays=False,  # the states of a segment's start are its generator's
            every=every,
            primal=False,
        )
        body = Body(builder, [], [], 0)
        with body.open(self.builder.active):
            found = type(self.loop)(inner).append(builder, [length, None, None, *carried, *xs, *captured])
        return body.extended([*carried, length, *xs, *captured], found[: len(self.carried) + len(self.ys)])

    def _segments(self) -> Any:
        """How many segments there are, where only the run knows."""
        if self.known:
            return None
        return self.F.floor_divide(self.F.add(self.count, self.length - 1), self.length)

    def _lengths(self) -> Any:
        """How many iterations each segment has."""
        F = self.F
        before = F.mul(F.arange(int(self.number)), self.length)
        every = self.spec.size if self.count is None else self.count
        left = F.sub(F.add(F.zeros_like(before), every), before)
        return F.clamp(left, 0, self.length)

    def _cut(self, sequence: Any) -> Any:
        """A sequence as one of segments; the last is filled up with zeros that nobody reads."""
        F, shape = self.F, sequence.meta.shape
        missing = self.number * self.length - shape[0]
        if missing:
            more = F.zeros((missing, *shape[1:]), dtype=sequence.meta.dtype)
            sequence = F.cat([sequence, more], 0)
        return F.reshape(sequence, (self.number, self.length, *shape[1:]))

    def _joined(self, segments: Any, sequence: Any) -> Any:
        """A sequence of segments as one again, as long as `sequence`."""
        if segments is None:
            return None
        F, shape = self.F, sequence.meta.shape
        whole = F.reshape(segments, (self.number * self.length, *shape[1:]))
        return F.slice(whole, 0, 0, shape[0])
