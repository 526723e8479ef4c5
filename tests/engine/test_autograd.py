"""backward and grad do what torch does, and refuse what it refuses."""

import pytest

from tests.engine.behaviour import names
from tests.engine.behaviour.replay import compare


@pytest.mark.parametrize(("module", "scenario"), names("backward", "grad", "grad_mode", "graph"))
def test_scenario(module: str, scenario: str) -> None:
    compare(module, scenario)
