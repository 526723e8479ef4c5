"""A request's body → its envelope, validated, and the tensors in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

import engine
from app.codec import read, text
from app.codec.binary import Stored
from app.codec.text import Path
from app.compute.attaching import attach
from app.endpoints import ENDPOINTS
from app.errors import Problem, from_engine, from_validation, pointer
from app.schemas.registered import Registration
from app.schemas.request import BackwardCall, Request

Inputs = dict[str, engine.Tensor]
Model = TypeVar("Model", bound=BaseModel)
COMMON = {"inputs", "graph", "graph_id", "explain", "encoding"}  # not the engine's


Tensors = Mapping[str, Stored]  # those of a binary body


def envelope(route: str, body: bytes, tensors: Tensors | None = None, *, named: bool = False) -> Request:
    """The request, validated; tensors and graph are still text. It has `graph` or `graph_id`, or neither if
    its path has named the graph."""
    request = fields_of(ENDPOINTS[route].request, body, tensors)
    given = (request.graph is not None) + (request.graph_id is not None)
    if given != (0 if named else 1):
        raise _which_graph(request, named)
    return request


def fields_of(model: type[Model], body: bytes, tensors: Tensors | None = None) -> Model:
    """The body as the model has it; what has its own text there stays text, `tensors` beside it."""
    parts = text.members(_object(body))
    fields = {name: PARTED.get(name, text.value)(part, (name,)) for name, part in parts.items()}
    attach(fields, tensors or {})
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise from_validation([_placed(each) for each in error.errors(include_url=False)]) from None


def _which_graph(request: Request, named: bool) -> Problem:
    """The refusal of no graph, or of two."""
    if request.graph is None and request.graph_id is None:
        return from_validation([{"type": "missing", "loc": ("graph",)}])
    name = "graph" if request.graph_id is None else "graph_id"
    other = "the path names the graph already" if named else "there is `graph` too, and one of them is enough"
    return Problem("invalid-argument", f"/{name}: {other}", errors=[{"pointer": f"/{name}"}])


def _object(raw: bytes) -> bytes:
    raw = raw.strip(b" \t\r\n")
    if not raw:
        raise Problem("invalid-json", "The body is empty.")
    if raw[:1] != b"{":
        text.value(raw)  # no JSON at all?
        raise Problem("invalid-argument", "the body: an object is expected", errors=[{"expected": "object"}])
    return raw


def _whole(raw: bytes, at: Path) -> bytes:
    return raw


def _by_name(raw: bytes, at: Path) -> Any:
    """An object's members as text."""
    return text.members(raw, at) if raw[:1] == b"{" else text.value(raw, at)


def _calls(raw: bytes, at: Path) -> Any:
    """The entries of `backward`; their gradients stay text."""
    if raw[:1] != b"[":
        return text.value(raw, at)
    found = []
    for position, each in enumerate(text.items(raw, at)):
        call = _by_name(each, (*at, position))
        for name in call if isinstance(call, dict) else ():
            if name != "gradient":
                call[name] = text.value(call[name], (*at, position, name))
        found.append(call)
    return found


# What stays text until someone knows what its numbers mean.
PARTED: dict[str, Callable[[bytes, Path], Any]] = {
    "graph": _whole,
    "gradient": _whole,
    "inputs": _by_name,
    "tangents": _by_name,
    "v": _by_name,
    "backward": _calls,
}


def _placed(error: Any) -> dict[str, Any]:
    """pydantic's error with the place as the client knows it."""
    return {**error, "loc": tuple(part for part in error["loc"] if part != "[key]")}


def inputs(request: Request | Registration, rules: read.Rules) -> tuple[Inputs, Inputs]:
    """The inputs, and the earlier `.grad` of those that carry one."""
    found, grads = {}, {}
    for name, raw in request.inputs.items():
        at = ("inputs", name)
        try:
            found[name], grad = read.tensor_and_grad(raw, rules, at)
        except engine.errors.EngineError as error:
            raise _refused(error, at) from None
        if grad is not None:
            grads[name] = grad
    return found, grads


def asked(request: Request, inputs: Inputs, rules: read.Rules) -> dict[str, Any]:
    """What the request asks of the engine, by the names of `engine.Program.prepare`; its tensors decoded.

    Numbers without a dtype are read as float64 where the engine casts them to an output's dtype: a float64
    output then gets the digits that were sent.
    """
    exact = rules.exactly(engine.dtype("float64"))
    found: dict[str, Any] = {}
    for name in type(request).model_fields:  # in their order: the first mistake is the one answered
        value = getattr(request, name)
        if value is None or name in COMMON:
            continue
        if name in DECODED:
            value = DECODED[name](value, (name,), exact, inputs)
        found[name] = value.model_dump() if isinstance(value, BaseModel) else value
    return found


def _gradient(raw: read.Raw | dict[str, read.Raw], at: Path, rules: read.Rules, inputs: Inputs) -> Any:
    """A cotangent, or several by name."""
    if isinstance(raw, bytes) and raw[:1] == b"{":
        parts: dict[str, Any] = text.members(raw, at)
        raw = raw if "data" in parts else parts
    if isinstance(raw, dict):
        return {name: _or_none(part, (*at, name), rules) for name, part in raw.items()}
    return _or_none(raw, at, rules)


def _backward(calls: Sequence[BackwardCall], at: Path, rules: read.Rules, inputs: Inputs) -> Any:
    """The long form of backward, with its gradients."""
    found = []
    for position, call in enumerate(calls):
        fields = {name: value for name, value in call if value is not None}
        if "gradient" in fields:
            fields["gradient"] = _or_none(fields["gradient"], (*at, position, "gradient"), rules)
        found.append(fields)
    return found


def _directions(parts: dict[str, read.Raw], at: Path, rules: read.Rules, inputs: Inputs) -> Any:
    """A tensor for each of some inputs, of the input's dtype unless it says otherwise."""
    found = {}
    for name, raw in parts.items():
        dtype = inputs[name].dtype if name in inputs else rules.floats
        like = rules.exactly(dtype) if dtype.differentiable else rules
        found[name] = _tensor(raw, (*at, name), like)
    return found


DECODED: dict[str, Callable[[Any, Path, read.Rules, Inputs], Any]] = {
    "gradient": _gradient,
    "backward": _backward,
    "tangents": _directions,
    "v": _directions,
}


def _or_none(raw: read.Raw, at: Path, rules: read.Rules) -> engine.Tensor | None:
    return None if raw == b"null" else _tensor(raw, at, rules)


def _tensor(raw: read.Raw, at: Path, rules: read.Rules) -> engine.Tensor:
    try:
        return read.tensor(raw, rules, at)
    except engine.errors.EngineError as error:
        raise _refused(error, at) from None


def _refused(error: engine.errors.EngineError, at: Path) -> Problem:
    """The codec's refusal; no node tells where it is, so its place stands in front."""
    problem = from_engine(error, at)
    place = pointer((*at, *error.pointer))
    return Problem(problem.code.name, f"{place}: {problem.detail}", errors=problem.errors)
