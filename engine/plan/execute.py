"""A plan: what to call, in order, and what that will take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.bounded import Sizes, is_bounded, learn
from engine.dtypes import default_dtype, get_default_dtype
from engine.graph import GraphNode, Value
from engine.plan.binder import Binder
from engine.plan.frame import Frame
from engine.plan.grouping import Group, grouped
from engine.plan.instruction import Instruction
from engine.plan.memory import Unit, last_uses, predict
from engine.plan.simplify import simplify
from engine.plan.tiles import Tiles
from engine.quiet import quietly
from engine.watch import Watch


class Plan:
    """What to call, in order. `peak_bytes` and `flops` are predictions; `run` computes."""

    def __init__(
        self,
        nodes: Sequence[GraphNode],
        inputs: Sequence[Value],
        outputs: Sequence[Value | None],
        *,
        effects: str = "all",
        watched: Mapping[Value, Watch] | None = None,
    ) -> None:
        self._watched = watched or {}
        self.inputs = inputs
        self.instructions, same = simplify(nodes, inputs, outputs, effects=effects, apart=self._watched)
        self.outputs = [None if each is None else same.get(each, each) for each in outputs]
        kept = {*inputs, *(each for each in self.outputs if each is not None)}
        self.units = [*self.instructions] if watched else _fused(self.instructions, kept)
        self.dead = last_uses(self.units, kept)
        self.peak_bytes, self.flops = predict(self.units, inputs, self.dead)
        self._late = is_bounded([value.meta for value in inputs])  # the inputs have sizes of the run
        self._frames: list[Frame] = []
        self.copies = False  # whether all that a run gives is copied for it, as far as is known
        self._default = get_default_dtype()  # of the integers that become floats

    @property
    def draws(self) -> bool:
        """Whether it draws random numbers."""
        return any(each.op.kind == "random" for each in self.instructions)

    @property
    def calls(self) -> int:
        """How many calls a run makes; what is fused counts as one."""
        return len(self.units)

    @property
    def constants(self) -> list[Any]:
        """The arrays that the plan keeps and every run reads."""
        read = [x for unit in self.units for x in unit.operands if isinstance(x, Value)]
        found = [*read, *(each for each in self.outputs if each is not None)]
        return [each.constant for each in dict.fromkeys(found) if each.constant is not None]

    def run(self, generator: Any, arrays: Sequence[Any], sizes: Sizes | None = None) -> list[Any]:
        """The wanted values for `arrays`, the inputs in order; None where none was wanted. Sizes known only
        now are entered into `sizes`."""
        found: list[Any] = quietly(self.within, generator, arrays, {} if sizes is None else sizes)
        return found

    def within(self, generator: Any, arrays: Sequence[Any], sizes: Sizes) -> list[Any]:
        """As `run`, within the run of another plan."""
        if self._late:
            learn(self.inputs, arrays, sizes)
        frame = self._frames.pop() if self._frames else self._bound()
        try:
            return frame.run(generator, arrays, sizes)
        finally:
            self._frames.append(frame)

    def _bound(self) -> Frame:
        with default_dtype(self._default):
            found = self._bind()
        self.copies = not found.left
        return found

    def _bind(self) -> Frame:
        binder = Binder(self.inputs, self._watched)
        for unit, dead in zip(self.units, self.dead, strict=True):
            binder.add(unit, dead)
        return binder.frame(self.outputs)


def _fused(instructions: Sequence[Instruction], kept: Iterable[Value]) -> list[Unit]:
    units = grouped(instructions, kept)
    return [Tiles(unit) if isinstance(unit, Group) else unit for unit in units]
