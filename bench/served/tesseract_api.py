"""A Tesseract: the sum of squares and its vector-Jacobian product. Served by `tesseract-runtime serve`."""

from typing import Any

from pydantic import BaseModel
from tesseract_core.runtime import Array, Differentiable, Float64


class InputSchema(BaseModel):
    """A vector."""

    x: Differentiable[Array[(None,), Float64]]


class OutputSchema(BaseModel):
    """The sum of its squares."""

    y: Differentiable[Float64]


def apply(inputs: InputSchema) -> OutputSchema:
    """The value."""
    return OutputSchema(y=inputs.x @ inputs.x)


def vector_jacobian_product(
    inputs: InputSchema, vjp_inputs: set[str], vjp_outputs: set[str], cotangent_vector: dict[str, Any]
) -> dict[str, Any]:
    """The cotangent of the vector."""
    return {"x": 2 * cotangent_vector["y"] * inputs.x}


def abstract_eval(abstract_inputs: Any) -> dict[str, Any]:
    """The type of the value."""
    return {"y": {"shape": [], "dtype": "float64"}}
