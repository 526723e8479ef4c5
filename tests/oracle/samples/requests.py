"""Whole requests of /backward: shared values, blocks, accumulation, several outputs, refusals."""

from typing import Any

from ..build import fill, node, rand, val

Json = dict[str, Any]


def let(name: str, op: str, *args: Any, **attrs: Any) -> Json:
    return {"id": name, **node(op, *args, **attrs)}


def request(
    graph: list[Json], outputs: list[str] | None = None, more: Json | None = None, **inputs: Json
) -> Json:
    """`inputs` as build.rand or build.val; `more` holds further fields of the request."""
    call: Json = {"inputs": inputs, "graph": graph, **(more or {})}
    if outputs is not None:
        call["outputs"] = outputs
    filled: Json = fill(call)
    filled["inputs"] = {name: item["tensor"] for name, item in filled["inputs"].items()}
    if isinstance(filled.get("gradient"), dict):
        given = filled["gradient"]
        one = "tensor" in given
        filled["gradient"] = (
            given["tensor"] if one else {name: item["tensor"] for name, item in given.items()}
        )
    return filled


def sharing() -> list[Json]:
    ones = val([[1.0, 1.0], [1.0, 1.0]], "float32")
    tutorial = [let("y", "add", "x", 2), let("z", "mul", node("mul", "y", "y"), 3), let("out", "mean", "z")]
    deep = [
        let("a", "exp", "x"),
        let("b", "mul", "a", "x"),
        let("c", "add", "a", "b"),
        let("d", "mul", "c", "b"),
        let("e", "sub", node("mul", "d", "a"), "x"),
        let("out", "sum", "e"),
    ]
    big = [
        let("a", "mul", "x", 1e16),
        let("b", "mul", "x", 1.0),
        let("c", "mul", "x", -1e16),
        let("out", "add", node("add", "a", "b"), "c"),
    ]
    return [
        request(tutorial, ["z", "out"], x=ones),
        request([let("y", "mul", "x", "x"), let("out", "sum", "y")], x=rand(3)),
        request([let("out", "sum", node("add", node("mul", "x", "x"), "x"))], x=rand(2, 2)),
        request(deep, ["a", "d", "out"], x=rand(3)),
        request(big, x=val([1.0])),
        request([let("out", "sum", node("mul", "x", "y"))], x=rand(2), y=rand(2), unused=rand(3)),
        request([let("dead", "exp", "x"), let("out", "sum", node("sin", "x"))], x=rand(2)),
        request([let("out", "sum", node("mul", "x", "c"))], x=rand(3, dtype="float32"), c=rand()),
        request([let("out", "sum", node("mul", "k", "x"))], x=rand(3), k=val([1, 2, 3], "int64")),
        request([let("out", "mul", "x", "x")], x=val([[3.0]])),
        request([let("out", "sum", node("abs", "z"))], z=rand(3, dtype="complex128")),
        request(
            [let("q", "mul", "z", "z"), let("out", "sum", node("abs", node("mul", "q", "z")))],
            z=rand(2, dtype="complex128"),
        ),
        request([let("r", "reshape", node("t", "x"), [6]), let("out", "dot", "r", "r")], x=rand(2, 3)),
        request(
            [let("b", "expand", "x", [2, 3]), let("c", "cat", ["b", "b"], 0), let("out", "prod", "c")],
            x=rand(3),
        ),
    ]


def gradients() -> list[Json]:
    y = let("y", "mul", "x", 2)
    return [
        request([y], ["y"], {"gradient": rand(3, grad=False)}, x=rand(3)),
        request(
            [y, let("z", "exp", "x")],
            ["y", "z"],
            {"gradient": {"y": rand(3, grad=False), "z": rand(3, grad=False)}},
            x=rand(3),
        ),
        request([y, let("z", "sum", "y")], ["y", "z"], x=rand(3)),
        request(
            [y], ["y"], {"gradient": val([1.0, 0.1, 0.01], "float64", grad=False)}, x=rand(3, dtype="float32")
        ),
        request(
            [let("y", "mul", "z", "z")],
            ["y"],
            {"gradient": rand(2, dtype="complex128", grad=False)},
            z=rand(2, dtype="complex128"),
        ),
        request(
            [{"id": "w", **val([1.5, 2.5], "float64")}, let("out", "sum", node("mul", "x", "w"))], x=rand(2)
        ),
        request(
            [
                let("a", "mul", "x", 3),
                let("n", "sum", node("mul", "a", "a")),
                {"op": "retain_grad", "in": ["a"]},
                let("out", "mul", "n", "n"),
            ],
            x=rand(2),
        ),
        request(
            [{"op": "requires_grad_", "in": ["a"]}, let("out", "sum", node("mul", "a", "a"))],
            a=rand(2, 2, grad=False),
        ),
    ]


