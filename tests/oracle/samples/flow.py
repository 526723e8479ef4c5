"""Whole requests with control flow, by name: loops and choices, alone and in each other."""

from typing import Any

from ..build import node, rand, val
from .requests import let, request

Json = dict[str, Any]
Given = dict[str, Json]  # inputs: "w" is a 0-dim tensor, the others are vectors of three, or four of them

INPUTS: Given = {"x": rand(3), "w": rand(low=0.3, high=0.9), "k": rand(3, grad=False)}
ROWS: Given = {**INPUTS, "m": rand(4, 3)}
DRAW = node("rand", 3, dtype="float64")


def loop(carry: Json, cond: Any, yields: Json, *do: Json, out: list[str | None], limit: int = 50) -> Json:
    body = {"do": list(do), "yield": yields}
    return {
        "op": "while",
        "carry": carry,
        "cond": cond if "yield" in cond else {"yield": cond},
        "body": body,
        "max_iters": limit,
        "out": out,
    }


def counted(carry: Json, times: Any, yields: Json, *do: Json, out: list[str | None], i: str = "i") -> Json:
    """A while that counts its iterations in an integer, `i`."""
    return loop(
        {**carry, i: 0}, node("lt", i, times), {**yields, i: node("add", i, 1)}, *do, out=[*out, None]
    )


def scan(carry: Json, xs: Json, yields: Json, ys: Any, *do: Json, out: list[str | None]) -> Json:
    body = {"do": list(do), "yield": {"carry": yields, "y": ys}}
    return {"op": "scan", "carry": carry, "xs": xs, "body": body, "out": out}


def cond(predicate: Any, then: Any, otherwise: Any, *do: Json, out: list[str | None]) -> Json:
    """A choice; `do` are statements of its first branch."""
    first = {"do": list(do), "yield": then}
    return {"op": "cond", "in": [predicate], "then": first, "else": {"yield": otherwise}, "out": out}


def summed(*graph: Json, of: Any = "y", outputs: list[str] | None = None) -> tuple[list[Json], list[str]]:
    """The statements, and the sum of a value as their last."""
    return [*graph, let("s", "sum", of)], [*(["y"] if outputs is None else outputs), "s"]


def whiles() -> dict[str, tuple[list[Json], list[str], Given]]:
    norm = {"do": [let("n", "norm", node("detach", "v"))], "yield": node("lt", "n", 1000)}
    tutorial = loop({"v": node("mul", "x", 2)}, norm, {"v": node("mul", "v", 2)}, out=["y"])
    step, pair = node("sin", node("mul", "v", "w")), node("add", "p", node("mul", "v", "w"))
    several = counted({"v": "x", "p": "k"}, 4, {"v": step, "p": pair}, out=["y", "z"])
    swap = counted({"p": "x", "q": "k"}, 3, {"p": "q", "q": "p"}, out=["y", "z"])
    replaced = {"v": "k"}
    plus = node("add", node("sum", node("mul", "y", "z")), node("sum", "x"))
    both = ["y", "z"]
    inner = {"with": "no_grad", "do": [let("u", "mul", "v", "w")]}
    partly = counted({"v": "x"}, 3, {"v": node("add", node("mul", "v", "u"), node("detach", "v"))}, inner,
                     out=["y"])  # fmt: skip
    outer = {"with": "no_grad", "do": [counted({"v": "x"}, 3, {"v": step}, out=["z"])]}
    masked = node("sum", node("getitem", "v", node("gt", "v", 0)))
    masks = counted({"v": "x"}, 4, {"v": node("sub", node("mul", "v", "k"), masked)}, out=["y"])
    integers = counted({"v": "x", "n": 7}, 4, {"v": node("mul", "v", "n"), "n": node("sub", "n", 2)},
                       out=["y", "n0"])  # fmt: skip
    drawn = counted({"v": "x"}, 3, {"v": node("sub", node("mul", "v", DRAW), node("mul", "k", "r"))},
                    {"id": "r", **DRAW}, out=["y"])  # fmt: skip
    asked = node("lt", node("sum", node("abs", "v")), node("add", 9.0, node("rand", 1, dtype="float64")))
    by_draw = loop({"v": "x"}, asked, {"v": node("mul", "v", node("add", DRAW, 1))}, out=["y"])
    weights = node("softmax", node("matmul", "v", node("t", "v")), 1)
    rows = counted({"v": "m"}, 3, {"v": node("matmul", weights, "v")}, out=["y"])
    return {
        "while-tutorial": (*summed(tutorial), {"x": val([-1.0845, -1.3986, 0.4033], "float32")}),
        "while-several": (*summed(several, of=plus, outputs=both), INPUTS),
        "while-none": (*summed(counted({"v": "x"}, 0, {"v": step}, out=["y"])), INPUTS),
        "while-none-replaced": (*summed(counted({"v": "x"}, 0, replaced, out=["y"])), INPUTS),
        "while-one-replaced": (*summed(counted({"v": "x"}, 1, replaced, out=["y"]), of=node("mul", "y", "x")),
                               INPUTS),
        "while-swap": (*summed(swap, of=plus, outputs=both), INPUTS),
        "while-partly-no-grad": (*summed(partly), INPUTS),
        "while-no-grad": (*summed(outer, of=node("mul", "z", "x"), outputs=["z"]), INPUTS),
        "while-masks": (*summed(masks), INPUTS),
        "while-integers": (*summed(integers, outputs=["y", "n0"]), INPUTS),
        "while-draws": (*summed(drawn), INPUTS),
        "while-cond-draws": (*summed(by_draw), INPUTS),
        "while-rows": (*summed(rows), ROWS),
    }  # fmt: skip


