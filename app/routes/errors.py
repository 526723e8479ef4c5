"""GET /errors: the closed list of error codes; a problem's `type` is the path of its code here."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.codes import CODES
from app.errors import Problem
from app.openapi import problems

router = APIRouter(prefix="/errors", tags=["catalogue"])


class ErrorCode(BaseModel):
    """A kind of error."""

    name: str = Field(description="What stands in a problem's `code`.")
    status: int = Field(description="The HTTP status that goes with it.")
    title: str
    description: str


class ErrorList(BaseModel):
    """All error codes."""

    errors: list[ErrorCode]


@router.get("", summary="All error codes", responses=problems())
async def list_errors() -> ErrorList:
    """Every code that an answer of this service can carry."""
    return ErrorList(errors=[ErrorCode.model_validate(asdict(code)) for code in CODES.values()])


@router.get("/{code}", summary="One error code", responses=problems("not-found"))
async def describe_error(code: str) -> ErrorCode:
    """What a code means. The `type` of a problem document leads here."""
    if code not in CODES:
        raise Problem("not-found", "No such error code; GET /errors lists them.")
    return ErrorCode.model_validate(asdict(CODES[code]))
