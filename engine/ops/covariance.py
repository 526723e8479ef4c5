"""Covariance and correlation."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import BOOL, FLOAT, INTEGER, bool_
from engine.errors import DTypeError, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Array, Fixed, Tensor
from engine.types import Type


def _check_weights(name: str, weights: Any, category: int, count: int) -> None:
    meta = weights.meta
    if meta.ndim > 1:
        raise ShapeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with {meta.ndim} "
            "dimensions"
        )
    if meta.dtype.category != category:
        kind = "integral" if category == INTEGER else "floating point"
        raise DTypeError(
            f"cov(): expected {name} to have {kind} dtype but got {name} with {meta.dtype.title} dtype"
        )
    if meta.numel != count:
        raise ShapeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got "
            f"{meta.numel} != {count}"
        )


def _weights(F: Any, count: int, fweights: Any, aweights: Any) -> Any:
    """How much each of `count` observations counts, or None."""
    if fweights is not None:
        _check_weights("fweights", fweights, INTEGER, count)
    if aweights is None:
        return fweights
    _check_weights("aweights", aweights, FLOAT, count)
    return aweights if fweights is None else F.mul(fweights, aweights)


@kernel(
    "_without_freedom",
    kind="index",
    infer=lambda norm, total, fweights, aweights: Type((), bool_),
    batched="loop",
)
def without_freedom(norm: Fixed, total: Fixed, fweights: Fixed | None, aweights: Fixed | None) -> Array:
    """Whether the norm is not positive, once the weights are found to be those of observations.

    Constant: nothing flows back.
    """
    for name, each in (("fweights", fweights), ("aweights", aweights)):
        if each is not None and np.any(each < 0):
            raise RuntimeArgumentError(f"cov(): {name} cannot be negative")
    if not np.any(total):
        raise RuntimeArgumentError("cov(): weights sum to zero, can't be normalized")
    return np.asarray(norm <= 0)


def _normalised(F: Any, product: Any, total: Any, correction: int, weights: Any, given: Any) -> Any:
    fweights, aweights = given
    if weights is None:
        return F.div(product, float(max(total - correction, 0)))
    if aweights is not None and correction:
        norm = F.sub(total, F.div(F.mul(F.sum(F.mul(weights, aweights)), correction), total))
    else:
        norm = F.sub(total, correction)
    return F.div(product, F.where(F._without_freedom(norm, total, fweights, aweights), 0, norm))


@composite(
    "cov",
    samples=lambda make: [
        sample(make(3, 4)),
        sample(make(4)),
        sample(make(2, 4), correction=0),
        sample(make(2, 3), fweights=np.array([1, 2, 1])),
        sample(make(2, 3), aweights=np.array([0.5, 1.5, 1.0])),
        sample(make(2, 3) + 1j * make(2, 3)),
        sample(make.ints(2, 3)),
    ],
    refusals=lambda make: [
        refused(
            "cov(): expected input to have two or fewer dimensions but got an input with 3", make(2, 2, 2)
        ),
        refused("cov(): bool dtype is not supported for input", make.bools(3)),
        refused("expected fweights to have integral dtype but got", make(2, 3), fweights=make(3)),
        refused("expected aweights to have floating point dtype but", make(2, 3), aweights=make.ints(3)),
        refused("in the input but got 2 != 3", make(2, 3), fweights=make.ints(2)),
        refused("cov(): fweights cannot be negative", make(2, 2), fweights=np.array([1, -1])),
        refused("cov(): aweights cannot be negative", make(2, 2), aweights=np.array([1.0, -1.0])),
        refused("cov(): weights sum to zero, can't be normalized", make(2, 2), fweights=np.array([0, 0])),
        refused("to have one or fewer dimensions but got", make(2, 3), fweights=make.ints(1, 3)),
    ],
)
def cov(
    F: Any,
    input: Tensor,
    *,
    correction: int = 1,
    fweights: Fixed | None = None,
    aweights: Tensor | None = None,
) -> Any:
    """The covariance of the rows, variables with an observation in each column; of a vector its variance.

    Smooth everywhere. Observations that are not enough for `correction` make it infinite or nan.
    """
    meta = input.meta
    if meta.ndim > 2:
        raise ShapeError(
            "cov(): expected input to have two or fewer dimensions but got an input with "
            f"{meta.ndim} dimensions"
        )
    if meta.dtype.category == BOOL:
        raise DTypeError("cov(): bool dtype is not supported for input")
    rows = input if meta.ndim == 2 else F.view(input, (1, meta.numel))
    count = rows.meta.shape[1]
    weights = _weights(F, count, fweights, aweights)
    total = count if weights is None else F.sum(weights)
    weighted = F.sum(rows if weights is None else F.mul(rows, weights), 1)
    middle = F.div(weighted, total) if count or weights is not None else F.mul(weighted, float("nan"))
    apart = F.sub(rows, F.unsqueeze(middle, 1))
    other = apart if weights is None else F.mul(apart, weights)
    product = F.mm(apart, F.conj(F.t(other)))
    return F.squeeze(_normalised(F, product, total, correction, weights, (fweights, aweights)))


@composite(
    "corrcoef",
    samples=lambda make: [
        sample(make(3, 5)),
        sample(make(4)),
        sample(make(2, 5) + 1j * make(2, 5)),
    ],
    refusals=lambda make: [
        refused("corrcoef(): expected input to have two or fewer dimensions but got", make(2, 2, 2)),
    ],
)
def corrcoef(F: Any, input: Tensor) -> Any:
    """The correlations of the rows, variables with an observation in each column.

    Real and imaginary parts are clamped to -1 … 1; at these the gradient passes.
    """
    if input.meta.ndim > 2:
        raise ShapeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input.meta.ndim} dimensions"
        )
    found = F.cov(input)
    if not found.meta.ndim:
        return F.div(found, found)
    variance = F.diagonal(found)
    deviation = F.sqrt(F.real(variance) if variance.meta.dtype.is_complex else variance)
    size = deviation.meta.shape[0]
    found = F.div(found, F.view(deviation, (size, 1)))
    found = F.div(found, F.view(deviation, (1, size)))
    if found.meta.dtype.is_complex:
        return F.complex(F.clamp(F.real(found), -1, 1), F.clamp(F.imag(found), -1, 1))
    return F.clamp(found, -1, 1)