def scans() -> dict[str, tuple[list[Json], list[str], Given]]:
    step = let("n", "sin", node("add", node("mul", "p", "w"), "e"))
    plain = scan({"p": "x"}, {"e": "m"}, {"p": "n"}, node("mul", "n", "n"), step, out=["y", "z"])
    plus = node("add", node("sum", node("mul", "y", "y")), node("sum", "z"))
    only_y = scan({}, {"e": "m"}, {}, [node("mul", "e", "w"), node("sum", "e"), "k"], out=["y", "z", "c"])
    only_carry = scan({"p": "x"}, {"e": "m"}, {"p": node("mul", "p", "e")}, [], out=["y"])
    constant = scan({"p": "x"}, {"e": "c", "f": "m"}, {"p": node("add", node("mul", "p", "e"), "f")}, "e",
                    out=["y", "z"])  # fmt: skip
    other = {**ROWS, "c": rand(4, grad=False)}
    late = scan({"p": "k", "q": "x"}, {"e": "m"}, {"p": "q", "q": node("mul", "q", "w")}, "p",
                out=[None, "y", "z"])  # fmt: skip
    more = node("add", "i", 1)
    counts = scan({"p": "x", "i": 0}, {"e": "m"}, {"p": node("mul", "p", more), "i": more},
                  ["i", node("gt", "e", 0)], out=["y", "n", "i0", "b"])  # fmt: skip
    drawn = scan({"p": "x"}, {"e": "m"}, {"p": node("sub", node("mul", "p", DRAW), "e")},
                 node("mul", "e", DRAW), out=["y", "z"])  # fmt: skip
    numbers = scan({"p": 1.0}, {"e": "x"}, {"p": node("mul", "p", "e")}, [], out=["y"])
    views = scan({"p": "x"}, {"e": "m"}, {"p": "e"}, node("getitem", "p", 1), out=["y", "z"])
    both = ["y", "z"]
    return {
        "scan-plain": (*summed(plain, of=plus, outputs=both), ROWS),
        "scan-no-carry": (*summed(only_y, of=plus, outputs=["y", "z", "c"]), ROWS),
        "scan-no-ys": (*summed(only_carry), ROWS),
        "scan-constant-xs": (*summed(constant, of=plus, outputs=both), other),
        "scan-late-flags": (*summed(late, of=plus, outputs=both), ROWS),
        "scan-integers": (*summed(counts, outputs=["y", "n", "i0", "b"]), ROWS),
        "scan-draws": (*summed(drawn, of=plus, outputs=both), ROWS),
        "scan-numbers": (*summed(numbers), {"x": rand(5, dtype="float32")}),
        "scan-views": (*summed(views, of=plus, outputs=both), ROWS),
        "scan-only-xs": (*summed(only_y, of=plus, outputs=["y"]), {**ROWS, "w": rand(grad=False)}),
    }


