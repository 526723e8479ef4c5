"""Types that OpenAPI shows and the codec or the engine validates: tensors, and arguments of statements.

A recursive pydantic type costs more than the rest of a request, and its errors name no place. So at run time
such a field is `Any`; `Shown` gives it the JSON schema of a type that no request is validated against.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, NotRequired

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    RootModel,
    StringConstraints,
    with_config,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypedDict

STRICT = ConfigDict(extra="forbid", strict=True)

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
DTypeName = Literal[
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
    "complex64", "complex128",
]  # fmt: skip


class Shown:
    """Any value at run time, the model `model()` in the OpenAPI document."""

    _open: ClassVar[set[type[BaseModel]]] = set()

    def __init__(self, model: Callable[[], type[BaseModel]]) -> None:
        self.model = model

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.any_schema()

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        model = self.model()
        described: Any = model.__pydantic_core_schema__
        if model in self._open:  # inside its own description: by its name
            return handler(core_schema.definition_reference_schema(_reference(described)))
        self._open.add(model)
        try:
            return handler(described)
        finally:
            self._open.remove(model)


def _reference(schema: Any) -> str:
    """The name under which the schema's definition is kept."""
    found: str | None = schema.get("ref") or schema.get("schema_ref")
    return found or _reference(schema["schema"])


class Numbers(RootModel[Any]):
    """A number, or lists of them as deep as the tensor's rank; a string where JSON has no number for it."""

    root: float | bool | str | list[Annotated[Any, Shown(lambda: Numbers)]]


@with_config(STRICT)
class EncodedData(TypedDict):
    """Little-endian numbers in C order."""

    buffer: Annotated[str, Field(description="The bytes, as base64.")]
    encoding: Literal["base64"]


@with_config(STRICT)
class TensorObject(TypedDict):
    """A tensor with what a bare list cannot say."""

    data: Annotated[
        Numbers | EncodedData,
        Field(
            description="A number, a nested list, a flat list with `shape`, or base64; `[re, im]` innermost."
        ),
    ]
    dtype: NotRequired[DTypeName]
    shape: NotRequired[list[Annotated[int, Field(ge=0)]]]
    requires_grad: NotRequired[bool]
    grad: NotRequired[
        Annotated[Any, Shown(lambda: Tensor), Field(description="An earlier `.grad` to add to.")]
    ]
    object_type: NotRequired[Literal["array"]]


class Tensor(RootModel[Any]):
    """A tensor: its numbers alone, or with what they cannot say."""

    root: Numbers | TensorObject


ATensor = Annotated[Any, Shown(lambda: Tensor)]
AnArgument = Annotated[Any, Shown(lambda: Argument)]


@with_config(STRICT)
class TensorArgument(TypedDict):
    """A tensor in place."""

    tensor: ATensor


class Slice(TypedDict):
    slice: Annotated[list[int | None], Field(min_length=1, max_length=3)]


class Ellipsis_(TypedDict):
    ellipsis: Literal[True]


class Complex(TypedDict):
    complex: Annotated[list[float], Field(min_length=2, max_length=2)]


Nested = TypedDict(
    "Nested", {"op": str, "in": NotRequired[list[AnArgument]], "attrs": NotRequired[dict[str, Any]]}
)


class Argument(RootModel[Any]):
    """An id, a scalar, null for None, a list, a nested op, a tensor, or part of an index."""

    root: Id | float | bool | list[AnArgument] | Nested | TensorArgument | Slice | Ellipsis_ | Complex | None
