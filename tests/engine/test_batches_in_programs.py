"""`batch`: many samples in one request, each answered as if it had been asked alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine.errors import ArgumentError, EngineError, ShapeError, UnknownField, UnknownId, ValueArgumentError
from tests.engine.building import Json, const, leaf, let, loop, node

GRAPH = [
    let("h", "tanh", node("matmul", "x", "w")),
    let("y", "mean", node("mul", "h", "s")),
]
RANDOM = np.random.default_rng(5)
XS, SS, W = RANDOM.standard_normal((4, 3)), RANDOM.standard_normal(4), RANDOM.standard_normal((3, 2))
BATCH = {"inputs": ["x", "s"]}
Inputs = dict[str, engine.Tensor]


def inputs(sample: int | None = None) -> Inputs:
    """All samples, or one of them."""
    xs, ss = (XS, SS) if sample is None else (XS[sample], SS[sample])
    return {"x": leaf(xs), "s": const(ss), "w": leaf(W)}


def arrays(found: dict[str, Any]) -> dict[str, Any]:
    return {name: None if each is None else each.array for name, each in found.items()}


def equal(batched: dict[str, Any], alone: list[dict[str, Any]]) -> None:
    """What a batch answers is the answers of its samples, bit for bit."""
    for name, each in arrays(batched).items():
        np.testing.assert_array_equal(each, np.stack([arrays(one)[name] for one in alone]), err_msg=name)


def test_outputs_and_gradients_of_each_sample() -> None:
    program = engine.Program(GRAPH)
    found = program.backward(inputs(), ["h", "y"], batch=BATCH)
    alone = [program.backward(inputs(at), ["h", "y"]) for at in range(4)]
    equal(found.outputs, [one.outputs for one in alone])
    equal(found.grads, [one.grads for one in alone])
    assert found.grads["w"].shape == (4, 3, 2)  # type: ignore[union-attr]
    assert found.trace == alone[0].trace  # of one sample


def test_gradients_of_the_sum() -> None:
    program = engine.Program(GRAPH)
    found = program.backward(inputs(), batch={**BATCH, "grads": "sum"})
    alone = [arrays(program.backward(inputs(at)).grads) for at in range(4)]
    np.testing.assert_allclose(found.grads["w"].array, sum(one["w"] for one in alone))  # type: ignore[union-attr]
    np.testing.assert_array_equal(found.grads["x"].array, np.stack([one["x"] for one in alone]))  # type: ignore[union-attr]


@pytest.mark.parametrize("route", ["backward", "vjp", "jacobian", "forward mode", "hessian", "hvp", "jvp"])
def test_a_sum_is_over_what_has_no_axis_and_only_that(route: str) -> None:
    graph = [let("y", "sum", node("mul", node("mul", "x", "x"), "w"))]  # by x twice: the same for each sample
    asked = {"x": leaf(XS), "w": leaf(W[:, 0])}
    directions: Json = {"x": const(XS), "w": const(W[:, 1])}
    settings: Json = {"hvp": {"v": directions}, "jvp": {"tangents": directions}}.get(route, {})
    if route == "forward mode":
        route, settings = "jacobian", {"mode": "forward"}
    each, total = (
        flat(
            getattr(engine.Program(graph), route)(asked, batch={"inputs": ["x"], "grads": grads}, **settings)
        )
        for grads in ("per_sample", "sum")
    )
    assert each.keys() == total.keys()
    for name, array in each.items():
        expected = array.sum(0) if set(name) == {"w"} else array
        np.testing.assert_allclose(total[name], expected, rtol=1e-14)


def flat(found: engine.Result) -> dict[str, Any]:
    """Gradients or derivatives, by the names of the inputs that they are by; tangents by their outputs."""
    derivative: Json = found.derivative or found.grads
    if "y" in derivative and isinstance(derivative["y"], dict):
        derivative = derivative["y"]
    pairs = {name: each if isinstance(each, dict) else {"": each} for name, each in derivative.items()}
    return {outer + inner: each.array for outer, row in pairs.items() for inner, each in row.items()}


def test_a_gradient_for_each_sample_or_one_for_all() -> None:
    program, v = engine.Program(GRAPH[:1]), RANDOM.standard_normal((4, 2))
    asked = {name: each for name, each in inputs().items() if name != "s"}
    batch = {"inputs": ["x"]}
    one = [{name: each for name, each in inputs(at).items() if name != "s"} for at in range(4)]
    found = program.backward(asked, gradient=const(v), batch=batch)
    equal(found.grads, [program.backward(one[at], gradient=const(v[at])).grads for at in range(4)])
    found = program.backward(asked, gradient=const(v[0]), batch=batch)
    equal(found.grads, [program.backward(one[at], gradient=const(v[0])).grads for at in range(4)])
    with pytest.raises(ShapeError, match="Mismatch in shape"):
        program.backward(asked, gradient=const(np.ones(3)), batch=batch)


def test_earlier_grads_are_added_to() -> None:
    program, before = engine.Program(GRAPH), RANDOM.standard_normal((4, 3))
    found = program.backward(inputs(), batch=BATCH, grads={"x": const(before)})
    alone = [program.backward(inputs(at), grads={"x": const(before[at])}) for at in range(4)]
    equal(found.grads, [one.grads for one in alone])


@pytest.mark.parametrize("route", ["jacobian", "hessian"])
def test_derivative_routes(route: str) -> None:
    program = engine.Program(GRAPH)
    found = getattr(program, route)(inputs(), batch=BATCH).derivative
    alone = [getattr(program, route)(inputs(at)).derivative for at in range(4)]
    for name in found:
        equal(found[name], [one[name] for one in alone])


def test_second_derivatives_through_a_loop_whose_body_is_linear() -> None:
    """What its vjp writes of each iteration is the same for all samples, and counts for those going on."""
    graph = [loop(body={"yield": {"v": node("mul", "v", 2)}}), let("z", "sum", node("pow", "y", 3))]
    program, xs = engine.Program(graph), np.array([[0.1, 0.2], [3.0, 4.0], [20.0, 1.0]])
    found = program.hessian({"x": leaf(xs)}, batch={"inputs": ["x"]}).derivative
    alone = [program.hessian({"x": leaf(each)}).derivative for each in xs]
    assert found is not None
    equal(found["x"], [one["x"] for one in alone])  # type: ignore[index]


def test_directions_for_each_sample() -> None:
    program, v, u = engine.Program(GRAPH), RANDOM.standard_normal((4, 3)), RANDOM.standard_normal((3, 2))
    found = program.hvp(inputs(), {"x": const(v), "w": const(u)}, batch=BATCH)
    alone = [program.hvp(inputs(at), {"x": const(v[at]), "w": const(u)}) for at in range(4)]
    equal(found.derivative, [one.derivative for one in alone])  # type: ignore[arg-type]
    found = program.jvp(inputs(), {"x": const(v)}, batch=BATCH)
    alone = [program.jvp(inputs(at), {"x": const(v[at])}) for at in range(4)]
    equal(found.derivative, [one.derivative for one in alone])  # type: ignore[arg-type]


@pytest.mark.parametrize("batch", [None, {"inputs": ["x"]}])
def test_many_cotangents_at_once(batch: Json | None) -> None:
    program, v = engine.Program(GRAPH[:1]), RANDOM.standard_normal((5, 2))
    asked = {"x": leaf(XS if batch else XS[0]), "w": leaf(W)}
    found = program.vjp(asked, const(v), is_grads_batched=True, batch=batch).derivative
    alone = [program.vjp(asked, const(each), batch=batch).derivative for each in v]
    assert found is not None
    for name, each in found.items():
        expected = np.stack([one[name].array for one in alone])  # type: ignore[index]
        np.testing.assert_allclose(each.array, expected, rtol=1e-14, atol=1e-16)
    with pytest.raises(ShapeError, match="If `is_grads_batched=True`"):
        program.vjp(asked, const(np.ones((5, 9))), is_grads_batched=True, batch=batch)


def test_what_no_sample_depends_on_is_repeated() -> None:
    graph = [let("u", "mul", "w", 2), let("y", "add", node("sum", "u"), node("sum", "x"))]
    found = engine.Program(graph).backward({"x": leaf(XS), "w": leaf(W)}, ["u", "y"], batch={"inputs": ["x"]})
    assert found.outputs["u"].shape == (4, 3, 2)
    np.testing.assert_array_equal(found.grads["w"].array, np.full((4, 3, 2), 2.0))  # type: ignore[union-attr]


def test_random_numbers() -> None:
    graph = [let("y", "sum", node("mul", "x", node("rand", [3], dtype="float64")))]
    drawn: dict[str, Any] = {}
    for randomness in ("same", "different"):
        batch = {"inputs": ["x"], "randomness": randomness}
        drawn[randomness] = engine.Program(graph).backward({"x": leaf(XS)}, batch=batch).grads["x"].array  # type: ignore[union-attr]
    alone = engine.Program(graph).backward({"x": leaf(XS[0])}).grads["x"].array  # type: ignore[union-attr]
    np.testing.assert_array_equal(drawn["same"], np.stack([alone] * 4))
    assert len(np.unique(drawn["different"], axis=0)) == 4


def test_a_sweep_inside_of_the_program_is_of_each_sample_too() -> None:
    graph = [let("y", "sum", node("mul", "x", "w")), {"op": "backward", "in": ["y"]}]
    graph += [{"id": "g", "op": "read_grad", "in": ["w"]}]
    asked = {"x": const(XS), "w": leaf(W[:, 0])}
    found = engine.Program(graph).backward(asked, ["g"], batch={"inputs": ["x"]})
    np.testing.assert_array_equal(found.outputs["g"].array, XS)
    found = engine.Program(graph).backward(asked, ["g"], batch={"inputs": ["x"], "grads": "sum"})
    np.testing.assert_allclose(found.outputs["g"].array, np.stack([XS.sum(0)] * 4))


REFUSED: list[tuple[Json, type[EngineError], tuple[Any, ...], str]] = [
    ({"inputs": ["q"]}, UnknownId, ("batch", "inputs", 0), "unknown id 'q'"),
    ({"inputs": []}, ArgumentError, ("batch", "inputs"), "a list of the inputs with the axis"),
    ({"inputs": ["one"]}, ShapeError, ("batch", "inputs", 0), "input 'one' has no axis"),
    ({"inputs": ["x", "w"]}, ShapeError, ("inputs", "w"), "input 'x' has 4 samples and input 'w' has 3"),
    ({"inputs": ["x"], "grads": "mean"}, ValueArgumentError, ("batch", "grads"), 'grads is "per_sample" or'),
    ({"inputs": ["x"], "randomness": "error"}, ValueArgumentError, ("batch", "randomness"), "randomness is"),
    ({"inputs": ["x"], "size": 4}, UnknownField, ("batch", "size"), "unknown field 'size'"),
]


@pytest.mark.parametrize(("batch", "kind", "pointer", "text"), REFUSED)
def test_refused(batch: Json, kind: type[EngineError], pointer: tuple[Any, ...], text: str) -> None:
    with pytest.raises(kind) as caught:
        engine.Program(GRAPH[:1]).backward({"x": leaf(XS), "w": leaf(W), "one": const(1.0)}, batch=batch)
    assert text in str(caught.value) and caught.value.pointer == pointer


@pytest.mark.parametrize("route", ["backward", "vjp"])
def test_an_output_that_is_the_same_for_all_samples(route: str) -> None:
    """It may have a gradient for each of them; their sum is one for all."""
    program = engine.Program(
        [let("y", "mul", node("expand_as", "w", "x"), 2)]
    )  # the values of x are not read
    asked, v = {"x": const(XS), "w": leaf(1.0)}, const(XS[:, ::-1])
    for grads, expected in (("per_sample", 2 * XS.sum(1)), ("sum", 2 * XS.sum())):
        batch = {"inputs": ["x"], "grads": grads}
        found = getattr(program, route)(asked, gradient=v, batch=batch)
        gradient = (found.derivative or found.grads)["w"]
        np.testing.assert_allclose(gradient.array, expected, rtol=1e-14)
