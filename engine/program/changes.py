"""Statements that read and change what autograd keeps: flags, `.grad`, hooks, sweeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine import grad_checks, seeds
from engine.errors import ArgumentError, GradError, NotImplementedYet, RuntimeArgumentError
from engine.grad_mode import set_grad_enabled
from engine.graph import Value
from engine.language.statements import GradCall, Hook, StateChange
from engine.levels import Level, into, out_of
from engine.program.slots import check_unused

if TYPE_CHECKING:
    from engine.program.lowering import Lowering


def change(lowering: Lowering, each: StateChange) -> None:
    """Do what a state statement says."""
    _CHANGES[each.kind](lowering, each)


def _requires_grad(lowering: Lowering, each: StateChange) -> None:
    value = lowering.resolve(each.targets[0])
    if lowering.scope is not None and lowering.scope.owns(value):
        raise NotImplementedYet("requires_grad_ of a value from outside the body is not implemented yet")
    wanted = each.settings.get("requires_grad", True)
    grad_checks.check_switched(value.dtype, value.maker is None, wanted)
    if value.maker is None:
        value.requires_grad = wanted


def _retain_grad(lowering: Lowering, each: StateChange) -> None:
    for target in each.targets:
        lowering.slots.retain(lowering.resolve(target))


def _zero_grad(lowering: Lowering, each: StateChange) -> None:
    lowering.slots.zero([lowering.resolve(target) for target in each.targets])


def _read_grad(lowering: Lowering, each: StateChange) -> None:
    found = lowering.slots.grads.get(lowering.resolve(each.targets[0]))
    if found is None:
        raise GradError(f"'{each.targets[0].name}' has no grad yet: it is None", pointer=("in", 0))
    lowering.define(each.id, found)


def _backward(lowering: Lowering, each: StateChange) -> None:
    settings = each.settings
    inputs = settings.get("inputs")
    lowering.swept = True
    lowering.slots.backward(
        [lowering.resolve(each.targets[0])],
        [lowering.resolve(settings.get("gradient"))],
        inputs=None if inputs is None else [lowering.resolve(ref) for ref in inputs],
        retain_graph=settings.get("retain_graph"),
        create_graph=settings.get("create_graph", False),
    )


def lower_grad(lowering: Lowering, each: GradCall) -> None:
    """Append the sweep of a `grad`, and define what it finds."""
    settings = each.settings
    materialize = settings.get("materialize_grads", False)
    grad_checks.check_materialized(materialize, settings.get("allow_unused"))
    outputs = [lowering.resolve(arg) for arg in each.outputs]
    for at, output in enumerate(outputs):
        if not isinstance(output, Value):
            raise ArgumentError("grad: an output is a tensor", pointer=("in", at))
    targets = [lowering.resolve(ref) for ref in each.wrt]
    given = lowering.resolve(settings.get("grad_outputs"))
    given = [None] * len(outputs) if given is None else given if isinstance(given, list) else [given]
    create_graph = settings.get("create_graph", False)
    grad_checks.check_inputs(targets, "grad")
    level = None
    if settings.get("is_grads_batched"):
        level = Level(seeds.batch_size(lowering.builder.F, outputs, given))
        with set_grad_enabled(create_graph):
            given = [into(lowering.builder.F, each, level) for each in given]
    roots = lowering.slots.roots(outputs, given, create_graph)
    grad_checks.check_wrt(targets)
    scope = lowering.scope
    watched = [*targets, *(scope.placeholders if scope else ())]  # a path may lead on outside of the body
    sweep = lowering.slots.sweep(roots, watched, settings.get("retain_graph"), create_graph)
    if scope is not None:
        scope.check_grad(targets, sweep)
    for index, (name, target) in enumerate(zip(each.out, targets, strict=True)):
        found = sweep.cotangents.get(target)
        if found is None and materialize:
            found = lowering.builder.F.zeros_like(target)
            found.requires_grad = create_graph  # a leaf, as torch makes it
        elif found is None:
            check_unused(settings, name, index)
        elif level is not None:
            with set_grad_enabled(create_graph):
                found = out_of(lowering.builder.F, found, level)
        if found is not None:
            lowering.define(name, found)


def lower_hook(lowering: Lowering, each: Hook) -> None:
    """Register a body that the gradients of a value go through."""
    value = lowering.resolve(each.target)
    if not value.requires_grad:
        raise GradError("cannot register a hook on a tensor that doesn't require gradient")
    lowering.slots.hooks.setdefault(value, []).append(lambda g: _hooked(lowering, each, g))


def _hooked(lowering: Lowering, each: Hook, cotangent: Value) -> Value:
    """What a hook makes of a gradient."""
    (found,) = lowering.inline(each.body, [cotangent])
    if found.shape != cotangent.shape:
        name = each.target.name
        raise RuntimeArgumentError(f"hook '{name}' has changed the size of value").at(each.pointer)
    return found


_CHANGES: dict[str, Callable[[Lowering, StateChange], None]] = {
    "requires_grad_": _requires_grad,
    "retain_grad": _retain_grad,
    "zero_grad": _zero_grad,
    "read_grad": _read_grad,
    "backward": _backward,
}
