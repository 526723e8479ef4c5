"""x[…] from Python: what stands between the brackets as a tuple of the keys that `getitem` knows."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.eager.tensor import Tensor
from engine.registry import lookup

_NUMPY_MAX_RANK = 32  # a longer list is an index array, whatever is in it


def keys_of(key: Any) -> tuple[Any, ...]:
    """The keys of one subscript. A short list with lists, slices or tensors in it is a tuple, as in torch."""
    if isinstance(key, list) and len(key) < _NUMPY_MAX_RANK and any(_is_key(each) for each in key):
        key = tuple(key)
    if not isinstance(key, tuple):
        return (_plain(key),)
    keys = tuple(_plain(each) for each in key)
    return (
        (*keys, Ellipsis) if len(keys) == 1 and isinstance(keys[0], slice) else keys
    )  # x[:,] is no slice of torch's


def _is_key(value: Any) -> bool:
    return value is None or value is Ellipsis or isinstance(value, (list, tuple, slice, np.ndarray, Tensor))


def _plain(key: Any) -> Any:
    if isinstance(key, np.ndarray):
        return Tensor(key.copy())
    if isinstance(key, (range, np.generic)):
        return list(key) if isinstance(key, range) else key.item()
    return key


def getitem(tensor: Tensor, key: Any) -> Any:
    """`tensor[key]`."""
    return lookup("getitem")(tensor, keys_of(key))
