"""Tensors from nothing, or from the shape of another."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import DType
from engine.op import sample
from engine.signature import Array, Fixed
from engine.types import Type


def _like(input: Type, dtype: DType | None) -> Type:
    return input if dtype is None else input.with_dtype(dtype)


@kernel("zeros_like", kind="creation", infer=_like, samples=lambda make: [sample(make(2, 3))])
def zeros_like(input: Fixed, *, dtype: DType | None = None, meta: Any) -> Array:
    """Zeros in the shape of `input`.

    Constant: nothing flows back.
    """
    return np.zeros(meta.shape, meta.dtype.numpy)


@kernel("ones_like", kind="creation", infer=_like, samples=lambda make: [sample(make(2, 3))])
def ones_like(input: Fixed, *, dtype: DType | None = None, meta: Any) -> Array:
    """Ones in the shape of `input`.

    Constant: nothing flows back.
    """
    return np.ones(meta.shape, meta.dtype.numpy)
