"""A plan at hand, to be run again for other numbers of the same types."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from engine.program.compiled import Compiled
from engine.program.plans import Plans


class Repeat:
    """What `Prepared.repeat` gives: the same request with other arrays. It does not keep the plan alive."""

    __slots__ = ("_compiled", "_plans")

    def __init__(self, compiled: Compiled, plans: Plans) -> None:
        self._compiled = weakref.ref(compiled)
        self._plans = plans

    def run(self, arrays: Sequence[Any], seed: int = 0) -> list[Any] | None:
        """The arrays of the outputs, grads (but those where nothing flowed) and derivatives, in the order that
        a Result has them; None if the plan is gone.

        `arrays` are those of the request, in its order: inputs, earlier grads, gradients, directions; of the
        same types as then, which is not checked. What it gives may be one of `arrays`, a constant of the
        program, or a view, and is for reading.
        """
        compiled = self._compiled()
        if compiled is None:
            return None
        self._plans.used(compiled)
        return compiled.numbers(arrays, seed)
