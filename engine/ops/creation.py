"""Tensors from nothing, or in the shape of another."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import literals
from engine.define import kernel
from engine.dtypes import DType, get_default_dtype, scalar_dtype
from engine.errors import RuntimeArgumentError
from engine.op import refused, sample
from engine.signature import Array, Data, Fixed, Number, Shape
from engine.strides import preserved
from engine.types import Type


def sized(size: Shape, dtype: DType, negative: str = "") -> Type:
    """The Type of a new tensor; a negative size is refused with the sentence `negative`, or the usual one."""
    if any(each < 0 for each in size):
        found = next(each for each in size if each < 0)
        raise RuntimeArgumentError(
            negative or f"Trying to create tensor with negative dimension {found}: {list(size)}",
            actual=list(size),
        )
    return Type(size, dtype)


def like(input: Type, dtype: DType | None) -> Type:
    """The Type of a new tensor in the shape and memory order of another."""
    return preserved(input) if dtype is None else preserved(input).with_dtype(dtype)


def _zeros_type(size: Shape, dtype: DType | None) -> Type:
    return sized(size, dtype or get_default_dtype(), "zeros: Dimension size must be non-negative.")


@kernel(
    "zeros",
    kind="creation",
    infer=_zeros_type,
    samples=lambda make: [sample((2, 3)), sample(()), sample(2, dtype="int64")],
    refusals=lambda make: [refused("zeros: Dimension size must be non-negative.", (2, -1))],
)
def zeros(size: Shape, *, dtype: DType | None = None, meta: Any) -> Array:
    """Zeros, of the default dtype.

    Constant: nothing flows back.
    """
    return np.zeros(meta.shape, meta.dtype.numpy)


@kernel(
    "ones",
    kind="creation",
    infer=lambda size, dtype: sized(size, dtype or get_default_dtype()),
    samples=lambda make: [sample((2, 3)), sample(()), sample(2, dtype="int64")],
    refusals=lambda make: [refused("Trying to create tensor with negative dimension -1: [2, -1]", (2, -1))],
)
def ones(size: Shape, *, dtype: DType | None = None, meta: Any) -> Array:
    """Ones, of the default dtype.

    Constant: nothing flows back.
    """
    return np.ones(meta.shape, meta.dtype.numpy)


def _full_type(size: Shape, fill_value: Number, dtype: DType | None) -> Type:
    dtype = dtype or scalar_dtype(fill_value)
    literals.fill_value(fill_value, dtype)
    return sized(size, dtype)


@kernel(
    "full",
    kind="creation",
    infer=_full_type,
    samples=lambda make: [
        sample((2, 3), 3),
        sample((), 2.5),
        sample((2,), 2.7, dtype="int64"),
        sample((2,), True),
    ],
    refusals=lambda make: [
        refused("value cannot be converted to type uint8_t without overflow", (2,), 300, dtype="uint8"),
        refused("Trying to create tensor with negative dimension -2: [-2]", (-2,), 1),
    ],
)
def full(size: Shape, fill_value: Number, *, dtype: DType | None = None, meta: Any) -> Array:
    """`fill_value` everywhere; an int gives int64, a bool bool, a float the default dtype.

    Constant: nothing flows back.
    """
    return np.full(meta.shape, literals.fill_value(fill_value, meta.dtype))


@kernel("zeros_like", kind="creation", infer=like, samples=lambda make: [sample(make(2, 3))])
def zeros_like(input: Fixed, *, dtype: DType | None = None, meta: Any) -> Array:
    """Zeros in the shape of `input`.

    Constant: nothing flows back.
    """
    return np.zeros(meta.shape, meta.dtype.numpy)


@kernel("ones_like", kind="creation", infer=like, samples=lambda make: [sample(make(2, 3))])
def ones_like(input: Fixed, *, dtype: DType | None = None, meta: Any) -> Array:
    """Ones in the shape of `input`.

    Constant: nothing flows back.
    """
    return np.ones(meta.shape, meta.dtype.numpy)


def _full_like_type(input: Type, fill_value: Number, dtype: DType | None) -> Type:
    found = like(input, dtype)
    literals.fill_value(fill_value, found.dtype)
    return found


@kernel(
    "full_like",
    kind="creation",
    infer=_full_like_type,
    samples=lambda make: [sample(make(2, 3), 2), sample(make.ints(2), 2.7)],
    refusals=lambda make: [
        refused("value cannot be converted to type int64_t without overflow", make.ints(2), float("inf"))
    ],
)
def full_like(input: Fixed, fill_value: Number, *, dtype: DType | None = None, meta: Any) -> Array:
    """`fill_value` everywhere, in the shape and dtype of `input`.

    Constant: nothing flows back.
    """
    return np.full(meta.shape, literals.fill_value(fill_value, meta.dtype))


def _tensor_type(data: Data, dtype: DType | None) -> Type:
    literal = literals.parse(data)
    return Type(literal.shape, dtype or literal.dtype)


@kernel(
    "tensor",
    kind="creation",
    infer=_tensor_type,
    samples=lambda make: [
        sample(1.5),
        sample([[1, 2], [3, 4]]),
        sample([True, 2.5]),
        sample([1, 2], dtype="float64"),
    ],
    refusals=lambda make: [
        refused("expected sequence of length 2 at dim 1 (got 1)", [[1, 2], [3]]),
        refused("not a sequence", [[1, 2], 3]),
        refused("Overflow when unpacking long long", [2**63]),
    ],
)
def tensor(data: Data, *, dtype: DType | None = None, meta: Any) -> Array:
    """Numbers in nested lists as a tensor: floats of the default dtype, ints int64, bools bool.

    Constant: nothing flows back.
    """
    return literals.parse(data).array(meta.dtype)
