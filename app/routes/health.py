"""GET /health/live and /health/ready: is the process alive, can it compute."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from app.errors import Problem
from app.openapi import problems

router = APIRouter(prefix="/health", tags=["service"])


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class Ready(BaseModel):
    """The process computes."""

    status: Literal["ready"] = "ready"


@router.get("/live", summary="Is the process alive?", responses=problems())
async def live() -> Live:
    """Answers as long as the process does, however busy its compute is."""
    return Live()


@router.get("/ready", summary="Can it compute?", responses=problems("not-ready"))
async def ready(request: Request) -> Ready:
    """200 once compute has started and until it stops; 503 before and after."""
    if not is_ready(request):
        raise Problem("not-ready", "Compute has not started, or is stopping.")
    return Ready()


def is_ready(request: Request) -> bool:
    """Whether the application's compute takes work."""
    compute = getattr(request.app.state, "compute", None)
    return compute is not None and bool(compute.ready)
