"""Programs in few words, for the tests of the compiled side."""

from __future__ import annotations

from typing import Any

import numpy as np

import engine

Json = dict[str, Any]
ID = "an id is a letter or _ and up to 63 more letters, digits or _, and no keyword"


def leaf(data: Any, dtype: str = "float64") -> engine.Tensor:
    """An input that requires grad."""
    return engine.tensor(np.asarray(data, dtype=dtype), requires_grad=True)


def const(data: Any, dtype: str = "float64") -> engine.Tensor:
    """An input that does not."""
    return engine.tensor(np.asarray(data, dtype=dtype))


def node(op: str, *args: Any, **attrs: Any) -> Json:
    """A nested op node."""
    return {"op": op, "in": list(args), **({"attrs": attrs} if attrs else {})}


def let(name: str, op: str, *args: Any, **attrs: Any) -> Json:
    """A statement that names its result."""
    return {"id": name, **node(op, *args, **attrs)}


def backward(graph: list[Any], inputs: dict[str, Any], *outputs: str, **settings: Any) -> engine.Result:
    """The answer of a program."""
    return engine.Program(graph).backward(inputs, list(outputs) or None, **settings)


def values(found: dict[str, Any]) -> dict[str, Any]:
    """Tensors by name as nested lists; None stays."""
    return {name: None if each is None else each.array.tolist() for name, each in found.items()}


def names(trace: Any) -> list[str]:
    """The names of a trace's nodes."""
    return [each["name"] for each in trace["nodes"]]


def loop(**changes: Any) -> Any:
    """A loop over `v` with some fields changed; a field that is None is left out."""
    found = {
        "id": "y",
        "op": "while",
        "carry": {"v": "x"},
        "cond": {"do": [], "yield": node("lt", node("sum", "v"), 10)},
        "body": {"do": [], "yield": {"v": node("mul", "v", 2)}},
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def body(*statements: Any, result: Any = "v") -> Any:
    return {"do": list(statements), "yield": {"v": result}}


def counted(carry: Json, yields: Json, times: Any, *statements: Json, out: list[str | None]) -> Json:
    """A loop that runs `times` times."""
    return {
        "out": [*out, None],
        "op": "while",
        "max_iters": 50,
        "carry": {**carry, "i": 0},
        "cond": {"yield": node("lt", "i", times)},
        "body": {"do": list(statements), "yield": {**yields, "i": node("add", "i", 1)}},
    }
