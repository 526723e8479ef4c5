"""Tensors from nothing, or in the shape of another."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import literals
from engine.define import kernel
from engine.dtypes import BOOL, COMPLEX, INTEGER, DType, complex_of, get_default_dtype, int64, scalar_dtype
from engine.errors import RuntimeArgumentError, UnsupportedDType
from engine.op import refused, sample
from engine.signature import Array, Data, Fixed, Number, Shape
from engine.strides import preserved
from engine.types import Type


def sized(size: Shape, dtype: DType, negative: str = "") -> Type:
    """The Type of a new tensor; a negative size is refused with the sentence `negative`, or the usual one."""
    if any(each < 0 for each in size):
        found = next(each for each in size if each < 0)
        raise RuntimeArgumentError(
            negative or f"Trying to create tensor with negative dimension {found}: {list(size)}", actual=list(size)
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
    samples=lambda make: [sample((2, 3), 3), sample((), 2.5), sample((2,), 2.7, dtype="int64"), sample((2,), True)],
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


def _bounds(start: Any, end: Any, step: Any, dtype: DType | None) -> tuple[Any, Any, Any, DType]:
    """The range of an arange call and its dtype; `arange(5)` has only a start, which is the end."""
    if end is None:
        start, end = 0, start
    start = 0 if start is None else start
    if dtype is None:
        dtype = get_default_dtype() if any(isinstance(each, float) for each in (start, end, step)) else int64
    if dtype.category in (BOOL, COMPLEX):
        raise UnsupportedDType(f"\"arange_cpu\" not implemented for '{dtype.title}'", actual=dtype.name)
    return start, end, step, dtype


def _arange_type(start: Any, end: Any, step: Any, dtype: DType | None) -> Type:
    start, end, step, dtype = _bounds(start, end, step, dtype)
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeArgumentError(f"unsupported range: {start:g} -> {end:g}")
    if dtype.category == INTEGER:
        start, end, step = int(start), int(end), int(step)
    if step == 0:
        raise RuntimeArgumentError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeArgumentError("upper bound and lower bound inconsistent with step sign")
    exact = all(isinstance(each, int) for each in (start, end, step))
    count = -((start - end) // step) if exact else math.ceil((end - start) / step)
    return Type((int(count),), dtype)


@kernel(
    "arange",
    kind="creation",
    infer=_arange_type,
    samples=lambda make: [sample(5), sample(2, 5), sample(5, 1, -2), sample(0, 1, 0.25), sample(3, dtype="float64")],
    refusals=lambda make: [
        refused("upper bound and lower bound inconsistent with step sign", 5, 1),
        refused("step must be nonzero", 0, 5, 0),
        refused("\"arange_cpu\" not implemented for 'Bool'", 5, dtype="bool"),
        refused("unsupported range: 0 -> inf", 0, float("inf")),
    ],
)
def arange(
    start: Number | None = None, end: Number | None = None, step: Number = 1, *, dtype: DType | None = None, meta: Any
) -> Array:
    """From `start` (0) up to but not including `end`; integers give int64, a float the default dtype.

    Constant: nothing flows back.
    """
    first, _, step, _ = _bounds(start, end, step, dtype)
    whole = meta.dtype.category == INTEGER
    first, step = (int(first), int(step)) if whole else (float(first), float(step))
    counted = np.arange(meta.shape[0], dtype=np.int64 if whole else np.float64)
    return (first + step * counted).astype(meta.dtype.numpy)


def _linspace_type(start: Number, end: Number, steps: int, dtype: DType | None) -> Type:
    if steps < 0:
        raise RuntimeArgumentError("number of steps must be non-negative", actual=steps)
    if dtype is None:
        dtype = get_default_dtype()
        dtype = complex_of(dtype) if isinstance(start, complex) or isinstance(end, complex) else dtype
    if dtype.category == BOOL:
        raise UnsupportedDType("\"linspace_cpu\" not implemented for 'Bool'", actual=dtype.name)
    return Type((steps,), dtype)


@kernel(
    "linspace",
    kind="creation",
    infer=_linspace_type,
    samples=lambda make: [sample(0, 1, 5), sample(3, -2, 4, dtype="float64"), sample(0, 10, 4, dtype="int64")],
    refusals=lambda make: [refused("number of steps must be non-negative", 0, 1, -1)],
)
def linspace(start: Number, end: Number, steps: int, *, dtype: DType | None = None, meta: Any) -> Array:
    """`steps` numbers evenly spaced from `start` to `end`, both included; counted from the nearer end, as torch does.

    Constant: nothing flows back.
    """
    compute: Any = np.float64 if meta.dtype.category == INTEGER else meta.dtype.numpy.type
    first, last = compute(start), compute(end)
    step = (last - first) / compute(max(steps - 1, 1))
    at = np.arange(steps)
    rising = first + step * at.astype(compute)
    falling = last - step * (steps - 1 - at).astype(compute)
    return np.where(at < max(steps // 2, steps == 1), rising, falling).astype(meta.dtype.numpy)


def _eye_type(n: int, m: int | None, dtype: DType | None) -> Type:
    for name, size in (("n", n), ("m", m)):
        if size is not None and size < 0:
            raise RuntimeArgumentError(f"{name} must be greater or equal to 0, got {size}", actual=size)
    return Type((n, n if m is None else m), dtype or get_default_dtype())


@kernel(
    "eye",
    kind="creation",
    infer=_eye_type,
    samples=lambda make: [sample(3), sample(2, 3), sample(2, dtype="bool")],
    refusals=lambda make: [refused("n must be greater or equal to 0, got -1", -1)],
)
def eye(n: int, m: int | None = None, *, dtype: DType | None = None, meta: Any) -> Array:
    """Ones on the diagonal, zeros elsewhere; `m` columns, or as many as rows.

    Constant: nothing flows back.
    """
    return np.eye(*meta.shape, dtype=meta.dtype.numpy)


def _tensor_type(data: Data, dtype: DType | None) -> Type:
    literal = literals.parse(data)
    return Type(literal.shape, dtype or literal.dtype)


@kernel(
    "tensor",
    kind="creation",
    infer=_tensor_type,
    samples=lambda make: [sample(1.5), sample([[1, 2], [3, 4]]), sample([True, 2.5]), sample([1, 2], dtype="float64")],
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
