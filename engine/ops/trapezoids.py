"""Differences of neighbours and integrals from samples: diff, trapezoid, cumulative_trapezoid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.define import composite
from engine.dtypes import BOOL, FLOAT
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Number, Tensor
from engine.types import wrap_dim


def _check_beside(input: Any, other: Any, dim: int) -> None:
    """What diff puts before or behind `input` has its shape but for `dim`."""
    own, rank = other.meta.shape, input.meta.ndim
    if len(own) != rank:
        raise ShapeError("diff expects prepend or append to be the same dimension as input")
    for axis, (size, found) in enumerate(zip(input.meta.shape, own, strict=True)):
        if axis != dim + rank and size != found:
            raise ShapeError(
                "diff expects the shape of tensor to prepend or append to match that of input except along "
                f"the differencing dimension; input.size({axis}) = {size}, but got tensor.size({axis}) = "
                f"{found}"
            )


@composite(
    "diff",
    samples=lambda make: [
        sample(make(4)),
        sample(make(2, 4), 2),
        sample(make(3, 2), 1, 0, make(1, 2), append=make(2, 2)),
        sample(make(3), 0),
        sample(make(3), 5),
        sample(make.ints(4)),
        sample(make.bools(4)),
        sample(make(0, 2), dim=0),
    ],
    refusals=lambda make: [
        refused("diff expects input to be at least one-dimensional", make()),
        refused("order must be non-negative but got -1", make(3), -1),
        refused(
            "diff expects prepend or append to be the same dimension as input", make(3), prepend=make(2, 2)
        ),
        refused(
            "except along the differencing dimension; input.size(0) = 3, but got tensor.size(0) = 2",
            make(3, 2),
            prepend=make(2, 2),
        ),
        refused("Dimension out of range (expected to be in range of [-1, 0], but got 2)", make(3), 1, 2),
    ],
)
def diff(
    F: Any,
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Any:
    """The difference of neighbours along `dim`, n times; of bools where they change.

    Smooth everywhere.
    """
    if not input.meta.ndim:
        raise ShapeError("diff expects input to be at least one-dimensional")
    at = wrap_dim(dim, input.meta.ndim)
    if n < 0:
        raise RuntimeArgumentError(f"order must be non-negative but got {n}")
    for each in (prepend, append):
        if each is not None:
            _check_beside(input, each, at)
    if n == 0:
        return F._copy(F.zeros_like(input), input)
    if prepend is not None or append is not None:
        input = F.cat([each for each in (prepend, input, append) if each is not None], dim)
    bools = input.meta.dtype.category == BOOL
    for _ in range(min(n, input.meta.shape[at])):
        size = input.meta.shape[at]
        later, earlier = F.slice(input, dim, 1, size), F.slice(input, dim, 0, size - 1)
        input = F.logical_xor(later, earlier) if bools else F.sub(later, earlier)
    return input


def _no_bools(name: str, what: str, *tensors: Any) -> None:
    if any(each.meta.dtype.category == BOOL for each in tensors):
        raise RuntimeArgumentError(f"{name}: received a bool input for {what}, but bool is not supported")


def _steps(F: Any, name: str, y: Any, x: Any, dim: int) -> Any:
    """The distances of the sample points `x`, in dims that broadcast against `y`."""
    own, rank = x.meta.shape, y.meta.ndim
    if len(own) == 1:
        if own[0] != y.meta.shape[dim]:
            raise ShapeError(f"{name}: There must be one `x` value for each sample point")
        x = F.view(x, tuple(own[0] if at == dim else 1 for at in range(-rank, 0)))
    elif len(own) < rank:
        x = F.view(x, (1,) * (rank - len(own)) + tuple(own))
    return F.sub(F.slice(x, dim, 1), F.slice(x, dim, 0, -1))


def _areas(F: Any, y: Any, width: Any, dim: int) -> Any:
    pairs = F.add(F.slice(y, dim, 0, -1), F.slice(y, dim, 1))
    return F.mul(pairs, width) if hasattr(width, "meta") else _scaled(F, pairs, width)


def _scaled(F: Any, value: Any, factor: float) -> Any:
    """`value` times a number that is not the caller's."""
    return F._mul_scalar(value, factor) if value.meta.dtype.category >= FLOAT else F.mul(value, factor)


