"""What goes into torch.autograd.functional and comes out: a tensor, or a tuple of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.eager import active
from engine.eager.builder import F
from engine.eager.sweep import grad
from engine.eager.tensor import Tensor
from engine.errors import ArgumentError, RuntimeArgumentError
from engine.seeds import size_text

OUTPUTS = "outputs of the user-provided function"
Tensors = tuple[Tensor, ...]


def as_tuple(given: Any, what: str, caller: str) -> tuple[bool, Tensors]:
    """Whether `given` is a tuple, and it as one; ArgumentError for anything but tensors."""
    several = isinstance(given, tuple)
    found = given if several else (given,)
    for index, each in enumerate(found):
        if not isinstance(each, Tensor):
            where = f"the value at index {index}" if several else f"the given {what}"
            raise ArgumentError(
                f"The {what} given to {caller} must be either a Tensor or a tuple of Tensors but {where} has "
                f"type {type(each)}."
            )
    return several, found


def unpacked(found: Sequence[Any], several: bool) -> Any:
    """What was made for a tuple, or for the one tensor that was given instead."""
    return tuple(found) if several else found[0]


def tracked(tensors: Tensors, *, create_graph: bool, requires_grad: bool = True) -> Tensors:
    """Tensors to differentiate by that are no others, so that those which the function captures are told
    apart. They are linked to the given ones only if a graph is to be made."""
    active.check_switch()
    return fresh(tensors, create_graph=create_graph, requires_grad=requires_grad)


def fresh(tensors: Tensors, *, create_graph: bool, requires_grad: bool = True) -> Tensors:
    """The same, inside a transform too."""
    return tuple(_fresh(each, create_graph, requires_grad) for each in tensors)


def _fresh(tensor: Tensor, create_graph: bool, requires_grad: bool) -> Tensor:
    if create_graph and tensor.requires_grad:
        linked: Tensor = F.view(tensor, tensor.meta.shape)
        return linked
    found = tensor.detach()
    found.switch(requires_grad)
    return found


def given_back(found: Any, create_graph: bool) -> Any:
    """Results, in tuples of tuples, without history unless a graph is wanted."""
    if isinstance(found, tuple):
        return tuple(given_back(each, create_graph) for each in found)
    return found if create_graph else found.detach()


def check_v(v: Tensors, other: Tensors, several: bool) -> None:
    """The vector has the structure and the sizes of the tensors that it is multiplied with."""
    if len(v) != len(other):
        raise RuntimeArgumentError(
            f"v is a tuple of invalid length: should be {len(other)} but got {len(v)}."
            if several
            else "The given v should contain a single Tensor."
        )
    for index, (have, want) in enumerate(zip(v, other, strict=True)):
        if have.shape != want.shape:
            start = f"Entry {index} in " if several else ""
            raise RuntimeArgumentError(
                f"{start}v has invalid size: should be {size_text(want.shape)} but got "
                f"{size_text(have.shape)}."
            )


def gradients(
    outputs: Sequence[Tensor | None],
    inputs: Tensors,
    given: Sequence[Any] | None = None,
    **settings: bool,
) -> tuple[Tensor | None, ...]:
    """`grad` of the outputs that require grad; None where nothing flows."""
    cotangents = [None] * len(outputs) if given is None else given
    pairs = [(y, v) for y, v in zip(outputs, cotangents, strict=True) if y is not None and y.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    found: tuple[Tensor | None, ...] = grad(
        [y for y, _ in pairs], inputs, [v for _, v in pairs], allow_unused=True, **settings
    )
    return found
