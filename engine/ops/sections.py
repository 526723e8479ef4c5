"""A tensor cut into sections along a dimension: tensor_split, hsplit, vsplit, dsplit."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Dim, Sizes, Tensor
from engine.types import wrap_dim


def _borders(size: int, sections: int) -> list[int]:
    """Where `sections` parts end, the first ones one larger."""
    each, larger = divmod(size, sections)
    ends = np.cumsum([each + 1] * larger + [each] * (sections - larger))
    return [int(end) for end in ends]


@composite(
    "tensor_split",
    aliases=("array_split",),
    samples=lambda make: [
        sample(make(5, 2), 3),
        sample(make(2, 5), (1, 3), -1),
        sample(make(3), (2, 9)),
        sample(make(3), (2, 1)),
    ],
    refusals=lambda make: [
        refused("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims",
                make(), 1),
        refused("number of sections must be larger than 0, got 0", make(2), 0),
    ],
)  # fmt: skip
def tensor_split(F: Any, input: Tensor, indices_or_sections: Sizes, dim: Dim = 0) -> Any:
    """As many parts along `dim`, the first ones one larger where they cannot be equal; or cut at indices.

    Smooth everywhere.
    """
    if not input.meta.ndim:
        raise RuntimeArgumentError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    axis = wrap_dim(dim, input.meta.ndim) + input.meta.ndim
    size = input.meta.shape[axis]
    if isinstance(indices_or_sections, int):
        if indices_or_sections <= 0:
            raise RuntimeArgumentError(f"number of sections must be larger than 0, got {indices_or_sections}")
        ends = _borders(size, indices_or_sections)
    else:
        ends = [*indices_or_sections, size]
    return tuple(F.slice(input, axis, start, end) for start, end in zip([0, *ends], ends, strict=False))


def _check_sections(name: str, input: Any, sections: Any, dim: int, rank: int) -> None:
    shape = input.meta.shape
    if len(shape) < rank:
        raise ShapeError(
            f"torch.{name} requires a tensor with at least {rank} dimension, but got a tensor with "
            f"{len(shape)} dimensions!"
        )
    if isinstance(sections, int) and (sections == 0 or shape[dim] % sections):
        raise ShapeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension "
            f"{shape[dim]} is not divisible by the split_size {sections}!"
        )


@composite(
    "hsplit",
    samples=lambda make: [sample(make(2, 4), 2), sample(make(4), (1, 3)), sample(make(4), 2)],
    refusals=lambda make: [
        refused("hsplit requires a tensor with at least 1 dimension, but got a tensor with 0", make(), 1),
        refused("the size of the dimension 3 is not divisible by the split_size 2!", make(2, 3), 2),
    ],
)
def hsplit(F: Any, input: Tensor, indices_or_sections: Sizes) -> Any:
    """Columns apart: `tensor_split` along dim 1, or 0 of a vector, into parts of one size or at indices.

    Smooth everywhere.
    """
    dim = 0 if input.meta.ndim == 1 else 1
    _check_sections("hsplit", input, indices_or_sections, dim, 1)
    return F.tensor_split(input, indices_or_sections, dim)


@composite(
    "vsplit",
    samples=lambda make: [sample(make(4, 2), 2), sample(make(4, 1), (1, 3))],
    refusals=lambda make: [
        refused("vsplit requires a tensor with at least 2 dimension, but got a tensor with 1", make(2), 1),
        refused("the size of the dimension 3 is not divisible by the split_size 2!", make(3, 2), 2),
    ],
)
def vsplit(F: Any, input: Tensor, indices_or_sections: Sizes) -> Any:
    """Rows apart: `tensor_split` along dim 0 into parts of one size, or at indices.

    Smooth everywhere.
    """
    _check_sections("vsplit", input, indices_or_sections, 0, 2)
    return F.tensor_split(input, indices_or_sections, 0)


@composite(
    "dsplit",
    samples=lambda make: [sample(make(2, 1, 4), 2), sample(make(1, 2, 4), (1, 3))],
    refusals=lambda make: [
        refused("torch.dsplit requires a tensor with at least 3 dimension, but got a tensor with 2",
                make(2, 2), 1),
        refused("the size of the dimension 3 is not divisible by the split_size 2!", make(1, 2, 3), 2),
    ],
)  # fmt: skip
def dsplit(F: Any, input: Tensor, indices_or_sections: Sizes) -> Any:
    """Layers apart: `tensor_split` along dim 2 into parts of one size, or at indices.

    Smooth everywhere.
    """
    _check_sections("dsplit", input, indices_or_sections, 2, 3)
    return F.tensor_split(input, indices_or_sections, 2)
