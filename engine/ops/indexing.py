"""x[…]: every form of key, as the views and the one gather that torch makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite
from engine.errors import DimError
from engine.op import refused, sample
from engine.signature import Keys, Tensor
from engine.subscript import NOT_AN_INDEX, subscript


@composite(
    "getitem",
    samples=lambda make: [
        sample(make(3, 4), 1),
        sample(make(3, 4), -1, slice(1, None)),
        sample(make(3, 4), slice(None), 2),
        sample(make(3, 4), slice(None, None, 2)),
        sample(make(3, 4), None, Ellipsis, 1),
        sample(make(3, 4), [0, 2, 2]),
        sample(make(3, 4), [0, 2], [1, 1]),
        sample(make(3, 4, 2), slice(None), [0, 1], [1, 0]),
        sample(make(3, 4, 2), [0, 1], slice(None), [1, 0]),
        sample(make(3, 4), np.array([[0, 1], [2, -1]])),
        sample(make(3), np.array([True, False, True])),
        sample(make(3, 4), np.array([True, False, True]), [0, 1]),
        sample(make(2), True),
    ],
    refusals=lambda make: [
        refused("index 5 is out of bounds for dimension 0 with size 3", make(3), 5),
        refused("index 5 is out of bounds for dimension 0 with size 3", make(3), [0, 5]),
        refused("too many indices for tensor of dimension 1", make(3), 0, 0),
        refused("invalid index of a 0-dim tensor. Use `tensor.item()` in Python", make(), 0),
        refused("step must be greater than zero", make(3), slice(None, None, -1)),
        refused("slice step cannot be zero", make(3), slice(None, None, 0)),
        refused(
            "shape mismatch: indexing tensors could not be broadcast together with shapes [2], [3]",
            make(3, 4),
            [0, 1],
            [0, 1, 2],
        ),
        refused(
            "The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [3] at "
            "index 0",
            make(3),
            np.array([True, False]),
        ),
        refused(NOT_AN_INDEX, make(3), [0.5]),
    ],
)
def getitem(F: Any, input: Tensor, key: Keys) -> Any:
    """`input[key]`: ints select, slices cut, None adds a dimension, lists and tensors gather.

    Smooth everywhere. An element taken twice receives both gradients.
    """
    if len(key) == 1 and not input.meta.ndim and isinstance(key[0], int) and not isinstance(key[0], bool):
        raise DimError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ "
            "to convert a 0-dim tensor to a number"
        )
    if len(key) == 1 and not input.meta.ndim and isinstance(key[0], slice):
        raise DimError("slice() cannot be applied to a 0-dim tensor.")
    seen, indices = subscript(F, input, key)
    if indices:
        return F._index(seen, indices)
    return F._alias(input) if seen is input else seen
