"""What importing the engine brings with it."""

import subprocess
import sys

import pytest

USED = "import engine; engine.special.i1(engine.tensor([0.5])); "
LEFT_OUT = "import engine; engine.catalogue(); engine.exp(engine.tensor([0.5])); "


def loads_scipy(code: str) -> bool:
    shown = f"{code}import sys; print('scipy.special' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    return found.stdout.strip() == "True"


@pytest.mark.parametrize(("code", "loaded"), [(LEFT_OUT, False), (USED, True)], ids=["imported", "used"])
def test_scipy_is_imported_by_the_first_call_that_needs_it(code: str, loaded: bool) -> None:
    assert loads_scipy(code) is loaded
