"""A plan: straight-line numpy calls over numbered registers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.batched import compile_call
from engine.bounded import Sizes, is_bounded, learn
from engine.errors import EngineError
from engine.graph import GraphNode, Site, Value, locate
from engine.plan.late import is_late, late_call
from engine.plan.memory import last_uses, predict
from engine.plan.simplify import Instruction, simplify
from engine.watch import Watch, watching

_GENERATOR, _SIZES = 0, 1  # the registers of the random generator and of the sizes of the run


class Step(NamedTuple):
    """One call. `sources`, `targets` and `freed` are registers: read, written, and given back after it;
    `single` if the result is one array and no tuple of them."""

    call: Callable[..., Any]
    sources: tuple[int, ...]
    single: bool
    targets: tuple[int, ...]
    freed: tuple[int, ...]


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
        instructions, same = simplify(nodes, inputs, outputs, effects=effects, apart=self._watched)
        self.instructions = instructions
        wanted = [None if each is None else same.get(each, each) for each in outputs]
        dead = last_uses(instructions, {*inputs, *(each for each in wanted if each is not None)})
        self.peak_bytes, self.flops = predict(instructions, inputs, dead)
        self._template: list[Any] = [None, None]
        self._sites: dict[int, Site] = {}
        self._given = inputs
        self._late = is_bounded([value.meta for value in inputs])  # the inputs have sizes of the run
        self._registers: dict[Value, int] = {}
        self._inputs = [self._register(value) for value in inputs]
        self._steps = self._schedule(instructions, dead)
        self._outputs = [None if each is None else self._operand(each) for each in wanted]

    @property
    def draws(self) -> bool:
        """Whether it draws random numbers."""
        return any(each.op.kind == "random" for each in self.instructions)

    @property
    def calls(self) -> int:
        """How many calls a run makes."""
        return len(self._steps)

    @property
    def constants(self) -> list[Any]:
        """The arrays that the plan keeps and every run reads."""
        return [each for each in self._template if isinstance(each, np.ndarray)]

    def _register(self, value: Value) -> int:
        number = self._registers.get(value)
        if number is None:
            number = self._registers[value] = len(self._template)
            self._template.append(value.constant)
        return number

    def _operand(self, operand: Any) -> int:
        if isinstance(operand, Value):
            return self._register(operand)
        self._template.append(operand)
        return len(self._template) - 1

    def _schedule(self, instructions: Sequence[Instruction], unread: Sequence[Sequence[Value]]) -> list[Step]:
        steps: list[Step] = []
        sized = self._late  # a size of the run has come up
        for each, dead in zip(instructions, unread, strict=True):
            sources = tuple(self._operand(x) for x in each.operands)
            if each.op.kind in ("random", "control"):
                sources = (_GENERATOR, *sources)
            sized = sized or is_bounded([y.meta for y in each.outputs])
            if sized and is_late(each):
                call, sources = late_call(each), (_SIZES, *sources)
            else:
                metas = tuple(y.meta for y in each.outputs)
                call = compile_call(each.op, each.operands, metas, each.attrs, each.levels)
            if self._watched:
                watches = [self._watched.get(y) for y in each.outputs]
                call = watching(call, watches, single=each.op.single) if any(watches) else call
            targets = tuple(self._register(y) for y in each.outputs)
            freed = tuple(self._register(value) for value in dead if value.constant is None)
            steps.append(Step(call, sources, each.op.single, targets, freed))
            self._sites[targets[0]] = each.outputs[0].node.site  # type: ignore[union-attr]
        return steps

    def run(self, generator: Any, arrays: Sequence[Any], sizes: Sizes | None = None) -> list[Any]:
        """The wanted values for `arrays`, the inputs in order; None where none was wanted. Sizes known only
        now are entered into `sizes`."""
        with np.errstate(all="ignore"):
            return self.within(generator, arrays, {} if sizes is None else sizes)

    def within(self, generator: Any, arrays: Sequence[Any], sizes: Sizes) -> list[Any]:
        """As `run`, within the run of another plan."""
        registers = self._template.copy()
        registers[_GENERATOR] = generator
        registers[_SIZES] = sizes
        if self._late:
            learn(self._given, arrays, sizes)
        for number, array in zip(self._inputs, arrays, strict=True):
            registers[number] = array
        targets: tuple[int, ...] = ()
        try:
            for call, sources, single, targets, freed in self._steps:
                found = call(*[registers[each] for each in sources])
                if single:
                    registers[targets[0]] = found
                else:
                    for number, each in zip(targets, found, strict=True):
                        registers[number] = each
                for number in freed:
                    registers[number] = None
        except EngineError as error:  # what only values tell: an index out of bounds, a loop without end
            raise locate(error, self._sites[targets[0]]) from None
        return [None if each is None else registers[each] for each in self._outputs]
