"""Programs as text: what each form means, as statements."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine.language import text
from tests.engine.building import Json, const, leaf, let, node

FORMS: dict[str, Json] = {
    "y = x + 2": let("y", "add", "x", 2),
    "y = (x - w) / w": let("y", "div", node("sub", "x", "w"), "w"),
    "y = x - w * 2": let("y", "sub", "x", node("mul", "w", 2)),
    "y = -x ** 2": let("y", "neg", node("pow", "x", 2)),
    "y = x ** -w": let("y", "pow", "x", node("neg", "w")),
    "y = x // 2 % w": let("y", "remainder", node("floor_divide", "x", 2), "w"),
    "y = x @ w": let("y", "matmul", "x", "w"),
    "y = 2 - x": let("y", "rsub", "x", 2),
    "y = 2 / x": let("y", "mul", node("reciprocal", "x"), 2),
    "y = 2 ** x": let("y", "pow", 2, "x"),
    "y = x <= -1.5": let("y", "le", "x", -1.5),
    "y = x * (1.0-2j)": let("y", "mul", "x", {"complex": [1.0, -2.0]}),
    "y = x[0]": let("y", "getitem", "x", 0),
    "y = x[..., None, ::2, [0, 1], w]": let(
        "y", "getitem", "x", {"ellipsis": True}, None, {"slice": [None, None, 2]}, [0, 1], "w"
    ),
    "y = x[1:-1][0]": let("y", "getitem", node("getitem", "x", {"slice": [1, -1, None]}), 0),
    "y = x.sum(0, keepdim=True)": let("y", "sum", "x", 0, keepdim=True),
    "y = softmax(x, dim=-1)": let("y", "softmax", "x", dim=-1),
    "y = nn.functional.relu(x)": let("y", "nn.functional.relu", "x"),
    "y = F.relu(x)": let("y", "F.relu", "x"),
    "y = torch.linalg.norm(x)": let("y", "linalg.norm", "x"),
    "y = x.relu().detach()": let("y", "detach", node("relu", "x")),
    "y = x.T": let("y", "T", "x"),
    "y = x.data": let("y", "detach", "x"),
    "y = x": let("y", "alias", "x"),
    "y = x.to(float64)": let("y", "to", "x", dtype="float64"),
    "y = sum(x, dtype=torch.float64)": let("y", "sum", "x", dtype="float64"),
    "y = einsum('i,i->', x, w)": let("y", "einsum", "x", "w", equation="i,i->"),
    "y = clamp(x, max=w)": let("y", "clamp", "x", max={"ref": "w"}),
    "y = cat([x, tensor([1.0])])": let("y", "cat", ["x", {"tensor": [1.0]}]),
    "y = x.where(w, 0.0)": let("y", "where", "w", "x", 0.0),
    "values, _ = max(x, 0)": {"out": ["values", None], "op": "max", "in": ["x", 0]},
    "values, = max(x)": {"out": ["values"], "op": "max", "in": ["x"]},
    "v = tensor([3.0, 4.0], requires_grad=True)": {"id": "v", "tensor": [3.0, 4.0], "requires_grad": True},
    "v = tensor(1, dtype='float64')": {"id": "v", "tensor": {"data": 1, "dtype": "float64"}},
    "with no_grad():\n    y = -x": {"with": "no_grad", "do": [let("y", "neg", "x")]},
    "with torch.enable_grad():\n    y = -x": {"with": "enable_grad", "do": [let("y", "neg", "x")]},
    "g = grad(sum(x), wrt=[x], create_graph=True)": {
        "id": "g", "op": "grad", "in": [node("sum", "x")], "attrs": {"wrt": ["x"], "create_graph": True}
    },
    "x.backward(w, retain_graph=True)": {"op": "backward", "in": ["x", "w"], "attrs": {"retain_graph": True}},
    "x.requires_grad_()": {"op": "requires_grad_", "in": ["x"]},
    "g = x.grad": {"id": "g", "op": "read_grad", "in": ["x"]},
    "d = 0\ny = sum(x, d)": let("y", "sum", "x", 0),
    "y = x * w if x > w else x": {
        "id": "y", "op": "cond", "in": [node("gt", "x", "w")],
        "then": {"do": [], "yield": [node("mul", "x", "w")]}, "else": {"do": [], "yield": ["x"]},
    },
    "def f(a):\n    return a * w\nh = vmap(f, x, in_dims=[0])": {
        "id": "h", "op": "vmap", "in": ["x"], "attrs": {"in_dims": [0]},
        "body": {"params": ["a"], "do": [], "yield": [node("mul", "a", "w")]},
    },
    "def f(a):\n    return a * w\nh = torch.func.vmap(f, in_dims=(0,))(x)": {
        "id": "h", "op": "vmap", "in": ["x"], "attrs": {"in_dims": [0]},
        "body": {"params": ["a"], "do": [], "yield": [node("mul", "a", "w")]},
    },
}  # fmt: skip


@pytest.mark.parametrize("written", FORMS, ids=str)
def test_a_text_means_its_statement(written: str) -> None:
    assert text.read(written).statements == [FORMS[written]]
    assert engine.Program(written).statements == engine.Program([FORMS[written]]).statements


def test_the_tutorials_graph() -> None:
    program = engine.Program("y = x + 2; z = y * y * 3  # of all elements\nout = mean(z)")
    result = program.backward({"x": leaf(np.ones((2, 2)))})
    assert result.grads["x"].array.tolist() == [[4.5, 4.5], [4.5, 4.5]]
    assert program.takes == ["x"]


def test_bitwise_operators_of_bools() -> None:
    program = engine.Program("y = (x > 0) & ~(x > 2) | (x == 5)")
    found = program.forward({"x": const([-1.0, 1.0, 3.0, 5.0])}).outputs["y"]
    assert found.array.tolist() == [False, True, False, True]


RUNS: dict[str, tuple[str, Any]] = {
    "while": ("y = x * 2\nwhile y.data.norm() < 1000:\n    y = y * 2", [512.0, 1024.0]),
    "for": ("y = x\nfor i in range(1, 4):\n    y = y * i", [6.0, 12.0]),
    "for backwards": ("y = x\nfor i in range(3, 0, -2):\n    y = y * i", [3.0, 6.0]),
    "for of nothing": ("y = x * 1\nfor i in range(0):\n    y = y * i", [1.0, 2.0]),
    "for of a tensor": ("y = 1.0\nfor e in x:\n    y = y * e + 1", 5.0),
    "if": ("if x.sum() > 2:\n    y = x * x\nelse:\n    y = x\n", [1.0, 4.0]),
    "if without else": ("y = x\nif x.sum() > 5:\n    y = y * y", [1.0, 2.0]),
    "elif": ("if x.sum() > 5:\n    y = x\nelif x.sum() > 2:\n    y = -x\nelse:\n    y = x * 3", [-1.0, -2.0]),
    "names again": ("y = x + 1\ny = y * 2\ny = y - 1", [3.0, 5.0]),
    "two at once": ("a, b = x, x * 3\na, b = b, a\ny = a - b", [2.0, 4.0]),
    "a loop in a loop": (
        "y = x\nfor i in range(2):\n    z = y\n    while z.sum() < 10:\n        z = z * 2\n    y = z + 1",
        [6.0, 10.0],
    ),
    "while_loop": (
        "def going(v, n):\n    return n < 3\ndef body(v, n):\n    w = v * v\n    return w, n + 1\n"
        "y, _ = while_loop(going, body, (x, 0), max_iters=9)",
        [1.0, 256.0],
    ),
    "scan": (
        "def body(p, e):\n    return p * e, p + e\n_, y = scan(body, 1.0, x)",
        [2.0, 3.0],
    ),
    "cond": ("def a():\n    return x\ndef b():\n    return -x\ny = cond(x.sum() > 5, a, b)", [-1.0, -2.0]),
    "jvp": ("def f(a):\n    return a * a\n_, y = jvp(f, x, tensor([1.0, 0.5]))", [2.0, 2.0]),
    "a function in a function": (
        "def f(a):\n    def inner(b):\n        return a * b\n    return vmap(inner, x)\ny = vmap(f, x)",
        [[1.0, 2.0], [2.0, 4.0]],
    ),
    "a parameter called like an input": ("def f(x):\n    return x * x\ny = vmap(f, x)", [1.0, 4.0]),
    "a node as an attribute": ("y = clamp(x, max=x * 0 + 1.5)", [1.0, 1.5]),
    "a list by name": (
        "parts = [x, x * 2]\ny = cat(parts, 0) + stack(parts).sum()",
        [10.0, 11.0, 11.0, 13.0],
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_text_runs_as_python_would(name: str) -> None:
    written, expected = RUNS[name]
    found = engine.Program(written).forward({"x": leaf([1.0, 2.0], "float32")}, ["y"]).outputs["y"]
    assert found.array.tolist() == expected


def test_the_last_value_of_a_name_has_the_name() -> None:
    program = engine.Program("y = x * 2\nwhile y < 9:\n    y = y * 2\nz = y + 1")
    found = program.backward({"x": leaf(1.0)}, ["y", "z"])
    assert found.outputs["y"].array.tolist() == 16.0
    assert found.grads["x"] is not None


def test_what_a_body_defines_hides_nothing_outside() -> None:
    program = engine.Program("def f(n):\n    m = n * 2\n    return m\nm = vmap(f, x)\nn = m + 1")
    assert program.forward({"x": const([1.0])}, ["m", "n"]).outputs["n"].array.tolist() == [3.0]
