"""Views that add, drop and repeat dimensions: squeeze, unsqueeze, expand."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.errors import RuntimeArgumentError, ShapeError
from engine.leading import behind
from engine.op import refused, sample
from engine.signature import OMITTED, Array, Dim, Dims, NewDim, Shape, Tensor
from engine.strides import expanded_strides
from engine.types import Type, strided


def _without(input: Type, gone: set[int]) -> Type:
    kept = [axis for axis in range(input.ndim) if axis not in gone]
    steps = input.stride()
    return strided(tuple(input.shape[at] for at in kept), input.dtype, tuple(steps[at] for at in kept))


def _squeeze_type(input: Type, dim: Any = None) -> Type:
    dims = range(-input.ndim, 0) if dim is None else (dim,) if isinstance(dim, int) else dim
    return _without(input, {at + input.ndim for at in dims if input.ndim and input.shape[at] == 1})


def _squeeze_rule(F: Any, x: Any, y: Any, g: Any, dim: Any = None) -> Any:
    shape = x[0].meta.shape
    dims = range(-len(shape), 0) if dim is None else (dim,) if isinstance(dim, int) else dim

    def restored() -> Any:
        found = g
        for at in sorted(dim + len(shape) for dim in dims if shape and shape[dim] == 1):
            found = F.unsqueeze(found, at)
        return found

    return (restored,)


def _squeezed(input: Array, *, meta: Type) -> Array:
    return input.reshape(meta.shape)


@kernel("_squeeze", kind="view", infer=_squeeze_type, vjp=_squeeze_rule, saves=("self_sym_sizes",))
def squeeze_all(input: Tensor, *, meta: Type) -> Array:
    """`input` without its dimensions of size 1.

    Smooth everywhere.
    """
    return _squeezed(input, meta=meta)


@kernel(
    "_squeeze_dim",
    kind="view",
    infer=_squeeze_type,
    vjp=_squeeze_rule,
    grad_fn="SqueezeBackward1",
    saves=("dim", "self_sym_sizes"),
)
def squeeze_dim(input: Tensor, dim: Dim, *, meta: Type) -> Array:
    """`input` without one dimension, if that has size 1.

    Smooth everywhere.
    """
    return _squeezed(input, meta=meta)


@kernel(
    "_squeeze_dims",
    kind="view",
    infer=_squeeze_type,
    vjp=_squeeze_rule,
    grad_fn="SqueezeBackward2",
    saves=("dim", "self_sym_sizes"),
)
def squeeze_dims(input: Tensor, dim: Dims, *, meta: Type) -> Array:
    """`input` without those of some dimensions that have size 1.

    Smooth everywhere.
    """
    return _squeezed(input, meta=meta)


@composite(
    "squeeze",
    samples=lambda make: [
        sample(make(1, 3, 1)),
        sample(make(1, 3), 0),
        sample(make(1, 3), 1),
        sample(make(1, 3, 1), (0, -1)),
        sample(make()),
    ],
    refusals=lambda make: [
        refused("Dimension out of range (expected to be in range of [-1, 0], but got 2)", make(3), 2),
        refused("dim 0 appears multiple times in the list of dims", make(1, 3), (0, 0)),
    ],
)
def squeeze(F: Any, input: Tensor, dim: Dims = OMITTED) -> Any:
    """`input` without its dimensions of size 1: all of them, or those that `dim` names.

    Smooth everywhere.
    """
    if dim is OMITTED:
        return F._squeeze(input)
    return F._squeeze_dim(input, dim) if isinstance(dim, int) else F._squeeze_dims(input, dim)


def _unsqueeze_type(input: Type, dim: NewDim) -> Type:
    at = dim + input.ndim + 1
    steps = input.stride()
    step = input.shape[at] * steps[at] if at < input.ndim else 1
    return strided((*input.shape[:at], 1, *input.shape[at:]), input.dtype, (*steps[:at], step, *steps[at:]))


@kernel(
    "unsqueeze",
    kind="view",
    infer=_unsqueeze_type,
    vjp=lambda F, x, y, g, dim: (lambda: F.squeeze(g, dim),),
    saves=("dim",),
    aliases=("expand_dims",),
    samples=lambda make: [
        sample(make(2, 3), 0),
        sample(make(2, 3), -1),
        sample(make(2, 3), 1),
        sample(make(), 0),
    ],
    refusals=lambda make: [
        refused("Dimension out of range (expected to be in range of [-3, 2], but got 5)", make(2, 3), 5)
    ],
)
def unsqueeze(input: Tensor, dim: NewDim, *, meta: Type) -> Array:
    """`input` with a new dimension of size 1 at `dim`.

    Smooth everywhere.
    """
    return np.expand_dims(input, dim)


def _expand_type(input: Type, size: Shape) -> Type:
    lead = len(size) - input.ndim
    if lead < 0:
        raise ShapeError(
            f"expand(torch.{input.dtype.title}Tensor{{{list(input.shape)}}}, size={list(size)}): the "
            f"number of sizes provided ({len(size)}) must be greater or equal to the number of dimensions "
            f"in the tensor ({input.ndim})"
        )
    found = list(size)
    for axis in range(len(size) - 1, -1, -1):
        if axis < lead:
            if size[axis] < 0:
                raise RuntimeArgumentError(
                    f"The expanded size of the tensor ({size[axis]}) isn't allowed in a leading, "
                    f"non-existing dimension {axis}"
                )
            continue
        have = input.shape[axis - lead]
        found[axis] = have if size[axis] == -1 else size[axis]
        if have not in (1, found[axis]) or found[axis] < 0:
            raise ShapeError(
                f"The expanded size of the tensor ({size[axis]}) must match the existing size ({have}) at "
                f"non-singleton dimension {axis}.  Target sizes: {list(size)}.  Tensor sizes: "
                f"{list(input.shape)}",
                expected=have,
                actual=size[axis],
            )
    return strided(tuple(found), input.dtype, expanded_strides(input, tuple(found)))


@kernel(
    "expand",
    kind="view",
    infer=_expand_type,
    vjp=lambda F, x, y, g, size: (lambda: g,),
    saves=("self_sym_sizes",),
    samples=lambda make: [
        sample(make(3), (2, 3)),
        sample(make(2, 1), (2, 3)),
        sample(make(2, 1), (4, -1, 3)),
        sample(make(), (2, 2)),
    ],
    refusals=lambda make: [
        refused(
            "The expanded size of the tensor (4) must match the existing size (3) at non-singleton "
            "dimension 0.  Target sizes: [4].  Tensor sizes: [3]",
            make(3),
            (4,),
        ),
        refused(
            "the number of sizes provided (1) must be greater or equal to the number of", make(2, 3), (3,)
        ),
        refused("(-1) isn't allowed in a leading, non-existing dimension 0", make(3), (-1, 3)),
    ],
)
def expand(input: Tensor, size: Shape, *, meta: Type, lead: int) -> Array:
    """`input` broadcast to `size`, without a copy; -1 keeps a size.

    Smooth everywhere.
    """
    return np.broadcast_to(behind(input, lead, meta.ndim - lead), meta.shape)


@composite("broadcast_to", samples=lambda make: [sample(make(3), (2, 3)), sample(make(2, 1), (2, 3))])
def broadcast_to(F: Any, input: Tensor, size: Shape) -> Any:
    """`expand`, under numpy's name.

    Smooth everywhere.
    """
    return F.expand(input, size)


@composite("expand_as", samples=lambda make: [sample(make(3), make(2, 3))])
def expand_as(F: Any, input: Tensor, other: Tensor) -> Any:
    """`expand` to the shape of `other`.

    Smooth everywhere.
    """
    return F.expand(input, other.meta.shape)
