"""A stored case as a request: positional arguments in `in`, keyword arguments in `attrs`.

A positional string, dtype or infinite number has no place in `in`: it and what follows go to `attrs` under
the record's parameter names. Every tensor is an input of its own, named in the order of the stored gradients.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from engine.registry import lookup
from tests.conformance.cases import Json, op_of
from tests.conformance.processing import processed

REVERSED = {"__radd__", "__rdiv__", "__rmul__", "__rmatmul__", "__rmod__", "__rpow__"}
SEED = 42  # that OpInfo gives before it calls a function that draws
IN_PLACE = "inplace"  # a program has no in-place ops: False is left out


class Requested:
    """The request of one case; `leaves` are the inputs with gradients, in the order of those stored."""

    def __init__(self, case: Json) -> None:
        self.inputs: Json = {}
        self.leaves: list[str] = []
        given, named = self._call(case)
        op = lookup(op_of(case))
        attrs = dict(named)
        if op.params and op.params[0].kind == "str":  # `in` starts behind it
            attrs[op.params[0].name], given = given[0], given[1:]
        for at, each in enumerate(given):
            if _is_attribute(each):
                names = [param.name for param in op.params if not param.keyword_only]
                attrs.update(zip(names[at:], given[at:], strict=False))
                given = given[:at]
                break
        self.statement: Json = {"op": op.name, "in": [_arg(each) for each in given]}
        if attrs:
            self.statement["attrs"] = {name: _attr(each) for name, each in attrs.items()}

    def forward(self, out: list[str] | None) -> Json:
        """The request of the values alone, of several outputs if `out` names them."""
        named = {"id": "y0"} if out is None else {"out": out}
        return {"inputs": self.inputs, "graph": [{**named, **self.statement}], "trace": False, "seed": SEED}

    def body(self, case: Json, *, listed: bool) -> Json:
        """The request; `listed` where the op has several outputs, or a list of them."""
        names = [f"y{at}" for at in range(len(case["out"]))]
        out, following, stored = processed(case) or (list[str | None](names), list[Json](), names)
        named = {"out": out} if listed or len(out) > 1 else {"id": "y0"}
        leading = [name for name, each in zip(stored, case["out"], strict=True) if each["rg"]]
        gradient = {name: wire(v) for name, v in zip(leading, case["v"], strict=True)}
        return {
            "inputs": self.inputs,
            "graph": [{**named, **self.statement}, *following],
            "outputs": stored,
            "gradient": gradient,
            "trace": False,
            "seed": SEED,
        }

    def _call(self, case: Json) -> tuple[list[Any], Json]:
        """Positional and keyword arguments in torch's order, the tensors among them named."""
        given = [self._named(each) for each in [case["input"], *case["args"]]]
        named = {name: self._named(each) for name, each in case["kwargs"].items()}
        named = {name: each for name, each in named.items() if (name, each) != (IN_PLACE, False)}
        return REORDERED.get(case["op"] + case["variant"], REORDERED.get(case["op"], list))(given), named

    def _named(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._named(each) for each in value]
        if not (isinstance(value, dict) and "$t" in value):
            return value
        name = f"x{len(self.inputs)}"
        self.inputs[name] = wire(value)
        if value["rg"]:
            self.inputs[name]["requires_grad"] = True
            self.leaves.append(name)
        return {"$ref": name}


def _index(given: list[Any]) -> list[Any]:
    """x[key]: a list with more than numbers in it was a tuple, of several positions."""
    x, key = given
    spread = isinstance(key, list) and any(isinstance(each, (list, dict)) or each is None for each in key)
    return [x, *key] if spread else [x, key]


REORDERED = {
    "where": lambda given: [given[1], given[0], *given[2:]],
    "normalnumber_mean": lambda given: [given[1], given[0]],
    "polygamma": lambda given: [given[1], given[0]],
    "special.polygamma": lambda given: [given[1], given[0]],
    "einsum": lambda given: [given[1], *given[0]],
    "nn.functional.embedding": lambda given: [given[1], given[0], *given[2:]],
    "nn.functional.embedding_bag": lambda given: [given[1], given[0], *given[2:]],
    "__getitem__": _index,
    "linalg.pinvsingular": lambda given: [{"$product": given}],
    **dict.fromkeys(REVERSED, lambda given: given[::-1]),
}


def _is_attribute(value: Any) -> bool:
    return isinstance(number(value), str) or (isinstance(value, dict) and "$dtype" in value)


def _special(value: Json) -> Any:
    ((key, found),) = value.items()
    return {"slice": found} if key == "$slice" else {"complex": found} if key == "$c" else {"ellipsis": True}


def _arg(value: Any) -> Any:
    """A value of `in`."""
    if isinstance(value, list):
        return [_arg(each) for each in value]
    if isinstance(value, dict) and "$product" in value:
        left, right = map(_arg, value["$product"])
        return {"op": "matmul", "in": [left, {"op": "mT", "in": [right]}]}
    if isinstance(value, dict):
        return value["$ref"] if "$ref" in value else _special(value)
    return value


def _attr(value: Any) -> Any:
    """A value of `attrs`."""
    if isinstance(value, list):
        return [_attr(each) for each in value]
    if isinstance(value, dict) and "$ref" in value:
        return {"ref": value["$ref"]}
    if isinstance(value, dict):
        return value.get("$dtype") or _special(value)
    return number(value)


def wire(tensor: Json) -> Json:
    """A stored tensor as a request has it."""
    return {"data": numbers(tensor["$t"]), "dtype": tensor["dtype"], "shape": tensor["shape"]}


def numbers(data: Any) -> Any:
    return [numbers(each) for each in data] if isinstance(data, list) else number(data)


def number(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def tensors(value: Any) -> Iterator[Json]:
    """The stored tensors in a value."""
    if isinstance(value, dict) and "$t" in value:
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from tensors(each)
