"""Lowering of loops: the graphs of a condition and a body, and what they take from around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.eager.factories import tensor
from engine.errors import ArgumentError, EngineError, NotImplementedYet, Pointer
from engine.graph import Value
from engine.language.statements import While
from engine.program.control import check_carry, while_op
from engine.program.iteration import LoopGraphs
from engine.transforms.grad import Sweep

if TYPE_CHECKING:
    from engine.program.lowering import Lowering


class Scope:
    """What a loop's condition and body share: placeholders of the carried values, and of the outer values
    they read. `outer` is the lowering around the loop."""

    def __init__(self, outer: Lowering, carry: dict[str, Value], flags: list[bool]) -> None:
        self.outer = outer
        self.carried = dict(zip(carry, map(_placeholder, carry.values(), flags), strict=True))
        self.captured: dict[Value, Value] = {}

    def capture(self, name: str) -> Value:
        """The value that an outer name has inside the loop."""
        outside = self.outer.value(name)
        if outside.constant is not None and not outside.requires_grad:
            return outside
        placeholder = self.captured.get(outside)
        if placeholder is None:
            placeholder = self.captured[outside] = _placeholder(outside, outside.requires_grad)
            placeholder.name = outside.name
        return placeholder

    def owns(self, value: Value) -> bool:
        """Whether a value stands for one that was made outside the body."""
        return value in self.carried.values() or value in self.captured.values()

    def check_grad(self, wrt: list[Value], sweep: Sweep) -> None:
        """Refuse a `grad` whose answer would need the history that values have outside the body."""
        leaves = {place for outside, place in self.captured.items() if self._is_leaf(outside)}
        placeholders = [*self.carried.values(), *self.captured.values()]
        targets = [value for value in placeholders if value in wrt]
        reached = [value for value in placeholders if value in sweep.cotangents and value not in leaves]
        if any(target is not each for target in targets for each in reached):
            raise NotImplementedYet("grad in a loop through values from outside it is not implemented yet")

    def _is_leaf(self, outside: Value) -> bool:
        around = self.outer.scope
        return outside.maker is None and (around is None or not around.owns(outside))


def _placeholder(value: Value, requires_grad: bool) -> Value:
    found = Value(value.meta)
    found.requires_grad = requires_grad
    return found


def lower_while(outer: Lowering, each: While) -> tuple[Value, ...]:
    """Append the node of a loop; its results. The body is lowered again until `requires_grad` of what it
    yields agrees with that of what it was given."""
    initial = {name: _as_value(outer.resolve(arg)) for name, arg in each.carry.items()}
    flags = [value.requires_grad for value in initial.values()]
    while True:
        scope = Scope(outer, initial, flags)
        graphs = _graphs(outer, each, initial, scope)
        agreed = [flag or result.requires_grad for flag, result in zip(flags, graphs.results, strict=True)]
        if agreed == flags:
            break
        flags = agreed
    random = any(node.op.kind == "random" for graph in (graphs.cond, graphs.body) for node in graph.nodes)
    op = while_op(graphs, random=random)
    results: tuple[Value, ...] = outer.builder.append(op, (*initial.values(), *scope.captured), {}, {})
    return results[:-1]


def _as_value(found: Any) -> Value:
    """A Python scalar that goes round a loop is a 0-dim tensor."""
    if isinstance(found, Value):
        return found
    if not isinstance(found, (bool, int, float, complex)):
        raise ArgumentError("while: a carried value is a tensor or a number", actual=type(found).__name__)
    made = tensor(found)
    value = Value(made.meta)
    value.constant = made.array
    return value


def _graphs(outer: Lowering, each: While, initial: dict[str, Value], scope: Scope) -> LoopGraphs:
    limit = outer.limits.iterations if each.max_iters is None else each.max_iters
    with _at(("max_iters",)):
        outer.limits.check("iterations", limit)
    cond = outer.inside(scope)
    cond.run(each.cond.statements)
    with _at(("cond", "yield")):
        going = cond.resolve(each.cond.results)
        if not isinstance(going, Value) or going.meta.numel != 1:
            raise ArgumentError("while: cond yields one element")
    body = outer.inside(scope)
    body.run(each.body.statements)
    results = []
    for name, arg in each.body.results.items():
        with _at(("body", "yield", name)):
            result = _as_value(body.resolve(arg))
            check_carry(name, initial[name].meta, result.meta)
            results.append(result)
    return LoopGraphs(
        cond=cond.graph,
        cond_result=going,
        body=body.graph,
        results=results,
        carried=list(scope.carried.values()),
        captured=list(scope.captured.values()),
        active=[value.requires_grad for value in scope.carried.values()],
        max_iters=limit,
        builder=body.builder,
        freed=body.slots.freed,
    )


class _at:
    """Puts `pointer` in front of the place of an error, if it has none in the program yet."""

    def __init__(self, pointer: Pointer) -> None:
        self._pointer = pointer

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if isinstance(error, EngineError) and error.pointer[:1] != ("graph",):
            error.at(self._pointer)
