"""Views of another shape, and reshape, which copies where no view can be."""

from __future__ import annotations

import math
from typing import Any

from engine.bounded import Bounded
from engine.define import composite, kernel
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Array, Dim, Shape, Tensor, as_shape
from engine.strides import view_strides
from engine.types import Type, strided, wrap_dim

NOT_VIEWABLE = (
    "view size is not compatible with input tensor's size and stride (at least one dimension spans across "
    "two contiguous subspaces). Use .reshape(...) instead."
)


def resolved_size(size: Shape, numel: int) -> Shape:
    """`size` with its -1 replaced so that it holds `numel` elements, or torch's ShapeError."""
    free = [at for at, each in enumerate(size) if each == -1]
    if len(free) > 1:
        raise RuntimeArgumentError("only one dimension can be inferred")
    for at, each in enumerate(size):
        if each < -1:
            raise RuntimeArgumentError(f"invalid shape dimension {each} at index {at} of shape {list(size)}")
    known = math.prod(each for each in size if each != -1)
    if isinstance(numel, Bounded):  # checked at run time
        return tuple(numel // max(known, 1) if each == -1 else each for each in size)
    if known != numel if not free else known == 0 or numel % known:
        if free and known == numel == 0:
            raise ShapeError(
                f"cannot reshape tensor of 0 elements into shape {list(size)} because the unspecified "
                "dimension size -1 can be any value and is ambiguous"
            )
        raise ShapeError(
            f"shape '{list(size)}' is invalid for input of size {numel}", expected=numel, actual=list(size)
        )
    return tuple(numel // known if each == -1 else each for each in size)


def _viewed(input: Type, size: Shape) -> Type | None:
    size = resolved_size(size, input.numel)
    if input.strides is None:
        return Type(size, input.dtype)
    strides = view_strides(input.shape, input.strides, size)
    return None if strides is None else strided(size, input.dtype, strides)


def _view_type(input: Type, size: Shape) -> Type:
    found = _viewed(input, size)
    if found is None:
        raise ShapeError(NOT_VIEWABLE)
    return found


def _reshape_rule(F: Any, x: Any, y: Any, g: Any, size: Shape) -> Any:
    return (lambda: F.reshape(g, x[0].meta.shape),)


@kernel(
    "view",
    kind="view",
    infer=_view_type,
    vjp=_reshape_rule,
    saves=("self_sym_sizes",),
    samples=lambda make: [
        sample(make(2, 3), (3, 2)),
        sample(make(2, 3), -1),
        sample(make(2, 3, 4), (6, -1)),
        sample(make(1), ()),
        sample(make(0, 3), (3, 0)),
    ],
    refusals=lambda make: [
        refused("shape '[4]' is invalid for input of size 6", make(2, 3), (4,)),
        refused("only one dimension can be inferred", make(2, 3), (-1, -1)),
        refused("invalid shape dimension -2 at index 0 of shape [-2, 3]", make(2, 3), (-2, 3)),
        refused("the unspecified dimension size -1 can be any value and is ambiguous", make(0, 2), (-1, 0)),
    ],
)
def view(input: Tensor, size: Shape, *, meta: Type) -> Array:
    """The same memory in another shape; one size may be -1. Refused where the strides do not allow it.

    Smooth everywhere.
    """
    found: Array = input.reshape(meta.shape)
    return found


@kernel("_unsafe_view", kind="structural", infer=_view_type, vjp=_reshape_rule, saves=("self_sym_sizes",))
def unsafe_view(input: Tensor, size: Shape, *, meta: Type) -> Array:
    """`view` of a fresh copy, which nobody else sees.

    Smooth everywhere.
    """
    found: Array = input.reshape(meta.shape)
    return found


@kernel("_reshape_alias", kind="view", infer=_view_type, vjp=_reshape_rule, saves=("self_sym_sizes",))
def reshape_alias(input: Tensor, size: Shape, *, meta: Type) -> Array:
    """`view` of a tensor that is not contiguous.

    Smooth everywhere.
    """
    found: Array = input.reshape(meta.shape)
    return found


@composite(
    "reshape",
    samples=lambda make: [
        sample(make(2, 3), (3, 2)),
        sample(make(2, 3), (6,)),
        sample(make(2, 3), (-1, 1)),
        sample(make(), (1, 1)),
    ],
    refusals=lambda make: [refused("shape '[4]' is invalid for input of size 6", make(2, 3), (4,))],
)
def reshape(F: Any, input: Tensor, shape: Shape) -> Any:
    """`input` in another shape, a view if its strides allow it, else a copy; one size may be -1.

    Smooth everywhere.
    """
    size = as_shape(shape)
    if input.meta.is_contiguous:
        return F.view(input, size)
    if _viewed(input.meta, size) is not None:
        return F._reshape_alias(input, size)
    return F._unsafe_view(F.clone(input, memory_format="contiguous_format"), size)


@composite("view_as", samples=lambda make: [sample(make(2, 3), make(3, 2))])
def view_as(F: Any, input: Tensor, other: Tensor) -> Any:
    """`view` in the shape of `other`.

    Smooth everywhere.
    """
    return F.view(input, other.meta.shape)


@composite("reshape_as", samples=lambda make: [sample(make(2, 3), make(3, 2))])
def reshape_as(F: Any, input: Tensor, other: Tensor) -> Any:
    """`reshape` to the shape of `other`.

    Smooth everywhere.
    """
    return F.reshape(input, other.meta.shape)


@composite(
    "flatten",
    samples=lambda make: [
        sample(make(2, 3, 2)),
        sample(make(2, 3, 2), 1),
        sample(make()),
        sample(make(2, 3), 0, 0),
    ],
    refusals=lambda make: [
        refused("flatten() has invalid args: start_dim cannot come after end_dim", make(2, 3), 1, 0),
        refused("Dimension out of range (expected to be in range of [-2, 1], but got 5)", make(2, 3), 0, 5),
    ],
)
def flatten(F: Any, input: Tensor, start_dim: Dim = 0, end_dim: Dim = -1) -> Any:
    """Dimensions `start_dim` to `end_dim`, inclusive, as one.

    Smooth everywhere.
    """
    shape = input.meta.shape
    rank = max(len(shape), 1)
    first, last = wrap_dim(start_dim, len(shape)) + rank, wrap_dim(end_dim, len(shape)) + rank
    if first > last:
        raise RuntimeArgumentError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return F.reshape(input, (1,))
    if first == last:
        return input
    return F.reshape(input, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@composite("ravel", samples=lambda make: [sample(make(2, 3)), sample(make())])
def ravel(F: Any, input: Tensor) -> Any:
    """All elements in one dimension.

    Smooth everywhere.
    """
    return F.view(F.contiguous(input), (-1,))
