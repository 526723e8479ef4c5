"""A trace as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from engine import saved
from engine.bounded import resolve
from engine.dtypes import DType
from engine.eager.tensor import Tensor
from engine.graph import Value
from engine.language.notation import finite_or_name
from engine.program.edges import TraceNode
from engine.program.trace import Trace


class Shown(Protocol):
    """What a trace with values shows: tensors, or None where there is none."""

    def value(self, value: Value) -> Tensor | None: ...

    def cotangent(self, value: Value) -> Tensor | None: ...


def render(trace: Trace, roots: dict[str, Value], values: Shown | None = None) -> dict[str, Any]:
    """The trace as JSON; with `values`, the Tensors themselves stand in it."""
    found = {name: trace.edge(value) for name, value in roots.items()}
    edges = {
        name: edge if edge and not edge[0].is_leaf else None for name, edge in found.items()
    }  # a leaf has none
    nodes = trace.behind(edges.values())
    numbers = {node: at for at, node in enumerate(nodes)}
    return {
        "roots": {name: numbers[edge[0]] if edge else None for name, edge in edges.items()},
        "nodes": [_render(node, numbers, values) for node in nodes],
    }


def _render(each: TraceNode, numbers: dict[TraceNode, int], values: Shown | None) -> dict[str, Any]:
    found: dict[str, Any] = {"name": each.name}
    if each.node is None:
        assert each.value is not None
        found["tensor" if each.title else "variable"] = each.value.name
        produced: Sequence[Value] = (each.value,)
    else:
        produced = each.node.outputs
        name = next((value.name for value in produced if value.name), None)
        if name:
            found["tensor"] = name
    found["next_functions"] = [[numbers[edge[0]], edge[1]] if edge else None for edge in each.edges]
    if each.node is not None:
        node = each.node
        kept = saved.describe(node.op, node.operands, node.outputs, node.given, each.needs)
        plain = {key: shown(kept[key], values) for key in sorted(kept)}
        found["saved"] = resolve(plain, dict(each.sizes)) if each.sizes else plain
    elif each.title:
        found["saved"] = {} if each.title == "WhereBackward0" else {"dim": 0}
    if values is not None:
        found["value"] = values.value(produced[0])
        found["grad"] = values.cotangent(produced[0])
    return found


def shown(value: Any, values: Shown | None) -> Any:
    """A saved value as JSON: tensors as their dtype and shape (or as they are, with `values`)."""
    if isinstance(value, Value):
        found = values.value(value) if values is not None else None
        return (
            found if found is not None else {"dtype": value.meta.dtype.name, "shape": list(value.meta.shape)}
        )
    if isinstance(value, saved.Wrapped):
        return {"dtype": value.dtype.name, "shape": []}
    if isinstance(value, (list, tuple)):
        return [shown(each, values) for each in value]
    if isinstance(value, DType):
        return value.name
    if isinstance(value, complex):
        return {"complex": [shown(value.real, values), shown(value.imag, values)]}
    return finite_or_name(value) if isinstance(value, float) else value
