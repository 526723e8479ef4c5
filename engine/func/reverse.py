"""grad, grad_and_value and vjp: reverse mode as transforms of functions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from engine.eager.builder import F
from engine.eager.sweep import grad as sweep
from engine.eager.tensor import Tensor
from engine.eager.tracking import Transform
from engine.errors import NotScalar, RuntimeArgumentError
from engine.func import trees
from engine.func.arguments import Argnums, check_outputs, chosen, released, replaced, without_aux
from engine.grad_mode import is_grad_enabled


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives the gradient of `func`, which returns a 0-dim tensor, by its arguments `argnums`.

    With `has_aux`, `func` returns (output, aux), and the gradient comes as (gradient, aux).
    """

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, value = _grad_and_value(func, argnums, has_aux, args, kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def grad_and_value(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives (gradient, value): of `func`, which returns a 0-dim tensor, by `argnums`.

    With `has_aux`, `func` returns (output, aux), and the value is that pair.
    """

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> Any:
        return _grad_and_value(func, argnums, has_aux, args, kwargs)

    return both


def _grad_and_value(
    func: Callable[..., Any], argnums: Any, has_aux: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Any]:
    caller = "grad_and_value(f)(*args)"
    with Transform() as transform:
        places = chosen(argnums, len(args))
        inside = trees.mapped(transform.track, tuple(args[place] for place in places))
        output = func(*replaced(args, places, inside), **kwargs)
        output, aux = without_aux(output, has_aux, caller)
        if not isinstance(output, Tensor):
            raise RuntimeArgumentError(f"{caller}: Expected f(*args) to return a Tensor, got {type(output)}")
        if output.ndim:
            raise NotScalar(
                f"{caller}: Expected f(*args) to return a scalar Tensor, got tensor with {output.ndim} dims. "
                "Maybe you wanted to use the vjp or jacrev APIs instead?"
            )
        leaves, structure = trees.flatten(inside)
        found = trees.unflatten(cotangents([output], leaves, None, create_graph=True), structure)
        found, output, aux = (released(transform, each) for each in (found, output, aux if has_aux else ()))
    found = found if isinstance(argnums, tuple) else found[0]
    return found, ((output, aux) if has_aux else output)


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """(output, vjp_fn): `func` at `primals`, and the function from cotangents of the output's structure to a
    tuple with the cotangent of each of `primals`.

    With `has_aux`, `func` returns (output, aux), and the answer is (output, vjp_fn, aux).
    """
    output, pull, aux = pulled_back(func, primals, None, has_aux)
    return (output, pull, aux) if has_aux else (output, pull)


def pulled_back(
    func: Callable[..., Any], args: Sequence[Any], argnums: Any, has_aux: bool
) -> tuple[Any, Callable[..., Any], Any]:
    """What `vjp` gives, and aux, where only the arguments `argnums` (None: all) are tracked."""
    caller = "vjp(f, *primals)"
    with Transform() as transform:
        places = tuple(range(len(args))) if argnums is None else chosen(argnums, len(args))
        inside = trees.mapped(transform.track, tuple(args[place] for place in places))
        output, aux = without_aux(func(*replaced(args, places, inside)), has_aux, caller)
        aux = released(transform, aux) if has_aux else None
        outputs, out_structure = trees.flatten(output)
        check_outputs(outputs, caller)
        for each in outputs:
            if not each.dtype.differentiable:
                raise RuntimeArgumentError(
                    "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor "
                    f"with dtype {each.dtype!r}"
                )
    leaves, structure = trees.flatten(inside)

    def pull(given: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        flat, given_structure = trees.flatten(given)
        if given_structure != out_structure:
            raise RuntimeArgumentError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to "
                f"the function. cotangents: {trees.outline(given_structure)}, primal output: "
                f"{trees.outline(out_structure)}"
            )
        recorded = is_grad_enabled() if create_graph is None else create_graph
        found = cotangents(outputs, leaves, flat, create_graph=recorded, retain_graph=retain_graph)
        return released(transform, trees.unflatten(found, structure))

    return released(transform, output), pull, aux


def cotangents(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    given: Sequence[Any] | None,
    *,
    create_graph: bool,
    retain_graph: bool = True,
) -> list[Tensor]:
    """The vjp of those outputs that require grad, for every input; zeros where nothing flows."""
    flowing = [at for at, each in enumerate(outputs) if each.requires_grad]
    found: Sequence[Any] = [None] * len(inputs)
    if flowing and inputs:
        found = sweep(
            [outputs[at] for at in flowing],
            inputs,
            None if given is None else [given[at] for at in flowing],
            retain_graph=retain_graph,
            create_graph=create_graph,
            allow_unused=True,
        )
    return [F.zeros_like(x) if g is None else g for x, g in zip(inputs, found, strict=True)]
