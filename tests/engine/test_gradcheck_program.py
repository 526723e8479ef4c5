"""Gradients of programs that differences confirm, whatever the scale, the dtype and the program."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from tests.engine.building import Json, const, leaf, let, loop, node
from tests.engine.checking import check, normal
from tests.engine.registered import TRANSFORMED
from tests.engine.sampling import Programs, programmed
from tests.engine.transforming import floating_outputs, points_of

MLP = [
    let("h", "tanh", node("add", node("matmul", "x", "w"), "b")),
    let("p", "softmax", "h", dim=-1),
    let("loss", "neg", node("mean", node("log", "p"))),
]


def test_a_network() -> None:
    inputs = {"x": normal(3, 4), "w": normal(4, 5), "b": normal(5), "unused": const(1.0)}
    found = check(MLP, inputs, "p", "loss")
    assert (found.ok, found.verdict) == (True, "right")
    assert found.convergence.order == pytest.approx(2, abs=0.05)
    assert found.detail == f"the remainder in a random direction falls as h^{found.convergence.order:.2f}"
    assert set(found.outputs) == {"p", "loss"}
    for jacobians in (found.numerical, found.analytical):
        shapes = {y: {x: tuple(each.shape) for x, each in row.items()} for y, row in jacobians.items()}
        assert shapes == {
            "p": {"x": (3, 5, 3, 4), "w": (3, 5, 4, 5), "b": (3, 5, 5)},
            "loss": {"x": (3, 4), "w": (4, 5), "b": (5,)},
        }
    for output, row in found.numerical.items():
        for name, each in row.items():
            np.testing.assert_allclose(each.array, found.analytical[output][name].array, atol=1e-9)
    assert found.worst is not None and found.worst.absolute < 1e-9


def test_remainders_are_those_of_the_line() -> None:
    found = check([let("y", "exp", "x")], {"x": leaf([0.5, -1.0])})
    d = found.convergence.direction["x"].array
    x, t = np.array([0.5, -1.0]), found.convergence.steps[3]
    sides = [np.linalg.norm(np.exp(x + s * d) - np.exp(x) - s * d * np.exp(x)) for s in (t, -t)]
    assert found.convergence.remainders["y"][3] == pytest.approx(max(sides), rel=1e-9)
    assert len(found.convergence.steps) == len(found.convergence.remainders["y"])


@pytest.mark.parametrize(
    "graph", [[let("y", "mul", "x", 3)], [let("y", "sum", "x")], [let("y", "sub", 1, "x")]]
)
def test_a_linear_function_has_no_remainder(graph: list[Json]) -> None:
    found = check(graph, {"x": leaf([1.0, -2.5, 1e6])})
    assert found.ok
    assert found.convergence.order is None
    assert "linear" in found.detail


def test_a_remainder_may_fall_faster() -> None:
    found = check([let("y", "pow", "x", 3)], {"x": leaf([0.0])})
    assert found.ok
    assert found.convergence.order == pytest.approx(3, abs=0.05)


def test_every_output_has_its_order() -> None:
    graph = [let("a", "mul", "x", 2), let("b", "exp", "x"), let("c", "mul", node("sin", "x"), 1e-6)]
    found = check(graph, {"x": leaf([0.0, 0.0])}, "a", "b", "c").convergence
    assert found.orders["a"] is None
    assert found.orders["b"] == pytest.approx(2, abs=0.05)
    assert found.orders["c"] == pytest.approx(3, abs=0.1)
    assert found.order == found.orders["b"]


@pytest.mark.parametrize("size", [1e-12, 1e-5, 1.0, 1e7])
@pytest.mark.parametrize("op", ["log", "sqrt", "reciprocal", "square"])
def test_no_scale_has_to_be_known(op: str, size: float) -> None:
    assert check([let("y", op, "x")], {"x": leaf([size, 3 * size])}).ok


@pytest.mark.parametrize("frequency", [1e-6, 1.0, 1e3, 1e5])
def test_no_step_has_to_be_chosen(frequency: float) -> None:
    found = check([let("y", "sin", node("mul", "x", frequency))], {"x": leaf([1.0, 0.3])})
    assert found.ok
    np.testing.assert_allclose(found.numerical["y"]["x"].array, found.analytical["y"]["x"].array, rtol=1e-5)


@pytest.mark.parametrize("distance", [1e-1, 1e-3, 1e-6])
def test_a_kink_nearby_does_not_matter(distance: float) -> None:
    for x in (distance, -distance):
        found = check([let("y", "relu", node("sub", "x", 1.0))], {"x": leaf([1 + x, 2.0])})
        assert found.ok, found.detail


def test_the_loop_of_the_tutorial() -> None:
    norm = node("norm", node("detach", "v"))
    graph = [loop(cond={"do": [], "yield": node("lt", norm, 1000)}), let("z", "sin", node("sum", "y"))]
    found = check(graph, {"x": normal(3)}, "y", "z")
    assert found.ok
    doublings = found.analytical["y"]["x"].array[0, 0]
    assert doublings >= 2
    np.testing.assert_allclose(found.numerical["y"]["x"].array, np.eye(3) * doublings, rtol=1e-9)


def test_every_evaluation_draws_the_same() -> None:
    graph = [let("r", "randn_like", "x"), let("y", "exp", node("dropout", node("mul", "x", "r")))]
    first, second, other = (check(graph, {"x": normal(6)}, seed=seed) for seed in (1, 1, 2))
    assert first.ok and other.ok
    assert first.convergence.remainders == second.convergence.remainders
    np.testing.assert_array_equal(first.numerical["y"]["x"].array, second.numerical["y"]["x"].array)
    assert first.analytical["y"]["x"].tolist() != other.analytical["y"]["x"].tolist()


def test_what_was_sent_in_float32_is_checked_in_float64() -> None:
    x = engine.tensor(np.array([0.1, 0.7], np.float32), requires_grad=True)
    half = engine.tensor(np.array([0.5, 0.25], np.float16), requires_grad=True)
    graph = [let("y", "exp", node("mul", node("mul", "x", "h"), node("full", [2], 0.1)))]
    found = check(graph, {"x": x, "h": half}, default_dtype="float32")
    assert found.ok
    tensors = [*found.numerical["y"].values(), *found.analytical["y"].values(), *found.outputs.values()]
    assert {each.dtype.name for each in tensors} == {"float64"}
    expected = np.exp(x.detach().numpy().astype(float) * half.detach().numpy().astype(float) * 0.1)
    np.testing.assert_allclose(found.outputs["y"].detach().numpy(), expected, rtol=1e-15)
    assert found.worst is not None and found.worst.relative < 1e-8


def test_dtypes_of_the_program_itself_stay() -> None:
    single = check([let("y", "exp", node("to", "x", dtype="float32"))], {"x": leaf([1.0, 2.5])})
    assert single.ok
    assert single.outputs["y"].dtype.name == "float32"
    half = check([let("y", "exp", node("to", "x", dtype="float16"))], {"x": leaf([1.0, 2.5])})
    assert (half.ok, half.verdict) == (False, "undecided")
    assert "is known to ±" in half.detail


def test_no_elements() -> None:
    assert check([let("y", "sum", "x")], {"x": leaf(np.zeros((0, 3)))}).ok
    assert check([let("y", "exp", "x")], {"x": leaf(np.zeros((0, 3)))}).worst is None


def test_every_sample_of_the_registry() -> None:
    unsure = {}
    for sampled in TRANSFORMED:
        if sampled.op.name.startswith("_"):
            continue
        made, outputs = programmed(sampled), Programs(sampled).outputs(points_of(sampled))
        if all(each.dtype.kind == "f" for each in (*points_of(sampled), *outputs)):
            names = [made.outputs[at] for at in floating_outputs(sampled)]
            try:
                found = check(made.graph, made.tensors(), *names)
            except engine.errors.NotImplementedYet as error:  # what a mask selects
                assert "is known only after a run" in str(error)  # noqa: PT017  # of some samples
                continue
            if not found.ok:
                unsure[sampled.id] = found.verdict
    # what computes in float16 by itself is too coarse, infinity has no neighbours, and a derivative of zero
    # is what detach is for, and what torch gives to statistics of a normalisation and to singular values
    statistics = [f"native_{what}_norm-{at}" for what in ("batch", "layer") for at in (0, 1)]
    zero = dict.fromkeys(["detach-0", "linalg.lstsq-3", *statistics], "wrong")
    assert unsure == {"half-0": "undecided", "nan_to_num-1": "undecided", "histc-2": "kink", **zero}
