"""Lowering of choices: `cond`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.control.branch import Branch
from engine.errors import ArgumentError
from engine.graph import Value
from engine.language.statements import Body, Choice
from engine.program.scope import Scope, as_value, at, body_of, check_kept

if TYPE_CHECKING:
    from engine.program.lowering import Lowering


def lower_cond(outer: Lowering, each: Choice) -> tuple[Value, ...]:
    """Append the node of a `cond`; its results."""
    predicate = as_value(outer.resolve(each.predicate), "cond")
    if predicate.meta.numel != 1:
        raise ArgumentError("cond: the predicate has one element", pointer=("in", 0))
    scope = Scope(outer, {})
    then, first = _lower(outer, scope, each.then, "then")
    other, second = _lower(outer, scope, each.otherwise, "else")
    for number, (a, b) in enumerate(zip(first, second, strict=True)):
        with at(("else", "yield", number)):
            check_kept(f"cond: result {number} comes from then", a.meta, b.meta)
    captured = list(scope.captured.values())
    bodies = body_of(then, captured, first), body_of(other, captured, second)
    branch = Branch("cond", bodies, captured, predicate.levels, primal=True)
    results = branch.append(outer.builder, [None, predicate, *scope.captured])[: len(first)]
    for result, a, b in zip(results, first, second, strict=True):
        result.requires_grad = result.requires_grad and (a.requires_grad or b.requires_grad)
    return results


def _lower(outer: Lowering, scope: Scope, body: Body, name: str) -> tuple[Lowering, list[Value]]:
    inside = outer.inside(scope)
    inside.run(body.statements)
    with at((name, "yield")):
        return inside, [as_value(inside.resolve(arg), "cond") for arg in body.results]
