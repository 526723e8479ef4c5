"""/graphs/{name}: graphs that the service keeps, and the POST routes on them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.codec.write import ENCODINGS
from app.compute.call import JSON
from app.endpoints import ENDPOINTS
from app.errors import Problem
from app.exchange import exchange
from app.graphs.named import Named
from app.graphs.names import unknown_name
from app.openapi import REF, problems
from app.routes import gradients
from app.schemas.registered import Registered, RegisteredGraph, Registration
from app.schemas.request import GRAPH_ID

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
SHARED = ("not-acceptable", "precondition-failed", "overloaded", "worker-lost", "store-unavailable")
CODES = {
    "put": (
        "invalid-json", "invalid-body", "json-too-deep", "body-timeout", "body-too-large",
        "unsupported-media-type", "unknown-field", "unknown-op", "unknown-id", "duplicate-id",
        "invalid-argument", "shape-mismatch", "dtype-mismatch", "limit-exceeded", "not-implemented",
    ),
    "get": ("unknown-graph", "unknown-field", "invalid-argument", "limit-exceeded"),
    "delete": ("unknown-graph", "unknown-field", "invalid-argument"),
}  # fmt: skip


class Graph:
    """The ASGI endpoint of a graph itself."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        named = _named(scope, () if method != "GET" else ("version", "encoding"))
        if method == "PUT" and not NAME.fullmatch(named.name):
            text = "a graph's name is a letter or _ and up to 63 more letters, digits or _"
            raise Problem("invalid-argument", f"path: {text}.")
        await exchange(scope, receive, send, method, named, reads=method == "PUT")


class OfGraph:
    """The ASGI endpoint of a POST route on a graph."""

    def __init__(self, route: str) -> None:
        self.route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await exchange(scope, receive, send, self.route, _named(scope, ("version",)))


def _named(scope: Scope, allowed: tuple[str, ...]) -> Named:
    """What path, query and headers say. Raises Problem; a graph of no possible name is unknown."""
    name = scope["path_params"]["name"]
    if scope["method"] != "PUT" and not NAME.fullmatch(name):
        raise unknown_name(None)
    query = _query(scope["query_string"], allowed)
    headers = dict(scope["headers"])
    tags = (headers.get(each) for each in (b"if-match", b"if-none-match"))
    matched, unmatched = (None if each is None else each.decode("latin-1") for each in tags)
    return Named(name, query.get("version"), query.get("encoding", "list"), matched, unmatched)


def _query(query: bytes, allowed: tuple[str, ...]) -> dict[str, str]:
    """The parameters, each once."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in allowed:
            known = f"those here are {', '.join(allowed)}" if allowed else "there are none here"
            raise Problem("unknown-field", f"query: no such parameter; {known}.")
        if name in found or not _FITS[name](value):
            raise Problem("invalid-argument", f"query parameter {name}: {_EXPECTED[name]} is expected, once.")
        found[name] = value
    return found


_FITS = {"version": lambda value: GRAPH_ID.fullmatch(value) is not None, "encoding": ENCODINGS.__contains__}
_EXPECTED = {"version": "'sha256:' and 64 hexadecimal digits", "encoding": f"one of {', '.join(ENCODINGS)}"}


def _parameter(name: str, place: str, description: str, **schema: Any) -> dict[str, Any]:
    found = {"name": name, "in": place, "description": description, "schema": {"type": "string", **schema}}
    return found | ({"required": True} if place == "path" else {})


_NAME = _parameter("name", "path", "The graph's name.", pattern=f"^{NAME.pattern}$")
_VERSION = _parameter(
    "version",
    "query",
    "One of the graph's earlier versions; default: the current.",
    pattern="^sha256:[0-9a-f]{64}$",
)
_ENCODING = _parameter("encoding", "query", "How default inputs are written.", enum=list(ENCODINGS))
_IF_MATCH = _parameter("If-Match", "header", "ETags of which the current version must have one; `*` for any.")
_IF_NONE = _parameter("If-None-Match", "header", "ETags none of which it may have; `*`: there is none yet.")
_ETAG = {"ETag": {"description": "The version, in quotes.", "schema": {"type": "string"}}}


def _answered(description: str, model: type[BaseModel] | None = None) -> dict[str, Any]:
    if model is None:
        return {"description": description}
    schema = {"$ref": REF.format(model=model.__name__)}
    content = {JSON: {"schema": schema}, **(gradients.IN_BINARY if model is RegisteredGraph else {})}
    return {"description": description, "headers": _ETAG, "content": content}


def _operation(
    method: str, summary: str, description: str, parameters: list[Any], **more: Any
) -> dict[str, Any]:
    responses = {
        **more.pop("responses"),
        **{str(k): each for k, each in problems(*CODES[method], *SHARED).items()},
    }
    return {
        "tags": ["graphs"],
        "summary": summary,
        "description": description,
        "operationId": f"{method}_graph",
        "parameters": parameters,
        "responses": responses,
        **more,
    }


def _of_graph(name: str) -> dict[str, Any]:
    """The path item of a POST route on a graph: the route's own, but for where the graph comes from."""
    plain = gradients.OPENAPI[f"/{name}"]["post"]
    shown = {status: each for status, each in plain["responses"].items() if status in ("200", "default")}
    return {
        "post": {
            **plain,
            "tags": ["graphs"],
            "description": f"As /{name}, without `graph`: inputs, `outputs` and `default_dtype` that the "
            "request leaves out are those of the registered graph.",
            "operationId": f"{name}_of_graph",
            "parameters": [_NAME, _VERSION, *plain["parameters"]],
            "responses": {**shown, **{str(k): v for k, v in problems("unknown-graph").items()}},
        }
    }


_GRAPH = {
    "put": _operation(
        "put",
        "Register a graph",
        "Validates the graph as a request would, and keeps it with default inputs under the name. Its "
        "version is a hash of all that; earlier versions stay addressable.",
        [_NAME, _IF_MATCH, _IF_NONE],
        requestBody={
            "required": True,
            "content": {
                JSON: {"schema": {"$ref": REF.format(model="Registration")}},
                **gradients.IN_BINARY,
            },
        },
        responses={
            "200": _answered("The name has this version now.", Registered),
            "201": _answered("The name is new.", Registered),
        },
    ),
    "get": _operation(
        "get",
        "Show a registered graph",
        "What was sent, and all versions that are kept.",
        [_NAME, _VERSION, _ENCODING, _IF_MATCH, _IF_NONE],
        responses={
            "200": _answered("The graph.", RegisteredGraph),
            "304": _answered("It has the version that `If-None-Match` names."),
        },
    ),
    "delete": _operation(
        "delete",
        "Forget a registered graph",
        "Forgets the name and all of its versions.",
        [_NAME, _IF_MATCH, _IF_NONE],
        responses={"204": _answered("It is gone.")},
    ),
}

ON_GRAPHS = tuple(Route(f"/graphs/{{name}}/{name}", OfGraph(name), methods=["POST"]) for name in ENDPOINTS)
ROUTES = (Route("/graphs/{name}", Graph(), methods=["PUT", "GET", "DELETE"]), *ON_GRAPHS)
OPENAPI = {"/graphs/{name}": _GRAPH, **{f"/graphs/{{name}}/{name}": _of_graph(name) for name in ENDPOINTS}}
MODELS: tuple[type[BaseModel], ...] = (Registration, Registered, RegisteredGraph)
