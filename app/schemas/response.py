"""The parts of answers, for OpenAPI: they are written from arrays and never pass through these models."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.shown import DTypeName, EncodedData, Numbers

GraphId = Field(pattern="^sha256:[0-9a-f]{64}$", description="Names the graph by its content.")


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


class Response(_Closed):
    """What the graph evaluates to."""

    outputs: dict[str, OutputTensor]
    trace: Trace | None = None
    graph_id: str = GraphId


class Described(_Closed):
    """A tensor that is not computed yet."""

    shape: list[int] = Field(description="With the batch's axis, where there is one.")
    dtype: DTypeName
    at_most: bool = Field(False, description="Only a run tells the sizes; these are their bounds.")


class NamedValue(Described):
    """The same, under its statement's id or a number."""

    id: str


class PlanStep(_Closed):
    """One call of the plan."""

    op: str
    in_: list[Any] = Field(alias="in", description="Values by id, with shape and dtype; numbers as they are.")
    out: list[NamedValue]
    attrs: dict[str, Any] = Field({}, description="Settings, but for long ones.")


class Explanation(_Closed):
    """What would be computed, and what that is predicted to take."""

    outputs: dict[str, Described]
    peak_bytes: int = Field(description="Memory at the peak.")
    flops: int
    output_bytes: int = Field(description="Of the tensors of the answer, before they are encoded.")
    nodes: int = Field(description="Nodes of the graph, derivatives included, before simplification.")
    calls: int = Field(description="Calls that the plan makes: nodes without those merged or not needed.")
    steps: list[PlanStep] = Field(description="The plan, or the first 500 of its calls.")


class Explained(_Closed):
    """The answer to `explain`."""

    explain: Explanation
    graph_id: str = GraphId
