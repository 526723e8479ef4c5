"""GET /docs and /openapi.json: the API for people and for programs; the page loads nothing from elsewhere."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.errors import Problem

STATIC = Path(__file__).resolve().parents[1] / "static"
SWAGGER_UI = Path(str(files("fastapi_offline"))) / "static"  # the published swagger-ui-dist files, unchanged
ASSETS: Mapping[str, tuple[Path, str]] = {
    "docs.js": (STATIC / "docs.js", "text/javascript"),
    "favicon.svg": (STATIC / "favicon.svg", "image/svg+xml"),
    "swagger-ui-bundle.js": (SWAGGER_UI / "swagger-ui-bundle.js", "text/javascript"),
    "swagger-ui.css": (SWAGGER_UI / "swagger-ui.css", "text/css"),
}
# Swagger UI sets style attributes and has icons in data: URLs; scripts and requests stay with this server.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}


async def page(request: Request) -> Response:
    return Response(_read(STATIC / "docs.html"), media_type="text/html", headers=HEADERS)


async def asset(request: Request) -> Response:
    found = ASSETS.get(request.path_params["name"])
    if found is None:
        raise Problem("not-found", "No such file.")
    path, media_type = found
    return Response(_read(path), media_type=media_type, headers={"Cache-Control": "max-age=3600"})


@functools.cache
def _read(path: Path) -> bytes:
    return path.read_bytes()


async def openapi_json(request: Request) -> Response:
    state = request.app.state
    if not hasattr(state, "openapi_json"):
        state.openapi_json = json.dumps(request.app.openapi(), ensure_ascii=False, separators=(",", ":"))
    return Response(state.openapi_json, media_type="application/json")


ROUTES = (
    Route("/docs", page, methods=["GET"]),
    Route("/docs/{name}", asset, methods=["GET"]),
    Route("/openapi.json", openapi_json, methods=["GET"]),
)
