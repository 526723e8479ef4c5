"""Elements repeated: repeat, tile, repeat_interleave."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from engine.bounded import Bounded
from engine.define import composite, kernel
from engine.dtypes import int64
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.places import check_index
from engine.signature import Array, Dim, Index, Number, Shape, Tensor, as_shape
from engine.types import Type, wrap_dim


def _repeat_type(input: Type, repeats: Shape) -> Type:
    if len(repeats) < input.ndim:
        raise ShapeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor",
            expected=input.ndim,
            actual=len(repeats),
        )
    padded = (1,) * (len(repeats) - input.ndim) + input.shape
    shape = tuple(size * times for size, times in zip(padded, repeats, strict=True))
    if any(times < 0 for times in repeats):
        raise RuntimeArgumentError(
            f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}"
        )
    return Type(shape, input.dtype)


def _repeat_rule(F: Any, x: Any, y: Any, g: Any, repeats: Shape) -> Any:
    shape = x[0].meta.shape
    padded = (1,) * (len(repeats) - len(shape)) + tuple(shape)
    apart = tuple(each for pair in zip(repeats, padded, strict=True) for each in pair)

    def added() -> Any:
        if 0 in repeats:
            return F.zeros(shape, dtype=g.meta.dtype)
        if not repeats:
            return g
        dims = tuple(at for at, times in enumerate(apart) if at % 2 == 0)
        return F.reshape(F.sum(F.reshape(g, apart), dims), shape)

    return (added,)


@kernel(
    "repeat",
    kind="structural",
    infer=_repeat_type,
    vjp=_repeat_rule,
    saves=("repeats", "self_sym_sizes"),
    samples=lambda make: [
        sample(make(3), (2,)),
        sample(make(2, 3), (2, 1, 3)),
        sample(make(), (2,)),
        sample(make(2), (0,)),
        sample(make(), ()),
    ],
    refusals=lambda make: [
        refused(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor",
            make(2, 3),
            (2,),
        ),
        refused("Trying to create tensor with negative dimension -6: [-6]", make(3), (-2,)),
    ],
)
def repeat(input: Tensor, repeats: Shape, *, lead: int) -> Array:
    """`input` as often as `repeats` says along each dimension, one copy after another.

    Smooth everywhere. The gradient is the sum over the copies.
    """
    rank = input.ndim - lead
    own = input.reshape((*input.shape[:lead], *(1,) * (len(repeats) - rank), *input.shape[lead:]))
    return np.tile(own, (*(1,) * lead, *repeats))


@composite(
    "tile", samples=lambda make: [sample(make(2, 3), (2,)), sample(make(3), (2, 2)), sample(make(2), ())]
)
def tile(F: Any, input: Tensor, dims: Shape) -> Any:
    """`repeat`, with missing repeats in front counted as 1.

    Smooth everywhere.
    """
    repeats = as_shape(dims)
    return F.repeat(input, (1,) * (input.meta.ndim - len(repeats)) + repeats)


def _places_type(repeats: Type, output_size: int | None) -> Type:
    check_index("repeats has to be Long or Int tensor", repeats.dtype)
    if repeats.ndim > 1:
        raise ShapeError(f"repeat_interleave only accept 1D vector as repeat, but got {repeats.ndim}D")
    if output_size is not None:
        return Type((output_size,), int64)
    return Type((Bounded(_most(repeats.numel)),), int64)


def _most(count: int) -> int:
    """How many places are allowed where nothing says how many there are."""
    return max(1024, 16 * count)


@kernel("_repeated_places", kind="index", infer=_places_type, batched="loop")
def repeated_places(repeats: Index, output_size: int | None) -> Array:
    """Each place in a list as often as the list says.

    Constant: nothing flows back.
    """
    if repeats.size and repeats.min() < 0:
        raise RuntimeArgumentError("repeats can not be negative")
    total = int(repeats.sum())
    if output_size is not None and output_size != total:
        raise RuntimeArgumentError("allocated size does not match required size")
    if output_size is None and total > _most(repeats.size):
        raise RuntimeArgumentError(
            f"repeat_interleave gives {total} slices, and was not told so: set output_size"
        )
    return np.repeat(np.arange(repeats.size), repeats)


@composite(
    "repeat_interleave",
    samples=lambda make: [
        sample(make(3), 2),
        sample(make(2, 3), 2, 1),
        sample(make(2, 3), np.array([2, 1]), 0, output_size=3),
        sample(make(2, 3), np.array([2]), -1, output_size=6),
        sample(make(), 3),
    ],
    refusals=lambda make: [
        refused("Dimension out of range (expected to be in range of [-1, 0], but got 2)", make(2), 2, 2),
        refused("repeats must have the same size as input along dim", make(2), np.array([1, 1, 1]), 0),
        refused("repeats can not be negative", make(2), np.array([1, -1]), 0),
    ],
)
def repeat_interleave(
    F: Any,
    input: Tensor,
    repeats: Tensor | Number,
    dim: Dim | None = None,
    *,
    output_size: int | None = None,
) -> Any:
    """Each slice along `dim` `repeats` times in a row, or as often as a tensor says for each.

    Smooth everywhere. The gradient is the sum over the copies.

    Unlike torch: in a program, a tensor of repeats without `output_size` may give 16 slices for each, or
    1024, at most: what a call needs is known before it runs.
    """
    source, times = F.flatten(input) if dim is None else input, cast(Any, repeats)
    at = wrap_dim(0 if dim is None else dim, source.meta.ndim)
    if not hasattr(times, "meta"):
        return _repeated(F, source, int(times), at)
    size = source.meta.shape[at] if source.meta.ndim else 1
    own = times
    if times.meta.ndim == 0 or times.meta.shape == (1,):
        own = F.expand(F.reshape(times, (1,)), (size,))
    elif times.meta.numel != size:
        raise RuntimeArgumentError(
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{times.meta.shape[0]} and input.size({at + max(source.meta.ndim, 1)}) = {size}"
        )
    if output_size is None and hasattr(times, "__index__") and not times.levels:
        output_size = int(F.sum(own))  # it is known now
    return F.index_select(source, at, F._repeated_places(own, output_size))


def _repeated(F: Any, source: Any, times: int, at: int) -> Any:
    """Each slice along a dim as often, in torch's steps."""
    if times < 0:
        raise RuntimeArgumentError("Repeats must be non-negative")
    source = source if source.meta.ndim else F.unsqueeze(source, 0)
    shape, axis = source.meta.shape, at + source.meta.ndim
    size = (*shape[: axis + 1], times, *shape[axis + 1 :])
    wide = F.clone(F.expand(F.unsqueeze(source, axis + 1), size), memory_format="contiguous_format")
    return F.view(wide, (*shape[:axis], shape[axis] * times, *shape[axis + 1 :]))
