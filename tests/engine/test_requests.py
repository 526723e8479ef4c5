"""Requests of a program that are refused, each at its place in the request."""

from __future__ import annotations

from typing import Any

import pytest

import engine
from engine.errors import (
    ArgumentError,
    EngineError,
    GradError,
    NotScalar,
    ShapeError,
    UnknownField,
    UnknownId,
    ValueArgumentError,
)
from tests.engine.building import Json, const, leaf, let

SQUARE = [let("y", "mul", "x", "x"), let("s", "sum", "y")]


REFUSED_REQUESTS: list[tuple[Json, type[EngineError], tuple[str | int, ...], str]] = [
    ({"backward": [{"tensor": "q"}]}, UnknownId, ("backward", 0, "tensor"), "unknown id 'q'"),
    ({"backward": [{}]}, ArgumentError, ("backward", 0, "tensor"), "backward: tensor is an id"),
    ({"backward": [3]}, EngineError, ("backward", 0), "not an object"),
    ({"backward": [{"tensor": "s", "v": 1}]}, UnknownField, ("backward", 0, "v"), "unknown field 'v'"),
    (
        {"backward": [{"tensor": "s", "inputs": ["x", "q"]}]},
        UnknownId,
        ("backward", 0, "inputs", 1),
        "unknown id 'q'",
    ),
    (
        {"backward": [{"tensor": "s", "inputs": []}]},
        EngineError,
        ("backward", 0),
        "`inputs` argument to `backward()` cannot be empty.",
    ),
    (
        {"backward": [{"tensor": "s", "inputs": ["c"]}]},
        GradError,
        ("backward", 0),
        "can't retain_grad on Tensor that has requires_grad=False",
    ),
    (
        {"backward": [{"tensor": "s", "retain_graph": 1}]},
        ArgumentError,
        ("backward", 0, "retain_graph"),
        "retain_graph is true or false",
    ),
    (
        {"backward": [{"tensor": "y", "gradient": 2.0}]},
        ArgumentError,
        ("backward", 0, "gradient"),
        "gradients can be either Tensors or None, but got float",
    ),
    (
        {"backward": [{"tensor": "s"}, {"tensor": "y"}]},
        NotScalar,
        ("backward", 1, "gradient"),
        "grad can be implicitly created only for scalar outputs",
    ),
    (
        {"backward": [{"tensor": "s"}], "gradient": const(1.0)},
        ArgumentError,
        ("gradient",),
        '"gradient" and "backward" are two forms of the same',
    ),
    (
        {"gradient": {"s": None, "y": const([1.0])}},
        ShapeError,
        ("gradient", "y"),
        "Mismatch in shape: grad_output[1] has a shape of torch.Size([1])",
    ),
    ({"gradient": {"q": None}}, UnknownId, ("gradient", "q"), "unknown id 'q'"),
    (
        {"gradient": {"c": None}},
        GradError,
        ("gradient", "c"),
        "element 0 of tensors does not require grad and does not have a grad_fn",
    ),
    ({"outputs": ["y"]}, NotScalar, ("gradient",), "grad can be implicitly created only for scalar outputs"),
    ({"outputs": ["s", "q"]}, UnknownId, ("outputs", 1), "unknown id 'q'"),
    (
        {"grads": {"x": const([1.0])}},
        ShapeError,
        ("inputs", "x", "grad"),
        "attempting to assign a gradient of size",
    ),
    (
        {"grads": {"c": const([1.0, 1.0])}},
        GradError,
        ("inputs", "c", "grad"),
        "input 'c' has a grad and",
    ),
    ({"grads": {"q": const(1.0)}}, UnknownId, ("grads", "q"), "unknown id 'q'"),
    ({"trace": "all"}, ValueArgumentError, ("trace",), 'trace is true, false or "values"'),
    ({"route": "vdp"}, ValueArgumentError, ("route",), "route is one of backward, forward"),
    ({"route": "forward", "gradient": const(1.0)}, ArgumentError, ("gradient",), "forward takes no gradient"),
    ({"route": "forward", "backward": []}, ArgumentError, ("backward",), "forward takes no backward"),
    ({"default_dtype": "float99"}, ValueArgumentError, (), "unknown dtype"),
]


@pytest.mark.parametrize(("asked", "kind", "pointer", "text"), REFUSED_REQUESTS)
def test_requests_that_are_refused(asked: Json, kind: Any, pointer: Any, text: str) -> None:
    program = engine.Program(SQUARE)
    with pytest.raises(kind) as caught:
        program.prepare({"x": leaf([1.0, 2.0]), "c": const([1.0, 2.0])}, **asked)
    assert caught.value.pointer == pointer
    assert str(caught.value).startswith(text)
