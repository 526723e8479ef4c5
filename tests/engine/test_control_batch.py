"""Batched loops and choices: each sample as if it were alone, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine.errors import IterationLimit
from tests.engine.building import Json, const, counted, leaf, let, loop, node
from tests.engine.stepping import same_bits

ROUTES: list[tuple[str, Json]] = [
    ("hessian", {}),
    ("jacobian", {"mode": "reverse"}),
    ("jacobian", {"mode": "forward"}),
]


def alone_and_together(graph: list[Json], x: Any, **others: engine.Tensor) -> engine.Result:
    """A batch over `x` gives what its samples give alone: the output "y" and every derivative of it."""
    program, batch = engine.Program(graph), {"inputs": ["x"]}
    whole = {"x": leaf(x), **others}
    ones = [program.backward({"x": leaf(each), **others}, ["y"]) for each in x]
    found = program.backward(whole, ["y"], batch=batch)
    same_bits(found.outputs["y"], stacked([one.outputs["y"] for one in ones]), "y")
    summed = program.backward(whole, ["y"], batch={**batch, "grads": "sum"})
    for name, given in whole.items():
        if given.requires_grad:
            parts = [
                engine.zeros_like(others[name]) if g is None else g for g in (one.grads[name] for one in ones)
            ]
            same_bits(found.grads[name], stacked(parts), f"gradient of {name}")
            total = stacked(parts).array if name == "x" else stacked(parts).array.sum(0)
            np.testing.assert_allclose(summed.grads[name].array, total, rtol=1e-14)  # type: ignore[union-attr]
    for route, settings in ROUTES:
        each = [getattr(program, route)({"x": leaf(v), **others}, ["y"], **settings) for v in x]
        together = getattr(program, route)(whole, ["y"], batch=batch, **settings)
        for row, columns in together.derivative.items():
            for column, value in columns.items():
                expected = stacked([one.derivative[row][column] for one in each])
                same_bits(value, expected, f"{route} {settings}: {row} by {column}")
    return found


def stacked(parts: list[Any]) -> engine.Tensor:
    return engine.tensor(np.stack([part.array for part in parts]))


def test_each_sample_of_a_while_is_as_if_it_were_alone() -> None:
    """What is done stands still at values whose logarithm is nan, or minus infinity, or nothing to it."""
    body = {"yield": {"v": node("mul", node("log", "v"), "w")}}
    shrink = loop(cond={"yield": node("gt", "v", 1.0)}, body=body, max_iters=50)
    found = alone_and_together([shrink], np.array([20.0, 0.5, -3.0, 2.0, 1e5, 0.0]), w=leaf(1.7))
    assert found.outputs["y"].tolist()[1:3] == [0.5, -3.0]
    assert found.grads["x"].tolist()[1:3] == [1.0, 1.0]  # type: ignore[union-attr]
    assert np.isfinite(found.grads["w"].array).all()  # type: ignore[union-attr]


def test_a_pole_where_a_sample_stands_still() -> None:
    body = {"yield": {"v": node("add", node("mul", "v", 3.0), node("div", "w", node("sub", 60.0, "v")))}}
    grow = loop(cond={"yield": node("lt", node("abs", "v"), 50.0)}, body=body, max_iters=50)
    found = alone_and_together([grow], np.array([60.0, 2.0, 1e200, -7.5, 0.5]), w=leaf(1.7))
    assert found.outputs["y"].tolist()[::2][:2] == [60.0, 1e200]


@pytest.mark.parametrize("inner", ["scan", "cond", "while"])
def test_what_stands_in_a_batched_while(inner: str) -> None:
    """The samples that are done bring nothing to the gradient of what all captured, in whatever is inside."""
    turn = node("sin", node("add", node("mul", "p", "w"), "e"))
    one = {"op": "cond", "in": [node("gt", node("sum", "v"), 1.0)], "out": ["r"]}
    one |= {
        "then": {"yield": node("log", node("mul", "w", node("sum", "v")))},
        "else": {"yield": node("sin", "w")},
    }
    inside: Json = {
        "scan": {"op": "scan", "carry": {"p": "w"}, "xs": {"e": "v"}, "out": ["r"],
                 "body": {"yield": {"carry": {"p": turn}}}},
        "cond": one,
        "while": counted({"p": "w"}, {"p": node("sin", node("mul", "p", node("sum", "v")))}, 3, out=["r"]),
    }[inner]  # fmt: skip
    body = {"do": [inside], "yield": {"v": node("add", "v", node("exp", "r"))}}
    grow = loop(id="z", cond={"yield": node("lt", node("sum", "v"), 10.0)}, body=body, max_iters=50)
    x = np.array([[0.1, 0.2], [9.0, 5.0], [3.0, 4.0], [-2.0, 1.0]])
    alone_and_together([grow, let("y", "sum", "z")], x, w=leaf(0.7))


def test_a_branch_that_is_not_taken_does_not_show() -> None:
    choice = {"id": "y", "op": "cond", "in": [node("gt", "x", 0)]}
    choice["then"] = {"yield": node("mul", node("log", "x"), "w")}
    choice["else"] = {"yield": node("div", node("sqrt", node("neg", "x")), "w")}
    found = alone_and_together([choice], np.array([2.0, -3.0, 5.0, -1e-300]), w=leaf(1.7))
    assert not np.isnan(found.grads["x"].array).any()  # type: ignore[union-attr]


def test_a_thousand_starting_points() -> None:
    """The tutorial's loop; each has its own number of doublings."""
    norm = {"do": [let("n", "norm", node("detach", "v"))], "yield": node("lt", "n", 1000)}
    program = engine.Program([loop(carry={"v": node("mul", "x", 2)}, cond=norm, max_iters=100)])
    numbers = np.random.default_rng(0)
    points = numbers.standard_normal((1000, 3)) * np.exp(numbers.uniform(-8, 9, (1000, 1)))
    points = points.astype("float32")
    gradient = engine.tensor(np.array([0.1, 1.0, 0.0001], "float32"))
    given = {"x": leaf(points, "float32")}
    found = program.backward(given, gradient=gradient, batch={"inputs": ["x"]}, trace=False)
    doubled, times = points * np.float32(2), np.ones(1000, int)
    while (short := np.linalg.norm(doubled, axis=1) < 1000).any():
        doubled[short] *= 2
        times[short] += 1
    assert len(set(times)) > 20
    assert np.array_equal(found.outputs["y"].array, doubled)
    expected = np.float32(2.0) ** times[:, None].astype("float32") * gradient.array
    assert np.array_equal(found.grads["x"].array, expected)  # type: ignore[union-attr]
    together = program.backward(
        given, gradient=gradient, batch={"inputs": ["x"], "grads": "sum"}, trace=False
    )
    assert np.array_equal(together.grads["x"].array, expected)  # type: ignore[union-attr]


