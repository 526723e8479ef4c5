"""The envelope of a request. Tensors and the graph are still JSON text when it is validated."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel

from app.schemas.graph import Statement
from app.schemas.shown import ATensor, Id, Shown, Tensor

NOT_BUILT = ("batch", "explain", "graph_id")  # fields that are known by name


def _trace(value: Any) -> Any:
    """Refuse 0 and 1, which equal false and true."""
    if type(value) is not bool and value != "values":
        raise ValueError('true, false or "values"')
    return value


Trace = Annotated[Literal[True, False, "values"], BeforeValidator(_trace)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Graph(RootModel[Any]):
    """The statements, in order; an id is given once and used after it."""

    root: list[Annotated[Any, Shown(lambda: Statement)]]


class Gradient(RootModel[Any]):
    """The cotangent of the last output, or of several outputs by name."""

    root: Tensor | dict[Id, Tensor | None] | None


class BackwardCall(_Strict):
    """One call of `backward`."""

    tensor: Id
    gradient: ATensor = None
    inputs: list[Id] | None = Field(None, description="Leaves to accumulate into; default: all.")
    retain_graph: bool | None = None
    create_graph: bool = False


class ForwardRequest(_Strict):
    """A graph and the values to evaluate it at."""

    inputs: dict[Id, ATensor] = Field({}, description="Name → tensor.")
    graph: Annotated[Any, Shown(lambda: Graph)] = Field(description="The statements, in order.")
    outputs: list[Id] | None = Field(None, description="Names to return; default: the last statement's.")
    seed: int = Field(0, ge=-(2**63), lt=2**64, description="Seeds random ops, as `torch.manual_seed`.")
    trace: Trace = Field(True, description="The backward graph; `values`: with its values.")
    encoding: Literal["list", "flat", "base64"] = Field("list", description="How tensors come back.")
    default_dtype: Literal["float16", "float32", "float64"] = Field(
        "float32", description="The dtype of floats without one."
    )


class BackwardRequest(ForwardRequest):
    """A graph, the values to evaluate it at, and what to differentiate."""

    gradient: Annotated[Any, Shown(lambda: Gradient)] = Field(
        None, description="The cotangent of the last output, or of several by name."
    )
    backward: list[BackwardCall] | None = Field(
        None, description="Calls of `backward` after the statements, in order; excludes `gradient`."
    )


REQUESTS: dict[str, type[ForwardRequest]] = {"backward": BackwardRequest, "forward": ForwardRequest}
