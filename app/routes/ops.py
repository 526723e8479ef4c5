"""GET /ops and /ops/{name}: the catalogue, read from the op records."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping

from fastapi import APIRouter
from pydantic import BaseModel, Field

import engine
from app.errors import Problem
from app.openapi import problems

router = APIRouter(prefix="/ops", tags=["catalogue"])


class OpSummary(BaseModel):
    """An op in one line."""

    name: str = Field(description="What stands in a statement's `op`: torch's path without `torch.`.")
    aliases: list[str] = Field(description="Other names that mean the same.")
    signature: str = Field(description="torch's parameters in torch's order; `in` binds by position.")
    summary: str
    kind: str


class OpDetail(OpSummary):
    """An op in full."""

    kinks: str | None = Field(description="What the gradient is where the derivative does not exist.")
    grad_fns: list[str] = Field(description="The names its node can have in a trace.")


class OpList(BaseModel):
    """All ops, by name."""

    ops: list[OpSummary]


@router.get("", summary="All ops", responses=problems())
async def list_ops() -> OpList:
    """Every op that a statement can name."""
    return OpList(
        ops=[OpSummary.model_validate(op.model_dump(include=SUMMARY)) for op in catalogue().values()]
    )


@router.get("/{name}", summary="One op", responses=problems("not-found"))
async def describe_op(name: str) -> OpDetail:
    """Signature, policy at kinks and grad_fn names of the op with this name or alias."""
    found = names().get(name)
    if found is None:
        close = difflib.get_close_matches(name[:64], names(), n=3)
        hint = f"near it: {', '.join(close)}" if close else "GET /ops lists them"
        raise Problem("not-found", f"No op of this name; {hint}.")
    return found


SUMMARY = set(OpSummary.model_fields)


@functools.cache
def catalogue() -> Mapping[str, OpDetail]:
    """The op records as documents, in name order."""
    return {
        op.name: OpDetail(
            name=op.name,
            aliases=sorted(op.aliases),
            signature=op.signature,
            summary=op.summary,
            kind=op.kind,
            kinks=op.kinks or None,
            grad_fns=list(op.grad_fns),
        )
        for op in engine.catalogue()
    }


@functools.cache
def names() -> Mapping[str, OpDetail]:
    """The documents under names and aliases; a name wins over an alias."""
    aliases = {alias: op for op in catalogue().values() for alias in op.aliases}
    return {**aliases, **catalogue()}
