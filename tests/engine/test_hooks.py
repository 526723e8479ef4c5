"""Hooks are called when torch calls them, with what torch gives them."""

import pytest

import engine
from tests.engine.behaviour import names
from tests.engine.behaviour.replay import compare


@pytest.mark.parametrize(("module", "scenario"), names("hooks"))
def test_scenario(module: str, scenario: str) -> None:
    compare(module, scenario)


def test_reading_the_grad_of_an_interior_value_warns() -> None:
    x = engine.ones(2, requires_grad=True)
    y = x * 2
    with pytest.warns(UserWarning, match="not a leaf Tensor is being accessed"):
        assert y.grad is None
    y.retain_grad()
    assert y.grad is None
