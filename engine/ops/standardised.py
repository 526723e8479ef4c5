"""Channels and groups made to mean 0 and deviation 1: batch and group normalisation as torch's nodes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import FLOAT
from engine.errors import DTypeError, RuntimeArgumentError, ShapeError
from engine.leading import behind
from engine.ops.dtype_checks import no_kernel
from engine.ops.reductions import wide
from engine.signature import Array, Fixed, Tensor
from engine.types import Type


def _standard(rows: Array, eps: float) -> tuple[Array, Array, Array]:
    """Rows less their mean, over their deviation; the mean, and the reciprocal of the deviation."""
    size = rows.dtype.type(rows.shape[-1])
    middle = np.divide(np.sum(rows, axis=-1, keepdims=True), size)
    found = rows - middle
    spread = np.divide(np.sum(np.square(found), axis=-1, keepdims=True), size)
    scale = np.reciprocal(np.sqrt(spread + rows.dtype.type(eps)))
    found *= scale
    return found, middle[..., 0], scale[..., 0]


def _slope(F: Any, each: Any, apart: Any, scale: Any, dims: Any) -> Any:
    """The cotangent of rows, from that of the rows made standard."""
    shift = F.add(F.mean(each, dims, True), F.mul(apart, F.mean(F.mul(each, apart), dims, True)))
    return F.mul(scale, F.sub(each, shift))


def _of_input(F: Any, each: Any, apart: Any, scale: Any, others: Any, dims: Any, size: int) -> Any:
    """The cotangent of the input, of which mean and scale are results too, with cotangents of their own."""
    middle, spread = others
    found = None if each is None else _slope(F, each, apart, scale, dims)
    if middle is not None:
        part = F.expand(F.div(middle, size), apart.meta.shape)
        found = part if found is None else F.add(found, part)
    if spread is not None:
        part = F.neg(F.mul(F.div(F.mul(spread, F.mul(scale, scale)), size), apart))
        found = part if found is None else F.add(found, part)
    return found


# -- batch_norm


def _check_batch(
    input: Type, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool
) -> None:
    features = input.shape[1] if input.ndim > 1 else 0
    named = (("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias))
    for name, each in named:
        if each is None:
            if not training and name.startswith("running"):
                raise RuntimeArgumentError(f"{name} must be defined in evaluation mode")
        elif each.numel != features:
            raise ShapeError(
                f"{name} should contain {features} elements not {each.numel}",
                expected=features,
                actual=each.numel,
            )
    if input.dtype.category != FLOAT:
        raise no_kernel("batch_norm", input.dtype)
    for _, each in named:
        if each is not None and each.dtype is not input.dtype:
            raise DTypeError(
                "mixed dtype (CPU): all inputs must share same datatype.",
                expected=input.dtype.name,
                actual=each.dtype.name,
            )


def _batch_type(
    input: Type, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool, eps: float
) -> tuple[Type, Type, Type]:
    _check_batch(input, weight, bias, running_mean, running_var, training)
    kept = Type((input.shape[1] if training else 0,), input.dtype)
    return Type(input.shape, input.dtype), kept, kept


def _batch_rule(F: Any, x: Any, y: Any, g: Any, training: bool, eps: float) -> Any:
    input, weight = x[0], x[1]
    shape = input.meta.shape
    channel = (1, shape[1], *(1,) * (len(shape) - 2))
    dims = (0, *range(2, len(shape)))

    def wide_(each: Any) -> Any:
        return None if each is None else F.view(each, channel)

    def scale() -> Any:
        return wide_(y[2] if training else F.rsqrt(F.add(x[4], eps)))

    def apart() -> Any:
        return F.mul(F.sub(input, wide_(y[1] if training else x[3])), scale())

    def of_input() -> Any:
        each = g[0] if g[0] is None or weight is None else F.mul(g[0], wide_(weight))
        if not training:
            return None if each is None else F.mul(each, scale())
        others = (wide_(g[1]), wide_(g[2]))
        return _of_input(F, each, apart(), scale(), others, dims, input.meta.numel // max(shape[1], 1))

    return (
        of_input,
        None if weight is None else lambda: None if g[0] is None else F.sum(F.mul(g[0], apart()), dims),
        None if x[2] is None else lambda: None if g[0] is None else F.sum(g[0], dims),
        None,
        None,
    )


@kernel(
    "_native_batch_norm",
    kind="normalisation",
    infer=_batch_type,
    vjp=_batch_rule,
    grad_fn="NativeBatchNormBackward0",
    saves=("eps", "input", "result1", "result2", "running_mean", "running_var", "training", "weight"),
    outputs=("result0", "result1", "result2"),
)
def native_batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Fixed | None,
    running_var: Fixed | None,
    training: bool,
    eps: float,
    *,
    lead: int,
) -> Any:
    """batch_norm, with the mean and the reciprocal of the deviation of each channel.

    Smooth everywhere.
    """
    moved = np.moveaxis(input, lead + 1, lead)
    front = moved.shape[: lead + 1]
    rows = np.ascontiguousarray(moved).reshape(*front, math.prod(moved.shape[lead + 1 :]))
    rows = rows.astype(wide(input.dtype), copy=False)
    if training or running_mean is None or running_var is None:
        found, middle, scale = _standard(rows, eps)
    else:
        scale = np.reciprocal(np.sqrt(running_var.astype(rows.dtype) + rows.dtype.type(eps)))
        found = (rows - running_mean[..., None]) * scale[..., None]
        middle = scale = np.zeros((*input.shape[:lead], 0), rows.dtype)
    if weight is not None:
        found = found * weight[..., None]
    if bias is not None:
        found = found + bias[..., None]
    result = np.moveaxis(found.reshape(moved.shape), lead, lead + 1)
    return tuple(
        np.ascontiguousarray(each).astype(input.dtype, copy=False) for each in (result, middle, scale)
    )


# -- group_norm


def _check_group(input: Type, weight: Any, bias: Any, channels: int, group: int) -> None:
    if group <= 0:
        raise RuntimeArgumentError(f"Expected num groups to be greater than 0, got {group}", actual=group)
    if channels % group:
        raise ShapeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(input.shape)} and num_groups={group}"
        )
    shown = list(weight.shape) if weight is not None else [0]  # torch shows the weight's in both sentences
    for name, each in (("weight", weight), ("bias", bias)):
        if each is not None and (each.ndim != 1 or each.numel != channels):
            raise ShapeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got "
                f"{name} of shape {shown} and input of shape {list(input.shape)}"
            )
    if input.dtype.category != FLOAT:
        raise no_kernel("GroupNormKernelImpl", input.dtype)
    for each in (weight, bias):
        if each is not None and each.dtype is not input.dtype:
            raise DTypeError("mixed dtype (CPU): all inputs must share same datatype.")


def _group_type(
    input: Type, weight: Any, bias: Any, N: int, C: int, HxW: int, group: int, eps: float
) -> tuple[Type, Type, Type]:
    _check_group(input, weight, bias, C, group)
    kept = Type((N, group), input.dtype)
    return Type(input.shape, input.dtype), kept, kept


def _group_rule(F: Any, x: Any, y: Any, g: Any, N: int, C: int, HxW: int, group: int, eps: float) -> Any:
    input, weight = x[0], x[1]
    rows, planes = (N, group, C // group * HxW), (N, C, HxW)

    def apart() -> Any:
        flat = F.reshape(input, rows)
        return F.mul(F.sub(flat, F.unsqueeze(y[1], 2)), F.unsqueeze(y[2], 2))

    def of_input() -> Any:
        each = None
        if g[0] is not None:
            each = F.reshape(g[0], planes)
            each = F.reshape(each if weight is None else F.mul(each, F.view(weight, (C, 1))), rows)
        others = tuple(None if one is None else F.unsqueeze(one, 2) for one in g[1:])
        found = _of_input(F, each, apart(), F.unsqueeze(y[2], 2), others, (2,), C // group * HxW)
        return F.reshape(found, input.meta.shape)

    def of_weight() -> Any:
        if g[0] is None:
            return None
        return F.sum(F.mul(F.reshape(g[0], planes), F.reshape(apart(), planes)), (0, 2))

    return (
        of_input,
        None if weight is None else of_weight,
        None if x[2] is None else lambda: None if g[0] is None else F.sum(F.reshape(g[0], planes), (0, 2)),
    )


@kernel(
    "_native_group_norm",
    kind="normalisation",
    infer=_group_type,
    vjp=_group_rule,
    grad_fn="NativeGroupNormBackward0",
    saves=("C", "HxW", "N", "eps", "group", "input", "result1", "result2", "weight"),
    outputs=("result0", "result1", "result2"),
)
def native_group_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    N: int,
    C: int,
    HxW: int,
    group: int,
    eps: float,
    *,
    lead: int,
) -> Any:
    """group_norm, with the mean and the reciprocal of the deviation of each group of each sample.

    Smooth everywhere.
    """
    batch = input.shape[:lead]
    rows = np.ascontiguousarray(input).reshape(*batch, N, group, C // group * HxW)
    found, middle, scale = _standard(rows.astype(wide(input.dtype), copy=False), eps)
    planes = found.reshape(*batch, N, C, HxW)
    if weight is not None:
        planes = planes * behind(weight[..., None], lead, 3)
    if bias is not None:
        planes = planes + behind(bias[..., None], lead, 3)
    results = (planes.reshape(input.shape), middle, scale)
    return tuple(each.astype(input.dtype, copy=False) for each in results)
