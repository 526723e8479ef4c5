"""Activations with straight pieces: thresholds, clamps and shrinkages."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, elementwise, unary
from engine.dtypes import BOOL, COMPLEX, FLOAT, DType
from engine.errors import DTypeError, RuntimeArgumentError, UnsupportedDType, ValueArgumentError
from engine.op import refused, sample
from engine.ops.dtype_checks import floating, without
from engine.signature import Number, Tensor

_LONG = "not implemented for 'Long'"


def _held(value: Number, dtype: DType) -> Number:
    """A setting as the elements of `dtype` hold it: an integer dtype drops the fraction."""
    return int(value.real) if dtype.category < FLOAT else value


@elementwise(
    "_threshold",
    "m = less_equal(input, threshold); y = select(m, value, input)",
    check=without("threshold_cpu", BOOL, COMPLEX),
    vjp=lambda F, x, y, g, threshold, value: (lambda: F._threshold_backward(g, x[0], threshold),),
    grad_fn="ThresholdBackward0",
    saves=("self", "threshold"),
    samples=lambda make: [],
)
def _threshold(input: Tensor, threshold: Number, value: Number) -> None:
    """`threshold`, whose settings the dtype of `input` holds.

    As `threshold`.
    """


@composite(
    "nn.functional.threshold",
    samples=lambda make: [
        sample(make(2, 3), 0.1, 3.0),
        sample(make(), 0.1, -1),
        sample(make.ints(4, low=-5), 1.5, 7),
    ],
    refusals=lambda make: [refused("\"threshold_cpu\" not implemented for 'Bool'", make.bools(2), 0, 1)],
)
def threshold(F: Any, input: Tensor, threshold: Number, value: Number) -> Any:
    """`input` where it is above `threshold`, else `value`.

    At the threshold the gradient is 0; at NaN it is 1.
    """
    dtype = input.meta.dtype
    return F._threshold(input, _held(threshold, dtype), _held(value, dtype))


def _check_hardtanh(dtype: DType) -> None:
    if dtype.category == BOOL:
        raise DTypeError("Bool inputs not supported for hardtanh", actual=dtype.name)
    if dtype.category == COMPLEX:
        raise UnsupportedDType("clamp is not supported for complex types", actual=dtype.name)


@elementwise(
    "_hardtanh_backward",
    "a = less_equal(input, min_val); b = greater_equal(input, max_val); m = logical_or(a, b);"
    " y = select(m, 0, grad_output)",
    vjp=lambda F, x, y, g, min_val, max_val: (
        lambda: F._hardtanh_backward(g, x[1], min_val, max_val),
        lambda: F.zeros_like(g),
    ),
    grad_fn="HardtanhBackwardBackward0",
    saves=("max_val", "min_val", "self=input"),
    samples=lambda make: [],
)
def hardtanh_backward(grad_output: Tensor, input: Tensor, min_val: Number, max_val: Number) -> None:
    """`grad_output` where `input` lies between the bounds or is NaN, else 0.

    The gradient of `input` is 0.
    """


@elementwise(
    "_hardtanh",
    "t = maximum(input, min_val); y = minimum(t, max_val)",
    check=_check_hardtanh,
    vjp=lambda F, x, y, g, min_val, max_val: (lambda: F._hardtanh_backward(g, x[0], min_val, max_val),),
    grad_fn="HardtanhBackward0",
    saves=("max_val", "min_val", "self"),
    samples=lambda make: [],
)
def _hardtanh(input: Tensor, min_val: Number, max_val: Number) -> None:
    """`hardtanh`, whose bounds the dtype of `input` holds.

    As `hardtanh`.
    """


_BOOL_REFUSED = "Bool inputs not supported for hardtanh"


@composite(
    "nn.functional.hardtanh",
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(), -0.5, 0.7),
        sample(make.ints(4, low=-5), -2.5, 3),
    ],
    refusals=lambda make: [
        refused("min_val cannot be greater than max_val", make(2), 0.5, -0.5),
        refused(_BOOL_REFUSED, make.bools(2)),
    ],
)
def hardtanh(F: Any, input: Tensor, min_val: Number = -1.0, max_val: Number = 1.0) -> Any:
    """`input` between the bounds, the nearer bound outside.

    At both bounds the gradient is 0; at NaN it is 1.
    """
    if min_val.real > max_val.real:
        raise ValueArgumentError("min_val cannot be greater than max_val")
    dtype = input.meta.dtype
    return F._hardtanh(input, _held(min_val, dtype), _held(max_val, dtype))


@composite(
    "nn.functional.relu6",
    samples=lambda make: [sample(make(2, 3, low=-3, high=9)), sample(make()), sample(make.ints(4, low=-5))],
    refusals=lambda make: [refused(_BOOL_REFUSED, make.bools(2))],
)
def relu6(F: Any, input: Tensor) -> Any:
    """`input` between 0 and 6, the nearer of them outside.

    At 0 and at 6 the gradient is 0; at NaN it is 1.
    """
    return F._hardtanh(input, 0, 6)


@elementwise(
    "_hardshrink_backward",
    "a = absolute(input); m = less_equal(a, lambd); y = select(m, 0, grad_output)",
    vjp=lambda F, x, y, g, lambd: (
        lambda: F._hardshrink_backward(g, x[1], lambd),
        lambda: F.zeros_like(g),
    ),
    grad_fn="HardshrinkBackwardBackward0",
    saves=("lambd", "self=input"),
    samples=lambda make: [],
)
def hardshrink_backward(grad_output: Tensor, input: Tensor, lambd: Number) -> None:
    """`grad_output` where `input` is further than `lambd` from 0, or NaN, else 0.

    The gradient of `input` is 0.
    """


@elementwise(
    "nn.functional.hardshrink",
    "a = absolute(input); m = less_equal(a, lambd); y = select(m, 0, input)",
    check=floating("hardshrink_cpu"),
    vjp=lambda F, x, y, g, lambd: (lambda: F._hardshrink_backward(g, x[0], lambd),),
    saves=("lambd", "self"),
    samples=lambda make: [sample(make(2, 3)), sample(make(), 0.2), sample(make(3), lambd=1)],
    refusals=lambda make: [refused(f'"hardshrink_cpu" {_LONG}', make.ints(2))],
)
def hardshrink(input: Tensor, lambd: Number = 0.5) -> None:
    """`input` where it is further than `lambd` from 0, else 0.

    At ±lambd the gradient is 0; at NaN it is 1.
    """


@elementwise(
    "_softshrink",
    "l = negative(lambd); t = maximum(input, l); t = minimum(t, lambd); y = subtract(input, t)",
    vjp=lambda F, x, y, g, lambd: (lambda: F._hardshrink_backward(g, x[0], lambd),),
    grad_fn="SoftshrinkBackward0",
    saves=("lambd", "self"),
    samples=lambda make: [],
)
def _softshrink(input: Tensor, lambd: Number) -> None:
    """`softshrink` with a `lambd` that is allowed.

    As `softshrink`.
    """


@composite(
    "nn.functional.softshrink",
    samples=lambda make: [sample(make(2, 3)), sample(make(), 0.2), sample(make(3), lambd=1)],
    refusals=lambda make: [
        refused(f'"softshrink_check" {_LONG}', make.ints(2)),
        refused("but found -0.5", make(2), -0.5),
    ],
)
def softshrink(F: Any, input: Tensor, lambd: Number = 0.5) -> Any:
    """`input` brought nearer to 0 by `lambd`; 0 where it is no further from it.

    At ±lambd the gradient is 0; at NaN it is 1.
    """
    dtype = input.meta.dtype
    floating("softshrink_check")(dtype)
    most = float(np.finfo(dtype.numpy).max)
    if not 0 <= lambd.real <= most:
        raise RuntimeArgumentError(
            f"lambda must be in range [0, {most:g}] for input dtype {dtype.title}, but found {lambd:g}"
        )
    return F._softshrink(input, lambd)


def _hardsigmoid_slope(F: Any, x: Any, g: Any) -> Any:
    inside = F.logical_and(F.gt(x, -3), F.lt(x, 3))
    return F.where(inside, F.div(g, 6), 0)


hardsigmoid = unary(
    "nn.functional.hardsigmoid",
    "t = add(input, 3); t = maximum(t, 0); t = minimum(t, 6); y = divide(t, 6)",
    compute="promote",
    check=floating("hardsigmoid_cpu"),
    doc="input / 6 + 1/2 between -3 and 3, 0 below and 1 above.\n\nAt ±3 and at NaN the gradient is 0.\n\n"
    "Unlike torch: in float64 the slope is 1/6 to the last digit, where torch's is rounded to float32; and "
    "there is a second derivative, 0.",
    vjp=lambda F, x, y, g: _hardsigmoid_slope(F, x, g),
    saves=("self",),
    samples=lambda make: [sample(make(2, 3, low=-5, high=5)), sample(make())],
    refusals=lambda make: [refused(f'"hardsigmoid_cpu" {_LONG}', make.ints(2))],
)


def _hardswish_curvature(F: Any, x: Any, g: Any) -> Any:
    inside = F.logical_and(F.gt(x[1], -3), F.lt(x[1], 3))
    return F.where(inside, F.div(F.mul(g, x[0]), 3), 0)


@elementwise(
    "_hardswish_backward",
    "b = less_equal(input, -3); m = less(input, 3); s = divide(input, 3); s = add(s, 0.5);"
    " s = multiply(s, grad_output); s = select(m, s, grad_output); y = select(b, 0, s)",
    vjp=lambda F, x, y, g: (
        lambda: F._hardswish_backward(g, x[1]),
        lambda: _hardswish_curvature(F, x, g),
    ),
    grad_fn="HardswishBackwardBackward0",
    saves=("grad_output", "self=input"),
    samples=lambda make: [],
)
def hardswish_backward(grad_output: Tensor, input: Tensor) -> None:
    """The cotangent of hardswish's operand.

    At ±3 the gradient of `input` is 0.
    """


hardswish = unary(
    "nn.functional.hardswish",
    "t = add(input, 3); t = maximum(t, 0); t = minimum(t, 6); t = multiply(t, input); y = divide(t, 6)",
    compute="promote",
    check=floating("hardswish_cpu"),
    doc="input * hardsigmoid(input).\n\nAt -3 the gradient is 0, at 3 it is 1; at NaN it is 1.",
    vjp=lambda F, x, y, g: F._hardswish_backward(g, x),
    saves=("self",),
    samples=lambda make: [sample(make(2, 3, low=-5, high=5)), sample(make())],
    refusals=lambda make: [refused(f'"hardswish_cpu" {_LONG}', make.ints(2))],
)