def _halved(F: Any, value: Any) -> Any:
    return F._div_scalar(value, 2.0) if value.meta.dtype.category >= FLOAT else F.div(value, 2.0)


def _check(name: str, y: Any, x: Any, dx: Any) -> float:
    """The distance of the samples, if they have no points of their own."""
    if x is not None:
        _no_bools(name, "`x` or `y`", y, x)
        return 1.0
    _no_bools(name, "`y`", y)
    if isinstance(dx, (bool, complex)):
        raise RuntimeArgumentError(f"{name}: Currently, we only support dx as a real number.")
    return float(dx)


def _samples(make: Any) -> list[Any]:
    rising = np.array([0.0, 0.5, 2.0, 2.5])
    return [
        sample(make(2, 4)),
        sample(make(4, 2), dim=0, dx=0.5),
        sample(make(2, 4), rising),
        sample(make(4, 2), make(4, 2), dim=0),
        sample(make(2, 3, 4), make(3, 4)),
        sample(make(2, 1)),
        sample(make.ints(4)),
    ]


def _refusals(name: str) -> Callable[[Any], list[Any]]:
    return lambda make: [
        refused(f"{name}: There must be one `x` value for each sample point", make(2, 4), make(3)),
        refused(f"{name}: received a bool input for `y`, but bool is not supported", make.bools(3)),
        refused(f"{name}: received a bool input for `x` or `y`, but", make.bools(3), make(3)),
        refused(f"{name}: Currently, we only support dx as a real number.", make(3), dx=1j),
        refused("Dimension out of range (expected to be in range of [-1, 0], but got 2)", make(3), dim=2),
    ]


@composite(
    "trapezoid",
    aliases=("trapz",),
    samples=lambda make: [*_samples(make), sample(make(0, 2), dim=0)],
    refusals=_refusals("trapezoid"),
)
def trapezoid(F: Any, y: Tensor, x: Tensor | None = None, *, dx: Number = 1, dim: int = -1) -> Any:
    """The integral along `dim` by the trapezoidal rule, at the points `x` or at distances of `dx`.

    Smooth everywhere.
    """
    at = wrap_dim(dim, y.meta.ndim)
    shape = y.meta.shape
    if not shape[at]:
        return F.zeros(shape[:at] + shape[len(shape) + at + 1 :], dtype=y.meta.dtype)
    width = _check("trapezoid", y, x, dx)
    if x is not None:
        areas = _areas(F, y, _steps(F, "trapezoid", y, x, at), at)
        return _halved(F, F.sum(areas, at))
    ends = _scaled(F, F.add(F.select(y, dim, 0), F.select(y, dim, -1)), 0.5)
    return _scaled(F, F.sub(F.sum(y, dim), ends), width)


@composite("cumulative_trapezoid", samples=_samples, refusals=_refusals("cumulative_trapezoid"))
def cumulative_trapezoid(F: Any, y: Tensor, x: Tensor | None = None, *, dx: Number = 1, dim: int = -1) -> Any:
    """The integrals along `dim` up to each point by the trapezoidal rule, at the points `x` or `dx` apart.

    Smooth everywhere.
    """
    at = wrap_dim(dim, y.meta.ndim)
    width = _check("cumulative_trapezoid", y, x, dx)
    if x is not None:
        areas = _areas(F, y, _steps(F, "cumulative_trapezoid", y, x, at), at)
        return _halved(F, F.cumsum(areas, at))
    return F.cumsum(_areas(F, y, width / 2.0, dim), dim)
