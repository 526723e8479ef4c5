"""Normalisation by statistics of channels: batch_norm, group_norm, instance_norm."""

from __future__ import annotations

import math
from typing import Any

from engine.define import composite
from engine.errors import RuntimeArgumentError, ShapeError, ValueArgumentError
from engine.op import refused, sample
from engine.signature import Fixed, Shape, Tensor


def _size(shape: Shape) -> str:
    return f"torch.Size({list(shape)})"


@composite(
    "native_batch_norm",
    samples=lambda make: [
        sample(make(2, 3, 2), make(3), make(3), None, None, True, 0.1, 1e-5),
        sample(make(3, 2), None, None, None, None, True, 0.1, 0.5),
    ],
    refusals=lambda make: [
        refused(
            "weight should contain 3 elements not 2", make(2, 3), make(2), None, None, None, True, 0.1, 1e-5
        ),
        refused("must be defined in evaluation mode", make(2, 3), None, None, None, None, False, 0.1, 1e-5),
    ],
)
def native_batch_norm(
    F: Any,
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Fixed | None,
    running_var: Fixed | None,
    training: bool,
    momentum: float,
    eps: float,
) -> Any:
    """batch_norm, the mean of each channel, and the reciprocal of its deviation.

    Smooth everywhere, unless eps and a deviation are 0. No gradient goes to the mean and the deviation.

    Unlike torch: the running statistics stay as they are.
    """
    found = F._native_batch_norm(input, weight, bias, running_mean, running_var, training, eps)
    return found[0], F.detach(found[1]), F.detach(found[2])


@composite(
    "nn.functional.batch_norm",
    samples=lambda make: [
        sample(make(2, 3, 4), None, None, make(3), make(3), True),
        sample(make(3, 2), None, None, None, None, True, 0.1, 0.5),
        sample(make(2, 2, 2, 3), None, None, make(2), training=True),
        sample(make(0, 2, 3), None, None, make(2), make(2), training=True),
    ],
    refusals=lambda make: [
        refused("running_mean must be defined in evaluation mode", make(2, 3), None, None),
        refused("more than 1 value per channel when training", make(1, 3), None, None, training=True),
        refused("weight should contain 3 elements not 2", make(2, 3), None, None, make(2), training=True),
        refused("\"batch_norm\" not implemented for 'Long'", make.ints(2, 3), None, None, training=True),
    ],
)
def batch_norm(
    F: Any,
    input: Tensor,
    running_mean: Fixed | None,
    running_var: Fixed | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel (dim 1) less its mean, over its deviation; of the batch, or the running ones.

    Smooth everywhere: eps keeps the deviation from 0.

    Unlike torch: the running statistics stay as they are; `momentum` has no effect.
    """
    shape = input.meta.shape
    if training and math.prod((*shape[:1], *shape[2:])) == 1:
        raise ValueArgumentError(
            f"Expected more than 1 value per channel when training, got input size {_size(shape)}"
        )
    if not input.meta.numel:
        found = F.clone(input)
        found = found if weight is None else F.mul(found, F.select(weight, 0, 0))
        return found if bias is None else F.add(found, F.select(bias, 0, 0))
    return F._native_batch_norm(input, weight, bias, running_mean, running_var, training, eps)[0]


@composite(
    "native_group_norm",
    samples=lambda make: [
        sample(make(2, 4, 3), make(4), make(4), 2, 4, 3, 2, 1e-5),
        sample(make(1, 2, 3), None, None, 1, 2, 3, 1, 0.5),
    ],
)
def native_group_norm(
    F: Any,
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    N: int,
    C: int,
    HxW: int,
    group: int,
    eps: float,
) -> Any:
    """group_norm, the mean of each group of each sample, and the reciprocal of its deviation.

    Smooth everywhere, unless eps and a deviation are 0.
    """
    if N * C * HxW != input.meta.numel:
        raise ShapeError(f"native_group_norm(): {N} * {C} * {HxW} elements asked, {input.meta.numel} given")
    return tuple(F._native_group_norm(input, weight, bias, N, C, HxW, group, eps))


@composite(
    "nn.functional.group_norm",
    samples=lambda make: [
        sample(make(2, 4, 3), 2, make(4), make(4)),
        sample(make(2, 3), 1),
        sample(make(1, 4, 2, 2), 2, make(4), None, 0.5),
        sample(make(0, 4, 2), 2, make(4), make(4)),
    ],
    refusals=lambda make: [
        refused("Expected number of channels in input to be divisible by num_groups", make(2, 3), 2),
        refused("Expected at least 2 dimensions for input tensor but received 1", make(3), 1),
        refused("Expected weight to be a vector of size equal to the number of", make(2, 4, 1), 2, make(3)),
        refused("Expected more than 1 value per channel when training, got input size [1, 2]", make(1, 2), 2),
        refused("\"GroupNormKernelImpl\" not implemented for 'Long'", make.ints(2, 4), 2),
    ],
)
def group_norm(
    F: Any,
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Any:
    """Each group of channels of each sample less its mean, over its deviation.

    Smooth everywhere: eps keeps the deviation from 0.
    """
    shape = input.meta.shape
    if len(shape) < 2:
        raise RuntimeArgumentError(
            f"Expected at least 2 dimensions for input tensor but received {len(shape)}"
        )
    if not num_groups:
        raise RuntimeArgumentError("integer division or modulo by zero")
    if math.prod((shape[0] * shape[1] // num_groups, *shape[2:])) == 1:
        raise ValueArgumentError(
            f"Expected more than 1 value per channel when training, got input size {list(shape)}"
        )
    sizes = (shape[0], shape[1], math.prod(shape[2:]))
    return F._native_group_norm(input, weight, bias, *sizes, num_groups, eps)[0]


@composite(
    "nn.functional.instance_norm",
    samples=lambda make: [
        sample(make(2, 3, 4)),
        sample(make(2, 2, 2, 2), None, None, make(2), make(2)),
        sample(make(1, 2, 3), weight=make(2), eps=0.5),
    ],
    refusals=lambda make: [
        refused("Expected more than 1 spatial element when training", make(2, 3, 1)),
        refused(
            "Expected running_mean and running_var to be defined when use_input_stats is false",
            make(2, 3, 2),
            use_input_stats=False,
        ),
        refused("weight should contain 6 elements not 4", make(2, 3, 2), weight=make(2)),
    ],
)
def instance_norm(
    F: Any,
    input: Tensor,
    running_mean: Fixed | None = None,
    running_var: Fixed | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel of each sample less its mean, over its deviation.

    Smooth everywhere: eps keeps the deviation from 0.

    Unlike torch: the running statistics stay as they are; `momentum` has no effect.
    """
    shape = input.meta.shape
    if use_input_stats and math.prod(shape[2:]) == 1:
        raise ValueArgumentError(
            f"Expected more than 1 spatial element when training, got input size {_size(shape)}"
        )
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeArgumentError(
            "Expected running_mean and running_var to be defined when use_input_stats is false"
        )
    samples, channels = shape[0], shape[1]
    each = [
        None if one is None else F.repeat(one, (samples,))
        for one in (running_mean, running_var, weight, bias)
    ]
    together = F.view(F.contiguous(input), (1, samples * channels, *shape[2:]))
    found = F.batch_norm(together, *each, use_input_stats, momentum, eps)
    return F.view(found, shape)
