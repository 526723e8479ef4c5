"""A tensor by itself says what torch says."""

import pytest

from tests.engine.behaviour import names
from tests.engine.behaviour.replay import compare


@pytest.mark.parametrize(("module", "scenario"), names("tensor", "conversion", "inplace"))
def test_scenario(module: str, scenario: str) -> None:
    compare(module, scenario)
