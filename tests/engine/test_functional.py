"""torch.autograd.functional: values, shapes and sentences are torch's."""

import pytest

import engine
from engine.autograd import functional
from tests.engine.behaviour import names as scenarios
from tests.engine.behaviour.replay import compare as replay
from tests.engine.composed import compare
from tests.engine.compositions import names


@pytest.mark.parametrize(("module", "composition"), names("functional"))
def test_composition(module: str, composition: str) -> None:
    compare(module, composition)


@pytest.mark.parametrize(("module", "scenario"), scenarios("functional"))
def test_scenario(module: str, scenario: str) -> None:
    replay(module, scenario)


def test_an_unknown_strategy_is_an_assertion() -> None:
    x = engine.ones(2)
    with pytest.raises(AssertionError) as caught:
        functional.jacobian(engine.exp, x, strategy="forward")
    assert str(caught.value) == (
        'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more '
        'outputs than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use '
        '"reverse-mode".'
    )
    with pytest.raises(AssertionError) as caught:
        functional.hessian(engine.sum, x, outer_jacobian_strategy="z")
    assert str(caught.value) == 'Expected strategy to be either "forward-mode" or "reverse-mode".'


def test_rows_of_nothing() -> None:
    found = functional.jacobian(lambda x: x * x, engine.ones(0), vectorize=True)
    assert found.shape == (0, 0)


def test_tuples_in_forward_mode_are_tuples() -> None:
    x, y = engine.ones(2), engine.ones(3)
    found = functional.jacobian(
        lambda a, b: (a.sum() * b, a), (x, y), vectorize=True, strategy="forward-mode"
    )
    assert [type(found), *map(type, found)] == [tuple, tuple, tuple]
    assert [[tuple(each.shape) for each in row] for row in found] == [[(3, 2), (3, 3)], [(2, 2), (2, 3)]]
    alone = functional.jacobian(lambda a: a * 2, (x,), vectorize=True, strategy="forward-mode")
    assert type(alone) is tuple and alone[0].tolist() == [[2.0, 0.0], [0.0, 2.0]]
