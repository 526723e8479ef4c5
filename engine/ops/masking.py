"""Elements where a mask is true: masked_fill, masked_select, masked_scatter; and fill, where all are."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import literals
from engine.define import composite, elementwise, kernel
from engine.dtypes import BOOL
from engine.errors import DTypeError, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.keys import read
from engine.ops.places import gathered_type
from engine.signature import Array, Indices, Mask, Number, Shape, Tensor
from engine.types import Type, broadcast_shapes

_C_NAMES = {"float32": "float", "float64": "double", "int64": "long int", "uint8": "unsigned char"}


def _filled_type(input: Type, mask: Type, value: Any) -> Type:
    if mask.dtype.category != BOOL:
        raise DTypeError(
            "masked_fill_ only supports boolean masks, but got mask with dtype "
            f"{_C_NAMES.get(mask.dtype.name, mask.dtype.title.lower())}"
        )
    if isinstance(value, Type):
        if value.ndim:
            raise RuntimeArgumentError(
                "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
                f"{value.ndim} dimension(s)."
            )
    else:
        literals.fill_value(value, input.dtype)
    return Type(broadcast_shapes(mask.shape, input.shape), input.dtype)


@elementwise(
    "_masked_fill_number",
    "y = select(mask, value, input)",
    infer=_filled_type,
    vjp=lambda F, x, y, g, value: (lambda: F.masked_fill(g, x[1], 0), None),
    grad_fn="MaskedFillBackward0",
    saves=("mask",),
)
def masked_fill_number(input: Tensor, mask: Mask, value: Number) -> None:
    """A number where `mask` is true.

    Where the mask is true the gradient is 0.
    """


@elementwise(
    "_masked_fill_tensor",
    "y = select(mask, value, input)",
    infer=_filled_type,
    vjp=lambda F, x, y, g: (lambda: F.masked_fill(g, x[1], 0), None, lambda: F.where(x[1], g, 0)),
    grad_fn="MaskedFillBackward1",
    saves=("mask",),
)
def masked_fill_tensor(input: Tensor, mask: Mask, value: Tensor) -> None:
    """A 0-dim tensor where `mask` is true.

    Where the mask is true the gradient of `input` is 0.
    """


@composite(
    "masked_fill",
    samples=lambda make: [
        sample(make(2, 3), make.bools(2, 3), 1.5),
        sample(make(2, 3), make.bools(3), make()),
        sample(make(3), make.bools(2, 1), -1),
        sample(make(), make.bools(), 2.0),
    ],
    refusals=lambda make: [
        refused("only supports boolean masks, but got mask with dtype double", make(2), make(2), 1),
        refused("only supports a 0-dimensional value tensor, but got tensor with 1 dimension(s).",
                make(2), make.bools(2), make(2)),
        refused("value cannot be converted to type int64_t without overflow",
                make.ints(2), make.bools(2), 1j),
        refused("The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0",
                make(3), make.bools(2), 1),
    ],
)  # fmt: skip
def masked_fill(F: Any, input: Tensor, mask: Mask, value: Tensor | Number) -> Any:
    """`value` where `mask` is true, else `input`.

    Where the mask is true the gradient of `input` is 0.
    """
    given: Any = value
    if not hasattr(given, "meta"):
        return F._masked_fill_number(input, mask, given)
    if given.meta.dtype.is_complex:
        literals.fill_value(1j, input.meta.dtype)  # refused unless that is complex too
    if given.meta.dtype is not input.meta.dtype:
        given = F.to(given, input.meta.dtype)
    return F._masked_fill_tensor(input, mask, given)


@kernel(
    "_masked_select",
    kind="index",
    infer=gathered_type,
    vjp=lambda F, x, y, g: (
        lambda: F._index_put_impl(F.zeros(x[0].meta.shape, dtype=g.meta.dtype), x[1:], g, True),
        *(None,) * (len(x) - 1),
    ),
    grad_fn="MaskedSelectBackward0",
    saves=("mask", "self"),
)
def masked_select_seen(input: Tensor, mask: Indices, *, lead: int) -> Array:
    """The elements where a mask of the same shape is true.

    Smooth everywhere.
    """
    return read(input, mask, lead)


@composite(
    "masked_select",
    samples=lambda make: [
        sample(make(2, 3), np.array([[True, False, True], [False, True, True]])),
        sample(make(2, 3), np.array([True, False, True])),
        sample(make(3), np.array([[True, False, True], [False, True, True]])),
        sample(make(2), np.array([False, False])),
    ],
    refusals=lambda make: [
        refused("masked_select: expected BoolTensor for mask", make(2), make(2)),
        refused("The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0",
                make(3), make.bools(2)),
    ],
)  # fmt: skip
def masked_select(F: Any, input: Tensor, mask: Mask) -> Any:
    """The elements where `mask` is true, in one dimension.

    Smooth everywhere.

    Unlike torch: where `input` is broadcast to the mask, the trace shows that as a node of its own.
    """
    if mask.meta.dtype.category != BOOL:
        raise DTypeError("masked_select: expected BoolTensor for mask", actual=mask.meta.dtype.name)
    shape = broadcast_shapes(mask.meta.shape, input.meta.shape) or (1,)
    input, mask = (each if each.meta.shape == shape else F.expand(each, shape) for each in (input, mask))
    return F._masked_select(input, [mask])


def _scattered_type(input: Type, mask: Type, source: Type) -> Type:
    if input.dtype is not source.dtype:
        raise DTypeError(
            "masked_scatter: expected self and source to have same dtypes but got"
            f"{input.dtype.title} and {source.dtype.title}"
        )
    if mask.dtype.category != BOOL:
        raise DTypeError(
            f"masked_scatter_ only supports boolean masks, but got mask with dtype {mask.dtype.title}"
        )
    return Type(broadcast_shapes(mask.shape, input.shape), input.dtype)


@kernel(
    "masked_scatter",
    kind="index",
    infer=_scattered_type,
    vjp=lambda F, x, y, g: (
        lambda: F.masked_fill(g, x[1], 0),
        None,
        lambda: F._masked_scatter_backward(g, x[1], x[2].meta.shape),
    ),
    saves=("mask", "source_sym_sizes"),
    samples=lambda make: [
        sample(make(2, 3), make.bools(2, 3), make(6)),
        sample(make(2, 3), np.array([True, False, True]), make(2, 2)),
        sample(make(3), np.array([[True, False, True], [False, True, True]]), make(5)),
    ],
    refusals=lambda make: [
        refused("Number of elements of source < number of ones in mask",
                make(2), np.array([True, True]), make(1)),
        refused("masked_scatter_ only supports boolean masks, but got mask with dtype Double",
                make(2), make(2), make(2)),
        refused("masked_scatter: expected self and source to have same dtypes but gotDouble and Long",
                make(2), make.bools(2), make.ints(2)),
    ],
    batched="loop",
)  # fmt: skip
def masked_scatter(input: Tensor, mask: Mask, source: Tensor, *, meta: Type) -> Array:
    """`input` with the elements of `source`, in their order, where `mask` is true.

    Smooth everywhere.
    """
    found = np.array(np.broadcast_to(input, meta.shape))
    places = np.broadcast_to(mask, meta.shape)
    count = int(np.count_nonzero(places))
    if count > source.size:
        raise ShapeError("Number of elements of source < number of ones in mask", expected=count)
    found[places] = source.reshape(-1)[:count]
    return found


@kernel(
    "_masked_scatter_backward",
    kind="index",
    infer=lambda input, mask, size: Type(size, input.dtype),
    vjp=lambda F, x, y, g, size: (
        lambda: F.masked_scatter(F.zeros(x[0].meta.shape, dtype=g.meta.dtype), x[1], g),
        None,
    ),
    saves=("mask",),
    batched="loop",
)
def masked_scatter_backward(input: Tensor, mask: Mask, size: Shape) -> Array:
    """The elements where `mask` is true, as the first ones of a tensor of zeros.

    Smooth everywhere.
    """
    found = np.zeros(size, input.dtype)
    taken = input[np.broadcast_to(mask, input.shape)]
    found.reshape(-1)[: taken.size] = taken
    return found


@kernel(
    "_full_number",
    kind="structural",
    infer=lambda input, value: (literals.fill_value(value, input.dtype), input)[1],
    vjp=lambda F, x, y, g, value: (lambda: F.zeros_like(g),),
    grad_fn="FillBackward0",
)
def full_number(input: Tensor, value: Number, *, meta: Type) -> Array:
    """A number in place of every element.

    Nothing flows back: the gradient is zero.
    """
    return np.full_like(input, literals.fill_value(value, meta.dtype))


@kernel(
    "_full_tensor",
    kind="structural",
    infer=lambda input, value: input,
    vjp=lambda F, x, y, g: (lambda: F.zeros_like(g), lambda: F.sum(g)),
    grad_fn="FillBackward1",
    batched="loop",
)
def full_tensor(input: Tensor, value: Tensor) -> Array:
    """A 0-dim tensor in place of every element.

    Smooth everywhere.
    """
    return np.full_like(input, value)


@composite(
    "fill",
    samples=lambda make: [sample(make(2, 3), 1.5), sample(make(2), make()), sample(make(), 2)],
    refusals=lambda make: [
        refused("fill_ only supports 0-dimension value tensor but got tensor with 1 dimensions.",
                make(2), make(2))
    ],
)  # fmt: skip
def fill(F: Any, input: Tensor, value: Tensor | Number) -> Any:
    """`value` in place of every element of `input`.

    Nothing flows back to `input`: its gradient is zero.
    """
    given: Any = value
    if not hasattr(given, "meta"):
        return F._full_number(input, given)
    if given.meta.ndim:
        raise RuntimeArgumentError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {given.meta.ndim} dimensions."
        )
    return F._full_tensor(input, given)
