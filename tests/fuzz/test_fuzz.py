"""Some random programs of every kind; `make fuzz` runs thousands."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.fuzz import drawing
from tests.fuzz.__main__ import check, program_of
from tests.fuzz.comparing import differences
from tests.fuzz.running import eager, fused

SEEDS = range(20_000, 20_030)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_way_gives_the_same(seed: int) -> None:
    program = program_of(seed, 12, drawing.callable_ops())
    assert program.graph
    assert check(program, seed, Counter()) == []


def test_a_wrong_answer_is_seen() -> None:
    program = program_of(0, 12, drawing.callable_ops())
    right, found = eager(program, 0), fused(program, 0)
    name = next(name for name, each in found.grads.items() if each.size)
    found.grads[name] = -found.grads[name] + 1
    assert any(name in each for each in differences(right, found))
