"""Where elements are not zero, and classes as vectors: nonzero, argwhere, one_hot."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.bounded import Bounded
from engine.define import composite, kernel
from engine.dtypes import int64
from engine.errors import DTypeError, NotImplementedYet, RuntimeArgumentError
from engine.op import refused, sample
from engine.signature import Array, Fixed, Index, Tensor
from engine.types import Type


@kernel(
    "_nonzero",
    kind="index",
    infer=lambda input: Type((Bounded(input.numel), input.ndim), int64),
)
def nonzero_rows(input: Fixed) -> Array:
    """The places of elements that are not 0, one a row.

    Constant: nothing flows back.
    """
    if not input.ndim:
        return np.zeros((int(bool(input)), 0), np.int64)
    return np.asarray(np.argwhere(input), np.int64)


@composite(
    "nonzero",
    samples=lambda make: [
        sample(np.array([[1, 0], [0, 2]])),
        sample(np.array([False, True])),
        sample(np.array(3)),
        sample(np.array([[1, 0], [0, 2]]), as_tuple=True),
    ],
)
def nonzero(F: Any, input: Tensor, *, as_tuple: bool = False) -> Any:
    """The places of elements that are not 0, one a row; or, `as_tuple`, an index for each dimension.

    Constant: nothing flows back.
    """
    if not as_tuple:
        return F._nonzero(input)
    seen = input if input.meta.ndim else F.unsqueeze(input, 0)
    return tuple(F.unbind(F._nonzero(seen), 1))


@composite("argwhere", samples=lambda make: [sample(np.array([[1, 0], [0, 2]])), sample(np.array([0, 0]))])
def argwhere(F: Any, input: Tensor) -> Any:
    """The places of elements that are not 0, one a row.

    Constant: nothing flows back.
    """
    return F._nonzero(input)


def _one_hot_type(input: Type, num_classes: int) -> Type:
    if input.dtype is not int64:
        raise DTypeError(
            "one_hot is only applicable to index tensor of type LongTensor.",
            expected="int64",
            actual=input.dtype.name,
        )
    if not input.numel and num_classes <= 0:
        raise RuntimeArgumentError("Can not infer total number of classes from empty tensor.")
    if num_classes < 1 and num_classes != -1:
        raise RuntimeArgumentError("Class values must be smaller than num_classes.")
    if num_classes == -1:
        raise NotImplementedYet("one_hot in a program needs num_classes: a size must be known before it runs")
    return Type((*input.shape, num_classes), int64)


@kernel("_one_hot", kind="index", infer=_one_hot_type)
def one_hot_of(input: Index, num_classes: int) -> Array:
    """1 at the place of a class and 0 elsewhere, along a new last dimension.

    Constant: nothing flows back.
    """
    if input.size and input.min() < 0:
        raise RuntimeArgumentError("Class values must be non-negative.")
    if input.size and input.max() >= num_classes:
        raise RuntimeArgumentError("Class values must be smaller than num_classes.")
    return np.asarray(input[..., None] == np.arange(num_classes), np.int64)


@composite(
    "nn.functional.one_hot",
    samples=lambda make: [
        sample(np.array([0, 2, 1]), 3),
        sample(np.array([[1], [0]]), 4),
        sample(np.array(1), 2),
    ],
    refusals=lambda make: [
        refused("Class values must be smaller than num_classes.", np.array([1, 5]), 3),
        refused("Class values must be non-negative.", np.array([1, -1]), 3),
        refused("one_hot is only applicable to index tensor of type LongTensor.", make(2), 3),
        refused("Can not infer total number of classes from empty tensor.", np.array([], np.int64), 0),
    ],
)
def one_hot(F: Any, input: Index, num_classes: int = -1) -> Any:
    """1 at the place of a class and 0 elsewhere, along a new last dimension.

    Constant: nothing flows back.

    Unlike torch: a program must say `num_classes`, for sizes are known before it runs.
    """
    known = hasattr(input, "__index__") and not input.levels and input.meta.dtype is int64
    if num_classes == -1 and input.meta.numel and known:
        num_classes = max(int(F.amax(input)) + 1, 1)
    return F._one_hot(input, num_classes)
