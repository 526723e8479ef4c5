"""Derivatives through Python loops, and the same loops as statements of a program.

`PROGRAMS` has the statements, the route and what is derived by what; the results of the composition of the
same name are those of the program.
"""

from typing import Any

from tests.engine.compositions import numbers

Json = dict[str, Any]


def _node(op: str, *args: Any) -> Json:
    return {"op": op, "in": list(args)}


SCAN: list[Json] = [
    {
        "op": "scan",
        "carry": {"p": "start"},
        "xs": {"e": "x"},
        "body": {
            "do": [{"id": "n", "op": "add", "in": [_node("mul", "p", "e"), _node("sin", "e")]}],
            "yield": {"carry": {"p": "n"}, "y": _node("mul", "n", "n")},
        },
        "out": ["last", "ys"],
    }
]
WHILE: list[Json] = [
    {
        "id": "grown",
        "op": "while",
        "carry": {"v": "x"},
        "max_iters": 100,
        "cond": {
            "do": [{"id": "n", "op": "norm", "in": [_node("detach", "v")]}],
            "yield": _node("lt", "n", 10),
        },
        "body": {
            "do": [],
            "yield": {"v": _node("add", _node("mul", "v", 1.5), _node("sin", _node("mul", "v", "w")))},
        },
    },
    {"id": "loss", "op": "sum", "in": [_node("pow", "grown", 3)]},
]
PROGRAMS: Json = {
    "jacobian_of_a_scan": {
        "graph": SCAN,
        "route": "jacobian",
        "outputs": ["last", "ys"],
        "by": ["start", "x"],
    },
    "hessian_through_a_while": {"graph": WHILE, "route": "hessian", "outputs": ["loss"], "by": ["x", "w"]},
}


def _scanned(t: Any) -> Any:
    def run(start: Any, x: Any) -> Any:
        carry, found = start, []
        for element in x:
            carry = carry * element + t.sin(element)
            found.append(carry * carry)
        return carry, t.stack(found)

    return run


def inputs(t: Any) -> Json:
    """The inputs of the programs, by program."""
    return {
        "jacobian_of_a_scan": {"start": numbers(t, seed=90), "x": numbers(t, 6, seed=91)},
        "hessian_through_a_while": {"x": numbers(t, 3, seed=92), "w": numbers(t, 3, seed=93)},
    }


def jacobian_of_a_scan(t: Any) -> Any:
    """{output: {input: tensor}}, in both modes."""
    given = inputs(t)["jacobian_of_a_scan"]
    modes = {"reverse": t.func.jacrev, "forward": t.func.jacfwd}
    found = {name: mode(_scanned(t), argnums=(0, 1))(*given.values()) for name, mode in modes.items()}
    return {
        name: {
            output: dict(zip(given, row, strict=True))
            for output, row in zip(("last", "ys"), rows, strict=True)
        }
        for name, rows in found.items()
    }


def hessian_through_a_while(t: Any) -> Any:
    """{input: {input: tensor}}."""
    given = inputs(t)["hessian_through_a_while"]

    def loss(x: Any, w: Any) -> Any:
        while x.detach().norm() < 10:
            x = x * 1.5 + t.sin(x * w)
        return (x**3).sum()

    rows = t.autograd.functional.hessian(loss, tuple(given.values()))
    nested = {a: dict(zip(given, row, strict=True)) for a, row in zip(given, rows, strict=True)}
    products = t.autograd.functional.hvp(loss, tuple(given.values()), tuple(given.values()))
    return {"hessian": nested, "func": t.func.hessian(loss, argnums=(0, 1))(*given.values()), "hvp": products}
