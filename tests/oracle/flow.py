"""torch's answers to requests with control flow, their loops run as Python's own.

`python -m tests.oracle.flow` writes them, each with a Hessian-vector product.
"""

from typing import Any

import torch

from . import Json
from .ops_tier1 import write
from .record import apply, cotangent, encode
from .requests import Program, leaf
from .samples import flow
from .steps import Steps


class Stepped(Program):
    """A request whose statements are run one by one."""

    def statements(self, graph: list[Json]) -> None:
        steps = Steps(torch, apply, self.names)
        steps.run(graph)
        self.names, self.retained = steps.names, steps.retained

    def answer(self) -> Json:
        found = super().answer()
        first = {id(item): name for name, item in reversed(self.names.items())}
        found["grads"] = {
            name: g for name, g in found["grads"].items() if first[id(self.names[name])] == name
        }
        return found


def second(request: Json) -> Json:
    """The Hessian of the last output along `v`, by the inputs that require grad; null if torch has none."""
    torch.manual_seed(request["seed"])
    steps = Steps(torch, apply, {name: leaf(item) for name, item in request["inputs"].items()})
    steps.run([each for each in request["graph"] if each.get("op") not in ("register_hook", "retain_grad")])
    inputs = {name: steps.names[name] for name in request["inputs"] if steps.names[name].requires_grad}
    output, given = steps.names[request["outputs"][-1]], list(inputs.values())
    v = [cotangent(each, 200 + k) for k, each in enumerate(given)]
    grads = torch.autograd.grad(output, given, create_graph=True, allow_unused=True)
    pairs = [(g, d) for g, d in zip(grads, v, strict=True) if g is not None and g.requires_grad]
    found: tuple[Any, ...] = (None,) * len(given)
    if pairs:
        found = torch.autograd.grad([g for g, _ in pairs], given, [d for _, d in pairs], allow_unused=True)
    return {
        "v": dict(zip(inputs, map(encode, v), strict=True)),
        "hvp": dict(zip(inputs, map(encode, found), strict=True)),
    }


def record(name: str, request: Json) -> Json:
    return {"id": name, "request": request, "response": Stepped(request).answer(), **second(request)}


if __name__ == "__main__":
    write("flow", [record(name, request) for name, request in flow.cases().items()])
