"""The frequencies of Fourier transforms, and the shift that brings 0 to the middle."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import FLOAT, DType, get_default_dtype
from engine.errors import DTypeError, RuntimeArgumentError
from engine.op import Op, refused, sample
from engine.ops.fft import wrapped
from engine.signature import Array, Dims, Tensor
from engine.types import Type


def _shift(name: str, inverse: bool) -> Op:
    def body(F: Any, input: Tensor, dim: Dims | None = None) -> Any:
        rank = input.meta.ndim
        if dim is None:
            along = list(range(rank))
        else:
            along = [wrapped(each, rank) for each in ((dim,) if isinstance(dim, int) else dim)]
        halves = [(input.meta.shape[at] + inverse) // 2 for at in along]
        return F.roll(input, tuple(halves), tuple(along))

    to = "back to the front" if inverse else "to the middle"
    body.__doc__ = (
        f"`input` rolled by half of each size, which brings frequency 0 {to}.\n\nSmooth everywhere."
    )
    return composite(
        f"fft.{name}",
        samples=lambda make: [
            sample(make(5)),
            sample(make(2, 3)),
            sample(make(2, 3), 1),
            sample(make(3, 3), (0, 1)),
        ],
        refusals=lambda make: [refused("Dimension out of range", make(3), 2)],
    )(body)


fftshift = _shift("fftshift", False)
ifftshift = _shift("ifftshift", True)


def _frequencies_type(half: bool) -> Any:
    def infer(n: int, d: float, dtype: DType | None) -> Type:
        if n < 0:
            raise RuntimeArgumentError(f"Trying to create tensor with negative dimension {n}: [{n}]")
        if dtype is not None and dtype.category < FLOAT:
            name = "rfftfreq" if half else "fftfreq"
            raise DTypeError(f"{name} requires a floating point or complex dtype", actual=dtype.name)
        return Type((n // 2 + 1 if half else n,), dtype or get_default_dtype())

    return infer


_SAMPLES = lambda make: [sample(5), sample(4, 0.5), sample(3, dtype="float64")]  # noqa: E731
_REFUSALS = lambda make: [refused("Trying to create tensor with negative dimension -1: [-1]", -1)]  # noqa: E731


@kernel("fft.fftfreq", kind="creation", infer=_frequencies_type(False), samples=_SAMPLES, refusals=_REFUSALS)
def fftfreq(n: int, d: float = 1.0, *, dtype: DType | None = None, meta: Any) -> Array:
    """The frequencies of the elements of an `fft` of `n` elements that are `d` apart.

    Constant: nothing flows back.
    """
    places = np.arange(n)
    places[(n + 1) // 2 :] -= n
    found: Array = places.astype(meta.dtype.numpy) * meta.dtype.numpy.type(1 / (n * d) if n * d else np.inf)
    return found


@kernel("fft.rfftfreq", kind="creation", infer=_frequencies_type(True), samples=_SAMPLES, refusals=_REFUSALS)
def rfftfreq(n: int, d: float = 1.0, *, dtype: DType | None = None, meta: Any) -> Array:
    """The frequencies of the elements of an `rfft` of `n` elements that are `d` apart.

    Constant: nothing flows back.
    """
    scale = meta.dtype.numpy.type(1 / (n * d) if n * d else np.inf)
    found: Array = np.arange(n // 2 + 1).astype(meta.dtype.numpy) * scale
    return found