def test_one_sample_without_end_is_told() -> None:
    program = engine.Program([loop(max_iters=20)])
    program.forward({"x": const([[1.0], [2.0]])}, batch={"inputs": ["x"]})
    with pytest.raises(IterationLimit, match="while: max_iters 20 reached"):
        program.forward({"x": const([[1.0], [-2.0]])}, batch={"inputs": ["x"]})


@pytest.mark.parametrize("axes", [["x"], ["m"], ["x", "m"], ["w"], ["x", "m", "w"]])
def test_scans_with_and_without_the_axis(axes: list[str]) -> None:
    step = let("n", "tanh", node("add", node("mul", "p", "w"), "e"))
    scan = {"op": "scan", "carry": {"p": "x"}, "xs": {"e": "m"}, "out": ["last", "ys"]}
    scan["body"] = {"do": [step], "yield": {"carry": {"p": "n"}, "y": node("mul", "n", "e")}}
    program = engine.Program([scan, let("y", "add", node("sum", "ys"), node("sum", "last"))])
    numbers, shapes = np.random.default_rng(1), {"x": (2,), "m": (5, 2), "w": ()}
    whole = {n: leaf(numbers.uniform(-1, 1, (4, *s) if n in axes else s)) for n, s in shapes.items()}
    ones = [
        program.backward({n: leaf(x.array[at] if n in axes else x.array) for n, x in whole.items()},
                         ["last", "ys", "y"]) for at in range(4)
    ]  # fmt: skip
    found = program.backward(whole, ["last", "ys", "y"], batch={"inputs": axes})
    summed = program.backward(whole, ["y"], batch={"inputs": axes, "grads": "sum"})
    for name in ("last", "ys", "y"):
        same_bits(found.outputs[name], stacked([one.outputs[name] for one in ones]), name)
    for name in shapes:
        expected = stacked([one.grads[name] for one in ones])
        same_bits(found.grads[name], expected, name)
        total = expected.array if name in axes else expected.array.sum(0)
        np.testing.assert_allclose(summed.grads[name].array, total, rtol=1e-13)  # type: ignore[union-attr]
