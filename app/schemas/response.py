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


Number = float | Literal["NaN", "Infinity", "-Infinity"]
Matrices = dict[str, dict[str, ResultTensor]]


class Worst(_Closed):
    """The derivative of one output element by one input element, where the two Jacobians differ most."""

    output: str
    input: str
    index: list[int] = Field(description="Of the output's element.")
    input_index: list[int] = Field(description="Of the input's element.")
    numerical: Number
    analytical: Number
    absolute: Number = Field(description="The difference of the two.")
    relative: Number = Field(description="The same, of the larger of the two.")
    error: Number = Field(description="What the numerical value may be off by.")


class Convergence(_Closed):
    """How the remainder |f(x + t d) - f(x) - t J d| falls along a random line."""

    order: Number | None = Field(
        description="The lowest of `orders`: 2 where a smooth function's gradient is right, 1 where it is "
        "not; null where the remainder is rounding noise: the function is linear, its gradient right."
    )
    orders: dict[str, Number | None] = Field(description="By output.")
    steps: list[float] = Field(description="The values of t.")
    remainders: dict[str, list[Number]] = Field(description="By output, for each of the steps.")
    direction: dict[str, ResultTensor] = Field(description="d, by input.")


class GradcheckResult(_Closed):
    """Whether the gradient is right."""

    ok: bool = Field(description="Whether the verdict is `right`.")
    verdict: Literal["right", "wrong", "kink", "non-finite", "undecided"] = Field(
        description="`kink`: the function has several slopes at this point, or jumps; `undecided`: its "
        "values are too noisy, or change too fast, to tell."
    )
    detail: str = Field(description="The reason, in a sentence.")
    worst: Worst | None
    numerical: Matrices = Field(description="By differences: output → input → derivatives.")
    analytical: Matrices = Field(description="By the gradient, the same.")
    convergence: Convergence


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
