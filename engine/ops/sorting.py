"""Elements in order: sort, msort, argsort, topk."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import BOOL, COMPLEX, int64
from engine.errors import DTypeError, RuntimeArgumentError
from engine.op import refused, sample
from engine.ops.reductions import OUT_OF_RANGE
from engine.signature import Array, Dim, Tensor
from engine.types import Type

COMPLEX_ORDER = " Sort does not support complex dtypes on CPU"


def order(input: Array, dim: int, descending: bool) -> Array:
    """Where the elements in order are along `dim`; equals stay in their order, nan counts as the largest."""
    if not descending:
        return np.argsort(input, axis=dim, kind="stable")
    found = np.flip(np.argsort(np.flip(input, dim), axis=dim, kind="stable"), dim)
    return np.asarray(input.shape[dim] - 1 - found)


def selected_vjp(F: Any, x: Any, y: Any, g: Any, dim: int, *_: Any, **__: Any) -> Any:
    """The rule of an op whose results (values, indices) keep `dim`: gradients go to their places."""
    shape = x[0].meta.shape
    return (lambda: F._value_selecting_reduction_backward(g[0], y[1], dim, True, shape),)


def _sort_type(input: Type, dim: int, descending: bool, stable: bool | None) -> tuple[Type, Type]:
    if input.dtype.category == COMPLEX:
        raise DTypeError(COMPLEX_ORDER, actual=input.dtype.name)
    return Type(input.shape, input.dtype, input.strides), Type(input.shape, int64, input.strides)


@kernel(
    "sort",
    kind="structural",
    infer=_sort_type,
    vjp=selected_vjp,
    grad_fn=lambda x, given: "SortBackward0" if given["stable"] is None else "SortBackward1",
    saves=("dim", "indices", "self_sym_sizes"),
    outputs=("values", "indices"),
    samples=lambda make: [
        sample(make(2, 4)),
        sample(make(4, 2, 2), 0, True),
        sample(make(5), stable=True, dim=0, descending=True),
        sample(make.ints(6, high=3), descending=True),
        sample(make.bools(4)),
        sample(make(0, 2), 0),
        sample(make()),
    ],
    refusals=lambda make: [
        refused(OUT_OF_RANGE, make(3), 2),
        refused("Sort does not support complex dtypes on CPU", make(2) + 1j),
    ],
)
def sort(
    input: Tensor, dim: Dim = -1, descending: bool = False, stable: bool | None = None, *, lead: int
) -> Any:
    """The elements in order along `dim`, and where each was.

    Each gradient goes to where its element was; equals stay in their order, `stable` or not. nan counts as
    the largest.
    """
    if input.ndim == lead:
        return input.copy(), np.zeros(input.shape, np.int64)
    at = order(input, dim, descending)
    return np.take_along_axis(input, at, dim), at


@composite(
    "argsort",
    samples=lambda make: [
        sample(make(2, 4)),
        sample(make(4, 2), 0, True),
        sample(make.ints(6, high=3), dim=0, stable=True),
        sample(make()),
    ],
    refusals=lambda make: [
        refused(OUT_OF_RANGE, make(3), 2),
        refused("Sort does not support complex dtypes on CPU", make(2) + 1j),
    ],
)
def argsort(
    F: Any, input: Tensor, dim: Dim = -1, descending: bool = False, stable: bool | None = None
) -> Any:
    """Where the elements in order along `dim` are.

    Constant: nothing flows back.
    """
    return F.sort(input, dim, descending, stable)[1]


@composite(
    "msort",
    samples=lambda make: [sample(make(3, 2)), sample(make(4)), sample(make.ints(3, 2)), sample(make())],
    refusals=lambda make: [refused("Sort does not support complex dtypes on CPU", make(2) + 1j)],
)
def msort(F: Any, input: Tensor) -> Any:
    """The elements in order along the first dimension.

    Each gradient goes to where its element was; equals stay in their order.
    """
    return F.sort(input, 0)[0]


def _topk_type(input: Type, k: int, dim: int, largest: bool, sorted: bool) -> tuple[Type, Type]:
    size = input.shape[dim] if input.shape else 1
    if not 0 <= k <= size:
        raise RuntimeArgumentError("selected index k out of range", expected=[0, size], actual=k)
    if input.dtype.category in (COMPLEX, BOOL):
        kind = (
            " topk does not support complex"
            if input.dtype.category == COMPLEX
            else "topk does not support bool"
        )
        raise DTypeError(f"{kind} dtypes on CPU", actual=input.dtype.name)
    axis = dim + input.ndim
    shape = (*input.shape[:axis], k, *input.shape[axis + 1 :]) if input.shape else ()
    return Type(shape, input.dtype), Type(shape, int64)


@kernel(
    "topk",
    kind="index",
    infer=_topk_type,
    vjp=lambda F, x, y, g, k, dim, largest, sorted: selected_vjp(F, x, y, g, dim),
    saves=("dim", "indices", "self_sym_sizes"),
    outputs=("values", "indices"),
    samples=lambda make: [
        sample(make(2, 4), 2),
        sample(make(4, 2, 2), 3, 0, False),
        sample(make(5), 1, largest=False),
        sample(make(5), 0),
        sample(make(2, 3), 3, 1, sorted=True),
        sample(make(), 1),
    ],
    refusals=lambda make: [
        refused("selected index k out of range", make(3), 4),
        refused("selected index k out of range", make(3), -1),
        refused(OUT_OF_RANGE, make(3), 1, 2),
        refused("topk does not support bool dtypes on CPU", make.bools(3), 1),
        refused("topk does not support complex dtypes on CPU", make(3) + 1j, 1),
    ],
)
def topk(
    input: Tensor, k: int, dim: Dim = -1, largest: bool = True, sorted: bool = True, *, lead: int
) -> Any:
    """The k largest (or smallest) elements along `dim`, in order, and where they are.

    Each gradient goes to where its element is. nan counts as the largest.

    Unlike torch: of equals those that come first are taken, and the result is in order even with
    `sorted=False`; torch promises neither which it takes nor in which order.
    """
    if input.ndim == lead:
        return input.copy(), np.zeros(input.shape, np.int64)
    places: list[Any] = [slice(None)] * input.ndim
    places[dim] = slice(k)
    at = order(input, dim, largest)[tuple(places)]
    return np.take_along_axis(input, at, dim), at
