"""Control flow against torch's Python loops, stored: first of all whole answers (`test_executors`), then
define-by-run, derivatives of derivatives, forward mode, and all of it with checkpoints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from tests import oracle
from tests.engine.harness import assert_equal
from tests.engine.stepping import agree, same_bits
from tests.engine.test_executors import given
from tests.oracle import Case, array
from tests.oracle.samples import flow

CASES = [pytest.param(each, id=each.id) for each in oracle.cases("flow")]
DIFFERENTIATED = [each for each in CASES if not each.id.startswith("hooks")]  # type: ignore[union-attr]


class Asked:
    """A stored request, its program and its inputs."""

    def __init__(self, case: Case, **limits: int) -> None:
        self.request = case["request"]
        self.program = engine.Program(self.request["graph"], limits=engine.Limits(**limits))
        self.inputs = {name: given(each) for name, each in self.request["inputs"].items()}
        self.v = {name: engine.tensor(array(each)) for name, each in case["v"].items()}
        self.settings: dict[str, Any] = {"outputs": self.request["outputs"], "seed": self.request["seed"]}


def test_what_is_stored_is_what_the_samples_say() -> None:
    assert {case.values[0].id: case.values[0]["request"] for case in CASES} == flow.cases()  # type: ignore[union-attr]


@pytest.mark.parametrize("case", CASES)
def test_the_statements_one_by_one(case: Case) -> None:
    asked = Asked(case)
    agree(asked.request["graph"], asked.inputs, *asked.request["outputs"], seed=asked.request["seed"])


@pytest.mark.parametrize("case", DIFFERENTIATED)
def test_hessian_vector_products(case: Case) -> None:
    asked = Asked(case)
    found = asked.program.hvp(asked.inputs, asked.v, **asked.settings).derivative
    whole = asked.program.hessian(asked.inputs, **asked.settings).derivative
    for name, wanted in case["hvp"].items():
        expected = np.zeros_like(asked.v[name].array) if wanted is None else array(wanted)
        assert_equal(found[name], expected, f"hvp of {name}")
        product = sum(np.tensordot(whole[name][n].array, v.array, v.array.ndim) for n, v in asked.v.items())
        np.testing.assert_allclose(product, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max(initial=1))


@pytest.mark.parametrize("case", DIFFERENTIATED)
def test_tangents_are_what_the_gradient_says(case: Case) -> None:
    asked = Asked(case)
    output = asked.request["outputs"][-1]
    found = asked.program.jvp(asked.inputs, asked.v, **asked.settings).derivative[output]
    grads = {name: array(g) for name, g in case["response"]["grads"].items() if g is not None}
    expected = sum((g * asked.v[name].array).sum() for name, g in grads.items())
    np.testing.assert_allclose(found.array, expected, rtol=1e-5 if found.dtype is engine.float32 else 1e-11)


@pytest.mark.parametrize("case", DIFFERENTIATED)
def test_jacobians_of_both_modes(case: Case) -> None:
    asked = Asked(case)
    outputs = [n for n, y in case["response"]["outputs"].items() if y["dtype"].startswith("float")]
    settings = {**asked.settings, "outputs": outputs}
    reverse = asked.program.jacobian(asked.inputs, **settings).derivative
    forward = asked.program.jacobian(asked.inputs, **settings, mode="forward").derivative
    for name in outputs:
        for by, wanted in reverse[name].items():
            found = forward[name][by].array
            rtol = 1e-5 if found.dtype == np.float32 else 1e-11
            np.testing.assert_allclose(found, wanted.array, rtol=rtol, atol=rtol, err_msg=f"{name} by {by}")


@pytest.mark.parametrize("limit", [1, 4000, 9000])
@pytest.mark.parametrize("case", CASES)
def test_checkpoints_change_no_bit(case: Case, limit: int) -> None:
    plain, kept = Asked(case), Asked(case, history_bytes=limit)
    expected, found = (each.program.backward(each.inputs, **each.settings) for each in (plain, kept))
    assert found.trace == expected.trace
    for name, y in expected.outputs.items():
        same_bits(found.outputs[name], y, name)
    for name, g in expected.grads.items():
        same_bits(found.grads[name], g, f"gradient of {name}")
