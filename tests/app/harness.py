"""The application in process, for one test: with settings and routes of its own if need be."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.routing import BaseRoute

from app.main import create_app
from app.settings import Settings

INLINE = Settings(compute="inline")


@asynccontextmanager
async def serve(
    settings: Settings = INLINE, routes: Sequence[BaseRoute] = (), **api_routes: Callable[..., Any]
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a started application; `api_routes` are FastAPI GET routes under their keyword's name."""
    app = create_app(settings)
    app.router.routes.extend(routes)
    for name, endpoint in api_routes.items():
        app.add_api_route(f"/{name}", endpoint)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gradwire.test") as client,
    ):
        yield client