def blocks() -> list[Json]:
    gather = node("gather", "x", 1, node("unsqueeze", "k", 1))
    attention = [
        let("s", "matmul", "q", node("transpose", "k", -1, -2)),
        let("p", "softmax", node("div", "s", 2.0), -1),
        let("out", "sum", node("matmul", "p", "v")),
    ]
    mlp = [
        let("h", "relu", node("nn.functional.linear", "x", "w1", "b1")),
        let("o", "nn.functional.linear", "h", "w2", "b2"),
        let("loss", "nn.functional.cross_entropy", "o", "t"),
    ]
    norm = [
        let("h", "nn.functional.layer_norm", "x", [3], "g", "b"),
        let("out", "sum", node("nn.functional.gelu", "h")),
    ]
    return [
        request(
            [{"with": "no_grad", "do": [let("a", "mul", "x", 2)]}, let("out", "sum", node("mul", "a", "x"))],
            ["a", "out"],
            x=rand(2),
        ),
        request(
            [
                {
                    "with": "no_grad",
                    "do": [let("a", "mul", "x", 2), {"with": "enable_grad", "do": [let("b", "exp", "x")]}],
                },
                let("out", "sum", node("mul", "a", "b")),
            ],
            ["a", "b", "out"],
            x=rand(2),
        ),
        request([let("d", "detach", "x"), let("out", "sum", node("mul", "d", "x"))], ["d", "out"], x=rand(2)),
        request(
            [
                {"op": "max", "in": ["x", 1], "attrs": {}, "out": ["m", "k"]},
                let("out", "add", node("sum", "m"), node("sum", gather)),
            ],
            ["m", "k", "out"],
            x=rand(2, 3),
        ),
        request(
            [{"op": "max", "in": ["x", 1], "attrs": {}, "out": ["m", None]}, let("out", "sum", "m")],
            x=rand(2, 3),
        ),
        request(attention, ["p", "out"], q=rand(2, 4), k=rand(3, 4), v=rand(3, 2)),
        request(
            mlp,
            ["loss"],
            x=rand(4, 3, grad=False),
            w1=rand(5, 3),
            b1=rand(5),
            w2=rand(2, 5),
            b2=rand(2),
            t=val([0, 1, 1, 0], "int64"),
        ),
        request(norm, x=rand(2, 3), g=rand(3), b=rand(3)),
        request(
            [let("e", "nn.functional.embedding", "i", "w"), let("out", "norm", "e")],
            i=val([0, 2, 0], "int64"),
            w=rand(3, 2),
        ),
        request(
            [let("n", "rand", [3], dtype="float64"), let("out", "sum", node("mul", "x", "n"))],
            ["n", "out"],
            {"seed": 3},
            x=rand(3),
        ),
        request(
            [
                let("n", "randn", [3]),
                let("a", "nn.functional.dropout", "x"),
                let("out", "sum", node("mul", "a", "n")),
            ],
            ["n", "a", "out"],
            x=rand(3, dtype="float32"),
        ),
        request(
            [
                let(
                    "p",
                    "where",
                    node("gt", "x", 0),
                    node("sqrt", node("where", node("gt", "x", 0), "x", 1.0)),
                    0.0,
                ),
                let("out", "sum", "p"),
            ],
            x=val([-1.0, 0.0, 4.0]),
        ),
    ]


def refusals() -> list[Json]:
    double = let("y", "mul", "x", 2)
    return [
        request([double], ["y"], x=rand(3)),
        request([double], ["y"], x=rand(3, grad=False)),
        request([double], ["y"], {"gradient": rand(2, grad=False)}, x=rand(3)),
        request([double], ["y"], {"gradient": val(1.0, grad=False)}, x=rand(3)),
        request([double], ["y"], {"gradient": rand(3, dtype="complex128", grad=False)}, x=rand(3)),
        request([double], ["y"], x=rand(dtype="complex64")),
        request([let("y", "gt", "x", 0)], ["y"], x=rand()),
        request([let("y", "sum", node("detach", "x"))], ["y"], x=rand(3)),
        request([double], ["y"], x=val([1, 2], "int64", grad=True)),
        request([double], ["y"], x=val([True], "bool", grad=True)),
        request([let("y", "mul", "x", "x")], ["y"], x=rand(0)),
        request([double, {"op": "requires_grad_", "in": ["k"]}], ["y"], x=rand(), k=val([1], "int64")),
        request([double, {"op": "requires_grad_", "in": ["y", False]}], ["y"], x=rand()),
        request([double, {"op": "retain_grad", "in": ["k"]}], ["y"], x=rand(), k=rand(grad=False)),
        request(
            [double, let("z", "exp", "x")], ["y", "z"], {"gradient": {"y": rand(3, grad=False)}}, x=rand(3)
        ),
    ]


def cases() -> list[Json]:
    return [*sharing(), *gradients(), *blocks(), *refusals()]
