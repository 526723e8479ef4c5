"""The cotangents of one node's operands: the only place where a rule is called.

Broadcasting is undone and the cotangent cast to its operand's dtype here, so that no rule does either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.bounded import same
from engine.errors import NotDifferentiable
from engine.op import NoDerivative, Op
from engine.types import Type


def pullback(
    op: Op,
    F: Any,
    x: Sequence[Any],
    y: Sequence[Any],
    g: Sequence[Any],
    attrs: dict[str, Any],
    needs: Sequence[bool],
) -> list[Any]:
    """A cotangent (None: a symbolic zero) per operand of `x`, where `needs` asks for it.

    `y` and `g` have an entry per output; a rule of a single-output op sees them unwrapped.
    """
    if op.vjp is None or isinstance(op.vjp, NoDerivative):
        raise NotDifferentiable(
            op.vjp.reason if op.vjp else f"derivative for aten::{op.short} is not implemented"
        )
    single = op.single
    rules = op.vjp(F, x, y[0] if single else y, g[0] if single else g, **attrs)
    cotangents: list[Any] = [None] * len(x)
    for position, (rule, needed) in enumerate(zip(rules, needs, strict=True)):
        if needed and rule is not None:
            cotangents[position] = fit(F, rule(), x[position].meta)
    return cotangents


def fit(F: Any, cotangent: Any, meta: Type) -> Any:
    """`cotangent` summed and cast to an operand of type `meta`."""
    if cotangent is None:
        return None
    if not same(cotangent.meta.shape, meta.shape):
        cotangent = F.sum_to_size(cotangent, meta.shape)
    if cotangent.meta.dtype is not meta.dtype:
        if cotangent.meta.dtype.is_complex and not meta.dtype.is_complex:
            cotangent = F.real(cotangent)
        cotangent = F.to(cotangent, meta.dtype)
    return cotangent
