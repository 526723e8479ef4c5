"""Loops and choices in functions that are transformed where they stand, and in batches of batches; draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from tests.engine.building import Json, const, counted, leaf, let, loop, node
from tests.engine.stepping import same_bits, stepped


def function(params: list[str], *do: Json, result: Any) -> Json:
    return {"params": params, "do": list(do), "yield": result}


def transformed(kind: str, name: str, args: list[str], body: Json, **attrs: Any) -> Json:
    return {"id": name, "op": kind, "in": args, "body": body, **({"attrs": attrs} if attrs else {})}


def growing(start: str, name: str, factor: Any) -> Json:
    """A while that grows `start` to a norm of 10."""
    return loop(
        id=name,
        carry={f"{name}_v": start},
        cond={"yield": node("lt", node("norm", f"{name}_v"), 10.0)},
        body={"yield": {f"{name}_v": node("mul", f"{name}_v", factor)}},
        max_iters=60,
    )


X = np.random.default_rng(3).uniform(-2, 2, (4, 3, 2))
W = np.random.default_rng(4).uniform(1.2, 2.0, 3)


def test_a_while_in_a_vmap_of_a_vmap() -> None:
    inner = function(["a", "b"], growing("a", "g", "b"), result="g")
    outer = function(["c", "d"], transformed("vmap", "h", ["c", "d"], inner), result="h")
    graph = [transformed("vmap", "y", ["x", "w"], outer, in_dims=[0, None]), let("s", "sum", "y")]
    found = engine.Program(graph).backward({"x": leaf(X), "w": leaf(W)}, ["y", "s"])
    one = engine.Program([growing("x", "y", "w"), let("s", "sum", "y")])
    gw = np.zeros(3)
    for i in range(4):
        for j in range(3):
            each = one.backward({"x": leaf(X[i, j]), "w": leaf(W[j])}, ["y", "s"])
            assert np.array_equal(found.outputs["y"].array[i, j], each.outputs["y"].array)
            assert np.array_equal(found.grads["x"].array[i, j], each.grads["x"].array)  # type: ignore[union-attr]
            gw[j] += 0.0 if each.grads["w"] is None else each.grads["w"].item()
    np.testing.assert_allclose(found.grads["w"].array, gw, rtol=1e-13)  # type: ignore[union-attr]


def test_a_vmap_in_a_while_and_a_scan() -> None:
    """The gradient by what a vmap in a body captured is the sum over its samples."""
    row = function(["a"], result=node("mul", node("sin", "a"), "w"))
    rows = transformed("vmap", "h", ["v"], row)
    over = {"op": "scan", "carry": {"v": "y"}, "xs": {"e": "w"}, "out": ["z"]}
    step = transformed("vmap", "q", ["v"], function(["b"], result=node("mul", "b", "e")))
    over["body"] = {"do": [step], "yield": {"carry": {"v": "q"}}}
    graph = [counted({"v": "x"}, {"v": "h"}, 3, rows, out=["y"]), over, let("s", "sum", "z")]
    found = engine.Program(graph).backward({"x": leaf(X[0, :, :2]), "w": leaf(W[:2])}, ["s"])
    x, w = leaf(X[0, :, :2]), leaf(W[:2])
    v = x
    for _ in range(3):
        v = engine.sin(v) * w
    for e in w:
        v = v * e
    v.sum().backward()
    np.testing.assert_allclose(found.grads["x"].array, x.grad.array, rtol=1e-13)  # type: ignore[union-attr]
    np.testing.assert_allclose(found.grads["w"].array, w.grad.array, rtol=1e-13)  # type: ignore[union-attr]


def test_the_same_carry_with_and_without_the_level() -> None:
    """A carried value that starts with the level of a vmap and goes on without it, by grad outside."""
    turn = {"op": "scan", "carry": {"p": "a"}, "xs": {"e": "k"}, "out": ["r"]}
    turn["body"] = {"do": [], "yield": {"carry": {"p": "w"}}}
    graph = [transformed("vmap", "y", ["x"], function(["a"], turn, result="r")), let("s", "sum", "y")]
    found = engine.Program(graph).backward({"x": leaf(W), "w": leaf(2.0), "k": const([1.0, 2.0])}, ["s"])
    assert found.outputs["s"].item() == 6.0
    assert found.grads["w"].item() == 3.0  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["jvp", "vjp", "jacobian", "hessian", "hvp", "grad"])
def test_derivatives_taken_in_a_body(kind: str) -> None:
    """Each iteration differentiates a function that captures what is carried and what is outside."""
    body = function(["a"], let("t", "mul", node("sin", "a"), node("mul", "w", "i")), result=node("sum", "t"))
    along = ["d", "d"] if kind in ("jvp", "hvp") else ["d"]
    if kind == "grad":
        do = [{"id": "b", **node("mul", "v", 1.0)}, let("g", "grad", node("sum", node("mul", node("sin", "b"),
              node("mul", "w", "i"))), wrt="b", create_graph=True)]  # fmt: skip
        result: Any = "g"
    else:
        do = [let("d", "mul", "v", 1.0), transformed(kind, "g", along, body)]
        result = node("matmul", "g", "d") if kind == "hessian" else node("mul", "g", "d")
    graph = [counted({"v": "x"}, {"v": result}, 3, *do, out=["y"]), let("s", "sum", "y")]
    graph[0]["carry"]["i"], graph[0]["cond"]["yield"] = 1, node("lt", "i", 3)
    found = engine.Program(graph).backward({"x": leaf([0.3, -0.8]), "w": leaf(0.7)}, ["y", "s"])
    x, w = leaf([0.3, -0.8]), leaf(0.7)
    v = x
    for i in (1, 2):
        d = v * 1.0
        first, second = engine.cos(d) * (w * i), -engine.sin(d) * (w * i)
        v = {"jvp": (first * d).sum() * d, "vjp": first * d, "jacobian": first * d, "hessian": second * d,
             "hvp": second * d * d, "grad": first}[kind]  # fmt: skip
    v.sum().backward()
    np.testing.assert_allclose(found.outputs["y"].array, v.array, rtol=1e-13)
    for name, given in (("x", x), ("w", w)):
        np.testing.assert_allclose(found.grads[name].array, given.grad.array, rtol=1e-12)  # type: ignore[union-attr]


DRAW = {"id": "r", **node("rand", 2, dtype="float64")}
DRAWN = [
    counted({"v": "x"}, {"v": node("sub", node("mul", "v", "r"), "k")}, 3, DRAW, out=["y"]),
    let("s", "sum", node("mul", "y", "y")),
]


def test_the_same_draws_for_all_samples() -> None:
    x, program = np.random.default_rng(5).uniform(-1, 1, (4, 2)), engine.Program(DRAWN)
    k = const([0.1, 0.2])
    same = {"inputs": ["x"], "randomness": "same"}
    found = program.backward({"x": leaf(x), "k": k}, ["y", "s"], seed=3, batch=same)
    hessian = program.hessian({"x": leaf(x), "k": k}, ["s"], seed=3, batch=same).derivative["x"]["x"]
    for at, each in enumerate(x):
        names, leaves = stepped(DRAWN, {"x": leaf(each), "k": k}, seed=3)
        names["s"].backward()
        assert np.array_equal(found.outputs["y"].array[at], names["y"].array)
        assert np.array_equal(found.grads["x"].array[at], leaves["x"].grad.array)  # type: ignore[union-attr]
        alone = program.hessian({"x": leaf(each), "k": k}, ["s"], seed=3).derivative["x"]["x"]
        assert np.array_equal(hessian.array[at], alone.array)


def test_different_draws_for_each_sample_are_those_of_one_draw_of_all() -> None:
    x, k = np.random.default_rng(5).uniform(-1, 1, (4, 2)), np.array([0.1, 0.2])
    settings: Json = {"seed": 3, "batch": {"inputs": ["x"], "randomness": "different"}}
    found = engine.Program(DRAWN).backward({"x": leaf(x), "k": const(k)}, ["y", "s"], **settings)
    engine.manual_seed(3)
    v, slope = x, np.ones_like(x)
    for _ in range(3):
        r = engine.rand(4, 2, dtype="float64").array
        v, slope = v * r - k, slope * r
    same_bits(found.outputs["y"], engine.tensor(v), "y")
    np.testing.assert_allclose(found.grads["x"].array, 2 * v * slope, rtol=1e-14)  # type: ignore[union-attr]


@pytest.mark.parametrize("randomness", ["same", "different"])
def test_draws_in_branches_and_conditions_are_drawn_again(randomness: str) -> None:
    """Where samples go both ways; the derivative is that of the draws that were made."""
    asked = node("lt", node("sum", node("abs", "v")), node("add", 4.0, node("rand", 1, dtype="float64")))
    first = {"yield": node("add", node("mul", "v", node("rand", 2, dtype="float64")), node("abs", "v"))}
    other = {"yield": node("mul", node("sin", "v"), node("rand", 2, dtype="float64"))}
    choice = {"id": "q", "op": "cond", "in": [node("gt", node("sum", "v"), 0)], "then": first, "else": other}
    body = {"do": [choice], "yield": {"v": node("mul", node("add", "v", "q"), 1.5)}}
    graph = [loop(cond={"yield": asked}, body=body, max_iters=60), let("s", "sum", node("sin", "y"))]
    program = engine.Program(graph)
    x = np.random.default_rng(7).uniform(-1, 1, (5, 2))
    settings: Json = {"seed": 11, "batch": {"inputs": ["x"], "randomness": randomness}}
    g = program.backward({"x": leaf(x)}, ["s"], **settings).grads["x"]
    assert g is not None
    for at in np.ndindex(5, 2):
        step = np.zeros_like(x)
        step[at] = 1e-6
        ahead, behind = (program.forward({"x": const(x + d)}, ["s"], **settings) for d in (step, -step))
        slope = (ahead.outputs["s"].array - behind.outputs["s"].array)[at[0]] / 2e-6
        assert g.array[at] == pytest.approx(slope, rel=1e-4, abs=1e-6)
    tangent = program.jvp({"x": leaf(x)}, {"x": engine.ones(5, 2, dtype="float64")}, ["s"], **settings)
    np.testing.assert_allclose(tangent.derivative["s"].array, g.array.sum(1), rtol=1e-12)
