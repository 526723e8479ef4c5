"""dropout: a random mask, and the product with it."""

from __future__ import annotations

from typing import Any

from engine.define import composite, kernel
from engine.dtypes import COMPLEX, FLOAT
from engine.errors import DTypeError, ValueArgumentError
from engine.op import refused, sample
from engine.ops.dtype_checks import no_kernel
from engine.signature import Array, Fixed, Tensor
from engine.strides import preserved
from engine.types import Type


def _mask_type(input: Type, p: float) -> Type:
    if input.dtype.category == COMPLEX:
        raise no_kernel("bernoulli_scalar_cpu_", input.dtype)
    if input.dtype.category != FLOAT:
        raise DTypeError(f"result type Float can't be cast to the desired output type {input.dtype.title}")
    return preserved(input)


@kernel("_dropout_mask", kind="random", infer=_mask_type)
def dropout_mask(generator: Any, input: Fixed, p: float, *, meta: Type) -> Array:
    """1 / (1 - p) with probability 1 - p, else 0, in the shape of `input`.

    Constant: nothing flows back.
    """
    keep = 1 - p
    mask = generator.dropout_mask(meta.shape, keep, strides=meta.strides)
    scaled: Array = mask / keep
    return scaled.astype(meta.dtype.numpy)


@composite(
    "nn.functional.dropout",
    samples=lambda make: [
        sample(make(3, 4)),
        sample(make(3, 4), 0.2),
        sample(make(3), 0.0),
        sample(make(3), 1.0),
        sample(make(3), 0.5, False),
    ],
    refusals=lambda make: [
        refused("dropout probability has to be between 0 and 1, but got 1.5", make(2), 1.5),
        refused("result type Float can't be cast to the desired output type Long", make.ints(2)),
    ],
)
def dropout(F: Any, input: Tensor, p: float = 0.5, training: bool = True) -> Any:
    """`input` with each element dropped with probability `p`, the others scaled by 1 / (1 - p).

    The gradient goes through the elements that were kept. The same seed drops the same elements as torch;
    nothing is drawn for p of 0 or 1, outside of training, or for an empty tensor.
    """
    if not 0 <= p <= 1:
        raise ValueArgumentError(f"dropout probability has to be between 0 and 1, but got {p}")
    if p == 0 or not training or not input.meta.numel:
        return input
    if p == 1:
        return F.mul(input, F.zeros((), dtype=input.meta.dtype))
    return F.mul(input, F._dropout_mask(input, p))
