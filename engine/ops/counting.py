"""Counts in bins: histc, bincount."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.bounded import Bounded
from engine.define import kernel
from engine.dtypes import BOOL, COMPLEX, FLOAT, float32, float64, int64
from engine.errors import NotImplementedYet, RuntimeArgumentError, ShapeError
from engine.op import NoDerivative, refused, sample
from engine.signature import Array, Fixed, Number, Tensor
from engine.types import Type

MOST = 65_536  # the counts of bincount, unless minlength is more


def _histc_type(input: Type, bins: int, min: float, max: float) -> Type:
    if input.dtype.category == COMPLEX:
        raise NotImplementedYet(f"\"aminmax_cpu\" not implemented for '{input.dtype.title}'")
    if input.dtype.category != FLOAT:
        raise NotImplementedYet(f"\"histogram_cpu\" not implemented for '{input.dtype.title}'")
    if bins <= 0:
        raise RuntimeArgumentError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    if isinstance(min, complex) or isinstance(max, complex):
        raise RuntimeArgumentError("value cannot be converted to type double without overflow")
    _check_range(float(min), float(max))
    return Type((bins,), input.dtype)


def _check_range(low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeArgumentError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeArgumentError("torch.histc: max must be larger than min")


@kernel(
    "histc",
    kind="index",
    infer=_histc_type,
    samples=lambda make: [
        sample(make(3, 4), 5),
        sample(make(6), 4, -1, 1),
        sample(np.array([1.0, 1.0]), 3),
        sample(make(0), 2),
    ],
    refusals=lambda make: [
        refused("torch.histogram(): bins must be > 0, but got 0 for dimension 0", make(3), 0),
        refused("torch.histc: max must be larger than min", make(3), 3, 2, 1),
        refused("torch.histc: range of [1, inf] is not finite", np.array([1.0, np.inf]), 3),
        refused("\"histogram_cpu\" not implemented for 'Long'", make.ints(3), 3),
    ],
    batched="loop",
)
def histc(input: Tensor, bins: int = 100, min: Number = 0, max: Number = 0) -> Array:
    """How many elements are in each of `bins` equal bins from `min` to `max`, or to the extremes if equal.

    Constant: nothing flows back.
    """
    low, high = float(np.real(min)), float(np.real(max))
    if low == high and input.size:
        low, high = float(input.min()), float(input.max())
        _check_range(low, high)
    if low == high:
        low, high = low - 1, high + 1
    edges = np.linspace(low, high, bins + 1, dtype=input.dtype)
    inside = input[(input >= edges[0]) & (input <= edges[-1])]
    at = np.minimum(np.searchsorted(edges, inside, "right") - 1, bins - 1)
    return np.bincount(at, minlength=bins).astype(input.dtype)


def _bincount_type(input: Type, weights: Type | None, minlength: int) -> Type:
    if minlength < 0:
        raise RuntimeArgumentError("minlength should be >= 0", actual=minlength)
    if input.ndim != 1:
        raise ShapeError("bincount only supports 1-d non-negative integral inputs.")
    if input.dtype.category >= FLOAT or input.dtype.category == BOOL:
        raise NotImplementedYet(f"\"bincount_cpu\" not implemented for '{input.dtype.title}'")
    if weights is not None and (weights.ndim != 1 or weights.shape != input.shape):
        raise ShapeError("weights should be 1-d and have the same length as input")
    if not input.numel:
        return Type((minlength,), int64)
    dtype = int64 if weights is None else float32 if weights.dtype is float32 else float64
    return Type((Bounded(max(minlength, MOST)),), dtype)


@kernel(
    "bincount",
    kind="index",
    infer=_bincount_type,
    vjp=NoDerivative("derivative for aten::bincount is not implemented"),
    grad_fn="torch::autograd::NotImplemented",
    samples=lambda make: [
        sample(np.array([0, 2, 2])),
        sample(np.array([1, 0]), minlength=4),
        sample(np.array([1, 2, 1]), np.array([1, 2, 3])),
        sample(make.ints(0), minlength=2),
    ],
    refusals=lambda make: [
        refused("bincount only supports 1-d non-negative integral inputs.", np.array([-1])),
        refused("bincount only supports 1-d non-negative integral inputs.", make.ints(2, 2)),
        refused("\"bincount_cpu\" not implemented for 'Double'", make(3)),
        refused("weights should be 1-d and have the same length as input", make.ints(2), make(3)),
        refused("minlength should be >= 0", make.ints(2), minlength=-1),
        refused("counts of numbers up to 70000", np.array([70_000])),
    ],
    batched="loop",
)
def bincount(input: Fixed, weights: Tensor | None = None, minlength: int = 0, *, meta: Any) -> Array:
    """How often each number from 0 to the largest occurs, or the sum of its weights.

    Unlike torch: the numbers are less than 65,536, or than `minlength` where that is more, so that the memory
    a call needs is known.
    """
    most = max(minlength, MOST)
    if input.size and input.min() < 0:
        raise RuntimeArgumentError("bincount only supports 1-d non-negative integral inputs.")
    if input.size and input.max() >= most:
        raise RuntimeArgumentError(f"counts of numbers up to {input.max()} need minlength", expected=most)
    found = np.bincount(input.astype(np.int64), weights, minlength)
    return found.astype(meta.dtype.numpy, copy=False)
