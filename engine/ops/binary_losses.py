"""The cross entropy of probabilities against targets between 0 and 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, elementwise, kernel
from engine.dtypes import FLOAT
from engine.errors import DTypeError, NotImplementedYet, RuntimeArgumentError, ShapeError, ValueArgumentError
from engine.leading import behind
from engine.op import refused, sample
from engine.ops.losses import INVALID, loss_type, mean_loss, reduction_number, refuse_grad, shared
from engine.signature import Array, Fixed, Tensor
from engine.types import Type, broadcast_shapes, elementwise_strides

TINY = float(np.float32(1e-12))  # keeps the derivative of binary_cross_entropy finite, in torch's rounding


def _bce_type(input: Type, target: Type, weight: Type | None, reduction: int) -> Type:
    if input.dtype is not target.dtype:
        raise DTypeError(
            f"Found dtype {target.dtype.title} but expected {input.dtype.title}",
            expected=input.dtype.name,
            actual=target.dtype.name,
        )
    if input.dtype.category != FLOAT:
        raise NotImplementedYet(f"\"binary_cross_entropy\" not implemented for '{input.dtype.title}'")
    check_weight(input.shape, weight)
    return loss_type(
        reduction, Type(input.shape, input.dtype, elementwise_strides(input.shape, (input, target)))
    )


def check_weight(shape: tuple[int, ...], *weights: Type | None) -> None:
    """Refuse weights that would make the loss larger than `shape`."""
    for weight in weights:
        if weight is not None and (wide := broadcast_shapes(shape, weight.shape)) != shape:
            raise ShapeError(
                f"output with shape {list(shape)} doesn't match the broadcast shape {list(wide)}"
            )


def _slope_vjp(F: Any, x: Any, y: Any, g: Any) -> Any:
    share, input, target = x

    def padded() -> Any:
        return F.mul(F.add(input, 1e-12), F.add(F.sub(1, input), 1e-12))

    def of_input() -> Any:
        above = F.add(F.sub(F.mul(input, input), F.mul(F.mul(input, target), 2)), target)
        return F.mul(F.mul(g, share), F.div(above, F.pow(padded(), 2)))

    def of_target() -> Any:
        return F.neg(F.div(F.mul(g, share), F.clamp(F.mul(F.sub(1, input), input), min=TINY)))

    return lambda: F.mul(g, F.div(F.sub(input, target), padded())), of_input, of_target


@elementwise(
    "_binary_cross_entropy_backward",
    f"t = subtract(1, input); t = multiply(t, input); t = maximum(t, {TINY}); s = subtract(input, target);"
    " s = multiply(s, grad_output); y = divide(s, t)",
    vjp=_slope_vjp,
    grad_fn="BinaryCrossEntropyBackwardBackward0",
    saves=("grad_output", "input", "target"),
    samples=lambda make: [],
)
def _binary_cross_entropy_backward(grad_output: Tensor, input: Tensor, target: Tensor) -> None:
    """The cotangent of each probability, from that of its cross entropy.

    The denominator is at least 1e-12; in the second derivative 1e-12 is added to both of its factors.
    """


def _bce_vjp(F: Any, x: Any, y: Any, g: Any, reduction: int) -> Any:
    input, target, weight = x

    def share() -> Any:
        return shared(F, g, reduction, input.meta.numel, weight)

    def of_target() -> Any:
        return F.mul(share(), F.sub(F.log(F.sub(1, input)), F.log(input)))

    return lambda: F._binary_cross_entropy_backward(share(), input, target), of_target, None


@kernel(
    "_binary_cross_entropy",
    kind="reduction",
    infer=_bce_type,
    vjp=_bce_vjp,
    grad_fn="BinaryCrossEntropyBackward0",
    saves=("reduction", "self", "target", "weight"),
    samples=lambda make: [],
)
def _binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Fixed | None, reduction: int, *, meta: Any, lead: int
) -> Array:
    """The cross entropy of each element, reduced.

    The logarithms are cut off at -100.
    """
    for name, given in (("input", input), ("target", target)):
        if not np.all((given >= 0) & (given <= 1)):
            raise RuntimeArgumentError(f"all elements of {name} should be between 0 and 1")
    floor = input.dtype.type(-100)
    loss = (target - 1) * np.maximum(np.log1p(-input), floor) - target * np.maximum(np.log(input), floor)
    if weight is not None:
        loss = loss * behind(weight, lead, loss.ndim - lead).astype(input.dtype, copy=False)
    return mean_loss(loss, reduction, meta.dtype.numpy, lead)


@composite(
    "nn.functional.binary_cross_entropy",
    samples=lambda make: [
        sample(make(2, 3, low=0.1, high=0.9), make(2, 3, low=0.1, high=0.9)),
        sample(make(2, 3, low=0.1, high=0.9), make(2, 3, low=0.1, high=0.9), reduction="none"),
        sample(make(3, low=0.1, high=0.9), make(3, low=0.1, high=0.9), reduction="sum"),
    ],
    refusals=lambda make: [
        refused("that is different to the input size (torch.Size([2])) is deprecated", make(2), make(3)),
        refused("all elements of input should be between 0 and 1", make(2, low=2, high=3), make(2)),
        refused("all elements of target should be between 0 and 1", make(2, low=0, high=1), make(2, low=2)),
        refused("Found dtype Long but expected Double", make(2, low=0.1, high=0.9), make.ints(2)),
        refused(INVALID, make(2), make(2), reduction="avg"),
    ],
)
def binary_cross_entropy(
    F: Any,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """-(target * log(input) + (1 - target) * log(1 - input)), of probabilities: each, the mean or the sum.

    At 0 and 1 the logarithms are cut off at -100, and the derivative divides by 1e-12 instead of 0.
    """
    number = reduction_number(reduction, size_average, reduce)
    if target.meta.shape != input.meta.shape:
        raise ValueArgumentError(
            f"Using a target size (torch.Size({list(target.meta.shape)})) that is different to the input "
            f"size (torch.Size({list(input.meta.shape)})) is deprecated. Please ensure they have the same "
            "size.",
            expected=list(input.meta.shape),
            actual=list(target.meta.shape),
        )
    if weight is not None:
        refuse_grad("binary_cross_entropy", "weight", weight)
        weight = F.expand(weight, broadcast_shapes(target.meta.shape, weight.meta.shape))
    return F._binary_cross_entropy(input, target, weight, number)
