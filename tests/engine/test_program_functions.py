"""A program as a function of Tensors computes what the compiled program computes, and composes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine import func
from engine.autograd import functional
from engine.errors import IterationLimit, NotImplementedYet, UnknownId
from tests.engine.building import Json, const, leaf, let, loop, node

X, W = np.array([0.3, -0.7, 1.1]), np.array([1.5, 0.25, -0.5])
BODY = {"params": ["a"], "do": [], "yield": node("mul", node("sin", "a"), "w")}
TOTAL = {"params": ["b"], "do": [], "yield": node("sum", node("exp", node("mul", "b", "w")))}
RISING = {"cond": {"yield": node("lt", node("norm", node("detach", "v")), 50)}}
RISING["body"] = {"yield": {"v": node("mul", "v", node("add", 1.5, node("mul", "v", "w")))}}


def transform(op: str, *args: Any, body: Json, id: str = "y", **attrs: Any) -> Json:
    return {"id": id, "op": op, "in": list(args), "body": body, "attrs": attrs}


SCAN = {
    "op": "scan",
    "carry": {"p": node("add", node("mul", node("sum", "x"), 0), 1)},
    "xs": {"e": "x", "f": "w"},
    "body": {"yield": {"carry": {"p": node("mul", "p", "e")}, "y": node("add", "e", "f")}},
    "out": ["last", "ys"],
}
CHOICE = {
    "id": "c",
    "op": "cond",
    "in": [node("gt", node("sum", "x"), 0)],
    "then": {"yield": node("mul", "x", "w")},
    "else": {"yield": "x"},
}
GRAPHS: dict[str, list[Any]] = {
    "ops": [let("h", "tanh", node("mul", "x", "w")), let("y", "sum", node("mul", "h", 3))],
    "blocks": [{"with": "no_grad", "do": [let("c", "exp", "x")]}, let("y", "sum", node("mul", "c", "w"))],
    "leaf": [{"id": "k", "tensor": [2.0, 3.0, 4.0]}, let("y", "sum", node("mul", "k", "x"))],
    "while": [loop(**RISING, id="u"), let("y", "sum", "u")],
    "scan": [SCAN, let("y", "add", node("sum", "ys"), "last")],
    "cond": [CHOICE, let("y", "sum", "c")],
    "grad": [
        let("g", "grad", node("sum", node("mul", node("exp", "x"), "w")), wrt=["x"], create_graph=True),
        let("y", "sum", node("mul", "g", "g")),
    ],
    "hook": [
        let("h", "mul", "x", "w"),
        {
            "op": "register_hook",
            "in": ["h"],
            "body": {"params": ["q"], "do": [], "yield": node("mul", "q", 10)},
        },
        let("y", "sum", "h"),
    ],
    "vmap": [transform("vmap", "x", body={"params": ["a"], "do": [], "yield": node("mul", "a", "w")}, id="m"),
             let("y", "sum", node("sin", "m"))],
    "vjp": [transform("vjp", "x", "w", body=BODY, id="v"), let("y", "sum", node("mul", "v", "x"))],
    "jvp": [transform("jvp", "x", "w", body=BODY, id="v"), let("y", "sum", node("mul", "v", "x"))],
    "jacobian": [transform("jacobian", "x", body=BODY, id="v"), let("y", "sum", node("matmul", "v", "x"))],
    "forward": [transform("jacobian", "x", body=BODY, id="v", mode="forward"),
                let("y", "sum", node("matmul", "v", "x"))],
    "hessian": [transform("hessian", "x", body=TOTAL, id="v"), let("y", "sum", node("matmul", "v", "x"))],
    "hvp": [transform("hvp", "x", "w", body=TOTAL, id="v"), let("y", "sum", node("mul", "v", "x"))],
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
def test_what_the_compiled_program_gives(name: str) -> None:
    program = engine.Program(GRAPHS[name])
    x, w = leaf(X), leaf(W)
    y = program.function("x", "w", outputs=["y"])(x, w)
    compiled = program.backward({"x": leaf(X), "w": leaf(W)}, ["y"])
    np.testing.assert_allclose(y.detach().array, compiled.outputs["y"].array, rtol=1e-14)
    y.backward()
    for tensor, grad in zip((x, w), compiled.grads.values(), strict=True):
        assert (tensor.grad is None) == (grad is None)
        if grad is not None:
            np.testing.assert_allclose(tensor.grad.array, grad.array, rtol=1e-13)


@pytest.mark.parametrize("name", [each for each in GRAPHS if each not in ("blocks", "hook")])
def test_transforms_of_a_program(name: str) -> None:
    """engine.func of the function is the program's own derivative."""
    program = engine.Program(GRAPHS[name])
    given = {"x": leaf(X), "w": leaf(W)}
    call = program.function("x", "w", outputs=["y"])
    blocks = program.hessian(given, ["y"]).derivative
    assert blocks is not None
    for row, kind in zip(func.hessian(call, argnums=(0, 1))(const(X), const(W)), "xw", strict=True):
        for found, by in zip(row, "xw", strict=True):
            np.testing.assert_allclose(found.array, blocks[kind][by].array, rtol=1e-10, atol=1e-12)
    rows = functional.jacobian(call, (const(X), const(W)))
    jacobian = program.jacobian(given, ["y"]).derivative
    assert jacobian is not None
    for found, by in zip(rows, "xw", strict=True):
        np.testing.assert_allclose(found.array, jacobian["y"][by].array, rtol=1e-12)


def test_several_outputs_are_a_tuple_and_a_batch_is_vmap() -> None:
    call = engine.Program(GRAPHS["ops"]).function("x", "w", outputs=["h", "y"])
    xs = np.stack([X, 2 * X])
    h, y = func.vmap(call, in_dims=(0, None))(const(xs), const(W))
    np.testing.assert_allclose(h.array, np.tanh(xs * W))
    np.testing.assert_allclose(y.array, 3 * np.tanh(xs * W).sum(1))


def test_refused() -> None:
    with pytest.raises(UnknownId, match="unknown id 'w'"):
        engine.Program(GRAPHS["ops"]).function("x")
    swept = engine.Program([let("y", "sum", "x"), {"op": "backward", "in": ["y"]}]).function("x")
    with pytest.raises(NotImplementedYet, match="backward in a function") as caught:
        swept(leaf(X))
    assert caught.value.pointer == ("graph", 1, "op")
    endless = engine.Program([loop(max_iters=3, cond={"yield": True})]).function("x")
    with pytest.raises(IterationLimit, match="max_iters 3 reached"):
        endless(const(X))
    wrong = engine.Program([let("y", "mm", "x", "x")]).function("x")
    with pytest.raises(engine.errors.EngineError) as caught_error:
        wrong(const(X))
    assert (caught_error.value.pointer, caught_error.value.node) == (("graph", 0), "y")
