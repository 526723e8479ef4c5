"""Desugared statements nested again: a node `$0` goes back to the one place that refers to it."""

from __future__ import annotations

from typing import Any


def nested(statements: list[Any], pending: dict[str, Any] | None = None) -> list[Any]:
    """The statements of a list, nodes inside of them that had no id of their own; `pending` gets those that a
    body's results refer to."""
    pending = {} if pending is None else pending
    found = []
    for raw in statements:
        each = {name: _put_back(name, value, pending) for name, value in raw.items()}
        out = each.get("out", [each.get("id")])
        if len(out) == 1 and type(out[0]) is str and out[0].startswith("$"):
            pending[out[0]] = {name: value for name, value in each.items() if name not in ("id", "out")}
        else:
            found.append(each)
    return found


def _put_back(name: str, value: Any, pending: dict[str, Any]) -> Any:
    """A field of a statement with its nodes in it."""
    if name == "do":
        return nested(value)
    if name in ("cond", "body", "then", "else"):
        inside: dict[str, Any] = {}
        rest = {key: part for key, part in value.items() if key != "yield"}
        rest["do"] = nested(value.get("do", []), inside)
        return {**rest, "yield": _filled(value["yield"], inside)} if "yield" in value else rest
    return _filled(value, pending) if name in ("in", "carry", "xs") else value


def _filled(value: Any, pending: dict[str, Any]) -> Any:
    """An argument, or arguments, with nodes for their names."""
    if type(value) is str:
        return pending.pop(value, value) if value.startswith("$") else value
    if type(value) is list:
        return [_filled(each, pending) for each in value]
    if type(value) is dict and not value.keys() & {"op", "tensor", "slice", "ref", "complex", "ellipsis"}:
        return {name: _filled(each, pending) for name, each in value.items()}
    return value
