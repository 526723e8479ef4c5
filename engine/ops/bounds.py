"""The larger, the smaller, and what lies between bounds."""

from __future__ import annotations

from typing import Any

from engine.define import binary, composite, elementwise
from engine.errors import ArgumentError, DTypeError, RuntimeArgumentError
from engine.kernels import promoted
from engine.op import refused, sample
from engine.ops.arithmetic import MISMATCH
from engine.ops.dtype_checks import check_fits, not_complex
from engine.signature import Number, Tensor, is_number

_TIES = "At a tie each operand gets half of the gradient; where one is NaN, both get all of it."


def _shared(F: Any, g: Any, x: Any, loses: str) -> Any:
    """`g` where an operand wins, half of it at a tie, nothing where `F.<loses>(input, other)`."""
    halved = F.where(F.eq(x[0], x[1]), F.div(g, 2), g)
    return F.where(getattr(F, loses)(x[0], x[1]), 0, halved)


maximum = binary(
    "maximum",
    "y = maximum(input, other)",
    numbers=False,
    check=not_complex("maximum not implemented for complex tensors.", DTypeError),
    doc=f"The larger of `input` and `other`; NaN where one of them is.\n\n{_TIES}",
    vjp=lambda F, x, y, g: (lambda: _shared(F, g, x, "lt"), lambda: _shared(F, g, x, "gt")),
    saves=("other", "self"),
    samples=lambda make: [sample(make(2, 3), make(3)), sample(make.ints(3), make(3))],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("maximum(): argument 'other' (position 2) must be Tensor, not float", make(3), 0.5),
        refused("maximum not implemented for complex tensors.", make(2) + 1j, make(2)),
    ],
)
minimum = binary(
    "minimum",
    "y = minimum(input, other)",
    numbers=False,
    check=not_complex("minimum not implemented for complex tensors.", DTypeError),
    doc=f"The smaller of `input` and `other`; NaN where one of them is.\n\n{_TIES}",
    vjp=lambda F, x, y, g: (lambda: _shared(F, g, x, "gt"), lambda: _shared(F, g, x, "lt")),
    saves=("other", "self"),
    samples=lambda make: [sample(make(2, 3), make(3)), sample(make.ints(3), make(3))],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("minimum not implemented for complex tensors.", make(2) + 1j, make(2)),
    ],
)


def _inside(F: Any, g: Any, x: Any, low: Any, high: Any) -> Any:
    """`g` where x lies between the bounds, which belong to the inside."""
    inside = None if low is None else F.ge(x, low)
    if high is not None:
        below = F.le(x, high)
        inside = below if inside is None else F.logical_and(inside, below)
    return F.where(inside, g, 0)


def _by_low(F: Any, g: Any, x: Any, low: Any, high: Any) -> Any:
    outside = F.lt(x, low)
    return F.where(outside if high is None else F.logical_and(outside, F.lt(low, high)), g, 0)


def _by_high(F: Any, g: Any, x: Any, low: Any, high: Any) -> Any:
    outside = F.gt(x, high)
    return F.where(outside if low is None else F.logical_or(outside, F.lt(high, low)), g, 0)


_CLAMP = "t = at_least(input, min); y = at_most(t, max)"
_check = not_complex("clamp is not supported for complex types")


@elementwise(
    "_clamp_scalar",
    _CLAMP,
    check=_check,
    vjp=lambda F, x, y, g, min, max: (lambda: _inside(F, g, x[0], min, max),),
    grad_fn="ClampBackward1",
    saves=("max", "min", "self"),
    samples=lambda make: [sample(make(2, 3), -1, 1.5), sample(make(3), None, 0.5), sample(make(3), 0.5)],
)
def clamp_scalar(input: Tensor, min: Number | None = None, max: Number | None = None) -> None:
    """`clamp` by numbers.

    As `clamp`.
    """


