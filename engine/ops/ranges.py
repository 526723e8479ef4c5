"""Numbers in a row, and the identity: arange, linspace, eye."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import BOOL, COMPLEX, INTEGER, DType, complex_of, get_default_dtype, int64
from engine.errors import RuntimeArgumentError, UnsupportedDType
from engine.op import refused, sample
from engine.signature import Array, Number
from engine.types import Type


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
    if not exact and abs((end - start) / step) >= 2.0**63:
        raise RuntimeArgumentError("invalid size, possible overflow?")
    count = -((start - end) // step) if exact else math.ceil((end - start) / step)
    return Type((int(count),), dtype)


@kernel(
    "arange",
    kind="creation",
    infer=_arange_type,
    samples=lambda make: [
        sample(5),
        sample(2, 5),
        sample(5, 1, -2),
        sample(0, 1, 0.25),
        sample(3, dtype="float64"),
    ],
    refusals=lambda make: [
        refused("upper bound and lower bound inconsistent with step sign", 5, 1),
        refused("step must be nonzero", 0, 5, 0),
        refused("\"arange_cpu\" not implemented for 'Bool'", 5, dtype="bool"),
        refused("unsupported range: 0 -> inf", 0, float("inf")),
        refused("invalid size, possible overflow?", 0, 1e308, 5e-324),
        refused("invalid size, possible overflow?", -1.7e308, 1.7e308, 1e308),
    ],
)
def arange(
    start: Number | None = None,
    end: Number | None = None,
    step: Number = 1,
    *,
    dtype: DType | None = None,
    meta: Any,
) -> Array:
    """From `start` (0) up to but not including `end`; integers give int64, a float the default dtype.

    Constant: nothing flows back.
    """
    first, _, step, _ = _bounds(start, end, step, dtype)
    whole = meta.dtype.category == INTEGER
    kind: Any = int if whole else float
    first, step = kind(first), kind(step)
    counted = np.arange(meta.shape[0], dtype=np.int64 if whole else np.float64)
    found: Array = (first + step * counted).astype(meta.dtype.numpy)
    return found


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
    samples=lambda make: [
        sample(0, 1, 5),
        sample(3, -2, 4, dtype="float64"),
        sample(0, 10, 4, dtype="int64"),
    ],
    refusals=lambda make: [refused("number of steps must be non-negative", 0, 1, -1)],
)
def linspace(start: Number, end: Number, steps: int, *, dtype: DType | None = None, meta: Any) -> Array:
    """`steps` numbers evenly spaced from `start` to `end`, both included.

    Constant: nothing flows back.
    """
    compute: Any = np.float64 if meta.dtype.category == INTEGER else meta.dtype.numpy.type
    first, last = compute(start), compute(end)
    step = (last - first) / compute(max(steps - 1, 1))
    at = np.arange(steps)
    rising = first + step * at.astype(compute)
    falling = last - step * (steps - 1 - at).astype(compute)
    found: Array = np.where(at < max(steps // 2, steps == 1), rising, falling).astype(meta.dtype.numpy)
    return found


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
