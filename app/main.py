"""The application: lists of routes, middleware and error handlers, and what runs while it serves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app import __version__, openapi
from app.compute import Compute
from app.graphs.database import Database
from app.handlers import ERROR_HANDLERS
from app.middleware import Answer, BodyGuard, HeadAsGet
from app.routes import docs, errors, gradients, graphs, health, info, ops
from app.schemas.shown import Argument
from app.settings import Settings
from app.shortcut import Shortcut

log = logging.getLogger("gradwire")

ROUTES: tuple[Route, ...] = (*gradients.ROUTES, *graphs.ROUTES, *docs.ROUTES)  # plain ASGI, matched first
ROUTERS = (ops.router, errors.router, info.router, health.router)


def middleware(settings: Settings) -> list[Middleware]:
    """Outermost first."""
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=("DELETE", "GET", "POST", "PUT"),
        allow_headers=(
            "Content-Encoding",
            "Content-Type",
            "If-Match",
            "If-None-Match",
            "X-Request-ID",
            "X-Request-Deadline-Ms",
        ),
        expose_headers=("ETag", "X-Request-ID", "Retry-After"),
    )
    return [
        *([cors] if settings.cors_origins else []),
        Middleware(Answer),
        Middleware(HeadAsGet),
        Middleware(BodyGuard, max_bytes=settings.max_body_bytes, seconds=settings.body_timeout_seconds),
    ]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Compute starts before the first request and ends after the last."""
    store = Database(app.state.settings.store)
    if complaint := await asyncio.to_thread(store.check):
        log.warning("no graph can be kept; the store %s: %s", store.given, complaint)
    compute = Compute(app.state.settings)
    await compute.start()
    app.state.compute = compute
    try:
        yield
    finally:
        await compute.stop()


def direct(settings: Settings) -> dict[str, ASGIApp]:
    """The POST routes that compute, by their paths, in the same layers as all routes.

    The framework's layers and routing take longer than a small graph does, and would do nothing here.
    """
    found = {}
    for route in (*gradients.ROUTES, *graphs.ON_GRAPHS):
        app: ASGIApp = route.endpoint
        for layer in reversed(middleware(settings)):
            app = layer.cls(app, *layer.args, **layer.kwargs)
        found[route.path] = app
    return found


class Application(FastAPI):
    """FastAPI whose OpenAPI document also describes the POST routes, and which goes straight to them."""

    direct: Mapping[str, ASGIApp] = MappingProxyType({})
    shortcut: Shortcut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        app = self._direct(scope) if scope.get("method") == "POST" else None
        if app is None or scope.get("root_path"):
            await super().__call__(scope, receive, send)
        else:
            scope["app"] = self
            await app(scope, receive, send)

    def _direct(self, scope: Scope) -> ASGIApp | None:
        path: str = scope["path"]
        if not path.startswith("/graphs/"):
            return self.direct.get(path)
        name, _, route = path.removeprefix("/graphs/").partition("/")
        scope["path_params"] = {"name": name}
        return self.direct.get("/graphs/{name}/" + route) if name else None

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            # Argument is only ever shown, so pydantic would leave it out of the definitions.
            models: tuple[type[BaseModel], ...] = (*gradients.MODELS, *graphs.MODELS, Argument)
            self.openapi_schema = openapi.describe(
                self.routes, {**gradients.OPENAPI, **graphs.OPENAPI}, models
            )
        return self.openapi_schema


def create_app(settings: Settings | None = None) -> Application:
    """The ASGI application under `settings`, by default the environment's."""
    settings = Settings.from_env() if settings is None else settings
    app = Application(
        title=openapi.TITLE,
        version=__version__,
        routes=list(ROUTES),
        middleware=middleware(settings),
        exception_handlers=dict(ERROR_HANDLERS),
        lifespan=lifespan,
        openapi_url=None,  # /openapi.json and /docs are routes of our own, without inline scripts
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # its records repeat what was refused
    )
    for router in ROUTERS:
        app.include_router(router)
    app.state.settings = settings
    app.direct = direct(settings)
    app.shortcut = Shortcut(app)
    return app


app = create_app()
