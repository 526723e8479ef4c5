"""A tensor taken apart along a dimension: split and chunk."""

from __future__ import annotations

from typing import Any

from engine.define import composite, kernel
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Array, Dim, Shape, Sizes, Tensor
from engine.types import Type, strided, wrap_dim


def _parts(size: int, split_size: int) -> tuple[int, ...]:
    """The sizes of parts of `split_size`, the last as large as what is left."""
    if split_size == 0:
        return (0,)
    count = max(-(-size // split_size), 1)
    return (*(split_size,) * (count - 1), size - split_size * (count - 1))


def _part_types(input: Type, sizes: Shape, dim: int) -> tuple[Type, ...]:
    axis, steps = dim + input.ndim, input.stride()
    shapes = [(*input.shape[:axis], size, *input.shape[axis + 1 :]) for size in sizes]
    return tuple(strided(shape, input.dtype, steps) for shape in shapes)


def _split_type(input: Type, split_size: int, dim: Dim) -> tuple[Type, ...]:
    if not input.shape:
        raise RuntimeArgumentError("split expects at least a 1-dimensional tensor")
    if split_size < 0:
        raise RuntimeArgumentError(
            f"split expects split_size be non-negative, but got split_size={split_size}", actual=split_size
        )
    size = input.shape[dim]
    if split_size == 0 and size:
        raise RuntimeArgumentError(
            f"split_size can only be 0 if dimension size is 0, but got dimension size of {size}"
        )
    return _part_types(input, _parts(size, split_size), dim)


def _split_sizes_type(input: Type, split_sizes: Shape, dim: Dim) -> tuple[Type, ...]:
    if not input.shape:
        raise RuntimeArgumentError("split_with_sizes expects at least a 1-dimensional tensor")
    size = input.shape[dim]
    if any(each < 0 for each in split_sizes):
        raise RuntimeArgumentError(
            "split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes="
            f"{list(split_sizes)}"
        )
    if sum(split_sizes) != size:
        raise ShapeError(
            f"split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at "
            f"dimension {dim + input.ndim}), but got split_sizes={list(split_sizes)}",
            expected=size,
            actual=sum(split_sizes),
        )
    return _part_types(input, split_sizes, dim)


def _split_rule(F: Any, x: Any, y: Any, g: Any, *, dim: Dim, **sizes: Any) -> Any:
    def joined() -> Any:
        pairs = zip(g, y, strict=True)
        parts = [
            F.zeros(own.meta.shape, dtype=x[0].meta.dtype) if each is None else each for each, own in pairs
        ]
        return F.cat(parts, dim) if len(parts[0].meta.shape) != 1 else _joined_rows(F, parts)

    return (joined,)


def _joined_rows(F: Any, parts: Any) -> Any:
    kept = [each for each in parts if each.meta.shape != (0,)]
    return F.cat(kept or parts)


def _cut(input: Array, sizes: Any, dim: int) -> tuple[Array, ...]:
    """Views of `sizes` along a dim."""
    found, start = [], 0
    for size in sizes:
        key: Any = (Ellipsis, slice(start, start + size), *(slice(None),) * (-dim - 1))
        found.append(input[key])
        start += size
    return tuple(found)


@kernel(
    "_split",
    kind="view",
    infer=_split_type,
    vjp=_split_rule,
    outputs=(),
    grad_fn="SplitBackward0",
    saves=("dim", "self_sym_sizes", "split_size"),
)
def split_evenly(input: Tensor, split_size: int, dim: Dim = 0) -> tuple[Array, ...]:
    """Parts of one size along `dim`, the last as large as what is left.

    Smooth everywhere.
    """
    return _cut(input, _parts(input.shape[dim], split_size), dim)


@kernel(
    "split_with_sizes",
    kind="view",
    infer=_split_sizes_type,
    vjp=_split_rule,
    outputs=(),
    saves=("dim", "self_sym_sizes", "split_sizes"),
    samples=lambda make: [
        sample(make(5), (2, 3)),
        sample(make(2, 4), (1, 0, 3), -1),
        sample(make(4, 2), (1, 3)),
    ],
    refusals=lambda make: [
        refused("sum exactly to 4 (input tensor's size at dimension 0), but got split_sizes=[2, 3]",
                make(4), (2, 3)),
        refused("have only non-negative entries, but got split_sizes=[-1, 5]", make(4), (-1, 5)),
        refused("split_with_sizes expects at least a 1-dimensional tensor", make(), (1,)),
    ],
)  # fmt: skip
def split_with_sizes(input: Tensor, split_sizes: Shape, dim: Dim = 0) -> tuple[Array, ...]:
    """Parts of these sizes along `dim`, as a tuple of views.

    Smooth everywhere.
    """
    return _cut(input, split_sizes, dim)


@composite(
    "split",
    samples=lambda make: [sample(make(5, 2), 2), sample(make(2, 3), 2, 1), sample(make(5), (4, 1))],
    refusals=lambda make: [
        refused("split expects at least a 1-dimensional tensor", make(), 1),
        refused("split expects split_size be non-negative, but got split_size=-1", make(2), -1),
        refused("split_size can only be 0 if dimension size is 0, but got dimension size of 2", make(2), 0),
    ],
)
def split(F: Any, input: Tensor, split_size_or_sections: Sizes, dim: Dim = 0) -> Any:
    """Parts of one size along `dim`, the last as large as what is left; or of several sizes.

    Smooth everywhere.
    """
    if isinstance(split_size_or_sections, int):
        return F._split(input, split_size_or_sections, dim)
    if not input.meta.ndim:
        raise RuntimeArgumentError("split expects at least a 1-dimensional tensor")
    return F.split_with_sizes(input, split_size_or_sections, dim)


@composite(
    "chunk",
    samples=lambda make: [sample(make(5, 2), 2), sample(make(2, 3), 5, 1), sample(make(4), 4)],
    refusals=lambda make: [
        refused("chunk expects at least a 1-dimensional tensor", make(), 2),
        refused("chunk expects `chunks` to be greater than 0, got: 0", make(2), 0),
    ],
)
def chunk(F: Any, input: Tensor, chunks: int, dim: Dim = 0) -> Any:
    """At most `chunks` parts of one size along `dim`, the last as large as what is left.

    Smooth everywhere.
    """
    if not input.meta.ndim:
        raise RuntimeArgumentError("chunk expects at least a 1-dimensional tensor")
    if chunks < 1:
        raise RuntimeArgumentError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    size = input.meta.shape[wrap_dim(dim, input.meta.ndim)]
    each = (size + chunks - 1) // chunks
    if each == 0 and size == 0:
        return F.split_with_sizes(input, (0,) * chunks, dim)
    return F._split(input, each, dim)
