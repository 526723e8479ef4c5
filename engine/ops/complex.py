"""Complex tensors and their parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, elementwise, kernel, pointwise_result
from engine.dtypes import FLOAT, complex_of, float16, real_of
from engine.errors import DTypeError, NotImplementedYet, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Array, Tensor
from engine.types import Type, strided


def _as_real_type(input: Type) -> Type:
    if not input.dtype.is_complex:
        raise DTypeError("view_as_real is only supported for complex tensors", actual=input.dtype.name)
    strides = (*(2 * step for step in input.stride()), 1)
    return strided((*input.shape, 2), real_of(input.dtype), strides)


@kernel(
    "view_as_real",
    kind="view",
    infer=_as_real_type,
    vjp=lambda F, x, y, g: (lambda: F.view_as_complex(F.contiguous(g)),),
    samples=lambda make: [sample(make(2, 3) + 1j * make(2, 3)), sample(np.asarray(make() + 1j * make()))],
    refusals=lambda make: [refused("view_as_real is only supported for complex tensors", make(2))],
)
def view_as_real(input: Tensor) -> Array:
    """A complex tensor's real and imaginary parts, along a new last dimension of size 2.

    Smooth everywhere.
    """
    parts: Array = input[..., None].view(input.real.dtype)
    return parts


def _as_complex_type(input: Type) -> Type:
    if input.dtype.category != FLOAT:
        raise DTypeError(
            "view_as_complex is only supported for half, float and double tensors, but got a tensor of "
            f"scalar type: {input.dtype.title}"
        )
    if input.dtype is float16:
        raise NotImplementedYet("dtype 'complex32' is not supported")
    if not input.shape:
        raise ShapeError("Input tensor must have one or more dimensions")
    if input.shape[-1] != 2:
        raise ShapeError("Tensor must have a last dimension of size 2", expected=2, actual=input.shape[-1])
    strides = input.stride()
    if strides[-1] != 1:
        raise ShapeError("Tensor must have a last dimension with stride 1", expected=1, actual=strides[-1])
    if any(step % 2 for step in strides[:-1]):
        raise ShapeError("Tensor must have a stride divisible by 2 for all but last dimension")
    return strided(input.shape[:-1], complex_of(input.dtype), tuple(step // 2 for step in strides[:-1]))


@kernel(
    "view_as_complex",
    kind="view",
    infer=_as_complex_type,
    vjp=lambda F, x, y, g: (lambda: F.view_as_real(g),),
    samples=lambda make: [sample(make(2, 3, 2)), sample(make(2))],
    refusals=lambda make: [
        refused("Tensor must have a last dimension of size 2", make(3)),
        refused("Input tensor must have one or more dimensions", make()),
        refused("view_as_complex is only supported for half, float and double tensors", make.ints(2)),
    ],
)
def view_as_complex(input: Tensor) -> Array:
    """A complex tensor from real and imaginary parts along the last dimension.

    Smooth everywhere.
    """
    dtype = np.complex128 if input.dtype == np.float64 else np.complex64
    return np.ascontiguousarray(input).view(dtype)[..., 0]


def _joined_type(real: Type, imag: Type) -> Type:
    for part in (real, imag):
        if part.dtype.category != FLOAT:
            raise DTypeError(
                "Expected both inputs to be Half, Float or Double tensors but got "
                f"{real.dtype.title} and {imag.dtype.title}"
            )
    if real.dtype is not imag.dtype:
        raise DTypeError(
            f"Expected object of scalar type {real.dtype.title} but got scalar type {imag.dtype.title} "
            "for second argument",
            expected=real.dtype.name,
            actual=imag.dtype.name,
        )
    return pointwise_result([real, imag], complex_of(real.dtype))


@elementwise(
    "complex",
    "y = join(real, imag)",
    numbers=False,
    infer=_joined_type,
    vjp=lambda F, x, y, g: (lambda: F.real(g), lambda: F.imag(g)),
    saves=("imag", "real"),
    samples=lambda make: [sample(make(2, 3), make(3))],
    refusals=lambda make: [
        refused("Expected both inputs to be Half, Float or Double tensors", make.ints(2), make.ints(2))
    ],
)
def complex_(real: Tensor, imag: Tensor) -> None:
    """real + i * imag.

    Smooth everywhere.
    """


@composite("real", samples=lambda make: [sample(make(2) + 1j * make(2)), sample(make(3))])
def real(F: Any, input: Tensor) -> Any:
    """The real part; a real tensor is given back as it is.

    Smooth everywhere.
    """
    return F.select(F.view_as_real(input), input.meta.ndim, 0) if input.meta.dtype.is_complex else input


@composite(
    "imag",
    samples=lambda make: [sample(make(2, 3) + 1j * make(2, 3))],
    refusals=lambda make: [refused("imag is not implemented for tensors with non-complex dtypes.", make(2))],
)
def imag(F: Any, input: Tensor) -> Any:
    """The imaginary part of a complex tensor.

    Smooth everywhere.
    """
    if not input.meta.dtype.is_complex:
        raise RuntimeArgumentError("imag is not implemented for tensors with non-complex dtypes.")
    return F.select(F.view_as_real(input), input.meta.ndim, 1)