def conds() -> dict[str, tuple[list[Json], list[str], Given]]:
    found: dict[str, tuple[list[Json], list[str], Given]] = {}
    square = let("q", "mul", "x", "w")
    for name, predicate in (("then", node("gt", "w", 0)), ("else", node("lt", "w", 0))):
        one = cond(predicate, node("sin", "q"), "k", square, out=["y"])
        found[f"cond-{name}"] = (*summed(one, of=node("mul", "y", "x")), INPUTS)
        passed = cond(predicate, ["x", "k"], [node("neg", "x"), "x"], out=["y", "z"])
        both = node("add", node("mul", "y", "z"), "x")
        found[f"cond-{name}-several"] = (*summed(passed, of=both, outputs=["y", "z"]), INPUTS)
        drawn = cond(predicate, node("mul", "x", DRAW), node("mul", DRAW, node("mul", DRAW, "x")), out=["y"])
        found[f"cond-{name}-draws"] = (*summed(drawn, of=node("mul", "y", DRAW)), INPUTS)
        masks = cond(predicate, node("sum", node("getitem", "x", node("gt", "x", 0))), node("sum", "x"),
                     out=["y"])  # fmt: skip
        found[f"cond-{name}-masks"] = (*summed(masks, of=node("mul", "y", "x")), INPUTS)
    return found


def nested() -> dict[str, tuple[list[Json], list[str], Given]]:
    """Each kind in the body of each, the inner one reading what is carried and what is captured."""
    outer = {
        "while": lambda do, of: counted({"v": "x"}, 3, {"v": of}, do, out=["y"]),
        "scan": lambda do, of: scan({"v": "x"}, {"e": "m"}, {"v": node("add", of, "e")}, [], do, out=["y"]),
        "cond": lambda do, of: cond(node("gt", "w", 0), of, "k", let("v", "mul", "x", 1.5), do, out=["y"]),
    }
    turns = {
        "while": counted({"u": "v"}, 2, {"u": node("sin", node("mul", "u", "w"))}, out=["t"], i="j"),
        "scan": scan({"u": "w"}, {"f": "v"}, {"u": node("add", node("mul", "u", "f"), "w")}, "u",
                     out=["t", "us"]),
        "cond": cond(node("gt", node("sum", "v"), 0.2), node("mul", "v", "w"), node("cos", "v"), out=["t"]),
    }  # fmt: skip
    used = {"while": "t", "scan": node("mul", "us", "t"), "cond": "t"}
    return {
        f"{a}-of-{b}": (*summed(make(turns[b], node("add", used[b], "k"))), ROWS)
        for a, make in outer.items()
        for b in turns
    }


def hooked() -> dict[str, tuple[list[Json], list[str], Given]]:
    """Hooks and retained gradients on what control flow takes and gives, and on leaves that it captures."""

    def hook(name: str, result: Any) -> Json:
        body = {"params": ["g"], "do": [], "yield": result}
        return {"op": "register_hook", "in": [name], "body": body}

    start = let("a", "mul", "x", 2)
    turns = counted({"v": "a"}, 3, {"v": node("mul", "v", "w")}, out=["y"])
    keeps = [{"op": "retain_grad", "in": [name]} for name in ("a", "y")]
    hooks = [
        hook("a", node("mul", "g", 10)),
        hook("w", node("add", "g", 1)),
        hook("y", node("mul", "g", "k")),
        hook("a", node("add", "g", "x")),
    ]
    return {"hooks-around-while": (*summed(start, turns, *keeps, *hooks), INPUTS)}


def cases() -> dict[str, Json]:
    """Every request, by its name."""
    return {
        name: request(graph, outputs, {"seed": 5}, **given)
        for part in (whiles, scans, conds, nested, hooked)
        for name, (graph, outputs, given) in part().items()
    }
