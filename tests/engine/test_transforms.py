"""`grad` as a statement: of grads, by interior values, unused, with graphs to any order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine.errors import (
    ArgumentError,
    GradError,
    NotDifferentiable,
    NotScalar,
    ShapeError,
    ValueArgumentError,
)
from tests.engine.building import Json, backward, const, leaf, let, names, node, values

CUBE = node("sum", node("pow", "x", 3))


def several(out: list[str | None], *outputs: Any, **attrs: Any) -> Json:
    """A `grad` statement of several gradients."""
    return {"out": out, **node("grad", *outputs, **attrs)}


def test_grad_of_grad_of_a_cube() -> None:
    graph = [
        let("g", "grad", CUBE, wrt=["x"], create_graph=True),
        let("h", "grad", node("sum", "g"), wrt=["x"]),
    ]
    found = backward(graph, {"x": leaf([1.0, 2.0, -0.5])}, "g", "h", gradient={})
    assert values(found.outputs) == {"g": [3.0, 12.0, 0.75], "h": [6.0, 12.0, -3.0]}
    assert found.outputs["g"].requires_grad and not found.outputs["h"].requires_grad


def test_grad_nested_as_an_argument() -> None:
    inner = node("sum", node("grad", CUBE, wrt="x", create_graph=True))
    found = backward([let("h", "grad", inner, wrt="x")], {"x": leaf([1.0, 2.0])}, gradient={})
    assert values(found.outputs) == {"h": [6.0, 12.0]}


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_create_graph_to_the_fourth_order(order: int) -> None:
    function = node("sum", node("mul", node("sin", "x"), node("exp", node("mul", "x", 0.5))))
    graph = [let("g0", "alias", function)]
    for at in range(1, order + 1):
        target = f"g{at - 1}" if at == 1 else node("sum", f"g{at - 1}")
        graph.append(let(f"g{at}", "grad", target, wrt="x", create_graph=True))
    program = engine.Program(graph)

    def derivative(x: np.ndarray[Any, Any], at: int) -> np.ndarray[Any, Any]:
        name = f"g{at}"
        return program.forward({"x": leaf(x)}, [name]).outputs[name].array

    x, step = np.array([0.3, -1.2, 2.0]), 1e-5
    found = derivative(x, order)
    if order == 1:
        expected = np.cos(x) * np.exp(x / 2) + 0.5 * np.sin(x) * np.exp(x / 2)
    else:
        expected = (derivative(x + step, order - 1) - derivative(x - step, order - 1)) / (2 * step)
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_a_cube_has_four_derivatives_and_the_last_is_zero() -> None:
    graph = [let("g1", "grad", CUBE, wrt="x", create_graph=True)]
    graph += [let(f"g{n}", "grad", node("sum", f"g{n - 1}"), wrt="x", create_graph=True) for n in (2, 3, 4)]
    found = engine.Program(graph).forward({"x": leaf([2.0])}, ["g1", "g2", "g3", "g4"])
    x = leaf([2.0])
    expected, y = [], (x**3).sum()
    for _ in range(4):
        (y,) = engine.grad(y.sum(), x, create_graph=True)
        expected.append(y)
    assert values(found.outputs) == {f"g{n}": y.tolist() for n, y in enumerate(expected, 1)}
    flags = [y.requires_grad for y in found.outputs.values()]
    assert flags == [y.requires_grad for y in expected]


def test_the_derivative_of_a_linear_function_has_no_history() -> None:
    graph = [let("g", "grad", node("sum", node("mul", "x", 2)), wrt="x", create_graph=True)]
    with pytest.raises(GradError, match="element 0 of tensors does not require grad") as caught:
        engine.Program([*graph, let("h", "grad", node("sum", "g"), wrt="x")]).forward({"x": leaf([1.0])})
    assert caught.value.pointer == ("graph", 1)


def test_without_create_graph_there_is_no_history() -> None:
    found = engine.Program([let("g", "grad", CUBE, wrt="x")]).forward({"x": leaf([1.0])})
    assert not found.outputs["g"].requires_grad
    inside = [{"with": "no_grad", "do": [let("g", "grad", CUBE, wrt="x", create_graph=True)]}]
    with pytest.raises(GradError, match="does not require grad"):
        engine.Program(inside).forward({"x": leaf([1.0])})


def test_wrt_interior_values() -> None:
    graph = [
        let("y", "mul", "x", 3),
        let("s", "sum", node("mul", "y", "x")),
        several(["a", "b", "c", "d"], "s", wrt=["y", "x", "s", "y"]),
    ]
    found = backward(graph, {"x": leaf([1.0, 2.0])}, "a", "b", "c", "d", gradient={})
    assert values(found.outputs) == {"a": [1.0, 2.0], "b": [6.0, 12.0], "c": 1.0, "d": [1.0, 2.0]}


def test_several_outputs_with_their_gradients() -> None:
    graph = [
        let("y", "mul", "x", "x"),
        let("s", "sum", "x"),
        let("g", "grad", "y", "s", wrt="x", grad_outputs=[{"ref": "v"}, None]),
        let("h", "grad", "y", wrt="x", grad_outputs={"ref": "v"}, retain_graph=True),
    ]
    graph[2]["attrs"]["retain_graph"] = True
    found = backward(graph, {"x": leaf([1.0, 2.0]), "v": const([1.0, 10.0])}, "g", "h", gradient={})
    assert values(found.outputs) == {"g": [3.0, 41.0], "h": [2.0, 40.0]}


def test_grad_leaves_the_grad_slots_alone() -> None:
    found = backward([let("g", "grad", CUBE, wrt="x")], {"x": leaf([1.0])}, "g", gradient={})
    assert values(found.grads) == {"x": None}


def test_a_gradient_flows_through_the_gradient_given() -> None:
    graph = [
        let("g", "grad", node("mul", "x", "x"), wrt="x", grad_outputs={"ref": "v"}, create_graph=True),
        let("s", "sum", node("mul", "g", "g")),
    ]
    x, v = np.array([1.0, 2.0]), np.array([0.5, -1.0])
    found = backward(graph, {"x": leaf(x), "v": leaf(v)}, "s")
    assert values(found.grads) == {"x": (8 * x * v * v).tolist(), "v": (8 * x * x * v).tolist()}


def test_unused() -> None:
    graph = [let("s", "sum", "x"), let("t", "sum", "w")]
    given = {"x": leaf([1.0]), "w": leaf([2.0])}

    def run(out: list[str | None], **attrs: Any) -> Any:
        attrs = {"wrt": ["x", "w"], **attrs}
        return values(backward([*graph, several(out, "s", **attrs)], given, "g", gradient={}).outputs)

    text = "The differentiated Tensor at index 1 appears to not have been used in the graph."
    for attrs in ({}, {"allow_unused": False}):
        with pytest.raises(GradError, match=text) as caught:
            run(["g", "h"], **attrs)
        assert caught.value.pointer == ("graph", 2)
    with pytest.raises(GradError, match="grad: 'h' would be None: nothing flows to it") as named:
        run(["g", "h"], allow_unused=True)
    assert named.value.pointer == ("graph", 2, "attrs", "wrt", 1)
    assert run(["g", None], allow_unused=True) == {"g": [1.0]}
    assert run([None, "g"], materialize_grads=True) == {"g": [0.0]}
    with pytest.raises(ValueArgumentError, match="Expected allow_unused to be True or not passed when"):
        run(["g", "h"], materialize_grads=True, allow_unused=False)


REFUSED: list[tuple[Json, Any, tuple[str | int, ...] | None, str]] = [
    (let("g", "grad", "y", wrt="x"), NotScalar, (), "grad can be implicitly created only for scalar outputs"),
    (let("g", "grad", "s", wrt=[]), ArgumentError, ("id",), "grad: 0 gradients, 1 outputs"),
    (
        let("g", "grad", "s", wrt="c"),
        GradError,
        ("attrs", "wrt", 0),
        "One of the differentiated Tensors",
    ),
    (let("g", "grad", "c", wrt="x"), GradError, (), "element 0 of tensors does not require grad"),
    (let("g", "grad", 2.0, wrt="x"), ArgumentError, ("in", 0), "grad: an output is a tensor"),
    (
        let("g", "grad", "y", "s", wrt="x", grad_outputs={"ref": "c"}),
        RuntimeError,
        (),
        "got 2 tensors and 1 gradients",
    ),
    (
        let("g", "grad", "y", wrt="x", grad_outputs=[2.0]),
        ArgumentError,
        (),
        "gradients can be either Tensors or None, but got float",
    ),
    (
        let("g", "grad", "s", wrt="x", grad_outputs={"ref": "c"}),
        ShapeError,
        (),
        "Mismatch in shape: grad_output[0] has a shape of torch.Size([2]) and output[0] has a shape",
    ),
    (let("g", "grad", "k", wrt="x"), NotDifferentiable, None, "derivative for aten::floor_divide"),
]


@pytest.mark.parametrize(("statement", "kind", "pointer", "text"), REFUSED)
def test_refused(statement: Json, kind: Any, pointer: Any, text: str) -> None:
    graph = [let("y", "mul", "x", "x"), let("s", "sum", "y"), let("k", "sum", node("floor_divide", "x", 2))]
    with pytest.raises(kind) as caught:
        engine.Program([*graph, statement]).forward({"x": leaf([1.0, 2.0]), "c": const([1.0, 2.0])})
    assert str(caught.value).startswith(text)
    place = ("graph", 2, "in", 0) if pointer is None else ("graph", 3, *pointer)
    assert caught.value.pointer == place


def test_the_trace_of_a_gradient_is_what_torch_records() -> None:
    graph = [let("g", "grad", CUBE, wrt="x", create_graph=True), let("s", "sum", node("mul", "g", "x"))]
    found = backward(graph, {"x": leaf([1.0, 2.0])}, "s")
    x = leaf([1.0, 2.0])
    (g,) = engine.grad((x**3).sum(), x, create_graph=True)
    seen, stack, made = set(), [(g * x).sum().grad_fn], []
    while stack:
        each = stack.pop()
        if id(each) not in seen:
            seen.add(id(each))
            made.append(each)
            stack += [following for following, _ in each.next_functions if following is not None]
    inner = sorted((each for each in made if each.next_functions), key=lambda each: -each.sequence)
    assert found.trace is not None
    assert names(found.trace) == [*[each.name() for each in inner], "AccumulateGrad"]
    assert values(found.grads) == {"x": [9.0, 36.0]}
