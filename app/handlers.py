"""One table from exceptions to problem documents; the framework's own errors are in it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

import engine
from app.errors import MEDIA_TYPE, Problem, document, from_engine, from_validation

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")

# The framework's refusals: (code, detail). Its own texts are not passed on: some of them repeat the request.
FRAMEWORK: Mapping[int, tuple[str, str]] = {
    400: ("invalid-argument", "The request is malformed."),
    401: ("unauthorized", "The request needs a key."),
    404: ("not-found", "No such path; /docs and /openapi.json list the paths."),
    405: ("method-not-allowed", "The path does not take this method; the Allow header lists those it takes."),
    406: ("not-acceptable", "No representation of this resource fits the Accept header."),
    413: ("body-too-large", "The body is over the limit."),
    415: ("unsupported-media-type", "The path does not read this media type."),
    422: ("invalid-argument", "The request is not what the path takes."),
}


class ProblemResponse(Response):
    """A problem as a response to the request of `scope`."""

    media_type = MEDIA_TYPE

    def __init__(self, problem: Problem, scope: Scope, request_id: str | None = None) -> None:
        settings = scope["app"].state.settings
        body = document(
            problem, max_errors=settings.max_errors, max_bytes=settings.max_error_bytes, request_id=request_id
        )
        super().__init__(body, status_code=problem.code.status, headers=problem.headers)


async def on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return ProblemResponse(error, request.scope)


async def on_engine_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, engine.errors.EngineError)
    return ProblemResponse(from_engine(error), request.scope)


async def on_parameters(request: Request, error: Exception) -> Response:
    """A path or query parameter that its FastAPI route refuses."""
    assert isinstance(error, RequestValidationError)
    return ProblemResponse(from_validation(error.errors()), request.scope)


async def on_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, detail = FRAMEWORK.get(
        error.status_code, FRAMEWORK[400] if error.status_code < 500 else ("internal", "")
    )
    if code == "internal":
        raise RuntimeError(f"a route answered {error.status_code}") from error
    headers = dict(error.headers or {})
    if code == "method-not-allowed":
        headers["Allow"] = ", ".join(allowed_methods(request.scope))
    return ProblemResponse(Problem(code, detail, headers=headers), request.scope)


def allowed_methods(scope: Scope) -> list[str]:
    """Every method that some route takes at the scope's path (a route knows only its own)."""
    routes = scope["app"].router.routes
    found = {
        method
        for method in METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    }
    return sorted(found | {"HEAD"} if "GET" in found else found)


Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]
ERROR_HANDLERS: Mapping[int | type[Exception], Handler] = {
    Problem: on_problem,
    engine.errors.EngineError: on_engine_error,
    RequestValidationError: on_parameters,
    HTTPException: on_framework,
}
