"""A request's body → its envelope, validated, and the tensors in it."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

import engine
from app.codec import read, text
from app.codec.text import Path
from app.errors import Problem, from_engine, from_validation, pointer
from app.schemas.request import NOT_BUILT, REQUESTS, BackwardRequest, ForwardRequest

TEXT_FIELDS = ("graph", "gradient")  # stay text until someone knows what their numbers mean
ABSENT = (b"null", b"false")


def envelope(route: str, body: bytes) -> ForwardRequest:
    """The request, validated; tensors and graph are still text."""
    parts = text.members(_object(body))
    for name in NOT_BUILT:
        if parts.pop(name, b"null") not in ABSENT:
            raise _not_built(f"/{name}: '{name}' is not built yet", name)
    if parts.get("graph", b"")[:1] == b'"':
        raise _not_built("/graph: a graph as text is not built yet; send a list of statements", "graph")
    fields: dict[str, Any] = {}
    for name, part in parts.items():
        if name in TEXT_FIELDS:
            fields[name] = part
        elif name == "inputs" and part[:1] == b"{":
            fields[name] = text.members(part, (name,))
        elif name == "backward" and part[:1] == b"[":
            fields[name] = [_call(each, (name, i)) for i, each in enumerate(text.items(part, (name,)))]
        else:
            fields[name] = text.value(part, (name,))
    try:
        return REQUESTS[route].model_validate(fields)
    except ValidationError as error:
        raise from_validation([_placed(each) for each in error.errors(include_url=False)]) from None


def _object(raw: bytes) -> bytes:
    raw = raw.strip(b" \t\r\n")
    if not raw:
        raise Problem("invalid-json", "The body is empty.")
    if raw[:1] != b"{":
        text.value(raw)  # no JSON at all?
        raise Problem("invalid-argument", "the body: an object is expected", errors=[{"expected": "object"}])
    return raw


def _not_built(detail: str, field: str) -> Problem:
    return Problem("not-implemented", detail, errors=[{"pointer": pointer((field,))}])


def _call(raw: bytes, at: Path) -> Any:
    """One entry of `backward`; its gradient stays text."""
    if raw[:1] != b"{":
        return text.value(raw, at)
    parts = text.members(raw, at)
    return {
        name: part if name == "gradient" else text.value(part, (*at, name)) for name, part in parts.items()
    }


def _placed(error: Any) -> dict[str, Any]:
    """pydantic's error with the place as the client knows it."""
    return {**error, "loc": tuple(part for part in error["loc"] if part != "[key]")}


def inputs(
    request: ForwardRequest, rules: read.Rules
) -> tuple[dict[str, engine.Tensor], dict[str, engine.Tensor]]:
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


def gradient(
    raw: bytes | None, rules: read.Rules, at: Path = ("gradient",)
) -> engine.Tensor | dict[str, engine.Tensor | None] | None:
    """A cotangent, or several by name.

    Numbers without a dtype are read as float64: the engine casts them to the output's dtype, and a float64
    output then gets the digits that were sent.
    """
    if raw is None or raw == b"null":
        return None
    rules = read.Rules(rules.rank, rules.elements, engine.dtype("float64"), engine.dtype("float64"))
    if raw[:1] == b"{":
        parts = text.members(raw, at)
        if "data" not in parts:
            return {name: _one(part, rules, (*at, name)) for name, part in parts.items()}
    return _one(raw, rules, at)


def _one(raw: bytes, rules: read.Rules, at: Path) -> engine.Tensor | None:
    if raw == b"null":
        return None
    try:
        return read.tensor(raw, rules, at)
    except engine.errors.EngineError as error:
        raise _refused(error, at) from None


def _refused(error: engine.errors.EngineError, at: Path) -> Problem:
    """The codec's refusal; no node tells where it is, so its place stands in front."""
    problem = from_engine(error, at)
    place = pointer((*at, *error.pointer))
    return Problem(problem.code.name, f"{place}: {problem.detail}", errors=problem.errors)


def calls(request: BackwardRequest, rules: read.Rules) -> list[dict[str, Any]] | None:
    """The long form of backward, with its gradients."""
    if request.backward is None:
        return None
    found = []
    for position, call in enumerate(request.backward):
        fields = call.model_dump(exclude_none=True)
        if "gradient" in fields:
            fields["gradient"] = _one(fields["gradient"], rules, ("backward", position, "gradient"))
        found.append(fields)
    return found
