"""Vector norms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import COMPLEX, FLOAT, DType, promote, real_of
from engine.errors import DTypeError, RuntimeArgumentError
from engine.op import refused, sample
from engine.ops.choice import over
from engine.ops.reductions import OUT_OF_RANGE, REPEATED, axes, restored, wide
from engine.signature import Array, Dims, Number, Tensor
from engine.types import Type, reduced_shape


def check_norm_dtype(name: str, input: Type, dtype: DType | None) -> None:
    if input.dtype.category < FLOAT:
        raise DTypeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {input.dtype.title}",
            actual=input.dtype.name,
        )
    if dtype is None:
        return
    if dtype.category < FLOAT:
        raise DTypeError(f"{name}: dtype should be floating point or complex, but got {dtype.title}")
    if dtype.category != input.dtype.category:
        kind = "complex" if input.dtype.category == COMPLEX else "real"
        raise DTypeError(f"{name}: dtype should be {kind} for {kind} inputs, but got {dtype.title}")
    if promote(input.dtype, dtype) is not dtype:
        raise DTypeError(
            f"{name}: the dtype of the input ({input.dtype.title}) should be convertible without narrowing "
            f"to the specified dtype ({dtype.title})"
        )


def norm_type(input: Type, ord: Any, dim: Any, keepdim: bool, dtype: DType | None) -> Type:
    check_norm_dtype("linalg.vector_norm", input, dtype)
    if isinstance(ord, complex):
        raise DTypeError("linalg.vector_norm: Expected a non-complex scalar as the order of norm.")
    if ord < 0 or ord == math.inf:
        reason = "is empty and the operation does not have an identity"
        start = f"linalg.vector_norm cannot compute the {ord:g} norm on"
        if not dim and input.numel == 0:
            text = f"{start} an empty tensor because the operation does not have an identity"
            raise RuntimeArgumentError(text)
        for each in dim or ():
            if input.shape and input.shape[each] == 0:
                raise RuntimeArgumentError(
                    f"{start} the dimension {each + input.ndim}because this dimension {reason}"
                )
    return Type(reduced_shape(input.shape, dim or None, keepdim), real_of(dtype or input.dtype))


def norm_of_sizes(size: Array, ord: Any, **over: Any) -> Any:
    if ord == 0:
        return np.sum(size != 0, **over)
    if math.isinf(ord):
        return (np.max if ord > 0 else np.min)(size, **over)
    if ord == 1:
        return np.sum(size, **over)
    if ord == 2:
        return np.sqrt(np.sum(np.square(size), **over))
    return np.power(np.sum(np.power(size, ord), **over), 1 / ord)


def _norm_vjp(F: Any, x: Any, y: Any, g: Any, ord: Any, dim: Any, keepdim: bool, dtype: Any) -> Any:
    if ord == 0:
        return (None,)

    def rule() -> Any:
        norm, share = (restored(F, each, x[0].meta, dim, keepdim) for each in (y, g))
        return norm_rule(F, x[0], norm, share, ord, dim)

    return (rule,)


def norm_rule(F: Any, input: Any, norm: Any, share: Any, ord: float, dim: Any) -> Any:
    """The cotangent of `input`; `norm` and the cotangent `share` have the reduced dims back."""
    if ord == 2:
        return F.mul(share, F.where(F.eq(norm, 0), 0, F.div(input, norm)))
    direction = F.sgn(input) if input.meta.dtype.is_complex else F.sign(input)
    if ord == 1:
        return F.mul(direction, share)
    size = F.abs(input)
    if math.isinf(ord):
        mask = F.logical_or(F.eq(size, norm), F.isnan(size))
        ties = F.sum(mask, dim, True) if dim else F.sum(mask)
        return F.mul(direction, F.mul(F.div(share, ties), mask))
    if ord < 1:
        scaled = F.mul(direction, F.where(F.eq(input, 0), 0, F.pow(size, ord - 1)))
        return F.mul(F.mul(scaled, share), F.pow(norm, 1 - ord))
    scaled = F.mul(direction, F.pow(size, ord - 1)) if ord < 2 else F.mul(input, F.pow(size, ord - 2))
    return F.mul(scaled, over(F, share, F.pow(norm, ord - 1), F.eq(norm, 0)))


@kernel(
    "linalg.vector_norm",
    kind="reduction",
    infer=norm_type,
    vjp=_norm_vjp,
    grad_fn="LinalgVectorNormBackward0",
    saves=("dim", "keepdim", "ord", "result", "self"),
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 3), 1),
        sample(make(2, 3), 3, 1),
        sample(make(2, 3), 0.5, (0, 1), True),
        sample(make(2, 3), 1.5, -1),
        sample(make(2, 3), float("inf"), 1),
        sample(make(2, 3), float("-inf")),
        sample(make(2, 3), 0),
        sample(make(3), -1),
        sample(make(3) + 1j * make(3)),
        sample(make()),
    ],
    refusals=lambda make: [
        refused(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got Long", make.ints(3)
        ),
        refused("linalg.vector_norm: dtype should be real for real inputs", make(3), dtype="complex128"),
        refused(
            "(Double) should be convertible without narrowing to the specified dtype (Float)",
            make(3),
            dtype="float32",
        ),
        refused("linalg.vector_norm cannot compute the inf norm on an empty tensor", make(0), float("inf")),
        refused(OUT_OF_RANGE, make(3), 2, 2),
        refused(REPEATED, make(2, 3), 2, (0, 0)),
    ],
)
def vector_norm(
    input: Tensor,
    ord: Number = 2,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    meta: Any,
) -> Array:
    """The `ord`-norm of the vectors along `dim` (of all elements if None).

    At a zero vector the derivative is 0. For ord 1 it is the sign; for ord inf and -inf ties share the
    gradient equally; for ord 0 nothing flows back.
    """
    size = np.abs(input).astype(wide(meta.dtype.numpy), copy=False)
    found = norm_of_sizes(size, ord, axis=axes(input, dim), keepdims=keepdim)
    return np.asarray(found).astype(meta.dtype.numpy, copy=False)
