"""Slices written or reduced at places along a dim: index_copy, index_fill, index_reduce."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import literals
from engine.define import composite, kernel
from engine.dtypes import bool_, dtype, int64
from engine.errors import DimError, DTypeError, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Array, Dim, Index, Number, Tensor
from engine.strides import preserved
from engine.types import Type


def _at(input: Any, dim: int, index: Any) -> tuple[Any, ...]:
    """The numpy index of slices of `input`, of at least one dim."""
    return (*(slice(None),) * (input.ndim + dim), np.atleast_1d(index))


def _check_fill(input: Type, index: Type) -> None:
    if index.dtype is not int64:
        raise DimError("index_fill_(): Expected dtype int64 for index.", actual=index.dtype.name)
    if index.ndim > 1:
        raise RuntimeArgumentError("Index has to be a vector/scalar", actual=index.ndim)


def _fill_type(input: Type, index: Type, dim: int, value: Number) -> Type:
    _check_fill(input, index)
    literals.fill_value(value, input.dtype)
    return preserved(input)


def _fill_tensor_type(input: Type, index: Type, value: Type, dim: int) -> Type:
    _check_fill(input, index)
    return preserved(input)


def _filled(input: Array, dim: int, index: Any, value: Any) -> Array:
    found = np.array(np.atleast_1d(input))
    size = found.shape[dim]
    wrong = index[(index < -size) | (index >= size)]
    if wrong.size:
        raise DimError(
            f"index {wrong.flat[0]} is out of bounds for dimension {dim + found.ndim} with size {size}"
        )
    found[_at(found, dim, index)] = value
    return found.reshape(input.shape)


def _places(F: Any, shape: Any, dim: int, index: Any) -> Any:
    """A mask of the slices at `index`."""
    return F.index_fill(F.zeros(shape, dtype=bool_), dim, index, True)


@kernel(
    "_index_fill_number",
    kind="index",
    infer=_fill_type,
    vjp=lambda F, x, y, g, dim, value: (lambda: F.index_fill(g, dim, x[1], 0), None),
    grad_fn="IndexFillBackward0",
    saves=("dim", "index"),
    batched="loop",
)
def index_fill_number(input: Tensor, dim: Dim, index: Index, value: Number) -> Array:
    """A number in the slices at `index` along `dim`.

    What is written over has no gradient.
    """
    return _filled(input, dim, index, literals.fill_value(value, dtype(input.dtype)))


@kernel(
    "_index_fill_tensor",
    kind="index",
    infer=_fill_tensor_type,
    vjp=lambda F, x, y, g, dim: (
        lambda: F.index_fill(g, dim, x[1], 0),
        None,
        lambda: F.sum(F.where(_places(F, x[0].meta.shape, dim, x[1]), g, 0)),  # once for each place
    ),
    grad_fn="IndexFillBackward1",
    saves=("dim", "index"),
    batched="loop",
)
def index_fill_tensor(input: Tensor, dim: Dim, index: Index, value: Tensor) -> Array:
    """A 0-dim tensor in the slices at `index` along `dim`.

    What is written over has no gradient.
    """
    return _filled(input, dim, index, value)


@composite(
    "index_fill",
    samples=lambda make: [
        sample(make(3, 2), 0, np.array([0, 2]), 1.5),
        sample(make(3, 2), -1, np.array([1]), make()),
        sample(make(), 0, np.array([0]), make()),
    ],
    refusals=lambda make: [
        refused("index 5 is out of bounds for dimension 0 with size 3", make(3), 0, np.array([5]), 1),
        refused("Index has to be a vector/scalar", make(3), 0, np.array([[0]]), 1),
        refused("index_fill_(): Expected dtype int64 for index.", make(3), 0, np.array([0], np.int32), 1),
        refused("index_fill_ only supports a 0-dimensional value tensor, but got tensor with 1 dimension(s).",
                make(3), 0, np.array([0]), make(1)),
    ],
)  # fmt: skip
def index_fill(F: Any, input: Tensor, dim: Dim, index: Index, value: Tensor | Number) -> Any:
    """`input` with `value` in the slices at `index` along `dim`.

    What is written over has no gradient.
    """
    given: Any = value
    if not hasattr(given, "meta"):
        return F._index_fill_number(input, dim, index, given)
    if given.meta.ndim:
        raise RuntimeArgumentError(
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{given.meta.ndim} dimension(s)."
        )
    given = given if given.meta.dtype is input.meta.dtype else F.to(given, input.meta.dtype)
    return F._index_fill_tensor(input, dim, index, given)


def _copy_type(input: Type, index: Type, source: Type, dim: int) -> Type:
    if index.ndim >= 2:
        raise DimError(f"index_copy_(): Index should have dimension 1 or 0 (got {index.ndim})")
    axis = dim + max(input.ndim, 1)
    if not source.ndim and index.numel != 1:
        raise DimError(
            f"index_copy_(): When source is scalar, index should have one element (got {index.numel})"
        )
    if source.ndim != input.ndim and source.ndim and input.ndim:
        raise DimError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. "
            f"Source dimensionality ({source.ndim}), destination dimensionality ({input.ndim})"
        )
    if index.dtype is not int64:
        raise DTypeError(f"index_copy_(): Expected a long tensor for index, but got {index.dtype.title}")
    if input.dtype is not source.dtype:
        raise DTypeError(
            "index_copy_(): self and source expected to have the same dtype, but got (self) "
            f"{input.dtype.title} and (source) {source.dtype.title}"
        )
    _check_slices(input, index, source, axis)
    return Type(input.shape, input.dtype)


def _check_slices(input: Type, index: Type, source: Type, axis: int) -> None:
    own = input.shape[:axis] + input.shape[axis + 1 :]
    given = source.shape[:axis] + source.shape[axis + 1 :]
    if own != given and source.ndim:
        listed = [" ".join(map(str, shape)) for shape in (own, given)]
        raise ShapeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{listed[0]} at dimension {axis} and source slice shape: {listed[1]} at dimension 0."
        )
    if source.ndim and index.numel != source.shape[axis]:
        raise DimError(
            f"index_copy_(): Number of indices ({index.numel}) should be equal to source.size(dim) "
            f"({source.shape[axis]})",
            expected=index.numel,
            actual=source.shape[axis],
        )


def _copy_rule(F: Any, x: Any, y: Any, g: Any, dim: int) -> Any:
    return (
        lambda: F.index_fill(g, dim, x[1], 0),
        None,
        lambda: F.reshape(F.index_select(g, dim, x[1]), x[2].meta.shape),
    )


@kernel(
    "index_copy",
    kind="index",
    infer=_copy_type,
    vjp=_copy_rule,
    saves=("dim", "index", "source", "source_dim"),
    samples=lambda make: [
        sample(make(3, 2), 0, np.array([0, 2]), make(2, 2)),
        sample(make(3, 2), -1, np.array([1]), make(3, 1)),
        sample(make(), 0, np.array([0]), make()),
    ],
    refusals=lambda make: [
        refused("index_copy_(): index 5 is out of bounds for dimension 0 with size 3",
                make(3), 0, np.array([5]), make(1)),
        refused("Number of indices (2) should be equal to source.size(dim) (3)",
                make(3), 0, np.array([0, 1]), make(3)),
        refused("index_copy_(): Index should have dimension 1 or 0 (got 2)",
                make(3, 2), 0, np.array([[0, 1]]), make(2, 2)),
    ],
    batched="loop",
)  # fmt: skip
def index_copy(input: Tensor, dim: Dim, index: Index, source: Tensor) -> Array:
    """`input` with the slices of `source` in place of those at `index` along `dim`.

    What is written over has no gradient. Where a slice is written twice the last one stays.
    """
    found = np.array(np.atleast_1d(input))
    size = found.shape[dim]
    wrong = index[(index < 0) | (index >= size)]
    if wrong.size:
        raise DimError(
            f"index_copy_(): index {wrong.flat[0]} is out of bounds for dimension {dim + found.ndim} with "
            f"size {size}"
        )
    found[_at(found, dim, index)] = np.atleast_1d(source)
    return found.reshape(input.shape)
