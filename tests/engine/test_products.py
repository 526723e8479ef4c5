"""prod where elements are zero: exact to any order, because no derivative divides by an element."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import engine

POINTS = [[0.0, 3.0, 4.0, 5.0], [0.0, 0.0, 4.0, 5.0], [0.0, 0.0, 0.0, 2.0], [1.5, 2.0, 3.0, 4.0], [2.0, 0.0]]
WAYS: list[Callable[[Any], Any]] = [
    engine.prod,
    lambda x: engine.prod(x, 0),
    lambda x: engine.prod(x, 0, True).sum(),
]


def partial_derivative(way: Callable[[Any], Any], point: list[float], places: tuple[int, ...]) -> float:
    """The derivative of the product by each of `places` in turn."""
    x = engine.Tensor(np.array(point), requires_grad=True)
    value = way(x)
    for place in places:
        pick = engine.Tensor(np.eye(len(point))[place])
        if not value.requires_grad:
            return 0.0
        (gradient,) = engine.grad([value], [x], create_graph=True, allow_unused=True)
        if gradient is None:
            return 0.0
        value = (gradient * pick).sum()
    return float(value.detach().numpy())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivative_is_the_product_of_the_others(
    way: Callable[[Any], Any], point: list[float], order: int
) -> None:
    for places in itertools.product(range(len(point)), repeat=order):
        rest = [value for at, value in enumerate(point) if at not in places]
        expected = float(np.prod(rest)) if len(set(places)) == order else 0.0
        assert partial_derivative(way, point, places) == pytest.approx(expected, abs=1e-9), places


def test_many_elements_take_little_memory_in_the_second_derivative() -> None:
    x = engine.Tensor(np.ones(50_000), requires_grad=True)
    (first,) = engine.grad([engine.prod(x)], [x], create_graph=True)
    (second,) = engine.grad([first.sum()], [x])
    np.testing.assert_allclose(second.numpy(), 49_999.0)