@elementwise(
    "_clamp_tensor",
    _CLAMP,
    check=_check,
    vjp=lambda F, x, y, g: (
        lambda: _inside(F, g, *x),
        lambda: _by_low(F, g, *x),
        lambda: _by_high(F, g, *x),
    ),
    grad_fn="ClampBackward0",
    saves=("max", "min", "self"),
    samples=lambda make: [
        sample(make(2, 3), make(3), make(2, 1)),
        sample(make(2, 3), make(3)),
        sample(make(3), None, make(3)),
    ],
)
def clamp_tensor(input: Tensor, min: Tensor | None = None, max: Tensor | None = None) -> None:
    """`clamp` by tensors.

    As `clamp`.
    """


@composite(
    "clamp",
    aliases=("clip",),
    samples=lambda make: [
        sample(make(2, 3), -1, 1.5),
        sample(make(3), max=0.5),
        sample(make(2, 3), make(3), make(2, 1)),
        sample(make.ints(3), 2, 5),
        sample(make.ints(3), 2.5),
    ],
    refusals=lambda make: [
        refused("torch.clamp: At least one of 'min' or 'max' must not be None", make(3)),
        refused("clamp() received an invalid combination of arguments", make(3), 0, make(3)),
        refused("clamp is not supported for complex types", make(2) + 1j, 0),
        refused(MISMATCH, make(3), make(2)),
    ],
)
def clamp(
    F: Any, input: Tensor, min: Tensor | Number | None = None, max: Tensor | Number | None = None
) -> Any:
    """`input` between `min` and `max` (numbers or tensors), else the bound; `max` where they cross.

    A bound belongs to the inside: there `input` has gradient 1 and a tensor bound 0. NaN gets none.
    """
    bounds = [each for each in (min, max) if each is not None]
    if not bounds:
        raise RuntimeArgumentError("torch.clamp: At least one of 'min' or 'max' must not be None")
    numbers = [is_number(each) for each in bounds]
    if any(numbers) and not all(numbers):
        raise ArgumentError(
            "clamp() received an invalid combination of arguments: one bound is a number, one a tensor"
        )
    if not all(numbers):
        return F._clamp_tensor(input, min, max)
    dtype = promoted([input.meta, *bounds])  # a float bound makes integers floats
    for each in bounds:
        check_fits(dtype, each)
    return F._clamp_scalar(F.to(input, dtype), min, max)


@elementwise(
    "clamp_min",
    "y = maximum(input, min)",
    check=_check,
    numbers=False,
    vjp=lambda F, x, y, g: (
        lambda: F.where(F.ge(x[0], x[1]), g, 0),
        lambda: F.where(F.lt(x[0], x[1]), g, 0),
    ),
    grad_fn=lambda x, given: "ClampMinBackward0" if is_number(x[1]) else "ClampMinBackward1",
    saves=("min", "self"),
    samples=lambda make: [sample(make(2, 3), 0.5), sample(make(2, 3), make(3)), sample(make.ints(3), 2)],
    refusals=lambda make: [refused(MISMATCH, make(3), make(2))],
)
def clamp_min(input: Tensor, min: Tensor | Number) -> None:
    """The larger of `input` and `min`.

    At a tie `input` gets all of the gradient.
    """


@elementwise(
    "clamp_max",
    "y = minimum(input, max)",
    check=_check,
    numbers=False,
    vjp=lambda F, x, y, g: (
        lambda: F.where(F.le(x[0], x[1]), g, 0),
        lambda: F.where(F.gt(x[0], x[1]), g, 0),
    ),
    grad_fn=lambda x, given: "ClampMaxBackward0" if is_number(x[1]) else "ClampMaxBackward1",
    saves=("max", "self"),
    samples=lambda make: [sample(make(2, 3), 0.5), sample(make(2, 3), make(3)), sample(make.ints(3), 2)],
    refusals=lambda make: [refused(MISMATCH, make(3), make(2))],
)
def clamp_max(input: Tensor, max: Tensor | Number) -> None:
    """The smaller of `input` and `max`.

    At a tie `input` gets all of the gradient.
    """
