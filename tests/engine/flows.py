"""Programs with control flow that the tests share: loops and choices in each other, small and smooth."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.engine.building import Json, let, node

X, W = np.array([0.3, -0.7, 1.1]), np.array([0.9, -0.4, 0.6])
INNER = node("detach", "v")
SMALL = {"yield": node("lt", node("norm", INNER), 5)}
STEP = node("add", node("mul", "v", 1.5), node("sin", node("mul", "v", "w")))


def whiled(step: Any = STEP, do: tuple[Any, ...] = (), **fields: Any) -> Json:
    """A `while` over `v` from `x`; a field that is None is left out."""
    found: Json = {"id": "y", "op": "while", "carry": {"v": "x"}, "cond": SMALL, "max_iters": 60}
    found |= {"body": {"do": list(do), "yield": {"v": step}}} | fields
    return {name: value for name, value in found.items() if value is not None}


def scanned(do: tuple[Any, ...] = (), step: Any = None, y: Any = None, **fields: Any) -> Json:
    """A `scan` over the elements of `x` and `w`."""
    new = node("add", node("mul", "p", "e"), node("sin", "f")) if step is None else step
    body = {"do": list(do), "yield": {"carry": {"p": new}, "y": node("mul", "p", "p") if y is None else y}}
    start = node("sum", node("mul", "x", "w"))
    found = {"op": "scan", "carry": {"p": start}, "xs": {"e": "x", "f": "w"}, "body": body}
    return found | {"out": ["last", "ys"]} | fields


def chosen(predicate: Any, then: Any, other: Any, id: str = "c") -> Json:
    """A `cond`."""
    return {"id": id, "op": "cond", "in": [predicate], "then": {"yield": then}, "else": {"yield": other}}


COUNTED = {
    "op": "while",
    "carry": {"q": "e", "i": 0},
    "cond": {"yield": node("lt", "i", 3)},
    "body": {"yield": {"q": node("sin", node("add", "q", "p")), "i": node("add", "i", 1)}},
    "out": ["r", None],
}
TURN = chosen(
    node("gt", node("sum", INNER), 0.5), node("mul", "v", 1.7), node("sub", node("mul", "v", 1.3), 0.4)
)
ROWS = {
    "op": "scan",
    "carry": {},
    "xs": {"e": "v"},
    "body": {"yield": {"y": node("mul", "e", node("cos", "e"))}},
    "out": ["rows"],
}
GROWING = node("add", 1, node("mul", "i", 0.1))
FORKED = chosen(node("gt", "e", 0), node("exp", "e"), node("mul", "p", "e"))
SQUARES = let("out", "add", "last", node("sum", "ys"))
TWICE = {
    "id": "u",
    "op": "while",
    "carry": {"s": "v"},
    "max_iters": 9,
    "cond": {"yield": node("lt", node("norm", node("detach", "s")), 2)},
    "body": {"yield": {"s": node("add", node("mul", "s", 1.6), node("mul", "w", 0.1))}},
}
TOTAL = let("out", "sum", node("pow", "y", 2))
FLOWS: dict[str, list[Any]] = {
    "while": [whiled(), TOTAL],
    "no iterations": [whiled(cond={"yield": node("lt", node("norm", INNER), 0)}), TOTAL],
    "several carries": [
        whiled(
            id=None, carry={"v": "x", "u": "w"}, out=["y", "z"],
            body={"yield": {"v": node("add", "u", node("mul", "v", 1.4)), "u": node("sin", "v")}},
        ),
        let("out", "sum", node("mul", "y", "z")),
    ],
    "integers": [
        whiled(
            id=None, carry={"v": "x", "i": 0}, out=["y", "n"],
            body={"yield": {"v": node("mul", STEP, GROWING), "i": node("add", "i", 1)}},
        ),
        TOTAL,
    ],
    "detached": [whiled(node("add", STEP, node("mul", INNER, 0.3))), TOTAL],
    "no_grad": [whiled(node("add", STEP, "k"), ({"with": "no_grad", "do": [let("k", "cos", "v")]},)), TOTAL],
    "scan": [scanned(), let("out", "add", "last", node("sum", node("sin", "ys")))],
    "scan without carry": [
        {**ROWS, "xs": {"e": "x"}, "out": ["rows"]},
        let("out", "sum", node("mul", "rows", "w")),
    ],
    "cond": [
        chosen(node("gt", node("sum", "x"), 0), node("mul", "x", "w"), "x"),
        let("out", "sum", node("exp", "c")),
    ],
    "the other branch": [
        chosen(node("lt", node("sum", "x"), 0), node("mul", "x", "w"), node("sin", "x")),
        let("out", "sum", node("mul", "c", "c")),
    ],
    "while in scan": [scanned(do=(COUNTED,), step=node("add", "r", "p")), SQUARES],
    "cond in while": [whiled("c", (TURN,)), TOTAL],
    "scan in while": [whiled(node("add", STEP, node("mul", "rows", 0.2)), (ROWS,)), TOTAL],
    "cond in scan": [scanned(do=(FORKED,), step=node("add", "p", "c")), SQUARES],
    "while in cond": [
        {**chosen(node("gt", node("sum", "x"), 0), "y", "x"),
         "then": {"do": [whiled()], "yield": "y"}},
        let("out", "sum", node("mul", "c", "w")),
    ],
    "scan in cond": [
        {"op": "cond", "in": [node("gt", node("sum", "x"), 0)], "out": ["a", "b"],
         "then": {"do": [scanned()], "yield": ["last", "ys"]},
         "else": {"yield": [node("sum", "w"), "x"]}},
        let("out", "add", "a", node("sum", node("mul", "b", "b"))),
    ],
    "while in while": [whiled(node("mul", "u", 1.2), (TWICE,)), TOTAL],
}  # fmt: skip
