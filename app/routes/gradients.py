"""The POST routes: bytes in, bytes out. The work is done behind the compute boundary."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from pydantic import BaseModel
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.compute.call import BINARY, JSON
from app.endpoints import ENDPOINTS, Endpoint
from app.exchange import exchange
from app.negotiation import CODINGS
from app.openapi import REF, problems
from app.schemas.response import Explained

CODES = (
    "invalid-json", "invalid-body", "json-too-deep", "not-acceptable", "body-timeout", "body-too-large",
    "unsupported-media-type", "unknown-graph", "unknown-field", "unknown-op", "unknown-id", "duplicate-id",
    "invalid-argument", "shape-mismatch", "dtype-mismatch",
    "not-differentiable", "not-scalar", "nan-found", "graph-freed", "limit-exceeded", "iteration-limit",
    "not-implemented", "overloaded", "worker-lost", "store-unavailable", "deadline-exceeded",
)  # fmt: skip

IN_BINARY = {
    BINARY: {
        "schema": {
            "type": "string",
            "contentMediaType": BINARY,
            "description": "The safetensors format: the JSON under `gradwire` in its `__metadata__`, tensors "
            "named by their places in it, `inputs/x`.",
        }
    }
}
HEADERS = {
    "Content-Encoding": {"description": "If the answer is compressed.", "schema": {"type": "string"}},
    "Vary": {"description": "What the answer's form depends on.", "schema": {"type": "string"}},
}


class Gradients:
    """The ASGI endpoint of one route."""

    def __init__(self, route: str) -> None:
        self.route = route

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return exchange(scope, receive, send, self.route)


def _describe(endpoint: Endpoint) -> dict[str, Any]:
    """The route's path item in the OpenAPI document."""
    deadline = {
        "name": "X-Request-Deadline-Ms",
        "in": "header",
        "description": "Milliseconds after which the answer is of no use; the server's limit still holds.",
        "schema": {"type": "integer", "minimum": 1},
    }
    coding = {
        "name": "Content-Encoding",
        "in": "header",
        "description": "How the body is compressed: once, to at most `max_body_bytes` when it is not.",
        "schema": {"type": "string", "enum": [*CODINGS]},
    }
    accepted = {
        "name": "Accept-Encoding",
        "in": "header",
        "description": "How the answer may be compressed; a binary one is under `identity;q=0` alone.",
        "schema": {"type": "string"},
    }
    answers = {"oneOf": [_reference(endpoint.response), _reference(Explained)]}
    return {
        "post": {
            "tags": ["gradients"],
            "summary": endpoint.summary,
            "description": endpoint.description,
            "operationId": endpoint.name,
            "parameters": [deadline, coding, accepted],
            "requestBody": {
                "required": True,
                "content": {JSON: {"schema": _reference(endpoint.request)}, **IN_BINARY},
            },
            "responses": {
                "200": {
                    "description": "What was asked for, or with `explain` what it would be.",
                    "headers": HEADERS,
                    "content": {JSON: {"schema": answers}, **IN_BINARY},
                },
                **{str(status): each for status, each in problems(*CODES).items()},
            },
        }
    }


def _reference(model: type) -> dict[str, str]:
    return {"$ref": REF.format(model=model.__name__)}


ROUTES = tuple(Route(f"/{name}", Gradients(name), methods=["POST"]) for name in ENDPOINTS)
OPENAPI = {f"/{name}": _describe(endpoint) for name, endpoint in ENDPOINTS.items()}
MODELS: tuple[type[BaseModel], ...] = (
    *(endpoint.request for endpoint in ENDPOINTS.values()),
    *(endpoint.response for endpoint in ENDPOINTS.values()),
    Explained,
)
