"""Programs that random search found: what they once gave wrongly. The numbers are torch's or are plain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from tests.engine.building import Json, const, leaf, let, node

SUMS = {"inputs": ["x"], "grads": "sum"}
XS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
W = np.array([0.5, -2.0])


def array(found: Any) -> Any:
    assert found is not None
    return found.array


@pytest.mark.parametrize("route", ["backward", "vjp", "jacobian"])
def test_a_sum_counts_an_output_that_is_the_same_for_all_samples_once_for_each(route: str) -> None:
    asked = {"x": leaf(XS), "w": leaf(W)}
    program = engine.Program([let("y", "sum", node("mul", "w", "w"))])
    result = getattr(program, route)(asked, batch=SUMS)
    found = {"backward": result.grads, "vjp": result.derivative}.get(route) or result.derivative["y"]
    np.testing.assert_array_equal(array(found["w"]), 3 * 2 * W)
    if route != "backward":
        np.testing.assert_array_equal(array(found["x"]), np.zeros_like(XS))


def test_a_sum_of_gradients_given_for_each_sample_of_a_shared_output() -> None:
    program = engine.Program([let("y", "mul", "w", 2)])
    found = program.backward({"x": leaf(XS), "w": leaf(W)}, gradient=const(XS), batch=SUMS)
    np.testing.assert_array_equal(array(found.grads["w"]), 2 * XS.sum(0))


def test_hvp_of_a_sum_of_a_shared_output() -> None:
    program = engine.Program([let("y", "sum", node("pow", "w", 3))])
    found = program.hvp({"x": leaf(XS), "w": leaf(W)}, {"w": const(W)}, batch=SUMS)
    np.testing.assert_allclose(array(found.derivative["w"]), 3 * 6 * W * W)  # type: ignore[index]


@pytest.mark.parametrize(
    "taken",
    [
        let("d", "grad", node("sum", node("mul", "x", "w")), wrt=["w"]),
        {
            "id": "d",
            "op": "jacobian",
            "in": ["w"],
            "body": {"params": ["v"], "do": [], "yield": node("dot", "x", "v")},
        },
    ],
    ids=["grad", "jacobian"],
)
def test_derivatives_that_a_program_takes_are_of_its_sample_when_those_asked_for_are_summed(
    taken: Json,
) -> None:
    program = engine.Program([taken])
    asked = {"x": leaf(XS), "w": leaf(W)}
    np.testing.assert_array_equal(program.forward(asked, batch=SUMS).outputs["d"].array, XS)


def test_zeros_in_place_of_no_gradient_are_a_leaf_when_a_graph_is_made() -> None:
    attrs: Json = {"wrt": ["w"], "materialize_grads": True}
    for create_graph in (True, False):
        program = engine.Program([let("d", "grad", node("sum", "x"), **attrs, create_graph=create_graph)])
        found = program.forward({"x": leaf(XS), "w": leaf(W)}).outputs["d"]
        assert found.is_leaf
        assert found.requires_grad is create_graph
        np.testing.assert_array_equal(found.detach().array, np.zeros(2))


def test_zeros_in_place_of_no_gradient_have_the_shape_of_the_input_where_there_are_many_cotangents() -> None:
    attrs: Json = {"wrt": ["w"], "materialize_grads": True, "is_grads_batched": True}
    attrs["grad_outputs"] = [{"tensor": const(np.ones((4, *XS.shape)))}]
    found = engine.Program([let("d", "grad", node("mul", "x", 2), **attrs)]).forward(
        {"x": leaf(XS), "w": leaf(W)}
    )
    assert found.outputs["d"].shape == W.shape


def test_what_only_a_grad_statement_led_to_has_no_grad() -> None:
    graph = [
        let("d", "grad", node("sum", "x"), wrt=["x"]),
        {
            "op": "scan",
            "carry": {"c": "w", "other": "x"},
            "xs": {"e": {"tensor": const(np.ones(2))}},
            "body": {"do": [], "yield": {"carry": {"c": node("mul", "c", 2), "other": "other"}}},
            "out": ["y", None],
        },
    ]
    asked = {"x": leaf(XS), "w": leaf(W)}
    found = engine.Program(graph).backward(asked, ["y"], gradient=const(np.ones(2)))
    np.testing.assert_array_equal(array(found.grads["w"]), [4.0, 4.0])
    assert found.grads["x"] is None


def test_hvp_of_a_sum_along_a_direction_of_each_sample() -> None:
    program = engine.Program([let("y", "sum", node("mul", "x", node("pow", "w", 3)))])
    found = program.hvp({"x": leaf(XS), "w": leaf(W)}, {"w": const(XS)}, batch=SUMS).derivative
    assert found is not None
    np.testing.assert_allclose(found["w"].array, (6 * XS * W * XS).sum(0))
    np.testing.assert_allclose(found["x"].array, 3 * W * W * XS)


def test_what_another_backward_led_to_has_no_grad() -> None:
    again = {
        "op": "while",
        "carry": {"v": "w", "u": node("mul", "x", 2)},
        "cond": {"do": [], "yield": node("lt", node("sum", "v"), -9)},
        "body": {"do": [], "yield": {"v": "v", "u": "u"}},
        "out": ["v1", None],
    }
    calls = [{"tensor": "twice", "inputs": ["w"]}, {"tensor": "y", "inputs": ["x"]}]
    graph = [let("twice", "sum", node("mul", "x", 2)), again, let("y", "sum", "v1")]
    found = engine.Program(graph).backward({"x": leaf(W), "w": leaf(W)}, ["y"], backward=calls)
    assert found.grads == {"x": None, "w": None}


@pytest.mark.parametrize(
    ("op", "x", "settings"),
    [
        ("std", [[1.5, 1.5], [1.0, 3.0]], {"dim": 1}),
        ("linalg.vector_norm", [[0.0, 0.0], [3.0, 4.0]], {"ord": 3, "dim": 1}),
        ("norm", [[0.0, 0.0], [3.0, 4.0]], {"p": 1.5, "dim": 1}),
    ],
)
def test_forward_mode_takes_the_derivative_that_is_chosen_at_a_kink(op: str, x: Any, settings: Json) -> None:
    program, asked = engine.Program([let("y", op, "x", **settings)]), {"x": leaf(x)}
    reverse, forward = (program.jacobian(asked, mode=mode).derivative for mode in ("reverse", "forward"))
    assert reverse is not None
    assert forward is not None
    np.testing.assert_array_equal(reverse["y"]["x"].array[0], np.zeros((2, 2)))
    np.testing.assert_allclose(forward["y"]["x"].array, reverse["y"]["x"].array)


def test_forward_mode_of_a_power_whose_exponent_is_0() -> None:
    at = engine.tensor([0.0], dtype=engine.float64)
    _, tangent = engine.func.jvp(engine.pow, (at, at), (at + 1, at))
    np.testing.assert_array_equal(tangent.array, [0.0])
