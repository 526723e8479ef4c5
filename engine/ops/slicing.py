"""Basic indexing: views of a part, and the gradients that put the part back."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.bounded import Bounded, resolve
from engine.define import composite, kernel
from engine.errors import ArgumentError, DimError, RuntimeArgumentError
from engine.op import refused, sample
from engine.signature import Array, Dim, Number, Shape, Tensor
from engine.types import Type, strided


def _at(rank: int, dim: int, key: Any) -> tuple[Any, ...]:
    """A numpy index with `key` at a negative dim; the Ellipsis keeps the result an array."""
    return (*(slice(None),) * (dim + rank), key, Ellipsis)


def _select_type(input: Type, dim: Dim, index: int) -> Type:
    if not input.shape:
        raise DimError("select() cannot be applied to a 0-dim tensor.")
    axis = dim + input.ndim
    if not -input.shape[axis] <= index < input.shape[axis]:
        raise DimError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension "
            f"{axis}",
            expected=input.shape[axis],
            actual=index,
        )
    shape = input.shape[:axis] + input.shape[axis + 1 :]
    if input.strides is None and axis == 0:
        return Type(shape, input.dtype)
    steps = input.stride()
    return strided(shape, input.dtype, steps[:axis] + steps[axis + 1 :])


@kernel(
    "select",
    kind="view",
    infer=_select_type,
    vjp=lambda F, x, y, g, dim, index: (lambda: F._select_backward(g, x[0].meta.shape, dim, index),),
    saves=("dim", "index", "self_sym_sizes"),
    samples=lambda make: [sample(make(2, 3), 0, 1), sample(make(2, 3), -1, -2), sample(make(3), 0, 0)],
    refusals=lambda make: [
        refused("select(): index 5 out of range for tensor of size [2, 3] at dimension 0", make(2, 3), 0, 5),
        refused("select() cannot be applied to a 0-dim tensor.", make(), 0, 0),
    ],
)
def select(input: Tensor, dim: Dim, index: int) -> Array:
    """The slice at `index` along `dim`, without that dimension.

    Smooth everywhere.
    """
    found: Array = input[_at(input.ndim, dim, index)]
    return found


@kernel(
    "_select_backward",
    kind="structural",
    infer=lambda input, size, dim, index: Type(size, input.dtype),
    vjp=lambda F, x, y, g, size, dim, index: (lambda: F.select(g, dim, index),),
    grad_fn="SelectBackwardBackward0",
)
def select_backward(input: Tensor, size: Shape, dim: int, index: int) -> Array:
    """Zeros of `size` with `input` at `index` of `dim`.

    Smooth everywhere.
    """
    found = np.zeros(size, input.dtype)
    found[_at(len(size), dim, index)] = input
    return found


def _clamped(size: int, start: int | None, end: int | None) -> tuple[int, int]:
    """The bounds of a slice inside 0 … size, as torch and Python cut them."""
    first = 0 if start is None else min(max(start + size if start < 0 else start, 0), size)
    last = size if end is None else min(max(end + size if end < 0 else end, 0), size)
    return first, max(first, last)


def _length(size: int, start: int | None, end: int | None, step: int) -> int:
    """How many slices there are, also where the size is known only at run time."""
    bounds = (size, start, end)
    if any(isinstance(each, Bounded) for each in bounds):
        most, first, last = (None if each is None else int(each) for each in bounds)
        assert most is not None
        if first is not None and last is not None and first < 0 <= last:  # shorter for a larger size
            most = min(most, -first, last)
        else:
            most = _length(most, first, last, 1)
        return Bounded(-(-most // step), lambda sizes: _length(*resolve((*bounds, step), sizes)), bounds)
    first, last = _clamped(size, start, end)
    return -((first - last) // step)


def _slice_type(input: Type, dim: Dim, start: int | None, end: int | None, step: int) -> Type:
    if not input.shape:
        raise DimError("slice() cannot be applied to a 0-dim tensor.")
    if step <= 0:
        raise RuntimeArgumentError("slice step must be positive", actual=step)
    axis = dim + input.ndim
    length = _length(input.shape[axis], start, end, step)
    shape = (*input.shape[:axis], length, *input.shape[axis + 1 :])
    steps = input.stride()
    return strided(shape, input.dtype, (*steps[:axis], steps[axis] * step, *steps[axis + 1 :]))


@kernel(
    "slice",
    kind="view",
    infer=_slice_type,
    vjp=lambda F, x, y, g, dim, start, end, step: (
        lambda: F._slice_backward(g, x[0].meta.shape, dim, start, end, step),
    ),
    saves=("dim", "end", "self_sym_sizes", "start", "step"),
    samples=lambda make: [
        sample(make(4, 3), 0, 1, 3),
        sample(make(4, 3), 1, None, None, 2),
        sample(make(4), 0, -9, 9, 3),
        sample(make(4), 0, 3, 1),
    ],
    refusals=lambda make: [
        refused("slice step must be positive", make(3), 0, 0, 2, 0),
        refused("slice() cannot be applied to a 0-dim tensor.", make(), 0),
    ],
)
def slice_(
    input: Tensor, dim: Dim = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Array:
    """Every `step`-th slice along `dim` from `start` up to but not including `end`; bounds are clamped.

    Smooth everywhere.
    """
    first, last = _clamped(input.shape[dim], start, end)
    found: Array = input[_at(input.ndim, dim, slice(first, last, step))]
    return found


@kernel(
    "_slice_backward",
    kind="structural",
    infer=lambda input, size, dim, start, end, step: Type(size, input.dtype),
    vjp=lambda F, x, y, g, size, dim, start, end, step: (lambda: F.slice(g, dim, start, end, step),),
    grad_fn="SliceBackwardBackward0",
)
def slice_backward(
    input: Tensor, size: Shape, dim: int, start: int | None, end: int | None, step: int
) -> Array:
    """Zeros of `size` with `input` in a slice of it.

    Smooth everywhere.
    """
    found = np.zeros(size, input.dtype)
    first, last = _clamped(size[dim], start, end)
    found[_at(len(size), dim, slice(first, last, step))] = input
    return found


@kernel(
    "_alias",
    kind="view",
    infer=lambda input: input,
    vjp=lambda F, x, y, g: (lambda: g,),
    grad_fn="AliasBackward0",
)
def alias(input: Tensor) -> Array:
    """A view of all of `input`.

    Smooth everywhere.
    """
    found: Array = input.view()
    return found


@composite(
    "narrow",
    samples=lambda make: [
        sample(make(4, 3), 0, 1, 2),
        sample(make(4, 3), -1, -2, 2),
        sample(make(4, 3), 1, np.array(1), 2),
    ],
    refusals=lambda make: [
        refused("start (1) + length (5) exceeds dimension size (2).", make(2), 0, 1, 5),
        refused("narrow(): length must be non-negative.", make(2), 0, 1, -1),
        refused("start out of range (expected to be in range of [-2, 2], but got 7)", make(2), 0, 7, 1),
        refused("narrow() cannot be applied to a 0-dim tensor.", make(), 0, 0, 1),
        refused("start must be an 0-dim integral Tensor.", make(4), 0, np.array([1]), 1),
        refused("argument 'start' (position 3) must be int, not float", make(4), 0, 0.5, 1),
    ],
)
def narrow(F: Any, input: Tensor, dim: Dim, start: Tensor | Number, length: int) -> Any:
    """`length` slices along `dim` from `start` on, which may be a tensor of one integer.

    Smooth everywhere.
    """
    shape = input.meta.shape
    if not shape:
        raise RuntimeArgumentError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeArgumentError("narrow(): length must be non-negative.", actual=length)
    if not -len(shape) <= dim < len(shape):
        return F.slice(input, dim)  # refused there
    size = shape[dim]
    if isinstance(size, Bounded):
        size.refuse()  # a slice would be cut to what there is
    if hasattr(start, "meta"):
        return F._narrow_at(input, start, dim, length)
    if type(start) is not int:
        kind = type(start).__name__
        raise ArgumentError(f"narrow(): argument 'start' (position 3) must be int, not {kind}", actual=kind)
    if not -size <= start <= size:
        raise DimError(
            f"start out of range (expected to be in range of [{-size}, {size}], but got {start})",
            expected=[-size, size],
            actual=start,
        )
    first = start + size if start < 0 else start
    if first + length > size:
        raise RuntimeArgumentError(f"start ({first}) + length ({length}) exceeds dimension size ({size}).")
    return F.slice(input, dim, first, first + length)
