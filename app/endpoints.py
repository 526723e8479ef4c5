"""The POST routes: what each is asked and answers, beside what all of them are."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import Field, create_model

import engine
from app.codec import write
from app.schemas.request import AGradient, BackwardCall, Request
from app.schemas.response import GradcheckResult, Response, ResultTensor
from app.schemas.shown import ATensor, Id


class Prepared(Protocol):
    """A request that can run: the engine has predicted what it takes."""

    @property
    def nodes(self) -> int: ...

    @property
    def flops(self) -> int: ...

    def repeat(self) -> engine.Repeat | None: ...

    def explain(self) -> dict[str, Any]: ...

    def run(self) -> Any:
        """A result with `outputs`, `trace` and what the endpoint takes from it."""
        ...


class Endpoint(NamedTuple):
    """A route. `prepare` is given a program, its inputs, their earlier grads, and by name what else is asked.
    `answer` is the field of the answer that is the route's own; `take` gives it from the result."""

    name: str
    request: type[Request]
    response: type[Response]
    answer: str | None
    prepare: Callable[..., Prepared]
    take: Callable[[Any], Any]
    summary: str
    description: str


Fields = dict[str, Any]  # name → (type, Field)


def _endpoint(
    name: str,
    summary: str,
    description: str,
    asks: Fields,
    answers: Fields,
    prepare: Callable[..., Prepared] | None = None,
    take: Callable[[Any], Any] = attrgetter("derivative"),
) -> Endpoint:
    """A route whose models have these fields; by default one of `engine.Program.prepare`."""
    stem = name.capitalize()
    request = create_model(f"{stem}Request", __base__=Request, __doc__=f"{summary}.", **asks)
    response = create_model(f"{stem}Response", __base__=Response, __doc__=f"What /{name} answers.", **answers)

    def of_the_program(program: engine.Program, inputs: Any, grads: Any, **asked: Any) -> Prepared:
        return program.prepare(inputs, route=name, grads=grads, **asked)

    prepare = prepare or of_the_program
    return Endpoint(name, request, response, next(iter(answers), None), prepare, take, summary, description)


def _gradcheck(program: engine.Program, inputs: Any, grads: Any, **asked: Any) -> Prepared:
    return engine.PreparedGradcheck(program, inputs, **asked)


def _report(found: engine.GradcheckReport) -> dict[str, Any]:
    """A report without what is answered beside it."""
    return {name: each for name, each in write.plain(found).items() if name not in ("outputs", "trace")}


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
        take=attrgetter("grads"),
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
    _endpoint(
        "gradcheck",
        "Check the gradient against differences",
        "Compares the Jacobian of the gradients with that of difference quotients, whose steps need not be "
        "chosen, and tells at which order the remainder falls in a random direction. All of it in float64.",
        asks={},
        answers={"gradcheck": (GradcheckResult, Field(description="The verdict, and what it rests on."))},
        prepare=_gradcheck,
        take=_report,
    ),
)}  # fmt: skip
