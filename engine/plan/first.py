"""The plan of a graph that is seen for the first time: its calls as they stand, and no second look.

What a better plan saves, a small graph has to be run several times to earn back. Nothing is merged, fused or
given a register here: the calls that are needed are made one after another, on a table of arrays by value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.bounded import Sizes
from engine.errors import EngineError
from engine.graph import GraphNode, Value, locate
from engine.plan.instruction import Instruction
from engine.plan.memory import is_view, work, workspace
from engine.variants import Cost, Sized, Variant

MOST_BYTES = 1 << 16  # of a call's results, beyond which a plan is worth its price at once
MOST_IN_ALL = 1 << 26  # of all results together: few are kept at once, but how few is not looked at here

Step = tuple[Callable[..., Any], GraphNode, list[Value]]  # a kernel, its call, what nobody reads after it


class First:
    """What to call, in order. `peak_bytes` and `flops` are predictions; `run` computes."""

    copies = False  # what a run gives may be an input, or a view of one

    def __init__(
        self,
        steps: list[Step],
        inputs: Sequence[Value],
        wanted: Sequence[Value | None],
        constants: dict[Value, Any],
    ) -> None:
        self._steps, self._inputs, self._wanted, self._constants = steps, inputs, wanted, constants
        calls = Counter([node.variant for _, node, _ in steps])
        costs = [(_cost(each), count) for each, count in calls.items()]
        held = sum([value.nbytes for value in inputs]) + sum([cost.made * count for cost, count in costs])
        self.is_small = held <= MOST_IN_ALL and all(cost.made <= MOST_BYTES for cost, _ in costs)
        self.peak_bytes = held + max([cost.workspace for cost, _ in costs], default=0)
        self.flops = sum([cost.flops * count for cost, count in costs])

    @property
    def constants(self) -> list[Any]:
        """The arrays that every run reads."""
        return list(self._constants.values())

    def run(self, generator: Any, arrays: Sequence[Any], sizes: Sizes | None = None) -> list[Any]:
        """The wanted values for `arrays`, the inputs in order; None where none was wanted."""
        table = {**self._constants, **dict(zip(self._inputs, arrays, strict=True))}
        get = table.get  # of a number: the number
        node = None
        try:
            with np.errstate(all="ignore"):
                for call, node, unread in self._steps:
                    found = call(*map(get, node.operands, node.operands))
                    if node.variant.single:
                        table[node.outputs[0]] = found
                    else:
                        table.update(zip(node.outputs, found, strict=True))
                    for value in unread:
                        del table[value]
        except EngineError as error:  # what only values tell: an index out of bounds
            raise locate(error, node.site) from None  # type: ignore[union-attr]
        return [None if each is None else table[each] for each in self._wanted]


def first_plan(
    nodes: Sequence[GraphNode], inputs: Sequence[Value], wanted: Sequence[Value | None]
) -> First | None:
    """The calls of `nodes` that `wanted` needs; None if they are large, or do more than give results: draw
    numbers, run loops, find out sizes."""
    used = {value for value in wanted if value is not None}
    constants = {value: value.constant for value in used if value.constant is not None}
    steps: list[Step] = []
    for node in reversed(nodes):
        variant = node.variant
        if not variant.shared:
            return None
        if not used.isdisjoint(node.outputs):
            unread = []
            for each in node.operands:
                if type(each) is Value and each not in used:
                    used.add(each)
                    unread.append(each)
                    if each.constant is not None:
                        constants[each] = each.constant
            steps.append((variant.call, node, unread))
    found = First(steps[::-1], inputs, wanted, constants)
    return found if found.is_small else None


def _cost(variant: Variant) -> Cost:
    """What a call of a variant takes."""
    if variant.cost is None:
        values = [Value(x.meta, None, 0, x.levels) if type(x) is Sized else x for x in variant.operands]
        results = tuple([Value(y.meta, None, 0, y.levels) for y in variant.results])
        each = Instruction(variant.op, tuple(values), variant.attrs, results, variant.levels)
        made = 0 if is_view(each) else sum([y.nbytes for y in results])
        variant.cost = Cost(made, workspace(each), work(each))
    return variant.cost
