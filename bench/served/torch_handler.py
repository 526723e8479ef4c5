"""FastAPI, pydantic and torch: the service that anybody would write in an hour, and write well."""

from __future__ import annotations

from typing import Any

import orjson
import torch
from fastapi import FastAPI, Response
from pydantic import BaseModel, Field

from bench.peers import torch_graph

torch.set_num_threads(2)
app = FastAPI()


class Input(BaseModel):
    """A tensor."""

    data: Any
    requires_grad: bool = False


class Statement(BaseModel):
    """A statement of the graph."""

    id: str
    op: str
    arguments: list[Any] = Field(alias="in")
    attrs: dict[str, Any] = {}


class Request(BaseModel):
    """A graph and its inputs."""

    inputs: dict[str, Input]
    graph: list[Statement]


@app.post("/backward")
async def backward(request: Request) -> Response:
    """The last value, and the gradients of the inputs that want one."""
    inputs = {
        name: torch.tensor(each.data, requires_grad=each.requires_grad)
        for name, each in request.inputs.items()
    }
    graph = [
        {"id": each.id, "op": each.op, "in": each.arguments, "attrs": each.attrs} for each in request.graph
    ]
    out = torch_graph.run(graph, inputs)
    out.backward()
    answer = {
        "outputs": {request.graph[-1].id: {"data": out.tolist(), "shape": list(out.shape)}},
        "grads": {
            name: {"data": each.grad.tolist()} for name, each in inputs.items() if each.grad is not None
        },
    }
    return Response(orjson.dumps(answer), media_type="application/json")
