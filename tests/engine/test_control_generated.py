"""Programs drawn at random: whatever control flow stands in whatever, it is what Python's own would be."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import engine
from tests.engine.fusing import fuse_everything
from tests.engine.generated import Drawn
from tests.engine.stepping import agree, close, same_bits, second_stepped, stepped

SEEDS = range(16)
SAMPLES = 3


@pytest.mark.parametrize("seed", range(80))
def test_values_gradients_flags_and_trace(seed: int) -> None:
    drawn = Drawn(seed)
    agree(drawn.graph, drawn.inputs, *drawn.outputs, seed=seed)


@pytest.mark.parametrize("seed", range(80, 120))
def test_the_same_with_everything_fused(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fuse_everything(monkeypatch)
    drawn = Drawn(seed)
    agree(drawn.graph, drawn.inputs, *drawn.outputs, seed=seed, exact=False)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("limit", [0, 3000])
def test_second_derivatives_and_tangents(seed: int, limit: int) -> None:
    drawn = Drawn(seed, masks=seed % 2 == 0)
    program = engine.Program(drawn.graph, limits=engine.Limits(history_bytes=limit))
    names, leaves = stepped(drawn.graph, drawn.inputs, seed)
    given = {name: x for name, x in leaves.items() if x.requires_grad}
    numbers = np.random.default_rng(seed + 1)
    v = {name: engine.tensor(numbers.uniform(-1, 1, x.shape)) for name, x in given.items()}
    expected = second_stepped(names["loss"], list(given.values()), list(v.values()))
    settings: dict[str, Any] = {"outputs": ["loss"], "seed": seed}
    products = program.hvp(drawn.inputs, v, **settings).derivative
    for name, wanted in zip(given, expected, strict=True):
        close(products[name], wanted, f"hvp of {name}", 1e-9)
    grads = program.backward(drawn.inputs, **settings).grads
    tangent = program.jvp(drawn.inputs, v, **settings).derivative["loss"]
    along = sum((g.array * v[name].array).sum() for name, g in grads.items() if g is not None)
    np.testing.assert_allclose(tangent.array, along, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_batch_is_a_loop_over_samples(seed: int) -> None:
    drawn = Drawn(seed, draws=False, masks=False)
    program, chosen = engine.Program(drawn.graph), random.Random(seed)
    axes = [name for name in drawn.inputs if chosen.random() < 0.5] or ["x"]
    numbers = np.random.default_rng(seed + 1)
    whole = dict(drawn.inputs)
    for name in axes:
        x = drawn.inputs[name]
        array = numbers.uniform(-1, 1, (SAMPLES, *x.shape))
        whole[name] = engine.tensor(array, requires_grad=x.requires_grad)
    samples = [
        {n: engine.tensor(x.array[at], requires_grad=x.requires_grad) if n in axes else x
         for n, x in whole.items()} for at in range(SAMPLES)
    ]  # fmt: skip
    ones = [program.backward(each, drawn.outputs, trace=False) for each in samples]
    for kind in ("per_sample", "sum"):
        batch = {"inputs": axes, "grads": kind}
        found = program.backward(whole, drawn.outputs, trace=False, batch=batch)
        for name in drawn.outputs:
            same_bits(found.outputs[name], _stacked([one.outputs[name] for one in ones]), name)
        for name, g in found.grads.items():
            parts = [one.grads[name] for one in ones]
            assert (g is None) == all(part is None for part in parts), name
            if g is not None:
                expected = _stacked(
                    [engine.zeros_like(drawn.inputs[name]) if p is None else p for p in parts]
                )
                close(g, expected.sum(0) if kind == "sum" and name not in axes else expected, name, 1e-10)
    hessians = [program.hessian(each, ["loss"]).derivative for each in samples]
    batched = program.hessian(whole, ["loss"], batch={"inputs": axes}).derivative
    for row, each in batched.items():
        for column, found_ in each.items():
            expected = _stacked([one[row][column] for one in hessians])
            close(found_, expected, f"{row} by {column}", 1e-9)


def _stacked(parts: list[Any]) -> Any:
    return engine.tensor(np.stack([part.array for part in parts]))
