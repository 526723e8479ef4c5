"""x[mask] in a program: what follows has sizes known only at run time, and answers as define-by-run does."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import engine

POSITIVE = {"op": "getitem", "in": ["x", {"op": "gt", "in": ["x", 0]}]}
SMALL = {"op": "getitem", "in": ["x", {"op": "lt", "in": ["x", 3]}]}
POINTS = [[1.0, -2.0, 3.0, 4.0], [-1.0, -2.0, 3.0, -4.0], [-1.0, -2.0, -3.0, -4.0], [1.0, 2.0, 4.0, 5.0]]


def call(op: str, *args: Any, **attrs: Any) -> dict[str, Any]:
    return {"op": op, "in": list(args), "attrs": attrs}


def part(start: int | None, stop: int | None, step: int | None = None) -> dict[str, Any]:
    return call("getitem", "y", {"slice": [start, stop, step]})


EXPRESSIONS: dict[str, dict[str, Any]] = {
    "the same mask twice": call("mul", "y", POSITIVE),
    "another mask": call("mul", "y", SMALL),
    "a column times a row": call("mul", call("unsqueeze", "y", 1), call("unsqueeze", "y", 0)),
    "outer product by einsum": call("einsum", "y", "y", equation="i,j->ij"),
    "one broadcast to two": call("mul", "y", {"tensor": [1.0, 2.0]}),
    "as long as the bound": call("mul", "y", {"tensor": [1.0, 2.0, 3.0, 4.0]}),
    "one more axis": call("add", "y", {"tensor": [[1.0], [2.0]]}),
    "only its size": call("zeros_like", "y"),
    "first": call("getitem", "y", 0),
    "last": call("getitem", "y", -1),
    "largest": call("amax", "y"),
    "from the second on": part(1, None),
    "up to two": part(None, 2),
    "the last two": part(-2, None),
    "all but the last": part(None, -1),
    "from the end to the start": part(-3, 2),
    "every second": part(0, None, 2),
    "sliced and multiplied": call("mul", part(None, 2), part(-2, None)),
    "pairs": call("reshape", "y", [-1, 2]),
    "threes": call("reshape", "y", [3, -1]),
    "a column": call("reshape", "y", [-1, 1]),
    "joined": call("cat", ["y", {"tensor": [1.0, 2.0]}, call("exp", "y")]),
    "joined with another": call("cat", [SMALL, "y"]),
    "masked again": call("getitem", "y", call("gt", "y", 2)),
    "the mean": call("mean", "y"),
}  # fmt: skip


def eager(each: Any, names: dict[str, Any]) -> Any:
    """The value of an argument, computed by define-by-run."""
    if isinstance(each, str):
        return names[each]
    if isinstance(each, dict) and "slice" in each:
        return slice(*each["slice"])
    if isinstance(each, dict) and "tensor" in each:
        return engine.tensor(each["tensor"])
    if not isinstance(each, dict):
        return each
    args = [eager(arg, names) for arg in each["in"]]
    if each["op"] == "cat":
        args = [[eager(arg, names) for arg in args[0]]]
    if each["op"] == "getitem":
        return args[0][args[1]]
    if each["op"] == "einsum":
        return engine.einsum(each["attrs"]["equation"], *args)
    return engine.lookup(each["op"])(*args, **each.get("attrs", {}))


# what the run refuses, by the number of elements that the mask takes; else the expression has an answer
UNLIKE = "The size of tensor a ({}) must match the size of tensor b ({}) at non-singleton dimension 0"
REFUSED = {
    ("another mask", 3): UNLIKE.format(3, 2),
    ("another mask", 0): UNLIKE.format(0, 4),
    ("another mask", 4): UNLIKE.format(4, 2),
    ("one broadcast to two", 3): UNLIKE.format(3, 2),
    ("one broadcast to two", 0): UNLIKE.format(0, 2),
    ("one broadcast to two", 4): UNLIKE.format(4, 2),
    ("as long as the bound", 3): UNLIKE.format(3, 4),
    ("as long as the bound", 0): UNLIKE.format(0, 4),
    ("first", 0): "index 0 out of range for tensor of size [0]",
    ("last", 0): "index -1 out of range for tensor of size [0]",
    ("largest", 0): "Expected reduction dim to be specified for input.numel() == 0",
    ("pairs", 3): "shape '[-1, 2]' is invalid for input of size 3",
    ("pairs", 1): "shape '[-1, 2]' is invalid for input of size 1",
    ("threes", 1): "shape '[3, -1]' is invalid for input of size 1",
    ("threes", 4): "shape '[3, -1]' is invalid for input of size 4",
}
CASES = [(name, point) for name in EXPRESSIONS for point in POINTS]


def count(point: list[float]) -> int:
    """How many elements the mask takes."""
    return sum(each > 0 for each in point)


def program(name: str) -> engine.Program:
    graph = [{"id": "y", **POSITIVE}, {"id": "o", **EXPRESSIONS[name]}]
    return engine.Program([*graph, {"id": "s", "op": "sum", "in": [call("mul", "o", "o")]}])


@pytest.mark.parametrize(("name", "point"), [(n, p) for n, p in CASES if (n, count(p)) not in REFUSED])
def test_a_program_answers_as_define_by_run_does(name: str, point: list[float]) -> None:
    x = engine.tensor(point, requires_grad=True)
    o = eager(EXPRESSIONS[name], {"x": x, "y": eager(POSITIVE, {"x": x})})
    gradient = {}
    if o.requires_grad:
        (o * o).sum().backward()
        gradient["s"] = engine.tensor(1.0)
    for outputs in (["o", "s"], ["x"]):  # the second computes no more than the gradient needs
        result = program(name).backward({"x": x}, outputs=outputs, gradient=gradient)
        if "o" in outputs:
            assert result.outputs["o"].shape == o.shape
            np.testing.assert_array_equal(result.outputs["o"].detach().array, o.detach().array)
        if x.grad is not None:
            grad = result.grads["x"]
            assert grad is not None
            np.testing.assert_allclose(grad.array, x.grad.array, rtol=1e-6)


@pytest.mark.parametrize(("name", "taken"), REFUSED)
def test_what_does_not_fit_is_refused_when_it_runs(name: str, taken: int) -> None:
    point = next(each for each in POINTS if count(each) == taken)
    x = engine.tensor(point, requires_grad=True)
    with pytest.raises((RuntimeError, IndexError)):
        eager(EXPRESSIONS[name], {"x": x, "y": eager(POSITIVE, {"x": x})})
    with pytest.raises((RuntimeError, IndexError)) as caught:
        program(name).forward({"x": x})
    assert REFUSED[name, taken] in str(caught.value)


def test_a_length_that_only_a_run_could_refuse_is_not_taken() -> None:
    graph = [{"id": "y", **POSITIVE}, {"id": "o", **call("narrow", "y", 0, 0, 2)}]
    with pytest.raises(engine.errors.NotImplementedYet):
        engine.Program(graph).forward({"x": engine.tensor([1.0, -2.0])})


def test_a_carried_value_does_not_change_its_size() -> None:
    graph = [
        {"id": "y", "op": "while", "carry": {"v": "x"}, "max_iters": 2,
         "cond": {"yield": call("lt", call("sum", "v"), 100)},
         "body": {"yield": {"v": call("getitem", "v", call("gt", "v", 0))}}}
    ]  # fmt: skip
    with pytest.raises(RuntimeError, match="carry 'v' starts with shape"):
        engine.Program(graph).forward({"x": engine.tensor([1.0, -2.0])})


def test_sizes_that_come_from_each_other_a_thousand_times() -> None:
    links = [{"id": f"y{at + 1}", **call("cat", [f"y{at}", "y0"])} for at in range(2000)]
    graph = [{"id": "y0", **POSITIVE}, *links, {"id": "s", **call("sum", "y2000")}]
    x = engine.tensor([1.0, -2.0, 3.0], requires_grad=True)
    assert engine.Program(graph).backward({"x": x}).grads["x"].tolist() == [2001.0, 0.0, 2001.0]


def test_derivatives_of_several_outputs_at_once() -> None:
    """What flows back has a batch axis of four, which is not the size of the run, three."""
    graph = [
        {"id": "s", **call("sum", call("square", POSITIVE))},
        {"id": "y", **call("mul", "x", "s")},
        {"id": "r", **call("mul", call("sum", POSITIVE), "s")},
    ]
    point = np.array([1.0, -2.0, 3.0, 4.0])
    x = engine.tensor(point, requires_grad=True)
    found = engine.Program(graph).jacobian({"x": x}, outputs=["y", "r"]).derivative
    taken = point > 0
    total, slope = (point[taken] ** 2).sum(), 2 * point * taken
    np.testing.assert_allclose(found["y"]["x"].array, np.eye(4) * total + np.outer(point, slope))
    np.testing.assert_allclose(found["r"]["x"].array, taken * total + point[taken].sum() * slope)


@pytest.mark.parametrize("result", [POSITIVE, call("sum", POSITIVE)], ids=["itself", "its sum"])
def test_each_sample_of_a_batch_has_its_own_size_and_is_refused(result: dict[str, Any]) -> None:
    body = {"params": ["x"], "do": [], "yield": result}
    graph = [{"id": "y", "op": "vmap", "in": ["xs"], "body": body}]
    with pytest.raises(engine.errors.NotImplementedYet, match="known only when the program runs, in a batch"):
        engine.Program(graph).prepare({"xs": engine.tensor(POINTS)}, route="forward")


def test_second_derivatives_and_batches_with_one_mask() -> None:
    graph = [{"id": "q", **POSITIVE}, {"id": "s", **call("sum", call("mul", call("square", "q"), "q"))}]
    point = np.array([1.0, -2.0, 3.0, 4.0])
    found = engine.Program(graph).hessian({"x": engine.tensor(point, requires_grad=True)}).derivative
    np.testing.assert_allclose(found["x"]["x"].array, np.diag(6 * point * (point > 0)))
    mask = np.array([[True, False, True], [False, True, True]])
    points = np.arange(18.0).reshape(3, 2, 3)
    inputs = {"x": engine.tensor(points, requires_grad=True), "m": engine.tensor(mask)}
    graph[0] = {"id": "q", **call("getitem", "x", "m")}
    answer = engine.Program(graph).backward(
        inputs, ["q", "s"], batch={"inputs": ["x"], "grads": "per_sample"}
    )
    np.testing.assert_array_equal(answer.outputs["q"].detach().array, points[:, mask])
    np.testing.assert_array_equal(answer.grads["x"].array, 3 * points**2 * mask)


@pytest.mark.parametrize("shape", [(2,), (2, 3), (1, 3)])
@pytest.mark.parametrize("accumulate", [False, True])
def test_values_that_do_not_fit_what_a_mask_selects(shape: tuple[int, ...], accumulate: bool) -> None:
    mask = engine.tensor([[True, False, True], [False, True, False]])
    said = f"value tensor of shape {list(shape)} cannot be broadcast to indexing result of shape [3]"
    with pytest.raises(engine.errors.ShapeError, match=re.escape(said)):
        engine.zeros(2, 3).index_put((mask,), engine.ones(shape), accumulate)


def test_one_value_of_any_shape_fits_what_a_mask_selects() -> None:
    mask = engine.tensor([True, False, True])
    assert engine.zeros(3).index_put((mask,), engine.ones(1, 1)).tolist() == [1, 0, 1]
