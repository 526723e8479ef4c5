"""The statements of a graph, each checked for its own shape and no deeper; the engine validates meaning."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Discriminator, FailFast, Field, RootModel, Tag, TypeAdapter, with_config
from typing_extensions import TypedDict

from app.schemas.shown import STRICT, AnArgument, ATensor, Id, Shown

CONTROL = frozenset(
    ("while", "cond", "scan", "vmap", "jvp", "vjp", "jacobian", "hessian", "hvp", "register_hook")
)

Statements = list[Annotated[Any, Shown(lambda: Statement)]]
Out = Annotated[list[Id | None], Field(description="An id for each output; null drops one.")]

OpStatement = TypedDict(
    "OpStatement",
    {
        "id": NotRequired[Id],
        "out": NotRequired[Out],
        "op": Annotated[str, Field(description="torch's dotted path without `torch.`; GET /ops lists them.")],
        "in": NotRequired[Annotated[list[AnArgument], Field(description="Bound by position.")]],
        "attrs": NotRequired[Annotated[dict[str, Any], Field(description="Bound by name.")]],
    },
)

Body = TypedDict(
    "Body",
    {
        "params": NotRequired[list[Id]],
        "do": NotRequired[Statements],
        "yield": Annotated[Any, Field(description="An argument, or an object of them by name.")],
    },
)

ControlStatement = TypedDict(
    "ControlStatement",
    {
        "id": NotRequired[Id],
        "out": NotRequired[Out],
        "op": str,
        "in": NotRequired[list[AnArgument]],
        "attrs": NotRequired[dict[str, Any]],
        "carry": NotRequired[
            Annotated[dict[Id, AnArgument], Field(description="Values that a loop hands on.")]
        ],
        "xs": NotRequired[dict[Id, AnArgument]],
        "cond": NotRequired[Body],
        "body": NotRequired[Body],
        "then": NotRequired[Body],
        "else": NotRequired[Body],
        "max_iters": NotRequired[Annotated[int, Field(ge=0)]],
    },
)


class LeafStatement(TypedDict):
    id: Id
    tensor: ATensor
    requires_grad: NotRequired[bool]


BlockStatement = TypedDict("BlockStatement", {"with": Literal["no_grad", "enable_grad"], "do": Statements})

for _each in (OpStatement, Body, ControlStatement, LeafStatement, BlockStatement):
    with_config(STRICT)(_each)


def _kind(statement: Any) -> str:
    """Which of the five a statement means to be; anything odd is judged as an op statement."""
    if type(statement) is not dict:
        return "op"
    op = statement.get("op")
    if op is None:
        return "block" if "with" in statement else "leaf" if "tensor" in statement else "op"
    return "control" if type(op) is str and op in CONTROL else "op"


AStatement = Annotated[
    Annotated[OpStatement, Tag("op")]
    | Annotated[ControlStatement, Tag("control")]
    | Annotated[LeafStatement, Tag("leaf")]
    | Annotated[BlockStatement, Tag("block")],
    Discriminator(_kind),
]


class Statement(RootModel[Any]):
    """One statement of a graph."""

    root: AStatement


STATEMENTS: TypeAdapter[list[Any]] = TypeAdapter(Annotated[list[AStatement], FailFast()])
