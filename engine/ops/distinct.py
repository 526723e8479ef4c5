"""Distinct elements: unique, unique_consecutive."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.bounded import Bounded
from engine.define import composite, kernel
from engine.dtypes import COMPLEX, int64
from engine.errors import NotImplementedYet, ShapeError
from engine.op import NoDerivative, refused, sample
from engine.signature import Array, Dim, Tensor
from engine.types import Type

EMPTY = "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied"


def _check(input: Type) -> None:
    if input.dtype.category == COMPLEX:
        raise NotImplementedYet(f"\"unique\" not implemented for '{input.dtype.title}'")


def _flat_type(input: Type, **settings: Any) -> tuple[Type, Type, Type]:
    _check(input)
    size = Bounded(input.numel)
    return Type((size,), input.dtype), Type(input.shape, int64), Type((size,), int64)


def _dim_type(input: Type, dim: int, **settings: Any) -> tuple[Type, Type, Type]:
    _check(input)
    axis = dim + max(input.ndim, 1)
    if not input.shape:
        return _flat_type(input)
    if any(not size for at, size in enumerate(input.shape) if at != axis):
        raise ShapeError(EMPTY)
    size = Bounded(input.shape[axis])
    shape = (*input.shape[:axis], size, *input.shape[axis + 1 :])
    return Type(shape, input.dtype), Type((input.shape[axis],), int64), Type((size,), int64)


def _record(name: str, grad_fn: str, infer: Any) -> dict[str, Any]:
    return {
        "kind": "index",
        "infer": infer,
        "vjp": NoDerivative(f"the derivative for '{name}' is not implemented."),
        "grad_fn": grad_fn,
        "outputs": ("values", "inverse_indices", "counts"),
        "batched": "loop",
    }


def _runs(rows: Array) -> tuple[Array, Array]:
    """Where rows that differ from the one before them begin, and the number of its run for each row."""
    starts = np.ones(len(rows), bool)
    if len(rows) > 1:
        starts[1:] = (rows[1:] != rows[:-1]).reshape(len(rows) - 1, -1).any(1)
    return np.flatnonzero(starts), np.cumsum(starts) - 1


def _counts(starts: Array, size: int) -> Array:
    return np.diff(starts, append=size)


@kernel("_unique2", **_record("_unique2", "Unique2Backward0", _flat_type))
def unique2(input: Tensor) -> Any:
    """The distinct elements in order, the place of each element among them, and how often each occurs.

    No derivative exists.
    """
    values = input.reshape(-1)
    order = np.argsort(values, kind="stable")
    starts, runs = _runs(values[order])
    inverse = np.empty(values.shape, np.int64)
    inverse[order] = runs
    return values[order][starts], inverse.reshape(input.shape), _counts(starts, len(values))


@kernel("_unique_dim", **_record("unique_dim", "UniqueDimBackward0", _dim_type))
def unique_dim(input: Tensor, dim: Dim) -> Any:
    """The distinct slices along `dim` in order, the place of each slice, and how often each occurs.

    No derivative exists.
    """
    if not input.ndim:
        return input.reshape(1), np.zeros((), np.int64), np.ones(1, np.int64)
    rows = np.moveaxis(input, dim, 0)
    flat = rows.reshape(len(rows), -1)
    order = np.lexsort(flat.T[::-1]) if flat.shape[1] else np.arange(len(rows))
    starts, runs = _runs(flat[order])
    inverse = np.empty(len(rows), np.int64)
    inverse[order] = runs
    return np.moveaxis(rows[order][starts], 0, dim), inverse, _counts(starts, len(rows))


@kernel(
    "_unique_consecutive",
    **_record("unique_consecutive", "UniqueConsecutiveBackward0", _flat_type),
)
def unique_runs(input: Tensor) -> Any:
    """The elements without those that repeat the one before them, with inverse and counts.

    No derivative exists.
    """
    values = input.reshape(-1)
    starts, runs = _runs(values)
    return values[starts], runs.reshape(input.shape), _counts(starts, len(values))


@kernel(
    "_unique_consecutive_dim",
    **_record("unique_consecutive", "UniqueConsecutiveBackward0", _dim_type),
)
def unique_runs_dim(input: Tensor, dim: Dim) -> Any:
    """The slices along `dim` without those that repeat the one before them, with inverse and counts.

    No derivative exists.
    """
    if not input.ndim:
        return input.reshape(1), np.zeros((), np.int64), np.ones(1, np.int64)
    rows = np.moveaxis(input, dim, 0)
    starts, runs = _runs(rows)
    return np.moveaxis(rows[starts], 0, dim), runs, _counts(starts, len(rows))


def _asked(found: Any, inverse: bool, counts: bool) -> Any:
    values, places, numbers = found
    several = (values, *((places,) if inverse else ()), *((numbers,) if counts else ()))
    return several if len(several) > 1 else values


@composite(
    "unique",
    outputs=(),
    samples=lambda make: [
        sample(np.array([3, 1, 3, 2])),
        sample(np.array([[3, 1], [3, 2]]), return_inverse=True, return_counts=True),
        sample(np.array([[3, 1], [0, 2], [3, 1]]), True, True, dim=0),
        sample(make.ints(0)),
        sample(np.array(4), return_counts=True),
    ],
    refusals=lambda make: [
        refused("\"unique\" not implemented for 'ComplexDouble'", make(3) + 1j),
        refused(EMPTY, make(2, 0), dim=0),
        refused("Dimension out of range (expected to be in range of [-1, 0], but got 2)", make(3), dim=2),
    ],
)
def unique(
    F: Any,
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements (or slices along `dim`) in order, on request with inverse places and counts.

    No derivative exists. A nan is distinct from every other.

    Unlike torch: the result is in order with `sorted=False` too.
    """
    found = F._unique2(input) if dim is None else F._unique_dim(input, dim)
    return _asked(found, return_inverse, return_counts)


@composite(
    "unique_consecutive",
    outputs=(),
    samples=lambda make: [
        sample(np.array([3, 3, 1, 3])),
        sample(np.array([3, 3, 1, 3]), True, True),
        sample(np.array([[3, 1], [3, 1], [0, 2]]), return_counts=True, dim=0),
        sample(make.ints(0)),
    ],
    refusals=lambda make: [
        refused("\"unique\" not implemented for 'ComplexDouble'", make(3) + 1j),
        refused(EMPTY, make(2, 0), dim=0),
    ],
)
def unique_consecutive(
    F: Any, input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements (or slices along `dim`) without repetitions, on request with inverse places and counts.

    No derivative exists. Only what repeats the one before it is left out.
    """
    found = F._unique_consecutive(input) if dim is None else F._unique_consecutive_dim(input, dim)
    return _asked(found, return_inverse, return_counts)
