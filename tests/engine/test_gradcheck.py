"""gradcheck and gradgradcheck behave as torch's, text for text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine.autograd import gradcheck
from engine.errors import GradcheckError
from tests.engine.behaviour import names
from tests.engine.behaviour.replay import compare


@pytest.mark.parametrize(("module", "scenario"), names("gradcheck"))
def test_scenario(module: str, scenario: str) -> None:
    compare(module, scenario)


def test_a_backward_that_a_batch_cannot_run() -> None:
    class Double(engine.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2 if g.sum().item() > 0 else g + g

    x = engine.tensor(np.ones(2), requires_grad=True)
    assert gradcheck(Double.apply, (x,))
    with pytest.raises(GradcheckError, match="While computing batched gradients, got: vmap: ") as caught:
        gradcheck(Double.apply, (x,), check_batched_grad=True)
    assert str(caught.value).endswith("in the codebase for an explanation of how to fix this.")
    assert not gradcheck(Double.apply, (x,), check_batched_grad=True, raise_exception=False)


def test_a_batch_that_differs() -> None:
    class Mixing(engine.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return engine.Tensor(np.ascontiguousarray(g.array)) if g.array.ndim == 1 else g * 3

    x = engine.tensor(np.ones(2), requires_grad=True)
    engine.manual_seed(0)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(Mixing.apply, (x,), check_batched_grad=True, check_undefined_grad=False)
    assert str(caught.value).startswith(
        "For output 0 and input 0:\n\ngradcheck or gradgradcheck failed while"
    )


def test_forward_mode_of_a_complex_input() -> None:
    z = engine.tensor(np.array([0j, 1.0]), requires_grad=True)
    for fast in (False, True):
        with pytest.raises(GradcheckError) as caught:
            gradcheck(
                lambda a: engine.relu(a.imag),
                (z,),
                check_backward_ad=False,
                check_forward_ad=True,
                fast_mode=fast,
            )
        text = (
            "While considering the imaginary part of complex inputs only, Jacobian computed with forward "
            "mode mismatch for output 0 with respect to input 0,\nnumerical:tensor("
        )
        assert str(caught.value).startswith(text)
