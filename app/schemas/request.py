"""What every POST route is asked. Tensors and the graph are still JSON text when it is validated."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel

from app.schemas.graph import Statement
from app.schemas.shown import ATensor, Id, Shown, Tensor

GRAPH_ID = re.compile(r"sha256:[0-9a-f]{64}")


def _graph_id(value: Any) -> Any:
    """Refuse what can be no graph's id."""
    if value is not None and not (type(value) is str and GRAPH_ID.fullmatch(value)):
        raise ValueError("'sha256:' and 64 hexadecimal digits")
    return value


def _without_default(schema: dict[str, Any]) -> None:
    """Leave out None where it stands for nothing given, and is no value."""
    schema.pop("default")


def _trace(value: Any) -> Any:
    """Refuse 0 and 1, which equal false and true."""
    if type(value) is not bool and value != "values":
        raise ValueError('true, false or "values"')
    return value


_Text = Annotated[str, Field(description="Python's syntax, of which nothing is evaluated: `y = x + 2`.")]
Trace = Annotated[Literal[True, False, "values"], BeforeValidator(_trace)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Graph(RootModel[Any]):
    """The statements, in order, an id given once and used after it; or the same as text: `y = x + 2`."""

    root: _Text | list[Annotated[Any, Shown(lambda: Statement)]]


AGraph = Annotated[Any, Shown(lambda: Graph)]


class Gradient(RootModel[Any]):
    """The cotangent of the last output, or of several outputs by name."""

    root: Tensor | dict[Id, Tensor | None] | None


AGradient = Annotated[Any, Shown(lambda: Gradient)]


class BackwardCall(_Strict):
    """One call of `backward`."""

    tensor: Id
    gradient: ATensor = None
    inputs: list[Id] | None = Field(None, description="Leaves to accumulate into; default: all.")
    retain_graph: bool | None = None
    create_graph: bool = False


class Batch(_Strict):
    """Many samples in one request: the graph is written for one of them."""

    inputs: list[Id] = Field(min_length=1, description="The inputs that carry a leading axis, all the same.")
    grads: Literal["per_sample", "sum"] = Field(
        "per_sample",
        description="A gradient for each sample, that axis in front of it, or their sum.",
    )
    randomness: Literal["same", "different"] = Field(
        "different", description="Whether random ops draw anew for each sample."
    )


class Request(_Strict):
    """A graph, the values to evaluate it at, and how to answer."""

    inputs: dict[Id, ATensor] = Field({}, description="Name → tensor.")
    graph: AGraph = Field(
        None, description="The statements, in order, or a text.", json_schema_extra=_without_default
    )
    graph_id: Annotated[str | None, BeforeValidator(_graph_id)] = Field(
        None,
        description="Instead of `graph`: one that the server has seen, by the `graph_id` of its answer.",
        json_schema_extra={"pattern": f"^{GRAPH_ID.pattern}$"},
    )
    outputs: list[Id] | None = Field(None, description="Names to return; default: the last statement's.")
    batch: Batch | None = Field(None, description="Evaluates the graph for many samples at once.")
    seed: int = Field(0, ge=-(2**63), lt=2**64, description="Seeds random ops, as `torch.manual_seed`.")
    trace: Trace = Field(True, description="The backward graph; `values`: with its values.")
    explain: bool = Field(
        False, description="Computes nothing: shapes, predicted bytes and flops, and the plan come back."
    )
    detect_anomaly: bool = Field(
        False, description="Refuses NaN where the first node makes one, forward or backward, and names it."
    )
    encoding: Literal["list", "flat", "base64"] = Field("list", description="How tensors come back.")
    default_dtype: Literal["float16", "float32", "float64"] = Field(
        "float32", description="The dtype of floats without one."
    )
