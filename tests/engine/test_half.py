"""float16 is computed in float32 and rounded once: the last digit is torch 2.13's, in both executors."""

from __future__ import annotations

import pytest

import engine

POINTS = [-6.0, -5.5, -4.5, -2.5, -0.5, 0.25, 1.5]
TORCH = {
    "sigmoid": [0.002471923828125, 0.004070281982421875, 0.010986328125, 0.07586669921875, 0.37744140625,
                0.56201171875, 0.8173828125],
    "nn.functional.silu": [-0.01483917236328125, -0.0223846435546875, -0.0494384765625, -0.189697265625,
                           -0.188720703125, 0.1405029296875, 1.2265625],
    "nn.functional.leaky_relu": [-0.05999755859375, -0.05499267578125, -0.045013427734375, -0.024993896484375,
                                 -0.005001068115234375, 0.25, 1.5],
    "nn.functional.softplus": [0.002475738525390625, 0.004077911376953125, 0.01104736328125, 0.07891845703125,
                               0.47412109375, 0.826171875, 1.701171875],
}  # fmt: skip


@pytest.mark.parametrize("op", TORCH)
def test_a_chain_of_steps_is_rounded_once(op: str) -> None:
    x = engine.tensor(POINTS, dtype="float16")
    assert engine.lookup(op)(x).tolist() == TORCH[op]
    program = engine.Program([{"id": "y", "op": op, "in": ["x"]}])
    assert program.forward({"x": x}).outputs["y"].tolist() == TORCH[op]
