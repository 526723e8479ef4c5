"""How a case is written down: `case("add", rand(2, 3), 2)`; values follow from the call itself,
so that adding a case changes no other."""

import json
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

INF, NAN = "Infinity", "NaN"
ELLIPSIS = {"ellipsis": True}


def rand(
    *shape: int, dtype: str = "float64", grad: bool | None = None, low: float = -3, high: float = 3
) -> dict[str, Any]:
    """A tensor whose values are drawn when the case is built: three decimals, or integers, or bools."""
    grad = dtype.startswith(("float", "complex")) if grad is None else grad
    return {"tensor": {"draw": [low, high], "dtype": dtype, "shape": list(shape), "requires_grad": grad}}


def val(
    data: Any, dtype: str = "float64", grad: bool | None = None, shape: list[int] | None = None
) -> dict[str, Any]:
    """A tensor with given values; `shape` where the nesting cannot tell it."""
    grad = dtype.startswith(("float", "complex")) if grad is None else grad
    if shape is None:
        shape, inner = [], data
        while isinstance(inner, list):
            shape.append(len(inner))
            inner = inner[0] if inner else None
        if dtype.startswith("complex"):
            shape = shape[:-1]
    return {"tensor": {"data": data, "dtype": dtype, "shape": shape, "requires_grad": grad}}


def cut(*parts: int | None) -> dict[str, Any]:
    return {"slice": [*parts, *[None] * (3 - len(parts))]}


def imag(real: float, imaginary: float) -> dict[str, Any]:
    return {"complex": [real, imaginary]}


def node(op: str, *args: Any, **attrs: Any) -> dict[str, Any]:
    return {"op": op, "in": list(args), "attrs": attrs}


def case(op: str, *args: Any, **attrs: Any) -> dict[str, Any]:
    """A call with its values drawn. `seed` is the generator's, for random ops."""
    seed = attrs.pop("seed", None)
    call = {"op": op, "in": list(args), "attrs": attrs}
    if seed is not None:
        call["seed"] = seed
    return fill(call)


def fill(call: Any) -> Any:
    """Replace every `draw` by values that depend on the call alone."""
    state = np.random.RandomState(zlib.crc32(json.dumps(call, sort_keys=True).encode()))
    return walk(call, lambda tensor: draw(tensor, state) if "draw" in tensor else tensor)


def walk(item: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """A copy of a call with `change` applied to each tensor, in order of appearance."""
    if isinstance(item, list):
        return [walk(inner, change) for inner in item]
    if isinstance(item, dict):
        if "tensor" in item:
            return {**item, "tensor": change(item["tensor"])}
        return {key: walk(inner, change) for key, inner in item.items()}
    return item


def draw(tensor: dict[str, Any], state: np.random.RandomState) -> dict[str, Any]:
    (low, high), shape, dtype = tensor["draw"], tensor["shape"], tensor["dtype"]
    if dtype == "bool":
        values: Any = state.randint(0, 2, shape) > 0
    elif dtype.startswith(("int", "uint")):
        values = state.randint(0 if dtype == "uint8" else int(low), int(high) + 1, shape)
    elif dtype.startswith("complex"):
        values = state.uniform(low, high, [*shape, 2]).round(2)
    else:
        values = state.uniform(low, high, shape).round(3 if dtype == "float64" else 2)
    return {**{k: v for k, v in tensor.items() if k != "draw"}, "data": np.asarray(values).tolist()}


def cast(call: dict[str, Any], dtype: str) -> dict[str, Any]:
    """The same call with its float64 tensors in another dtype (complex ones get imaginary parts)."""
    state = np.random.RandomState(zlib.crc32(json.dumps([call, dtype], sort_keys=True).encode()))

    def change(tensor: dict[str, Any]) -> dict[str, Any]:
        if tensor["dtype"] != "float64":
            return tensor
        if not dtype.startswith("complex"):
            return {**tensor, "dtype": dtype}
        real = np.array(tensor["data"], dtype="float64").reshape(tensor["shape"])
        parts = np.stack([real, state.uniform(-2, 2, real.shape).round(2)], -1)
        return {**tensor, "dtype": dtype, "data": parts.tolist()}

    changed: dict[str, Any] = walk(call, change)
    return changed
