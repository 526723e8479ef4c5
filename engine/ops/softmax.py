"""softmax and log_softmax, as coarse kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import FLOAT, DType
from engine.op import refused, sample
from engine.ops.dtype_checks import no_kernel
from engine.signature import Array, Dim, Tensor
from engine.types import Type


def _type(name: str) -> Callable[[Type, int], Type]:
    def infer(input: Type, dim: int) -> Type:
        if input.dtype.category != FLOAT:
            last = dim == -1 or not input.shape
            raise no_kernel(f"{name}_lastdim_kernel_impl" if last else f"{name}_kernel_impl", input.dtype)
        return Type(input.shape, input.dtype)

    return infer


def _shifted(input: Array, dim: int) -> tuple[Array, int | None]:
    """`input` less its maximum over `dim`, in float32 at least; and the axis (None: all of a 0-dim array)."""
    axis = dim if input.ndim else None
    wide = input.astype(np.float32) if input.dtype == np.float16 else input
    return wide - np.max(wide, axis=axis, keepdims=True, initial=-np.inf), axis


@kernel(
    "_softmax",
    kind="normalisation",
    infer=_type("softmax"),
    vjp=lambda F, x, y, g, dim: (lambda: _softmax_pullback(F, y, F.mul(g, y), dim),),
    grad_fn="SoftmaxBackward0",
    saves=("dim", "result"),
    samples=lambda make: [sample(make(2, 3), 1)],
)
def softmax_kernel(input: Tensor, dim: Dim) -> Array:
    """`softmax` in the dtype of `input`.

    As `softmax`.
    """
    shifted, axis = _shifted(input, dim)
    powers = np.exp(shifted, out=np.asarray(shifted))
    powers /= np.sum(powers, axis=axis, keepdims=True)
    return powers.astype(input.dtype, copy=False)


def _softmax_pullback(F: Any, y: Any, weighted: Any, dim: int) -> Any:
    return F.sub(weighted, F.mul(y, F.sum(weighted, dim, True)))


@kernel(
    "_log_softmax",
    kind="normalisation",
    infer=_type("log_softmax"),
    vjp=lambda F, x, y, g, dim: (lambda: F.sub(g, F.mul(F.exp(y), F.sum(g, dim, True))),),
    grad_fn="LogSoftmaxBackward0",
    saves=("dim", "result"),
    samples=lambda make: [sample(make(2, 3), 1)],
)
def log_softmax_kernel(input: Tensor, dim: Dim) -> Array:
    """`log_softmax` in the dtype of `input`.

    As `log_softmax`.
    """
    shifted, axis = _shifted(input, dim)
    total = np.sum(np.exp(shifted), axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(total)).astype(input.dtype, copy=False)


def _samples(make: Any) -> list[Any]:
    return [
        sample(make(2, 3), 1),
        sample(make(2, 3, 4), 0),
        sample(make(), 0),
        sample(make(3), 0, dtype="float64"),
        sample(make.ints(3), 0, dtype="float32"),
    ]


@composite(
    "softmax",
    aliases=("nn.functional.softmax", "F.softmax", "special.softmax"),
    samples=_samples,
    refusals=lambda make: [
        refused("Dimension out of range", make(2, 3), 2),
        refused("\"softmax_lastdim_kernel_impl\" not implemented for 'Long'", make.ints(2), 0),
    ],
)
def softmax(F: Any, input: Tensor, dim: Dim, dtype: DType | None = None) -> Any:
    """exp(input) over its sum along `dim`; `input` is first cast to `dtype`, if given.

    Smooth everywhere. -inf gets 0; where all are -inf, or one is inf, the result is NaN.
    """
    return F._softmax(input if dtype is None else F.to(input, dtype), dim)


@composite(
    "log_softmax",
    aliases=("nn.functional.log_softmax", "F.log_softmax", "special.log_softmax"),
    samples=_samples,
    refusals=lambda make: [
        refused("Dimension out of range", make(2, 3), -3),
        refused("\"log_softmax_lastdim_kernel_impl\" not implemented for 'Long'", make.ints(2), 0),
    ],
)
def log_softmax(F: Any, input: Tensor, dim: Dim, dtype: DType | None = None) -> Any:
    """The logarithm of `softmax`, without its overflow; `input` is first cast to `dtype`, if given.

    Smooth everywhere. Where all are -inf, or one is inf, the result is NaN.
    """
    return F._log_softmax(input if dtype is None else F.to(input, dtype), dim)
