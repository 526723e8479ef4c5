"""Views and copies that move elements: reshape, transpose, expand, cat and their kin."""

from __future__ import annotations

import numpy as np

from engine.define import kernel
from engine.errors import ShapeError
from engine.op import sample
from engine.signature import Array, Shape, Tensor
from engine.types import Type, strided


def _expand_type(input: Type, size: Shape) -> Type:
    lead = len(size) - input.ndim
    if lead < 0:
        raise ShapeError(
            f"expand(torch.{input.dtype.title}Tensor{{{list(input.shape)}}}, size={list(size)}): the number of sizes "
            f"provided ({len(size)}) must be greater or equal to the number of dimensions in the tensor ({input.ndim})"
        )
    return strided(size, input.dtype, (0,) * lead + tuple(
        0 if have == 1 and want != 1 else step
        for have, want, step in zip(input.shape, size[lead:], input.stride(), strict=True)
    ))


@kernel(
    "expand",
    kind="view",
    infer=_expand_type,
    vjp=lambda F, x, y, g, size: (lambda: g,),
    saves=("self_sym_sizes",),
    samples=lambda make: [sample(make(3), (2, 3)), sample(make(2, 1), (2, 3))],
)
def expand(input: Tensor, size: Shape, *, meta: Type) -> Array:
    """`input` broadcast to `size`, without a copy; -1 keeps a size.

    Smooth everywhere.
    """
    return np.broadcast_to(input, meta.shape)
