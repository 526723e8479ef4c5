"""Run a case with torch and write down what it did: outputs, gradients, graph, errors, second derivatives."""

import warnings
from typing import Any

import numpy as np
import torch

from . import array
from .graph import trace

warnings.simplefilter("ignore")
torch.set_num_threads(1)

Json = dict[str, Any]
ATTRIBUTES = ("T", "mT")


class Run:
    """One evaluation: the inputs that require grad, in order of appearance, and the results."""

    def __init__(self, call: Json, seed: int | None = None) -> None:
        self.inputs: list[torch.Tensor] = []
        torch.manual_seed(seed or 0)
        result = self.call(call)
        results = list(result) if isinstance(result, (tuple, list)) else [result]
        self.outputs: list[torch.Tensor] = results

    def call(self, call: Json) -> Any:
        # `in` before `attrs`, as the loader counts them
        args = [self.argument(arg) for arg in call["in"]]
        attrs = {name: self.attribute(name, value) for name, value in call.get("attrs", {}).items()}
        return apply(call["op"], args, attrs)

    def argument(self, arg: Any) -> Any:
        if isinstance(arg, list):
            return [self.argument(item) for item in arg]
        if isinstance(arg, str):
            return float(arg)
        if not isinstance(arg, dict):
            return arg
        if "tensor" in arg:
            leaf = torch.tensor(array(arg["tensor"]))
            if not leaf.numel():  # numpy's strides of an empty array are not torch's
                leaf = torch.zeros(leaf.shape, dtype=leaf.dtype)
            leaf.requires_grad_(arg["tensor"].get("requires_grad", False))
            if leaf.requires_grad:
                self.inputs.append(leaf)
            return leaf
        if "slice" in arg:
            return slice(*arg["slice"])
        if "complex" in arg:
            return complex(*arg["complex"])
        return ... if "ellipsis" in arg else self.call(arg)

    def attribute(self, name: str, value: Any) -> Any:
        if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
            return float(value)
        if isinstance(value, str):
            return getattr(torch, value) if name == "dtype" else value
        return self.argument(value)


def apply(op: str, args: list[Any], attrs: Json) -> Any:
    if op == "getitem":
        bare = len(args) == 2 and not isinstance(args[1], list)  # x[:] is a slice, x[:,] an alias
        return args[0][args[1] if bare else tuple(args[1:])]
    if op in ATTRIBUTES:
        return getattr(args[0], op)
    if op == "slice":
        return torch.ops.aten.slice(*args, **attrs)
    if op == "einsum":
        return torch.einsum(attrs["equation"], *args)
    target: Any = torch
    for part in op.split("."):
        target = getattr(target, part, None)
    if not callable(target):  # torch.float is a dtype, Tensor.float a method
        target = getattr(torch.Tensor, op)
    return target(*args, **attrs)


def numbers(flat: Any) -> list[Any]:
    """Python numbers of a flat array, with the fewest digits that give the same value back."""
    if flat.dtype.kind == "c":
        parts = flat.view("float32" if flat.dtype.itemsize == 8 else "float64")
        items = numbers(parts)
        return [[items[k], items[k + 1]] for k in range(0, len(items), 2)]
    if flat.dtype.kind != "f":
        return list(flat.tolist())
    texts = [str(item) for item in flat]
    names = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return [names.get(text) or float(text) for text in texts]


def nested(values: Any) -> Any:
    flat = numbers(np.ascontiguousarray(values).reshape(-1))
    boxes = np.empty(len(flat), dtype=object)
    for position, item in enumerate(flat):
        boxes[position] = item
    return boxes.reshape(values.shape).tolist()


def encode(tensor: torch.Tensor | None, flag: bool = False) -> Json | None:
    """A tensor as the records hold it, checked to decode to the same bits (NaNs apart)."""
    if tensor is None:
        return None
    values = tensor.detach().resolve_conj().resolve_neg().numpy(force=True)
    record = {"data": nested(values), "dtype": str(tensor.dtype)[6:], "shape": list(tensor.shape)}
    if flag:
        record["requires_grad"] = tensor.requires_grad
    if not np.isnan(values).any():
        assert array(record).tobytes() == np.ascontiguousarray(values).tobytes(), record
    return record


def cotangent(output: torch.Tensor, position: int) -> torch.Tensor | None:
    """Drawn from the output's place and shape alone, with two decimals."""
    if not output.requires_grad:
        return None
    state = np.random.RandomState(output.numel() * 7 + position)
    real = torch.tensor(state.uniform(-2, 2, tuple(output.shape)).round(2))
    if output.is_complex():
        return torch.complex(real, torch.tensor(state.uniform(-2, 2, tuple(output.shape)).round(2))).to(
            output.dtype
        )
    return real.to(output.dtype)


def gradients(
    run: Run, create_graph: bool = False
) -> tuple[list[torch.Tensor | None], list[torch.Tensor | None]]:
    """Cotangents of all outputs and the gradients of all inputs that require one."""
    v = [cotangent(output, k) for k, output in enumerate(run.outputs)]
    if create_graph:
        v = [None if item is None else item.requires_grad_() for item in v]
    pairs = [(output, item) for output, item in zip(run.outputs, v, strict=True) if item is not None]
    if not pairs or not run.inputs:
        return v, [None] * len(run.inputs)
    outputs, given = zip(*pairs, strict=True)
    grads = torch.autograd.grad(
        outputs, run.inputs, given, allow_unused=True, retain_graph=True, create_graph=create_graph
    )
    return v, list(grads)


def record(call: Json) -> Json:
    """The whole stored result of a call."""
    run = Run(call, call.get("seed"))
    graph = trace(run.outputs, run.inputs)
    v, grads = gradients(run)
    return {
        **call,
        "out": [encode(output, flag=True) for output in run.outputs],
        "strides": [list(output.stride()) for output in run.outputs],
        "v": [encode(item) for item in v],
        "grads": [encode(grad) for grad in grads],
        "grad_fn": [output.grad_fn and output.grad_fn.name() for output in run.outputs],
        "roots": graph["roots"],
        "trace": graph["nodes"],
    }


def second(call: Json) -> Json | None:
    """Gradients of sum_k <grads[k], w[k]> with respect to the inputs and v; None if it depends on neither."""
    run = Run(call, call.get("seed"))
    v, grads = gradients(run, create_graph=True)
    w = [None if g is None or not g.requires_grad else cotangent(g, 100 + k) for k, g in enumerate(grads)]
    pairs = [(g, item) for g, item in zip(grads, w, strict=True) if g is not None and item is not None]
    if not pairs:
        return None
    targets = [*run.inputs, *(item for item in v if item is not None)]
    outputs, given = zip(*pairs, strict=True)
    found = list(torch.autograd.grad(outputs, targets, given, allow_unused=True))
    to_v = found[len(run.inputs) :]
    return {
        "w": [encode(item) for item in w],
        "grads2": [encode(item) for item in found[: len(run.inputs)]],
        "grads2_v": [None if item is None else encode(to_v.pop(0)) for item in v],
    }


def failure(call: Json) -> Json:
    """The exception of a call that torch refuses."""
    try:
        Run(call, call.get("seed"))
    except Exception as error:
        return {**call, "error": type(error).__name__.lstrip("_"), "message": str(error)}
    raise ValueError(f"torch accepts {call}")
