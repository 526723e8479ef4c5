"""The cross entropy of a linear layer's result."""

from __future__ import annotations

import math
from typing import Any

from engine.define import composite
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Fixed, Tensor


def _check(input: Any, weight: Any, bias: Any) -> tuple[int, ...]:
    """The shape of the logits."""
    shape, weights = input.meta.shape, weight.meta.shape
    if len(shape) not in (1, 2):
        raise ShapeError(f"expected input with dimensionality 1 or 2, got {len(shape)}")
    if len(weights) < 2:
        raise ShapeError(f"expected linear_weight with dimensionality at least 2, got {len(weights)}")
    if shape[-1] != weights[-1]:
        raise ShapeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{shape[-1]} and {weights[-1]}, respectively"
        )
    if bias is not None and bias.meta.shape != weights[:-1]:
        raise ShapeError(f"expected linear_bias shape {weights[:-1]}, got {bias.meta.shape}")
    if len(weights) > 2 and len(shape) == 1:
        raise ShapeError(
            f"K-dimensional loss defined by linear_weight shape {weights} requires batched input, "
            f"(N, {shape[-1]}), got unbatched input with shape {shape}"
        )
    return (*shape[:-1], *weights[:-1])


@composite(
    "nn.functional.linear_cross_entropy",
    samples=lambda make: [
        sample(make(2, 3), make(4, 3), make.ints(2, high=4)),
        sample(make(2, 3), make(4, 3), make(2, 4, low=0, high=1), linear_bias=make(4)),
        sample(make(3), make(4, 3), make.ints(high=4)),
        sample(make(2, 3), make(4, 2, 3), make.ints(2, 2, high=4), reduction="none"),
    ],
    refusals=lambda make: [
        refused("expected input with dimensionality 1 or 2, got 3", make(2, 3, 3), make(2, 3), make(3, 2)),
        refused(
            "expected linear_weight with dimensionality at least 2, got 1", make(2, 3), make(2), make(2, 2)
        ),
        refused("(in_features), got 3 and 4, respectively", make(2, 3), make(2, 4), make(2, 2)),
        refused(
            "ignore_index cannot be specified when target contains probabilities",
            make(2, 3),
            make(2, 3),
            make(2, 2),
            ignore_index=0,
        ),
        refused("requires batched input, (N, 3), got unbatched", make(3), make(2, 4, 3), make(2, 4)),
        refused(
            "expected linear_bias shape (2,), got (3,)",
            make(2, 3),
            make(2, 3),
            make(2),
            linear_bias=make(3),
        ),
    ],
)
def linear_cross_entropy(
    F: Any,
    input: Tensor,
    linear_weight: Tensor,
    target: Fixed,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
) -> Any:
    """The cross entropy of linear(input, linear_weight, linear_bias) against classes or probabilities.

    As `cross_entropy`.
    """
    logits = _check(input, linear_weight, linear_bias)
    if target.meta.shape == logits and ignore_index is not None:
        raise RuntimeArgumentError("ignore_index cannot be specified when target contains probabilities")
    if len(linear_weight.meta.shape) > 2:
        rows = math.prod(linear_weight.meta.shape[:-1])
        linear_weight = F.reshape(linear_weight, (rows, linear_weight.meta.shape[-1]))
        linear_bias = None if linear_bias is None else F.reshape(linear_bias, (rows,))
    scores = F.reshape(F.linear(input, linear_weight, linear_bias), logits)
    return F.cross_entropy(
        scores,
        target,
        weight=weight,
        reduction=reduction,
        ignore_index=-100 if ignore_index is None else ignore_index,
        label_smoothing=label_smoothing,
    )
