"""The answer, for OpenAPI: it is written from arrays and never passes through these models."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.shown import DTypeName, EncodedData, Numbers


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ResultTensor(_Closed):
    """A tensor; non-finite numbers are the strings `NaN`, `Infinity`, `-Infinity`."""

    object_type: Literal["array"] = Field("array", description="Under `base64` only.")
    data: Numbers | EncodedData
    dtype: DTypeName
    shape: list[int]


class OutputTensor(ResultTensor):
    """An output with its flags as they were when its statement ran."""

    requires_grad: bool
    is_leaf: bool
    grad_fn: str | None = Field(description="The name of the node that made it; null for a leaf.")


class TraceNode(BaseModel):
    """A node of the backward graph; fields beside these belong to its kind."""

    name: str
    next_functions: list[tuple[int, int] | None] = Field(description="Node and output index for each input.")
    saved: dict[str, Any] | None = Field(None, description="Settings as given; tensors as dtype and shape.")


class Trace(BaseModel):
    """The backward graph as torch would show it, newest node first."""

    roots: dict[str, int | None] = Field(description="Output → node.")
    nodes: list[TraceNode]


class ForwardResponse(_Closed):
    """What the graph evaluates to."""

    outputs: dict[str, OutputTensor]
    trace: Trace | None = None
    graph_id: str = Field(pattern="^sha256:[0-9a-f]{64}$", description="Names the graph by its content.")


class BackwardResponse(ForwardResponse):
    """What the graph evaluates to, and the gradients."""

    grads: dict[str, ResultTensor | None] = Field(description="Leaf → `.grad`; null where nothing flowed.")


RESPONSES: dict[str, type[ForwardResponse]] = {"backward": BackwardResponse, "forward": ForwardResponse}
