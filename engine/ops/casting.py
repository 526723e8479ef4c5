"""Changes of dtype, and of nothing: to, clone, detach and their kin."""

from __future__ import annotations

from typing import Any

from engine.define import composite, kernel, unary
from engine.dtypes import DType
from engine.op import sample
from engine.signature import Array, Tensor

_conj = unary(
    "_conj",
    "y = conjugate(input)",
    compute="promote",
    doc="The complex conjugate, of a complex tensor.\n\nSmooth as a map of the real and imaginary parts.",
    vjp=lambda F, x, y, g: F.conj(g),
    grad_fn="ConjBackward0",
    samples=lambda make: [],
)


@composite("conj", samples=lambda make: [sample(make(3)), sample(make(3) + 1j * make(3))])
def conj(F: Any, input: Tensor) -> Any:
    """The complex conjugate; a real tensor is given back as it is.

    Smooth as a map of the real and imaginary parts.
    """
    return F._conj(input) if input.meta.dtype.is_complex else input


@kernel(
    "_to_copy",
    kind="structural",
    infer=lambda input, dtype: input.with_dtype(dtype),
    vjp=lambda F, x, y, g, dtype: (lambda: g,),
    grad_fn="ToCopyBackward0",
    samples=lambda make: [],
)
def to_copy(input: Tensor, dtype: DType) -> Array:
    """`input` with elements of another dtype.

    Smooth everywhere between floating dtypes.
    """
    found: Array = input.astype(dtype.numpy)
    return found


@composite("to", samples=lambda make: [sample(make(3), "float32"), sample(make(3), "float64")])
def to(F: Any, input: Tensor, dtype: DType) -> Any:
    """`input` itself if it has that dtype, else a copy of that dtype.

    Smooth everywhere between floating dtypes.
    """
    return input if input.meta.dtype is dtype else F._to_copy(input, dtype)
