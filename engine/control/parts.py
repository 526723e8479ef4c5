"""A loop's operands and results taken apart, as its derivatives need them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.control.spec import LEAD
from engine.graph_builder import GraphBuilder

if TYPE_CHECKING:
    from engine.control.loop import Loop


class Parts:
    """A loop's placeholders, and what stands for them where it is: `x` its operands, `y` its results."""

    def __init__(self, loop: Loop, builder: GraphBuilder, x: Sequence[Any], y: Sequence[Any]) -> None:
        self.loop, self.spec, self.builder, self.F = loop, loop.spec, builder, builder.F
        spec, places = loop.spec, loop.places
        inner = spec.carried + spec.xs
        self.inputs = spec.body.inputs
        self.carried, self.xs = self.inputs[: spec.carried], self.inputs[spec.carried : inner]
        self.captured = self.inputs[inner:]
        self.results, self.ys = spec.body.outputs[: spec.carried], spec.body.outputs[spec.carried :]
        given = x[LEAD:]
        self.x_carried, self.x_xs = list(given[: spec.carried]), list(given[spec.carried : inner])
        self.x_captured = list(given[inner:])
        self.histories = list(y[places.histories])
        self.count = x[0] if spec.counted else y[places.count] if spec.cond else None
        self.states = x[1] if spec.replays else y[places.states] if spec.draws else None
        self.masks = None if spec.masks is None else y[places.masks] if spec.cond else x[2]
