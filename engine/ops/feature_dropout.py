"""Dropouts of whole channels, and those that keep mean and variance."""

from __future__ import annotations

import math
from typing import Any

from engine.define import composite, kernel
from engine.errors import RuntimeArgumentError, ShapeError, ValueArgumentError
from engine.op import refused, sample
from engine.ops.dropout import _mask_type
from engine.signature import Array, Fixed, Tensor
from engine.strides import preserved
from engine.types import Type

_ALPHA = 1.7580993408473766  # what selu tends to far below 0, negated
_IMPROBABLE = "dropout probability has to be between 0 and 1, but got 1.5"
_LONG = "result type Float can't be cast to the desired output type Long"


def _noise_type(input: Type, p: float, feature: bool) -> Type:
    if feature and input.ndim < 2:
        raise RuntimeArgumentError("Feature dropout requires at least 2 dimensions in the input")
    made = _mask_type(input, p)
    if not feature:
        return preserved(input)
    return Type((*input.shape[:2], *(1,) * (input.ndim - 2)), made.dtype)


@kernel("_dropout_noise", kind="random", infer=_noise_type)
def dropout_noise(generator: Any, input: Fixed, p: float, feature: bool, *, meta: Type) -> Array:
    """1 with probability 1 - p, else 0: for each element of `input`, or for each channel.

    Constant: nothing flows back.
    """
    drawn: Array = generator.dropout_mask(meta.shape, 1 - p, strides=meta.strides)
    return drawn.astype(meta.dtype.numpy)


def _dropped(F: Any, input: Any, p: float, training: bool, *, feature: bool, alpha: bool) -> Any:
    """torch's one body of all dropouts."""
    if not 0 <= p <= 1:
        raise ValueArgumentError(f"dropout probability has to be between 0 and 1, but got {p}")
    if p == 0 or not training or not input.meta.numel:
        return input
    if p == 1:
        return F.mul(input, F.zeros((), dtype=input.meta.dtype))
    noise = F._dropout_noise(input, p, feature)
    if not alpha:
        return F.mul(input, F.div(noise, 1 - p))
    scale = 1 / math.sqrt((_ALPHA * _ALPHA * p + 1) * (1 - p))
    shift = F.add(F.mul(F.add(noise, -1), _ALPHA * scale), _ALPHA * scale * p)
    return F.add(F.mul(input, F.mul(noise, scale)), shift)


@composite(
    "nn.functional.alpha_dropout",
    samples=lambda make: [
        sample(make(3, 4), 0.4, True),
        sample(make(3), 0.0, True),
        sample(make(3), 1.0, True),
        sample(make(3)),
    ],
    refusals=lambda make: [refused(_IMPROBABLE, make(2), 1.5), refused(_LONG, make.ints(2), 0.5, True)],
)
def alpha_dropout(F: Any, input: Tensor, p: float = 0.5, training: bool = False) -> Any:
    """`input` with elements dropped to what selu tends to below 0, so that mean and variance stay.

    The gradient goes through the elements that were kept. The same seed drops the same elements as torch.
    """
    return _dropped(F, input, p, training, feature=False, alpha=True)


@composite(
    "nn.functional.feature_alpha_dropout",
    samples=lambda make: [
        sample(make(3, 4, 2), 0.4, True),
        sample(make(3, 4), 1.0, True),
        sample(make(3)),
    ],
    refusals=lambda make: [
        refused(_IMPROBABLE, make(2), 1.5),
        refused("Feature dropout requires at least 2 dimensions in the input", make(2), 0.5, True),
    ],
)
def feature_alpha_dropout(F: Any, input: Tensor, p: float = 0.5, training: bool = False) -> Any:
    """`alpha_dropout` of whole channels: dim 1.

    The gradient goes through the channels that were kept. The same seed drops the same channels as torch.
    """
    return _dropped(F, input, p, training, feature=True, alpha=True)


@composite(
    "nn.functional.dropout1d",
    samples=lambda make: [sample(make(3, 4, 2)), sample(make(3, 4), 0.2), sample(make(3, 4), training=False)],
    refusals=lambda make: [
        refused(_IMPROBABLE, make(2, 2), 1.5),
        refused("dropout1d: Expected 2D or 3D input, but received a 4D input.", make(2, 2, 2, 2)),
        refused(_LONG, make.ints(2, 2)),
    ],
)
def dropout1d(F: Any, input: Tensor, p: float = 0.5, training: bool = True) -> Any:
    """`input` with whole channels of one dim dropped with probability `p`, the others scaled by 1 / (1 - p).

    The gradient goes through the channels that were kept. The same seed drops the same channels as torch.
    """
    rank = input.meta.ndim
    if not 0 <= p <= 1:
        raise ValueArgumentError(f"dropout probability has to be between 0 and 1, but got {p}")
    if rank not in (2, 3):
        raise ShapeError(
            f"dropout1d: Expected 2D or 3D input, but received a {rank}D input. Note that dropout1d exists "
            "to provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an "
            "optional batch dimension (i.e. 2D or 3D inputs)."
        )
    return _by_channel(F, input, p, training, rank == 3)


def _by_channel(F: Any, input: Any, p: float, training: bool, batch: bool) -> Any:
    if batch:
        return _dropped(F, input, p, training, feature=True, alpha=False)
    return F.squeeze(_dropped(F, F.unsqueeze(input, 0), p, training, feature=True, alpha=False), 0)


@composite(
    "nn.functional.dropout2d",
    samples=lambda make: [sample(make(2, 3, 2, 2)), sample(make(2, 3, 2), 0.2), sample(make(2, 3), 0.3)],
    refusals=lambda make: [
        refused(_IMPROBABLE, make(2, 2), 1.5),
        refused("Feature dropout requires at least 2 dimensions in the input", make(2)),
    ],
)
def dropout2d(F: Any, input: Tensor, p: float = 0.5, training: bool = True) -> Any:
    """`input` with whole channels (dim 1) dropped with probability `p`, the others scaled by 1 / (1 - p).

    The gradient goes through the channels that were kept. The same seed drops the same channels as torch.
    """
    return _dropped(F, input, p, training, feature=True, alpha=False)


@composite(
    "nn.functional.dropout3d",
    samples=lambda make: [sample(make(2, 3, 2, 2, 1)), sample(make(2, 3, 2, 2), 0.2)],
    refusals=lambda make: [refused(_IMPROBABLE, make(2, 2), 1.5)],
)
def dropout3d(F: Any, input: Tensor, p: float = 0.5, training: bool = True) -> Any:
    """`input` with whole channels dropped: dim 1 where there are 5 dims, else dim 0, as one sample's.

    The gradient goes through the channels that were kept. The same seed drops the same channels as torch.
    """
    return _by_channel(F, input, p, training, input.meta.ndim == 5)
