"""backward() and grad(): what starts a sweep, and what is given back."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from engine import grad_checks, levels, seeds
from engine.eager.active import Batch, check_backward
from engine.eager.builder import F
from engine.eager.function import Function
from engine.eager.node import Node, edge_of
from engine.eager.tensor import Tensor
from engine.eager.walk import Sweep, accumulate, key_of
from engine.grad_mode import set_grad_enabled

__all__ = ["Function", "backward", "grad"]

_ONLY_INPUTS = (
    "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for "
    "other parts of the graph, please use torch.autograd.backward."
)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (tuple, list)) else [value]


def _roots(tensors: Any, gradients: Any) -> list[tuple[Tensor, Tensor]]:
    outputs = _as_list(tensors)
    given = [None] * len(outputs) if gradients is None else _as_list(gradients)
    for gradient in given:
        seeds.check_gradient(gradient)
    seeds.check_count(len(outputs), len(given))
    for index, output in enumerate(outputs):
        if given[index] is None:
            seeds.check_output(output, index)
    found = [(o, seeds.seed(F, o, g, index)) for index, (o, g) in enumerate(zip(outputs, given, strict=True))]
    for index, output in enumerate(outputs):
        seeds.check_output(output, index)
    return found


def _finish(ran: list[Node], retain_graph: bool) -> None:
    if not retain_graph:
        for node in ran:
            node.release()


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Accumulate the vjp of `tensors` with `grad_tensors` into the leaves' `.grad`, or that of `inputs`."""
    check_backward()
    targets = None if inputs is None else _as_list(inputs)
    if targets is not None:
        grad_checks.check_inputs(targets, "backward")
    for target in targets or ():
        grad_checks.check_retained(target)
    sweep = Sweep(_roots(tensors, grad_tensors), targets, create_graph=create_graph, accumulate=True)
    ran = sweep.run()
    for target in targets or ():
        caught = sweep.caught.get(key_of(edge_of(target)))
        if not target.is_leaf and caught is not None:
            accumulate(target, caught, create_graph)
    _finish(ran, create_graph if retain_graph is None else retain_graph)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor] | dict[Any, Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:
    """The vjp of `outputs` with `grad_outputs` for each of `inputs`, in a tuple (a dict if they are in one);
    `.grad` is left alone.

    With `is_grads_batched` each of `grad_outputs` has an axis of cotangents in front; so has each gradient.
    """
    if not only_inputs:
        warnings.warn(_ONLY_INPUTS, FutureWarning, stacklevel=2)
    if type(inputs) is dict:
        names, inputs = list(inputs), list(inputs.values())
        settings = (retain_graph, create_graph, True, allow_unused, is_grads_batched, materialize_grads)
        return dict(zip(names, grad(outputs, inputs, grad_outputs, *settings), strict=True))
    grad_checks.check_materialized(materialize_grads, allow_unused)
    targets = _as_list(inputs)
    grad_checks.check_inputs(targets, "grad")
    grad_checks.check_wrt(targets)
    find = _grad_batched if is_grads_batched else _grad
    kept = create_graph if retain_graph is None else retain_graph
    allowed = bool(allow_unused or materialize_grads)
    found = find(outputs, targets, grad_outputs, kept, create_graph, allowed)
    if materialize_grads:
        found = [_zeros(t, create_graph) if g is None else g for t, g in zip(targets, found, strict=True)]
    return tuple(found)


def _zeros(target: Tensor, requires_grad: bool) -> Tensor:
    zeros: Tensor = F.zeros_like(target)
    zeros.requires_grad = requires_grad
    return zeros


def _grad(
    outputs: Any, targets: list[Tensor], given: Any, retain_graph: bool, create_graph: bool, allowed: bool
) -> list[Tensor | None]:
    """The gradient of each target; None where nothing flows, if that is `allowed`."""
    sweep = Sweep(_roots(outputs, given), targets, create_graph=create_graph, accumulate=False)
    ran = sweep.run()
    found = [sweep.caught.get(key_of(edge_of(target))) for target in targets]
    for index, each in enumerate(found):
        if each is None and not allowed:
            raise grad_checks.unused(index)
    _finish(ran, retain_graph)
    return found


def _grad_batched(
    outputs: Any, targets: list[Tensor], given: Any, retain_graph: bool, create_graph: bool, allowed: bool
) -> list[Tensor | None]:
    """The same for many cotangents at once: their axis is a batch level during the sweep."""
    roots = _as_list(outputs)
    gradients = [None] * len(roots) if given is None else _as_list(given)
    with Batch(seeds.batch_size(F, roots, gradients)) as batch:
        inside = [levels.into(F, each, batch.level) for each in gradients]
        found = _grad(roots, targets, inside, retain_graph, create_graph, allowed)
        with set_grad_enabled(create_graph):
            return [None if each is None else levels.out_of(F, each, batch.level) for each in found]
