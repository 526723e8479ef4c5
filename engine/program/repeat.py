"""A plan at hand, to be run again for other numbers of the same types."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from engine.program.compiled import Compiled
from engine.program.plans import Plans


class Repeat:
    """What `Prepared.repeat` gives: the same request with other arrays, of these `types`: shape and numpy
    dtype, in the request's order (inputs, earlier grads, gradients, directions). The plan may have gone."""

    __slots__ = ("_compiled", "_plans", "types")

    def __init__(self, compiled: Compiled, plans: Plans, arrays: Sequence[Any]) -> None:
        self._compiled = weakref.ref(compiled)
        self._plans = weakref.ref(plans)
        self.types = tuple((each.shape, each.dtype) for each in arrays)

    def run(self, arrays: Sequence[Any], seed: int = 0) -> list[Any] | None:
        """The arrays of the outputs, grads (but those where nothing flowed) and derivatives, in the order
        that a Result has them; None if the plan is gone.

        That `arrays` are of the same types as then, and row-major, is not checked. What it gives may be one
        of them, a constant of the program, or a view, and is for reading.
        """
        compiled, plans = self._compiled(), self._plans()
        if compiled is None or plans is None:
            return None
        plans.used(compiled)
        return compiled.numbers(arrays, seed)
