"""Places counted through a whole tensor, or along a dim: take, put, take_along_dim."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import int64
from engine.errors import DimError, DTypeError, ShapeError
from engine.op import refused, sample
from engine.signature import Array, Dim, Index, Tensor
from engine.strides import preserved
from engine.types import Type, broadcast_shapes, wrap_dim


def _check_long(name: str, index: Type) -> None:
    if index.dtype is not int64:
        raise DTypeError(
            f"{name}(): Expected a long tensor for index, but got {index.dtype.title}",
            expected="int64",
            actual=index.dtype.name,
        )


def _take_type(input: Type, index: Type) -> Type:
    _check_long("take", index)
    if not input.numel and index.numel:
        raise DimError("take(): tried to take from an empty tensor")
    return Type(index.shape, input.dtype)


def _check_places(index: Any, size: int) -> None:
    wrong = index[(index < -size) | (index >= size)]
    if wrong.size:
        raise DimError(f"out of range: tried to access index {wrong.flat[0]} on a tensor of {size} elements.")


@kernel(
    "take",
    kind="index",
    infer=_take_type,
    vjp=lambda F, x, y, g: (
        lambda: F.put(F.zeros(x[0].meta.shape, dtype=g.meta.dtype), x[1], g, True),
        None,
    ),
    saves=("index", "self"),
    samples=lambda make: [
        sample(make(2, 3), np.array([0, 5, 2, 2])),
        sample(make(3), np.array([[-1, 0]])),
        sample(make(), np.array(0)),
    ],
    refusals=lambda make: [
        refused("out of range: tried to access index 5 on a tensor of 3 elements.", make(3), np.array([5])),
        refused("take(): Expected a long tensor for index, but got Double", make(3), make(1)),
        refused("take(): tried to take from an empty tensor", make(0), np.array([1])),
    ],
    batched="loop",
)
def take(input: Tensor, index: Index) -> Array:
    """The elements at `index`, counted through all of `input` row by row.

    Smooth everywhere. An element taken twice receives both gradients.
    """
    _check_places(index, input.size)
    return np.asarray(input.reshape(-1)[index])


def _put_type(input: Type, index: Type, source: Type, accumulate: bool) -> Type:
    _check_long("put_", index)
    if input.dtype is not source.dtype:
        raise DTypeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{input.dtype.title} and source.dtype = {source.dtype.title}"
        )
    if index.numel != source.numel:
        raise DimError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source.numel}, index.numel() = {index.numel}",
            expected=index.numel,
            actual=source.numel,
        )
    return preserved(input)


def _put_rule(F: Any, x: Any, y: Any, g: Any, accumulate: bool) -> Any:
    def kept() -> Any:
        return g if accumulate else F.put(g, x[1], F.zeros(x[2].meta.shape, dtype=g.meta.dtype))

    return (kept, None, lambda: F.reshape(F.take(g, x[1]), x[2].meta.shape))


@kernel(
    "put",
    kind="index",
    infer=_put_type,
    vjp=_put_rule,
    saves=("accumulate", "index", "source"),
    samples=lambda make: [
        sample(make(2, 3), np.array([0, 4]), make(2)),
        sample(make(2, 3), np.array([[1, 1]]), make(2), True),
        sample(make(), np.array(0), make(1)),
    ],
    refusals=lambda make: [
        refused("out of range: tried to access index 5 on a tensor of 3 elements.",
                make(3), np.array([5]), make(1)),
        refused("but got source.numel() = 2, index.numel() = 1", make(3), np.array([1]), make(2)),
        refused("put_(): Expected a long tensor for index, but got Double", make(3), make(1), make(1)),
    ],
    batched="loop",
)  # fmt: skip
def put(input: Tensor, index: Index, source: Tensor, accumulate: bool = False) -> Array:
    """`input` with `source` written at `index` (added if `accumulate`), counted through it row by row.

    Smooth everywhere. Where a place is written twice the last value stays, and each receives the gradient.
    """
    _check_places(index, input.size)
    found = np.array(input).reshape(-1)
    if accumulate:
        np.add.at(found, index.reshape(-1), source.reshape(-1))
    else:
        found[index.reshape(-1)] = source.reshape(-1)
    return found.reshape(input.shape)


def _along(F: Any, name: str, input: Any, indices: Any, dim: int) -> tuple[Any, Any, int]:
    """Input and indices broadcast to each other but along `dim`, and `dim` unsigned."""
    if input.meta.ndim != indices.meta.ndim:
        raise ShapeError(
            f"torch.{name}(): input and indices should have the same number of dimensions, but got "
            f"{input.meta.ndim} dimensions for input, and {indices.meta.ndim} dimensions for indices"
        )
    axis = wrap_dim(dim, input.meta.ndim) + max(input.meta.ndim, 1)
    own, places = input.meta.shape, indices.meta.shape
    common = broadcast_shapes((*own[:axis], 1, *own[axis + 1 :]), (*places[:axis], 1, *places[axis + 1 :]))
    sizes = [(*common[:axis], size, *common[axis + 1 :]) for size in (own[axis], places[axis])]
    return F.expand(input, sizes[0]), F.expand(indices, sizes[1]), axis


@composite(
    "take_along_dim",
    aliases=("take_along_axis",),
    samples=lambda make: [
        sample(make(2, 3), np.array([[0, 2], [1, 1]]), 1),
        sample(make(2, 3), np.array([[1, 0, 1]]), 0),
        sample(make(2, 3), np.array([[5, 0, 1]])),
        sample(make(3, 1), np.array([[0, 2]]), 0),
    ],
    refusals=lambda make: [
        refused("but got 2 dimensions for input, and 1 dimensions for indices", make(2, 3), np.array([1]), 0),
        refused("take_along_dim(): dtype of indices should be Long but got Double", make(2), make(2), 0),
    ],
)
def take_along_dim(F: Any, input: Tensor, indices: Index, dim: Dim | None = None) -> Any:
    """A place along `dim` for each element of `indices`, the other dimensions broadcast.

    Smooth everywhere. An element taken twice receives both gradients.
    """
    if indices.meta.dtype is not int64:
        raise DTypeError(
            f"torch.take_along_dim(): dtype of indices should be Long but got {indices.meta.dtype.title}"
        )
    if dim is None:
        return _wrapped(F, F.reshape(input, (-1,)), 0, F.reshape(indices, (-1,)))
    if not input.meta.ndim:
        return _wrapped(F, input, 0, indices)
    source, places, axis = _along(F, "take_along_dim", input, indices, dim)
    return _wrapped(F, source, axis, places)


def _wrapped(F: Any, source: Any, axis: int, places: Any) -> Any:
    """`gather`, places beyond the end counted on from the beginning, as torch does here."""
    size = source.meta.shape[axis] if source.meta.ndim else 1
    return F.gather(source, axis, F.remainder(places, max(size, 1)))
