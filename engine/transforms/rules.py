"""What a rule appends, traced once and appended again from the trace.

A rule sees types and settings, never values: for two calls of one variant it appends the same nodes, on other
operands. The second time that a variant is met its rule is called on placeholders; from then on what it
appended there is appended without it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from engine.grad_mode import grad_enabled
from engine.graph import GraphNode, Value
from engine.graph_builder import GraphBuilder
from engine.pullback import pullback
from engine.variants import Variant

Values = Sequence[Value | None]
Pick = Callable[[list[Any]], tuple[Any, ...]]


_MET, _EACH_TIME = "called once", "called each time"  # what is known of a rule that is not traced


class Traced(NamedTuple):
    """The calls that a rule makes, each with what picks its operands out of a list: operands, results and
    cotangents of the node, then `constants`, then what the calls before gave. `found` are the places of the
    operands' cotangents."""

    calls: list[tuple[Variant, Pick]]
    constants: list[Any]
    found: list[int | None]


def cotangents(builder: GraphBuilder, node: GraphNode, g: Values, needs: Sequence[bool]) -> Values:
    """The cotangents of a node's operands that `needs` asks for, from those of its results."""
    values = [*node.operands, *node.outputs, *g]
    if not node.variant.shared:
        return _call(builder.F, node, values, needs)
    told, rules = builder.ledger.variants.rules(node.variant, g)
    key = (needs, told)
    if grad_enabled():  # what is recorded may depend on what requires grad
        key = (*key, *[getattr(each, "requires_grad", None) for each in values])
    known = rules.get(key)
    if known is _MET:
        known = rules[key] = _traced(builder.scratch(), node, values, needs) or _EACH_TIME
    if isinstance(known, Traced):
        return _append(builder, known, values)
    rules[key] = known or _MET
    return _call(builder.F, node, values, needs)


def _call(F: Any, node: GraphNode, values: Sequence[Any], needs: Sequence[bool]) -> Values:
    """The rule itself, for operands, results and cotangents in place of the node's."""
    end = len(node.operands)
    last = end + len(node.outputs)
    return pullback(node.op, F, values[:end], values[end:last], values[last:], node.attrs, needs)


def _append(builder: GraphBuilder, traced: Traced, values: list[Any]) -> Values:
    values += traced.constants
    call = builder.call
    for variant, pick in traced.calls:
        made = call(variant, pick(values))
        if variant.single:
            values.append(made)
        else:
            values += made
    return [None if at is None else values[at] for at in traced.found]


def _placeholder(like: Any) -> Any:
    if type(like) is not Value:
        return like
    found = Value(like.meta, None, 0, like.levels)
    found.requires_grad = like.requires_grad
    return found


def _traced(
    scratch: GraphBuilder, node: GraphNode, values: Sequence[Any], needs: Sequence[bool]
) -> Traced | None:
    """The calls that the rule makes; None if one of them cannot be made again."""
    places = [_placeholder(each) for each in values]
    found, nodes = _call(scratch.F, node, places, needs), scratch.graph.nodes
    if not all(node.variant.shared for node in nodes):
        return None
    made = [output for node in nodes for output in node.outputs]
    known = {*made, *places}
    constants = [x for node in nodes for x in node.operands if not _is_in(x, known)]
    first = len(places)
    numbers = {each: at for at, each in enumerate(places) if type(each) is Value}
    numbers.update(zip(made, itertools.count(first + len(constants)), strict=False))
    if not all(each is None or each in numbers for each in found):
        return None
    spare = itertools.count(first)
    calls = [
        (node.variant, _pick([numbers[x] if _is_in(x, known) else next(spare) for x in node.operands]))
        for node in nodes
    ]
    return Traced(calls, constants, [None if each is None else numbers[each] for each in found])


def _is_in(operand: Any, known: set[Any]) -> bool:
    return type(operand) is Value and operand in known


def _pick(places: Sequence[int]) -> Pick:
    """What picks the values at these places, as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    (only,) = places or (None,)
    return lambda values: () if only is None else (values[only],)
