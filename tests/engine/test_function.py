"""Custom Functions behave as torch's."""

import pytest

from tests.engine.behaviour import names
from tests.engine.behaviour.replay import compare


@pytest.mark.parametrize(("module", "scenario"), names("function", "context"))
def test_scenario(module: str, scenario: str) -> None:
    compare(module, scenario)
