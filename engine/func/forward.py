"""jvp: forward mode, from reverse mode twice.

The vjp of a function is linear in its cotangent u, so its own vjp, by u, is the jvp: d<J'u, t>/du = Jt. What
is recorded under `no_grad` inside the function carries no tangent, unlike PyTorch's dual numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.eager.builder import F
from engine.eager.sweep import grad as sweep
from engine.eager.tensor import Tensor
from engine.eager.tracking import Transform
from engine.errors import RuntimeArgumentError, ShapeError, ValueArgumentError
from engine.func import trees
from engine.func.arguments import check_outputs, chosen, released, replaced, without_aux
from engine.func.reverse import cotangents

_CALLER = "jvp(f, primals, tangents)"


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> Any:
    """(output, tangent): `func` at the tuple `primals`, and its derivative along `tangents`.

    `strict` refuses outputs that do not depend on the primals. With `has_aux`, `func` returns (output, aux),
    and the answer is (output, tangent, aux).
    """
    output, tangent, aux = pushed_forward(func, primals, tangents, None, strict=strict, has_aux=has_aux)
    return (output, tangent, aux) if has_aux else (output, tangent)


def pushed_forward(
    func: Callable[..., Any],
    primals: Any,
    tangents: Any,
    argnums: Any,
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> tuple[Any, Any, Any]:
    """What `jvp` gives, and aux, where only the primals `argnums` (None: all) have tangents."""
    if not isinstance(primals, tuple):
        raise RuntimeArgumentError(
            f"{_CALLER}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    places = tuple(range(len(primals))) if argnums is None else chosen(argnums, len(primals))
    flat_primals, structure = trees.flatten(tuple(primals[place] for place in places))
    flat_tangents = _matched(flat_primals, structure, tangents)
    with Transform() as transform:
        leaves = [transform.track(each) for each in flat_primals]
        output = func(*replaced(primals, places, trees.unflatten(leaves, structure)))
        output, aux = without_aux(output, has_aux, _CALLER)
        outputs, out_structure = trees.flatten(output)
        check_outputs(outputs, _CALLER)
        if strict:
            _check_dependent(transform, outputs)
        found = trees.unflatten(_along(transform, outputs, leaves, flat_tangents), out_structure)
        output, found, aux = (released(transform, each) for each in (output, found, aux if has_aux else ()))
    return output, found, aux


def _matched(primals: list[Any], structure: trees.Structure, tangents: Any) -> list[Tensor]:
    """The tangents, one for each primal."""
    flat, given = trees.flatten(tangents)
    if given != structure:
        raise RuntimeArgumentError(
            f"{_CALLER}: Expected primals and tangents to have the same python structure. For example, if "
            "primals is a tuple of 3 tensors, tangents also must be. Got primals with structure "
            f"{structure} and tangents with structure {given}"
        )
    for name, each in (("primals", primals), ("tangents", flat)):
        _check_tensors(name, each)
    for primal, tangent in zip(primals, flat, strict=True):
        _check_tangent(primal, tangent)
    return flat


def _check_tensors(name: str, given: Sequence[Any]) -> None:
    if not given:
        raise RuntimeArgumentError(f"{_CALLER}: Expected {name} to contain at least one Tensor.")
    for each in given:
        if not isinstance(each, Tensor):
            raise RuntimeArgumentError(
                f"{_CALLER}: Expected {name} to only contain Tensors, got {type(each)}"
            )


def _check_tangent(primal: Tensor, tangent: Tensor) -> None:
    for name, each in (("primal", primal), ("tangent", tangent)):
        if not each.dtype.differentiable:
            raise ValueArgumentError(
                f"Expected {name} to be floating point or complex, but got: {each.dtype!r}"
            )
    if primal.shape != tangent.shape:
        raise ShapeError(
            "Trying to set a forward gradient that has a different size than that of the original Tensor, "
            f"this is not supported. Tensor is of size {list(primal.shape)} while the given forward gradient "
            f"is of size {list(tangent.shape)}."
        )


def _check_dependent(transform: Transform, outputs: Sequence[Tensor]) -> None:
    for each in outputs:
        if not transform.reaches(each):
            raise RuntimeArgumentError(
                "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This "
                "is not allowed with strict=True."
            )


def _along(
    transform: Transform, outputs: Sequence[Tensor], inputs: Sequence[Tensor], tangents: Sequence[Tensor]
) -> list[Tensor]:
    """The derivative of each output along the tangents of the inputs; zeros where nothing flows."""
    flowing = [at for at, each in enumerate(outputs) if each.requires_grad]
    found = [F.zeros_like(each) for each in outputs]
    if flowing:
        linear = [transform.track(F.zeros_like(outputs[at])) for at in flowing]
        settings: dict[str, Any] = {"create_graph": True, "retain_graph": True, "allow_unused": True}
        pulled = sweep([outputs[at] for at in flowing], inputs, linear, **settings)
        used = [at for at, each in enumerate(pulled) if each is not None and each.requires_grad]
        reached = cotangents(
            [pulled[at] for at in used],
            linear,
            [tangents[at] for at in used],
            create_graph=True,
        )
        for at, each in zip(flowing, reached, strict=True):
            found[at] = each
    return found
