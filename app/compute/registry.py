"""PUT, GET and DELETE of /graphs/{name}: a graph is validated here as a request's would be, and kept."""

from __future__ import annotations

from typing import Any

import orjson

import engine
from app.codec import binary, read, text, write
from app.compute import reading
from app.compute.attaching import parts
from app.compute.call import BINARY, JSON, Answer, Call
from app.compute.programs import Programs
from app.graphs.conditions import Conditions, etag
from app.graphs.names import Found, Names
from app.graphs.versions import Version
from app.schemas.registered import Registration
from app.settings import Settings

ROUTES = ("PUT", "GET", "DELETE")


def answer(call: Call, names: Names, programs: Programs, settings: Settings) -> Answer:
    """The answer to a request about the graph itself. Raises Problem and engine.errors.EngineError."""
    named = call.named
    assert named is not None
    conditions = Conditions(named.if_match, named.if_none_match)
    if call.route == "DELETE":
        names.delete(named.name, conditions.allow)
        return Answer(204, (), (b"",))
    if call.route == "PUT":
        put = names.put(named.name, _version(call, programs, settings), conditions.allow)
        body = orjson.dumps({"name": named.name, "version": put.id, "graph_id": put.graph_id})
        return Answer(201 if put.created else 200, _headers(JSON, put.id), (body,))
    found = names.get(named.name, named.version)
    if conditions.is_known(found.id):
        return Answer(304, (("etag", etag(found.id)),), (b"",))
    conditions.allow(found.id)
    return _shown(call, found, names.history(named.name), settings)


def _version(call: Call, programs: Programs, settings: Settings) -> Version:
    """What a body registers, if requests could use it."""
    body, tensors = parts(call, settings.max_body_bytes)
    text.check_depth(body, settings.max_json_depth)
    given = reading.fields_of(Registration, body, tensors)
    limits = programs.limits
    rules = read.Rules(limits.rank, limits.elements, engine.dtype(given.default_dtype))
    entry = programs.get(given.graph, rules)
    inputs, grads = reading.inputs(given, rules)
    for name in grads:
        said = "a default input has no earlier grad"
        raise engine.errors.UnknownField(said, pointer=("inputs", name, "grad"))
    _check_names(entry.program, [*inputs], given.outputs or [])
    return Version(entry.graph_id, entry.text, inputs, given.outputs, given.default_dtype)


def _check_names(program: engine.Program, inputs: list[str], outputs: list[str]) -> None:
    """Refuse names that no request could be answered with."""
    defined = program.defines
    for name in inputs:
        if name in defined:
            said = f"id '{name}' is an input and defined in the graph"
            raise engine.errors.DuplicateId(said, pointer=("inputs", name))
    known = {*defined, *inputs, *program.takes}
    for place, name in enumerate(outputs):
        if name not in known:
            raise engine.errors.UnknownId(f"unknown id '{name}'", pointer=("outputs", place))


def _shown(call: Call, found: Found, history: list[str], settings: Settings) -> Answer:
    """The answer to GET, in the form that is wanted."""
    assert call.named is not None
    version, encoding = found.version, call.named.encoding
    _check_size(version.size, settings)  # before anything is written
    writer = binary.Writer() if call.wanted.media == BINARY else None

    def shown(name: str, value: engine.Tensor) -> dict[str, Any]:
        written = writer.tensor(value, ("inputs", name)) if writer else write.tensor(value, encoding)
        return {**written, "requires_grad": value.requires_grad}

    document = {
        "name": call.named.name,
        "version": found.id,
        "graph_id": version.graph_id,
        "graph": orjson.Fragment(version.text),
        "inputs": {name: shown(name, value) for name, value in version.inputs.items()},
        "outputs": version.outputs,
        "default_dtype": version.default_dtype,
        "versions": history,
    }
    pieces = writer.pieces(document) if writer else (write.dumps(document, encoding),)
    whole = Answer(200, _headers(call.wanted.media, found.id), pieces)
    _check_size(whole.size, settings)
    return whole


def _headers(media: str, identity: str) -> tuple[tuple[str, str], ...]:
    return ("content-type", media), ("etag", etag(identity))


def _check_size(size: int, settings: Settings) -> None:
    if size > settings.max_output_bytes:
        raise engine.errors.LimitExceeded("output_bytes", size, settings.max_output_bytes)
