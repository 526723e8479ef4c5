"""GET /ops and /ops/{name}: the catalogue, read from the op records."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

import engine
from app import sample
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
    family: str = Field(description="The ops that it stands with: a `name` of the list's `families`.")


class OpDetail(OpSummary):
    """An op in full."""

    kinks: str | None = Field(description="What the gradient is where the derivative does not exist.")
    deviation: str | None = Field(description="Where it differs from torch on purpose.")
    grad_fns: list[str] = Field(description="The names its node can have in a trace.")
    example: dict[str, Any] | None = Field(description="A body for POST /forward that calls the op.")


class OpFamily(BaseModel):
    """Ops that belong together."""

    name: str
    title: str


class OpList(BaseModel):
    """All ops, by name, and their families."""

    ops: list[OpSummary]
    families: list[OpFamily]


@router.get("", summary="All ops", responses=problems())
async def list_ops() -> OpList:
    """Every op that a statement can name."""
    return summaries()


@router.get("/{name}", summary="One op", responses=problems("not-found"))
async def describe_op(name: str) -> OpDetail:
    """Signature, behaviour at kinks, grad_fn names and an example of the op with this name or alias."""
    op = names().get(name)
    if op is None:
        close = difflib.get_close_matches(name[:64], names(), n=3)
        hint = f"near it: {', '.join(close)}" if close else "GET /ops lists them"
        raise Problem("not-found", f"No op of this name; {hint}.")
    return describe(op)


@functools.cache
def summaries() -> OpList:
    """The catalogue, in name order."""
    ops = engine.catalogue()
    families = sorted({op.family for op in ops})
    return OpList(
        ops=[OpSummary(**_summary(op)) for op in ops],
        families=[OpFamily(name=each.name, title=each.title) for each in families],
    )


@functools.cache
def names() -> Mapping[str, engine.Entry]:
    """The ops under names and aliases; a name wins over an alias."""
    ops = engine.catalogue()
    return {alias: op for op in ops for alias in op.aliases} | {op.name: op for op in ops}


@functools.cache
def describe(op: engine.Entry) -> OpDetail:
    """Everything about an op."""
    return OpDetail(
        **_summary(op),
        kinks=op.kinks or None,
        deviation=op.deviation or None,
        grad_fns=list(op.grad_fns),
        example=sample.request(op),
    )


def _summary(op: engine.Entry) -> dict[str, Any]:
    return {
        "name": op.name,
        "aliases": sorted(op.aliases),
        "signature": op.signature,
        "summary": op.summary,
        "kind": op.kind,
        "family": op.family.name,
    }
