"""Lowering of loops: `while` and `scan`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.bounded import Bounded
from engine.control.body import placeholder
from engine.control.loop import Loop
from engine.control.segments import kept, stride
from engine.control.spec import Spec
from engine.errors import ArgumentError, ShapeError
from engine.graph import Value
from engine.language.statements import Scan, While
from engine.levels import Levels, merged
from engine.program.scope import Scope, as_value, at, body_of, check_kept
from engine.types import Type

if TYPE_CHECKING:
    from engine.program.lowering import Lowering


class Lowered(NamedTuple):
    """A loop's body and condition in one version."""

    scope: Scope
    body: Lowering
    results: list[Value]
    ys: list[Value]
    cond: Lowering | None = None
    going: Value | None = None


def _settled(initial: dict[str, Value], lower: Callable[[dict[str, Value]], Lowered]) -> Lowered:
    """The body lowered again until what it yields requires grad, and has levels, as what it was given."""
    carried = {name: placeholder(value) for name, value in initial.items()}
    while True:
        found = lower(carried)
        masks: Levels = found.going.levels if found.going else ()
        again = {}
        for (name, value), result in zip(carried.items(), found.results, strict=True):
            again[name] = placeholder(value, merged(merged(value.levels, result.levels), masks))
            again[name].requires_grad = value.requires_grad or result.requires_grad
        pairs = zip(carried.values(), again.values(), strict=True)
        if all((a.levels, a.requires_grad) == (b.levels, b.requires_grad) for a, b in pairs):
            return found
        carried = again


def lower_while(outer: Lowering, each: While) -> tuple[Value, ...]:
    """Append the node of a `while`; its results."""
    initial = {name: as_value(outer.resolve(arg), "while") for name, arg in each.carry.items()}
    limit = outer.limits.iterations if each.max_iters is None else each.max_iters
    with at(("max_iters",)):
        outer.limits.check("iterations", limit)

    def lower(carried: dict[str, Value]) -> Lowered:
        scope = Scope(outer, carried)
        cond = outer.inside(scope)
        cond.run(each.cond.statements)
        with at(("cond", "yield")):
            going = cond.resolve(each.cond.results)
            if not isinstance(going, Value) or going.meta.numel != 1:
                raise ArgumentError("while: cond yields one element")
        body = outer.inside(scope)
        body.run(each.body.statements)
        results = _results(body, each.body.results, initial, "while", ("body", "yield"))
        return Lowered(scope, body, results, [], cond, going)

    found = _settled(initial, lower)
    carried, captured = list(found.scope.given.values()), list(found.scope.captured.values())
    inputs = [*carried, *captured]
    assert found.cond is not None and found.going is not None
    body = body_of(found.body, inputs, found.results)
    cond = body_of(found.cond, inputs, [found.going])
    every = stride(carried, limit, outer.limits, draws=body.draws or cond.draws)
    size = kept(limit, every, known=False)
    spec = Spec(
        "while",
        body,
        len(carried),
        0,
        size,
        size,
        limit,
        cond=cond,
        masks=found.going.levels or None,
        every=every,
        primal=True,
    )
    return _append(outer, spec, [*initial.values(), *found.scope.captured], found)


def lower_scan(outer: Lowering, each: Scan) -> tuple[Value, ...]:
    """Append the node of a `scan`; its results, carried values first."""
    initial = {name: as_value(outer.resolve(arg), "scan") for name, arg in each.carry.items()}
    xs = {name: as_value(outer.resolve(arg), "scan") for name, arg in each.xs.items()}
    size = _size(xs)
    with at(("xs",)):
        outer.limits.check("iterations", size)

    def lower(carried: dict[str, Value]) -> Lowered:
        scope = Scope(outer, carried | {name: _entry(value) for name, value in xs.items()})
        body = outer.inside(scope)
        body.run(each.body.statements)
        results = _results(body, each.body.results["carry"], initial, "scan", ("body", "yield", "carry"))
        with at(("body", "yield", "y")):
            ys = [as_value(body.resolve(arg), "scan") for arg in each.body.results["y"]]
        return Lowered(scope, body, results, ys)

    found = _settled(initial, lower)
    inputs = [*found.scope.given.values(), *found.scope.captured.values()]
    body = body_of(found.body, inputs, [*found.results, *found.ys])
    every = stride(inputs[: len(initial)], size, outer.limits, draws=body.draws)
    length = kept(size, every, known=True)
    spec = Spec("scan", body, len(initial), len(xs), size, length, size, every=every, primal=True)
    return _append(outer, spec, [*initial.values(), *xs.values(), *found.scope.captured], found)


def _append(outer: Lowering, spec: Spec, operands: list[Value], found: Lowered) -> tuple[Value, ...]:
    loop = Loop(spec)
    for meta in spec.types()[loop.places.ys]:
        outer.limits.check_type(meta)
    results = loop.append(outer.builder, [None, None, None, *operands])
    results = results[: spec.carried + spec.ys]
    none = spec.cond is not None or not spec.size  # it may make no iteration: then carried values stay
    carried = list(found.scope.given.values())[: spec.carried] if none else found.results
    for result, inside in zip(results, [*carried, *found.ys], strict=True):
        result.requires_grad = result.requires_grad and inside.requires_grad
    return results


def _results(
    body: Lowering, yielded: dict[str, Any], initial: dict[str, Value], what: str, place: tuple[str, ...]
) -> list[Value]:
    results = []
    for name, arg in yielded.items():
        with at((*place, name)):
            result = as_value(body.resolve(arg), what)
            check_kept(f"{what}: carry '{name}' starts", initial[name].meta, result.meta)
            results.append(result)
    return results


def _size(xs: dict[str, Value]) -> int:
    """The length of axis 0, the same of all."""
    sizes = {}
    for name, value in xs.items():
        if not value.shape:
            raise ShapeError(f"scan: xs '{name}' has no axis to go through", pointer=("xs", name))
        sizes[name] = size = value.shape[0]
        if isinstance(size, Bounded):
            size.refuse()
    (first, size), *others = sizes.items()
    for name, other in others:
        if other != size:
            text = f"scan: xs '{first}' has {size} entries and xs '{name}' has {other}"
            raise ShapeError(text, pointer=("xs", name), expected=size, actual=other)
    return size


def _entry(value: Value) -> Value:
    found = Value(Type(value.shape[1:], value.dtype), levels=value.levels)
    found.requires_grad = value.requires_grad
    return found
