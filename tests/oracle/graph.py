"""torch's backward graph as plain data."""

from typing import Any

import torch


def trace(outputs: list[torch.Tensor], leaves: list[torch.Tensor]) -> dict[str, Any]:
    """{"nodes", "roots"}: every node behind the outputs, youngest first, AccumulateGrad last, by first use.

    `roots[k]` is [node, output number] of output k, or null where it has no grad_fn.
    """
    found: dict[Any, None] = {}
    pending = [output.grad_fn for output in outputs if output.grad_fn is not None]
    while pending:
        node = pending.pop()
        if node not in found:
            found[node] = None
            pending.extend(parent for parent, _ in node.next_functions if parent is not None)
    inner = sorted(
        (node for node in found if not hasattr(node, "variable")), key=lambda node: -node._sequence_nr()
    )
    accumulators = {
        parent: None for node in inner for parent, _ in node.next_functions if hasattr(parent, "variable")
    }
    order = [*inner, *accumulators]
    index = {node: k for k, node in enumerate(order)}
    assert len(index) == len(found)
    return {
        "nodes": [describe(node, index, leaves) for node in order],
        "roots": [output.grad_fn and [index[output.grad_fn], output.output_nr] for output in outputs],
    }


def describe(node: Any, index: dict[Any, int], leaves: list[torch.Tensor]) -> dict[str, Any]:
    if hasattr(node, "variable"):
        variable = next(k for k, leaf in enumerate(leaves) if leaf is node.variable)
        return {"name": "AccumulateGrad", "variable": variable, "next_functions": [], "saved": {}}
    names = [name for name in dir(node) if name.startswith("_saved_")]
    return {
        "name": node.name(),
        "next_functions": [parent and [index[parent], number] for parent, number in node.next_functions],
        "saved": {name.removeprefix("_saved_"): plain(getattr(node, name)) for name in names},
    }


def plain(value: Any) -> Any:
    """A saved attribute: tensors as dtype and shape, unsigned 64-bit dims as the caller gave them."""
    if isinstance(value, torch.Tensor):
        return {"dtype": str(value.dtype)[6:], "shape": list(value.shape)}
    if isinstance(value, torch.dtype):
        return str(value)[6:]
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, complex):
        return {"complex": [plain(value.real), plain(value.imag)]}
    if isinstance(value, float) and not abs(value) < float("inf"):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if isinstance(value, int) and not isinstance(value, bool) and value >= 2**63:
        return value - 2**64
    return value
