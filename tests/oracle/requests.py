"""torch's answers to whole requests and to text expressions."""

from typing import Any

import torch

from . import Json, array
from .graph import trace
from .record import Run, encode, gradients


class Names(dict[str, Any]):
    """The names of an expression: its inputs, then torch's functions."""

    def __missing__(self, name: str) -> Any:
        return {"F": torch.nn.functional}.get(name) or getattr(torch, name)


def expression(call: Json) -> Json:
    """The record of {"text", "inputs"}; v, grads and trace as for ops, inputs in order of appearance."""
    inputs = {name: leaf(item) for name, item in call["inputs"].items()}
    source = call["text"].replace("'float32'", "torch.float32")
    value = eval(source, {"torch": torch}, Names(inputs))
    run = Run.__new__(Run)
    run.outputs = list(value) if isinstance(value, tuple) else [value]
    run.inputs = [item for item in inputs.values() if item.requires_grad]
    graph = trace(run.outputs, run.inputs)
    v, grads = gradients(run)
    return {
        **call,
        "out": [encode(output, flag=True) for output in run.outputs],
        "v": [encode(item) for item in v],
        "grads": [encode(grad) for grad in grads],
        "grad_fn": [output.grad_fn and output.grad_fn.name() for output in run.outputs],
        "roots": graph["roots"],
        "trace": graph["nodes"],
    }


def leaf(tensor: Json) -> torch.Tensor:
    return torch.tensor(array(tensor)).requires_grad_(tensor.get("requires_grad", False))


class Program(Run):
    """Interprets the statements of a request."""

    def __init__(self, request: Json) -> None:
        torch.manual_seed(request.get("seed", 0))
        self.inputs = []
        self.names = {name: self.given(item) for name, item in request["inputs"].items()}
        self.retained: list[str] = []
        self.statements(request["graph"])
        last = [*request["graph"][-1].get("out", []), request["graph"][-1].get("id")][0]
        self.wanted = request.get("outputs", [last])
        self.graph = trace([self.names[name] for name in self.wanted], list(self.names.values()))
        given = request.get("gradient")
        if isinstance(given, dict) and "data" not in given:
            pairs = {name: leaf(item) for name, item in given.items()}
        else:
            pairs = {self.wanted[-1]: None if given is None else leaf(given)}
        torch.autograd.backward([self.names[name] for name in pairs], list(pairs.values()))

    def given(self, tensor: Json) -> torch.Tensor:
        return torch.tensor(array(tensor), requires_grad=tensor.get("requires_grad", False))

    def argument(self, arg: Any) -> Any:
        return self.names[arg] if isinstance(arg, str) else super().argument(arg)

    def statements(self, graph: list[Json]) -> None:
        for statement in graph:
            if "with" in statement:
                with getattr(torch, statement["with"])():
                    self.statements(statement["do"])
            elif "op" not in statement:
                self.names[statement["id"]] = self.given(statement["tensor"])
            elif statement["op"] == "alias":
                self.names[statement["id"]] = self.argument(statement["in"][0])
            elif statement["op"] in ("requires_grad_", "retain_grad"):
                getattr(torch.Tensor, statement["op"])(*[self.argument(arg) for arg in statement["in"]])
                self.retained += [statement["in"][0]] if statement["op"] == "retain_grad" else []
            else:
                value = self.call(statement)
                names = statement.get("out", [statement.get("id")])
                values = value if "out" in statement else [value]
                self.names.update({name: item for name, item in zip(names, values, strict=True) if name})

    def answer(self) -> Json:
        """The fields of the response; `variable` and `grads` by name."""
        flags = {name: self.names[name] for name in self.wanted}
        leaves = [name for name, item in self.names.items() if item.is_leaf and item.requires_grad]
        grads = {name: self.names[name] for name in sorted({*leaves, *self.retained})}
        for record in self.graph["nodes"]:
            if "variable" in record:
                record["variable"] = list(self.names)[record["variable"]]
        outputs = {
            name: {
                **(encode(item, flag=True) or {}),
                "is_leaf": item.is_leaf,
                "grad_fn": item.grad_fn and item.grad_fn.name(),
            }
            for name, item in flags.items()
        }
        roots = dict(zip(self.wanted, self.graph["roots"], strict=True))
        return {
            "outputs": outputs,
            "grads": {name: encode(item.grad) for name, item in grads.items()},
            "trace": {"roots": roots, "nodes": self.graph["nodes"]},
        }


def program(request: Json) -> Json:
    """{"request", "response"}, or with `error` and `message` where torch refuses."""
    try:
        return {"request": request, "response": Program(request).answer()}
    except Exception as error:
        return {"request": request, "error": type(error).__name__.lstrip("_"), "message": str(error)}
