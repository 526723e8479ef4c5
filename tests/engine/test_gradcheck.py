"""gradcheck and gradgradcheck behave as torch's, text for text."""

import pytest

from tests.engine.behaviour import names
from tests.engine.behaviour.replay import compare


@pytest.mark.parametrize(("module", "scenario"), names("gradcheck"))
def test_scenario(module: str, scenario: str) -> None:
    compare(module, scenario)
