"""What is known of a tensor before its numbers are, where a request of the same kind was read before."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import engine
from app.codec import text
from app.codec.arrays import FLOATING, Array, as_real, from_numbers, kind_of
from app.codec.numbers import array_of
from engine import errors


class Said(NamedTuple):
    """What a tensor says of itself beside its numbers, each as its own text; empty where it says nothing."""

    dtype: bytes = b""
    shape: bytes = b""
    requires_grad: bytes = b""
    object_type: bytes = b""


class Declared(NamedTuple):
    """How to read a tensor's numbers. `floating` is what `array_of` wants to know, `defaults` the dtypes of
    floats and integers where it does not say, `limits` rank and elements; `real` is its numpy dtype if it is
    real and floating however its numbers are written."""

    dtype: engine.DType | None
    shape: tuple[int, ...] | None
    floating: bool | None
    defaults: tuple[engine.DType, engine.DType]
    limits: tuple[int, int]
    real: np.dtype[Any] | None

    @classmethod
    def of(cls, said: Said, floats: engine.DType, limits: tuple[int, int]) -> Declared:
        """For a tensor that has been accepted: an input, where floats without a dtype are `floats`."""
        dtype = engine.dtype(text.value(said.dtype)) if said.dtype else None
        shape = tuple(text.value(said.shape)) if said.shape else None
        integers = floats if said.requires_grad == b"true" else engine.dtype("int64")
        return cls._of(dtype, shape, (floats, integers), limits)

    @classmethod
    def _of(
        cls,
        dtype: engine.DType | None,
        shape: tuple[int, ...] | None,
        defaults: tuple[engine.DType, engine.DType],
        limits: tuple[int, int],
    ) -> Declared:
        kinds = [kind_of(each.name) for each in ([dtype] if dtype else defaults)]
        real = (dtype or defaults[0]).numpy if {*kinds} == {"float"} else None
        floating = True if real else FLOATING.get(kinds[0]) if dtype else None
        return cls(dtype, shape, floating, defaults, limits, real)

    def exactly(self, dtype: engine.DType) -> Declared:
        """The same for a tensor that is of this dtype however its numbers are written."""
        return self._of(dtype, self.shape, self.defaults, self.limits)

    def array(self, raw: bytes) -> Array | None:
        """The array of these numbers; None where only a closer look can tell what is wrong or meant."""
        found = array_of(raw, self.floating, self.limits[1])
        if found is None:
            return None
        if self.real is not None and self.shape is None and found.ndim <= self.limits[0]:
            return as_real(found, self.real)
        try:
            return from_numbers(found, self.dtype, self.shape, self.defaults, self.limits)
        except errors.EngineError:
            return None
