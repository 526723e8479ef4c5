"""What PUT /graphs/{name} is sent, and what it and GET answer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.request import AGraph
from app.schemas.response import GraphId, ResultTensor
from app.schemas.shown import ATensor, Id

VersionId = Field(
    pattern="^sha256:[0-9a-f]{64}$",
    description="Names the version by its content, as the ETag does; of a bare graph it is the `graph_id`.",
)
DefaultDtype = Literal["float16", "float32", "float64"]


class Registration(BaseModel):
    """A graph, and what requests need not send again."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    graph: AGraph = Field(description="The statements, in order, or a text.")
    inputs: dict[Id, ATensor] = Field({}, description="Name → tensor, unless a request has its own.")
    outputs: list[Id] | None = Field(None, description="Names to return, unless a request has its own.")
    default_dtype: DefaultDtype = Field(
        "float32", description="The dtype of floats without one, here and in requests that name none."
    )


class Registered(BaseModel):
    """The version that is the current one now."""

    name: Id
    version: str = VersionId
    graph_id: str = GraphId


class DefaultTensor(ResultTensor):
    """A default input."""

    requires_grad: bool


class RegisteredGraph(Registered):
    """A registered graph, in the terms of PUT."""

    graph: AGraph = Field(description="As it was sent: statements, or a text.")
    inputs: dict[str, DefaultTensor]
    outputs: list[str] | None
    default_dtype: DefaultDtype
    versions: list[str] = Field(description="All versions that are kept, the current one first.")
