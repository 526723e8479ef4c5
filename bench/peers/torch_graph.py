"""A JSON graph run by torch eager: twenty lines that anybody would write."""

from __future__ import annotations

import functools
import operator
from typing import Any

import torch


@functools.cache
def function(name: str) -> Any:
    """torch's function of that dotted name."""
    return operator.attrgetter(name)(torch)


def evaluate(argument: Any, names: dict[str, Any]) -> Any:
    """An argument of a statement: a name, a nested statement, or a constant."""
    if isinstance(argument, str):
        return names[argument]
    if isinstance(argument, dict):
        return call(argument, names)
    return argument


def call(statement: dict[str, Any], names: dict[str, Any]) -> Any:
    """What a statement gives."""
    arguments = [evaluate(each, names) for each in statement["in"]]
    return function(statement["op"])(*arguments, **statement.get("attrs", {}))


def run(graph: list[dict[str, Any]], inputs: dict[str, Any]) -> Any:
    """The last statement's value."""
    names = dict(inputs)
    value = None
    for statement in graph:
        value = names[statement["id"]] = call(statement, names)
    return value
