"""GET /info: versions, limits, encodings and dtypes, for clients that adapt themselves."""

from __future__ import annotations

import platform
from importlib import metadata

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

import engine
from app import __version__
from app.negotiation import CODINGS, MEDIA
from app.openapi import problems
from app.settings import Settings

router = APIRouter(tags=["service"])

SEMANTICS = "torch 2.13"
ENCODINGS = ("list", "flat", "base64")
LIBRARIES = ("numpy", "scipy", "fastapi", "pydantic")


class Versions(BaseModel):
    """What runs here."""

    gradwire: str
    semantics: str = Field(description="Whose behaviour, names and error texts are followed.")
    python: str
    libraries: dict[str, str]


class Info(BaseModel):
    """What this server is and allows."""

    versions: Versions
    limits: dict[str, int | float] = Field(description="Each a setting, under its setting's name.")
    encodings: list[str] = Field(description="How tensors can be written: the values of `encoding`.")
    media_types: list[str] = Field(description="Of requests and answers: `Content-Type`, `Accept`.")
    content_encodings: list[str] = Field(description="`Content-Encoding`, `Accept-Encoding`.")
    dtypes: list[str]
    ops: int = Field(description="How many ops GET /ops lists.")


@router.get("/info", summary="Versions, limits, encodings, dtypes", responses=problems())
async def info(request: Request) -> Info:
    """What a client needs to know about this server before it sends anything."""
    settings: Settings = request.app.state.settings
    return Info(
        versions=VERSIONS,
        limits=settings.limits,
        encodings=list(ENCODINGS),
        media_types=list(MEDIA),
        content_encodings=list(CODINGS),
        dtypes=list(engine.dtypes.DTYPES),
        ops=len(engine.catalogue()),
    )


VERSIONS = Versions(
    gradwire=__version__,
    semantics=SEMANTICS,
    python=platform.python_version(),
    libraries={name: metadata.version(name) for name in LIBRARIES},
)
