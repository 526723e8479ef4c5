"""Control flow, compiled, against the same statements run one by one with Python's loops and branches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine import func
from tests.engine.building import const, leaf
from tests.engine.flows import FLOWS, W, X
from tests.engine.program_route import plain_trace
from tests.engine.routes import trace

Array = np.ndarray[Any, Any]


def inputs(scale: float = 1.0) -> dict[str, engine.Tensor]:
    return {"x": leaf(scale * X), "w": leaf(W)}


@pytest.mark.parametrize("name", FLOWS)
def test_values_gradients_flags_and_trace(name: str) -> None:
    program = engine.Program(FLOWS[name])
    found, given = program.backward(inputs(), ["out"]), inputs()
    out = program.function("x", "w", outputs=["out"])(*given.values())
    nodes, (root,) = trace([out], list(given.values()))  # before backward frees what it saved
    np.testing.assert_array_equal(found.outputs["out"].array, out.detach().array)
    assert found.outputs["out"].requires_grad == out.requires_grad
    assert found.outputs["out"].grad_fn.name() == out.grad_fn.name()  # type: ignore[union-attr]
    out.backward()
    for key, tensor in given.items():
        assert (found.grads[key] is None) == (tensor.grad is None), key
        if tensor.grad is not None:
            np.testing.assert_allclose(found.grads[key].array, tensor.grad.array, rtol=1e-14, err_msg=key)  # type: ignore[union-attr]
    assert found.trace is not None and root is not None
    assert found.trace["roots"] == {"out": root[0]}
    assert plain_trace(found.trace, ["x", "w"]) == nodes


@pytest.mark.parametrize("name", FLOWS)
def test_second_order_and_forward_mode(name: str) -> None:
    program = engine.Program(FLOWS[name])
    call = program.function("x", "w", outputs=["out"])
    expected = func.hessian(call, argnums=(0, 1))(const(X), const(W))
    found = program.hessian(inputs(), ["out"]).derivative
    forward = program.jacobian(inputs(), ["out"], mode="forward").derivative
    reverse = program.jacobian(inputs(), ["out"]).derivative
    assert found is not None and forward is not None and reverse is not None
    product = program.hvp(inputs(), {"x": const(W), "w": const(X)}, ["out"]).derivative
    for row, by in zip(expected, "xw", strict=True):
        along = sum(block.array @ v for block, v in zip(row, (W, X), strict=True))
        np.testing.assert_allclose(product[by].array, along, rtol=1e-9, atol=1e-10)  # type: ignore[index]
        np.testing.assert_allclose(forward["out"][by].array, reverse["out"][by].array, rtol=1e-11, atol=1e-13)
        for block, other in zip(row, "xw", strict=True):
            np.testing.assert_allclose(found[by][other].array, block.array, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", FLOWS)
def test_a_batch_is_its_samples_bit_for_bit(name: str) -> None:
    """Samples that take different branches, and go on for different numbers of iterations."""
    program, scales = engine.Program(FLOWS[name]), (1.0, 20.0, -0.4, 0.05)
    many = {"x": leaf(np.stack([scale * X for scale in scales])), "w": leaf(W)}
    batch = {"inputs": ["x"]}
    alone = [program.backward(inputs(scale), ["out"]) for scale in scales]
    found = program.backward(many, ["out"], batch=batch)
    np.testing.assert_array_equal(found.outputs["out"].array, [one.outputs["out"].item() for one in alone])
    for key, each in found.grads.items():
        if each is not None:
            rows = [np.zeros(3) if one.grads[key] is None else one.grads[key].array for one in alone]  # type: ignore[union-attr]
            np.testing.assert_array_equal(each.array, rows, err_msg=key)
    blocks = program.hessian(many, ["out"], batch=batch).derivative
    assert blocks is not None
    for at, scale in enumerate(scales):
        one = program.hessian(inputs(scale), ["out"]).derivative
        assert one is not None
        for by in "xw":
            for other in "xw":
                np.testing.assert_allclose(
                    blocks[by][other].array[at], one[by][other].array, rtol=1e-12, atol=1e-14
                )


@pytest.mark.parametrize("name", [each for each in FLOWS if each not in ("cond", "the other branch")])
@pytest.mark.parametrize("limit", [1, 300, 2000])
def test_checkpoints_change_nothing(name: str, limit: int) -> None:
    """Whatever is kept of a loop, and whatever computed again: down to segments of segments."""
    plain = engine.Program(FLOWS[name], limits=engine.Limits(history_bytes=0))
    kept = engine.Program(FLOWS[name], limits=engine.Limits(history_bytes=limit))
    expected, found = plain.backward(inputs(), ["out"]), kept.backward(inputs(), ["out"])
    assert found.outputs["out"].item() == expected.outputs["out"].item()
    assert found.trace == expected.trace
    for key, each in expected.grads.items():
        if each is not None:
            np.testing.assert_allclose(found.grads[key].array, each.array, rtol=1e-14)  # type: ignore[union-attr]
    if limit == 300:
        blocks, others = (p.hessian(inputs(), ["out"]).derivative for p in (plain, kept))
        assert blocks is not None and others is not None
        for by in "xw":
            np.testing.assert_allclose(others[by]["x"].array, blocks[by]["x"].array, rtol=1e-12, atol=1e-13)
