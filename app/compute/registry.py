"""PUT, GET and DELETE of /graphs/{name}: a graph is validated here as a request's would be, and kept."""

from __future__ import annotations

import orjson

import engine
from app.codec import read, text, write
from app.compute import reading
from app.compute.attaching import parts
from app.compute.call import JSON, Answer, Call
from app.compute.programs import Programs
from app.graphs.conditions import Conditions, etag
from app.graphs.named import Named
from app.graphs.names import Names
from app.graphs.versions import Version
from app.schemas.registered import Registration
from app.settings import Settings

ROUTES = ("PUT", "GET", "DELETE")


def answer(call: Call, names: Names, programs: Programs, settings: Settings) -> Answer:
    """The answer to a request about the graph itself. Raises Problem and engine.errors.EngineError."""
    named = call.named
    assert named is not None
    conditions = Conditions(named.if_match, named.if_none_match)
    if call.route == "GET":
        return _shown(named, names, conditions, settings)
    if call.route == "DELETE":
        names.delete(named.name, conditions.allow)
        return Answer(204, (), (b"",))
    body, _ = parts(call, settings.max_body_bytes)
    text.check_depth(body, settings.max_json_depth)
    put = names.put(named.name, _version(body, programs), conditions.allow)
    found = {"name": named.name, "version": put.id, "graph_id": put.graph_id}
    return _answer(201 if put.created else 200, put.id, orjson.dumps(found))


def _version(body: bytes, programs: Programs) -> Version:
    """What a body registers, if requests could use it."""
    given = reading.fields_of(Registration, body)
    limits = programs.limits
    rules = read.Rules(limits.rank, limits.elements, engine.dtype(given.default_dtype))
    entry = programs.get(given.graph, rules)
    inputs, grads = reading.inputs(given, rules)
    for name in grads:
        text_ = "a default input has no earlier grad"
        raise engine.errors.UnknownField(text_, pointer=("inputs", name, "grad"))
    defined = entry.program.defines
    for name in inputs:
        if name in defined:
            text_ = f"id '{name}' is an input and defined in the graph"
            raise engine.errors.DuplicateId(text_, pointer=("inputs", name))
    known = {*defined, *inputs, *entry.program.takes}
    for place, name in enumerate(given.outputs or ()):
        if name not in known:
            raise engine.errors.UnknownId(f"unknown id '{name}'", pointer=("outputs", place))
    return Version(entry.graph_id, entry.text, inputs, given.outputs, given.default_dtype)


def _shown(named: Named, names: Names, conditions: Conditions, settings: Settings) -> Answer:
    """A registered graph, unless the client has it."""
    identity, version = names.get(named.name, named.version)
    if conditions.is_known(identity):
        return Answer(304, (("etag", etag(identity)),), (b"",))
    conditions.allow(identity)
    if version.size > settings.max_output_bytes:
        raise engine.errors.LimitExceeded("output_bytes", version.size, settings.max_output_bytes)
    found = {
        "name": named.name,
        "version": identity,
        "graph_id": version.graph_id,
        "graph": orjson.Fragment(version.text),
        "inputs": {
            name: {**write.tensor(value, named.encoding), "requires_grad": value.requires_grad}
            for name, value in version.inputs.items()
        },
        "outputs": version.outputs,
        "default_dtype": version.default_dtype,
        "versions": names.history(named.name),
    }
    body = write.dumps(found, named.encoding)
    if len(body) > settings.max_output_bytes:
        raise engine.errors.LimitExceeded("output_bytes", len(body), settings.max_output_bytes)
    return _answer(200, identity, body)


def _answer(status: int, identity: str, body: bytes) -> Answer:
    return Answer(status, (("content-type", JSON), ("etag", etag(identity))), (body,))
