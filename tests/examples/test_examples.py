"""The other examples run and print what they promise."""

import re
import subprocess
import sys

import pytest

from tests.app.server import serving
from tests.examples.running import EXAMPLES, printed


def test_the_logistic_regression_learns_to_separate() -> None:
    lines = printed("logistic_regression").splitlines()
    losses = [float(found) for found in re.findall(r"loss (\d\.\d+)", "\n".join(lines))]
    assert losses[0] == pytest.approx(0.6931, abs=1e-4)  # log 2: nothing is known yet
    assert losses == sorted(losses, reverse=True)
    share = re.findall(r"([\d.]+)% right", lines[-2])
    assert float(share[0]) > 90


def test_the_client_gets_the_tutorial_and_a_problem_from_a_server() -> None:
    with serving(GRADWIRE_PROCESSES="1") as server:
        ran = subprocess.run(
            [sys.executable, EXAMPLES / "client.py", server.url],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[0] == "z = [[27.0, 27.0], [27.0, 27.0]], made by MulBackward0"
    assert lines[2] == "d out / d x = [[4.5, 4.5], [4.5, 4.5]]"
    assert lines[-1] == "422 not-scalar: node 'z': grad can be implicitly created only for scalar outputs"


def test_every_example_is_run_by_a_test() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    assert names == {"tutorial", "custom_function", "logistic_regression", "client"}
