"""Every pairing of elements: meshgrid, cartesian_prod, combinations; tensors broadcast together."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Array, Shape, Tensor, Tensors
from engine.types import Type, broadcast_shapes


@composite(
    "broadcast_tensors",
    samples=lambda make: [sample([make(3), make(2, 1)]), sample([make(), make(2)])],
    refusals=lambda make: [
        refused("The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0",
                [make(2), make(3)])
    ],
)  # fmt: skip
def broadcast_tensors(F: Any, tensors: Tensors) -> Any:
    """Tensors seen in the shape that they all broadcast to.

    Smooth everywhere.
    """
    shape = broadcast_shapes(*(each.meta.shape for each in tensors)) if tensors else ()
    return tuple(F.expand(each, shape) for each in tensors)


def _check_grid(tensors: Any, indexing: str) -> None:
    if not tensors:
        raise RuntimeArgumentError("meshgrid expects a non-empty TensorList")
    for at, each in enumerate(tensors):
        if each.meta.ndim > 1:
            raise ShapeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {each.meta!r}"
            )
        if at and each.meta.dtype is not tensors[0].meta.dtype:
            raise RuntimeArgumentError("torch.meshgrid expects all tensors to have the same dtype")
    if indexing not in ("ij", "xy"):
        raise RuntimeArgumentError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )


@composite(
    "meshgrid",
    samples=lambda make: [
        sample([make(2), make(3)], indexing="ij"),
        sample([make(2), make(3)], indexing="xy"),
        sample([make(), make(2), make(1)]),
    ],
    refusals=lambda make: [
        refused("meshgrid expects a non-empty TensorList", []),
        refused("torch.meshgrid expects all tensors to have the same dtype", [make(2), make.ints(2)]),
        refused('indexing must be one of "xy" or "ij", but received: foo', [make(2)], indexing="foo"),
    ],
)
def meshgrid(F: Any, tensors: Tensors, *, indexing: str | None = None) -> Any:
    """Grids of coordinates: each tensor along its own dimension, repeated along the others, as views.

    Smooth everywhere.
    """
    _check_grid(tensors, indexing or "ij")
    swap = indexing == "xy" and len(tensors) >= 2
    given = [tensors[1], tensors[0], *tensors[2:]] if swap else tensors
    shape = tuple(each.meta.numel for each in given)
    count = len(shape)
    found = [
        F.expand(F.view(each, tuple(-1 if at == own else 1 for own in range(count))), shape)
        for at, each in enumerate(given)
    ]
    if swap:
        found[0], found[1] = found[1], found[0]
    return tuple(found)


@composite(
    "cartesian_prod",
    samples=lambda make: [sample([make(2), make(3)]), sample([make(3)]), sample([make(1), make(2), make(2)])],
    refusals=lambda make: [refused("Expect a 1D vector, but got shape [2, 2]", [make(2, 2)])],
)
def cartesian_prod(F: Any, tensors: Tensors) -> Any:
    """Every choice of one element of each vector, one a row.

    Smooth everywhere.
    """
    for each in tensors:
        if each.meta.ndim != 1:
            raise ShapeError(f"Expect a 1D vector, but got shape {list(each.meta.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    grids = F.meshgrid(tensors, indexing="ij")
    return F.stack([F.flatten(each) for each in grids], 1)


def _places(count: int, r: int, with_replacement: bool) -> tuple[Any, ...]:
    """The index of each combination in a grid with `r` dims of `count`."""
    ways = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    found = np.array(list(ways(range(count), r)), np.int64).reshape(-1, r)
    return (Ellipsis, *found.T)


def _how_many(count: int, r: int, with_replacement: bool) -> int:
    return math.comb(count + r - 1, r) if with_replacement and count else math.comb(count, r)


@kernel(
    "_combined",
    kind="structural",
    infer=lambda input, with_replacement: Type(
        (_how_many(input.shape[0], input.ndim, with_replacement),), input.dtype
    ),
    vjp=lambda F, x, y, g, with_replacement: (
        lambda: F._combined_backward(g, x[0].meta.shape, with_replacement),
    ),
    grad_fn="MaskedSelectBackward0",
)
def combined(input: Tensor, with_replacement: bool, *, lead: int) -> Array:
    """The elements of a grid whose places are in order: those of all combinations.

    Smooth everywhere.
    """
    found: Array = input[_places(input.shape[-1], input.ndim - lead, with_replacement)]
    return found


@kernel(
    "_combined_backward",
    kind="structural",
    infer=lambda input, size, with_replacement: Type(size, input.dtype),
    vjp=lambda F, x, y, g, size, with_replacement: (lambda: F._combined(g, with_replacement),),
)
def combined_backward(input: Tensor, size: Shape, with_replacement: bool, *, lead: int) -> Array:
    """A grid of zeros with `input` at the places of all combinations.

    Smooth everywhere.
    """
    found = np.zeros(size, input.dtype)
    found[_places(size[-1], len(size) - lead, with_replacement)] = input
    return found


@composite(
    "combinations",
    samples=lambda make: [
        sample(make(4)),
        sample(make(3), 3),
        sample(make(3), with_replacement=True),
        sample(make(2), 1),
        sample(make(1), 2),
    ],
    refusals=lambda make: [
        refused("Expect a 1D vector, but got shape [2, 2]", make(2, 2)),
        refused("Expect a non-negative number, but got -1", make(2), -1),
    ],
)
def combinations(F: Any, input: Tensor, r: int = 2, with_replacement: bool = False) -> Any:
    """Every choice of `r` elements of a vector, in their order, one a row.

    Smooth everywhere.
    """
    if input.meta.ndim != 1:
        raise ShapeError(f"Expect a 1D vector, but got shape {list(input.meta.shape)}")
    if r < 0:
        raise RuntimeArgumentError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return F.zeros((0,), dtype=input.meta.dtype)
    grids = F.meshgrid([input] * r, indexing="ij")
    return F.stack([F._combined(each, with_replacement) for each in grids], 1)
