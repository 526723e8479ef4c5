"""The POST routes: what each is asked and answers, beside what all of them are."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from pydantic import Field, create_model

from app.schemas.request import AGradient, BackwardCall, Request
from app.schemas.response import Response, ResultTensor
from app.schemas.shown import ATensor, Id


class Endpoint(NamedTuple):
    """A route. `answer` is the field of its answer that is its own, `taken` gives it from the result."""

    name: str
    request: type[Request]
    response: type[Response]
    answer: str | None
    taken: Callable[[Any], Any]
    summary: str
    description: str


Fields = dict[str, Any]  # name → (type, Field)


def _endpoint(
    name: str,
    summary: str,
    description: str,
    asks: Fields,
    answers: Fields,
    taken: Callable[[Any], Any] = attrgetter("derivative"),
) -> Endpoint:
    """A route with models of these fields; those of a request go on to the engine by their names."""
    stem = name.capitalize()
    request = create_model(f"{stem}Request", __base__=Request, __doc__=f"{summary}.", **asks)
    response = create_model(f"{stem}Response", __base__=Response, __doc__=f"What /{name} answers.", **answers)
    return Endpoint(name, request, response, next(iter(answers), None), taken, summary, description)


def _tensors(description: str) -> tuple[Any, Any]:
    return dict[str, ResultTensor], Field(description=description)


def _matrices(description: str) -> tuple[Any, Any]:
    return dict[str, dict[str, ResultTensor]], Field(description=description)


def _directions(description: str) -> tuple[Any, Any]:
    return dict[Id, ATensor], Field(description=description)


_GRADIENT = (
    AGradient,
    Field(None, description="The cotangent of the last output, or of several by name."),
)

ENDPOINTS: dict[str, Endpoint] = {each.name: each for each in (
    _endpoint(
        "backward",
        "Evaluate a graph and its gradients",
        "Runs the statements, then `backward`; answers the outputs, the `.grad` of every leaf and the trace.",
        asks={
            "gradient": _GRADIENT,
            "backward": (list[BackwardCall] | None, Field(
                None,
                description="Calls of `backward` after the statements, in order; excludes `gradient`.",
            )),
        },
        answers={"grads": (dict[str, ResultTensor | None], Field(
            description="Leaf → `.grad`; null where nothing flowed.",
        ))},
        taken=attrgetter("grads"),
    ),
    _endpoint(
        "forward",
        "Evaluate a graph",
        "Runs the statements with gradients enabled and answers the outputs and the trace; nothing is swept.",
        asks={},
        answers={},
    ),
    _endpoint(
        "vjp",
        "Multiply a cotangent with the Jacobian",
        "The vector-Jacobian product with respect to the inputs with `requires_grad`: zeros where nothing "
        "flows, and no `.grad` is kept.",
        asks={
            "gradient": _GRADIENT,
            "is_grads_batched": (bool, Field(
                False,
                description="`gradient` has a leading axis of many cotangents, and so has the answer.",
            )),
        },
        answers={"vjp": _tensors("Input → product, of the input's shape.")},
    ),
    _endpoint(
        "jvp",
        "Multiply the Jacobian with a tangent",
        "The Jacobian-vector product, by forward mode: how the outputs move when the inputs move so.",
        asks={"tangents": _directions("Input → its tangent, of its shape; an input that is left out stays.")},
        answers={"tangents": _tensors("Output → its tangent, of its shape.")},
    ),
    _endpoint(
        "jacobian",
        "The Jacobian of each output",
        "All derivatives of each output's elements with respect to the inputs with `requires_grad`, in one "
        "plan over a batch of cotangents or tangents.",
        asks={"mode": (Literal["reverse", "forward"], Field(
            "reverse",
            description="By cotangents (few output elements) or by tangents (few input elements).",
        ))},
        answers={"jacobian": _matrices("Output → input → derivatives; output's shape, then input's.")},
    ),
    _endpoint(
        "hessian",
        "The Hessian of the last output",
        "All second derivatives of the last output, which has one element, with respect to the inputs with "
        "`requires_grad`.",
        asks={},
        answers={"hessian": _matrices("Input → input → derivatives; first's shape, then second's.")},
    ),
    _endpoint(
        "hvp",
        "Multiply the Hessian with a vector",
        "The Hessian of the last output, which has one element, times a vector, without the Hessian.",
        asks={"v": _directions("Input → its part of the vector, of its shape.")},
        answers={"hvp": _tensors("Input → product, of its shape.")},
    ),
)}  # fmt: skip
