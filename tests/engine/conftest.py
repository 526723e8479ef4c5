"""Whatever a program computes on the plan of a first sight, the plan that it would earn computes too."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from engine import dtypes
from engine.plan import Plan
from engine.plan.first import First
from engine.program.compiled import Compiled

ULPS = 16


@pytest.fixture(autouse=True)
def both_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    computed = Compiled._computed

    def twice(self: Compiled, arrays: Sequence[Any], seed: int, sizes: Any) -> tuple[list[Any], bool]:
        first = not self._runs and isinstance(self.best, First)
        found = computed(self, arrays, seed, sizes)
        if first:
            with dtypes.default_dtype(self._default_dtype):
                earned = Plan(self.lowering.graph.nodes, self._inputs, self._answers.wanted)
            for one, other in zip(found[0], earned.run(None, arrays), strict=True):
                _check_same(one, other)
        return found

    monkeypatch.setattr(Compiled, "_computed", twice)


def _check_same(one: Any, other: Any) -> None:
    assert (one is None) == (other is None)
    if one is None:
        return
    assert (one.shape, one.dtype) == (other.shape, other.dtype)
    tolerance = ULPS * np.finfo(one.dtype).eps if one.dtype.kind in "fc" else 0
    finite = np.abs(one[np.isfinite(one)]) if tolerance else np.zeros(0)  # sums in another order may cancel
    atol = tolerance * float(finite.max(initial=0))
    np.testing.assert_allclose(other, one, rtol=tolerance, atol=atol, equal_nan=True)
