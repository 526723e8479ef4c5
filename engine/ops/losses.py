"""mse_loss, and what all losses share: their reductions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import FLOAT
from engine.errors import GradError, NotImplementedYet, ValueArgumentError
from engine.kernels import promoted
from engine.leading import flat, whole
from engine.op import refused, sample
from engine.ops.reductions import wide
from engine.signature import Array, Tensor
from engine.types import Type, broadcast_shapes, elementwise_strides

NONE, MEAN, SUM = range(3)
_REDUCTIONS = {"none": NONE, "mean": MEAN, "sum": SUM}
INVALID = "avg is not a valid value for reduction"


def reduction_number(reduction: str, size_average: bool | None, reduce: bool | None) -> int:
    """torch's number for a reduction; the two older settings win over the name, as in torch."""
    if size_average is not None or reduce is not None:
        if reduce is False:
            return NONE
        return SUM if size_average is False else MEAN
    if reduction not in _REDUCTIONS:
        raise ValueArgumentError(f"{reduction} is not a valid value for reduction", actual=reduction)
    return _REDUCTIONS[reduction]


def refuse_grad(op: str, name: str, value: Any) -> None:
    """Refuse an argument that requires grad where torch has no derivative by it."""
    if getattr(value, "requires_grad", False):
        raise GradError(
            f"The function '{op}' is not differentiable with respect to argument '{name}'. This input "
            "cannot have requires_grad True."
        )


def loss_type(reduction: int, full: Type) -> Type:
    """The type of a loss whose elements have the type `full`."""
    return full if reduction == NONE else Type((), full.dtype)


def mean_loss(loss: Array, reduction: int, dtype: Any, lead: int) -> Array:
    """The elements of a loss, their mean or their sum, behind `lead` batch axes."""
    if reduction != NONE:
        size = math.prod(loss.shape[lead:])
        loss = np.asarray(np.sum(flat(loss, lead), axis=whole(lead), dtype=wide(loss.dtype)))
        if reduction == MEAN:
            loss = np.divide(loss, loss.dtype.type(size))
    return loss.astype(dtype, copy=False)


def shared(F: Any, g: Any, reduction: int, numel: int, weight: Any = None) -> Any:
    """The cotangent of each element of a loss, from that of the reduced loss."""
    if weight is not None:
        g = F.mul(g, weight)
    return F.div(g, max(numel, 1)) if reduction == MEAN else g


def _mse_type(input: Type, target: Type, reduction: int) -> Type:
    dtype = promoted([input, target])
    if dtype.category != FLOAT:
        raise NotImplementedYet(f"\"mse_cpu\" not implemented for '{dtype.title}'", actual=dtype.name)
    shape = broadcast_shapes(input.shape, target.shape)
    return loss_type(reduction, Type(shape, dtype, elementwise_strides(shape, (input, target))))


def _mse_vjp(F: Any, x: Any, y: Any, g: Any, reduction: int) -> Any:
    def rule() -> Any:
        factor = 2 / max(x[0].meta.numel, 1) if reduction == MEAN else 2
        return F.mul(F.mul(F.sub(x[0], x[1]), factor), g)

    return rule, lambda: F.neg(rule())


@kernel(
    "_mse_loss",
    kind="reduction",
    infer=_mse_type,
    vjp=_mse_vjp,
    grad_fn="MseLossBackward0",
    saves=("reduction", "self", "target"),
    samples=lambda make: [],
)
def _mse_loss(input: Tensor, target: Tensor, reduction: int, *, meta: Any, lead: int) -> Array:
    """The squared differences of two tensors of one shape, reduced.

    Smooth everywhere.
    """
    dtype = meta.dtype.numpy
    apart = np.subtract(input.astype(dtype, copy=False), target.astype(dtype, copy=False))
    return mean_loss(np.square(apart), reduction, dtype, lead)


@composite(
    "nn.functional.mse_loss",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3)),
        sample(make(2, 3), make(2, 3), reduction="none"),
        sample(make(2, 3), make(3), reduction="sum"),
        sample(make(2, 3), make(2, 3), weight=make(2, 3, low=0.5)),
    ],
    refusals=lambda make: [
        refused("The size of tensor a (2) must match the size of tensor b (3)", make(2), make(3)),
        refused(INVALID, make(2), make(2), reduction="avg"),
        refused("\"mse_cpu\" not implemented for 'Long'", make.ints(2), make.ints(2)),
        refused("Weights and input must have the same size.", make(2, 3), make(2, 3), weight=make(3)),
    ],
)
def mse_loss(
    F: Any,
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Any:
    """The squared difference of `input` and `target`: each, their mean or their sum.

    Smooth everywhere.
    """
    number = reduction_number(reduction, size_average, reduce)
    shape = broadcast_shapes(input.meta.shape, target.meta.shape)
    left, right = (each if each.meta.shape == shape else F.expand(each, shape) for each in (input, target))
    if weight is None:
        return F._mse_loss(left, right, number)
    if weight.meta.shape != input.meta.shape:
        raise ValueArgumentError("Weights and input must have the same size.")
    weighted = F.mul(F.pow(F.sub(left, right), 2), weight)
    if number == NONE:
        return weighted
    return F.sum(weighted) if number == SUM else F.div(F.sum(weighted), F.sum(weight))
