"""norm, linalg.norm, linalg.matrix_norm: the vector norm and the matrix norms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.define import composite
from engine.dtypes import DType, float16
from engine.errors import DTypeError, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.norms import check_norm_dtype
from engine.ops.reductions import OUT_OF_RANGE
from engine.signature import Dims, Number, Tensor
from engine.types import Type, reduced_shape, wrap_dim

_NAME = "linalg.matrix_norm"


def _vector_norm(F: Any) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(F, "linalg.vector_norm")
    return found


def _matrix_norm(F: Any, input: Any, ord: Any, dim: Any, keepdim: bool, dtype: DType | None) -> Any:
    _check_matrix_norm(input.meta, ord, dim, dtype)
    if ord == "fro":
        return _vector_norm(F)(input, 2, dim, keepdim, dtype=dtype)
    rank = input.meta.ndim
    first, second = (wrap_dim(each, rank) + rank for each in dim)
    if ord == "nuc" or abs(ord) == 2:
        return _spectral_norm(F, input if dtype is None else F.to(input, dtype), ord, first, second, keepdim)
    if math.isinf(ord):
        first, second = second, first
    sums = _vector_norm(F)(input, 1.0, (first,), keepdim, dtype=dtype)
    return _extreme(F, sums, ord, second - (not keepdim and first < second), keepdim)


def _spectral_norm(F: Any, input: Any, ord: Any, first: int, second: int, keepdim: bool) -> Any:
    """A norm that is the sum or an extreme of the singular values."""
    rank = input.meta.ndim
    order = [*(axis for axis in range(rank) if axis not in (first, second)), first, second]
    values = getattr(F, "linalg.svdvals")(F.permute(input, tuple(order)))
    found = F.sum(values, (-1,), keepdim) if ord == "nuc" else _extreme(F, values, ord, -1, keepdim)
    if not keepdim:
        return found
    return F.permute(F.unsqueeze(found, -1), tuple(order.index(axis) for axis in range(rank)))


def _extreme(F: Any, sizes: Any, ord: float, dim: int, keepdim: bool) -> Any:
    """The largest of `sizes`, or the smallest for a negative `ord`; the largest of none is 0."""
    shape, dtype = sizes.meta.shape, sizes.meta.dtype
    if ord > 0 and shape[dim] == 0:
        return F.zeros(reduced_shape(shape, (dim % len(shape) - len(shape),), keepdim), dtype=dtype)
    return (F.amax if ord > 0 else F.amin)(sizes, (dim,), keepdim)


def _check_matrix_norm(input: Type, ord: Any, dim: Any, dtype: DType | None) -> None:
    if isinstance(ord, complex):
        raise DTypeError(f"{_NAME}: Expected a non-complex scalar as the order of norm.")
    if ord not in ("fro", "nuc") if isinstance(ord, str) else abs(ord) not in (1, 2, math.inf):
        shown = ord if isinstance(ord, str) else f"{ord:g}"
        raise RuntimeArgumentError(f"{_NAME}: Order {shown} not supported.", actual=shown)
    if input.ndim < 2:
        raise ShapeError(f"{_NAME}: The input tensor A must have at least 2 dimensions.")
    check_norm_dtype(_NAME, input, None)
    if (ord == "nuc" or ord in (2, -2)) and input.dtype is float16:
        text = f"{_NAME}: Low precision dtypes not supported. Got {input.dtype.title}"
        raise DTypeError(text, actual=input.dtype.name)
    if len(dim) != 2:
        raise RuntimeArgumentError(f"{_NAME}: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    first, second = (wrap_dim(each, input.ndim) + input.ndim for each in dim)
    if first == second:
        raise RuntimeArgumentError(f"{_NAME}: dims must be different. Got ({first}, {second})")
    check_norm_dtype(_NAME, input, dtype)


def _tuple(dim: Any) -> Any:
    return (dim,) if isinstance(dim, int) else dim


@composite(
    "linalg.norm",
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(3), 1),
        sample(make(2, 3), "fro"),
        sample(make(2, 3), 1),
        sample(make(2, 3), float("-inf"), keepdim=True),
        sample(make(2, 3), 2),
        sample(make(2, 3), -2, keepdim=True),
        sample(make(2, 3), "nuc"),
        sample(make(3, 2, 2), "nuc", (2, 0), True),
        sample(make(2, 3, 2), -1, (2, 0)),
        sample(make(2, 3), 3, 1, True),
    ],
    refusals=lambda make: [
        refused(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got 3D.",
            make(2, 2, 2),
            1,
        ),
        refused(
            "linalg.norm: If dim is specified, it must be of length 1 or 2.", make(2, 2, 2), 2, (0, 1, 2)
        ),
        refused("linalg.matrix_norm: Order huh not supported.", make(2, 2), "huh"),
        refused("linalg.matrix_norm: Order 3 not supported.", make(2, 2), 3),
        refused("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.", make(3), "fro"),
        refused("linalg.matrix_norm: dims must be different. Got (0, 0)", make(2, 2), 1, (0, 0)),
    ],
)
def norm_of_linalg(
    F: Any,
    input: Tensor,
    ord: Number | str | None = None,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Any:
    """The norm of a vector or matrix: with two dims and an `ord` the matrix norm, else the vector norm.

    As linalg.vector_norm and linalg.matrix_norm.
    """
    dim = _tuple(dim)
    rank = input.meta.ndim
    if dim is not None and len(dim) not in (1, 2):
        raise RuntimeArgumentError(
            f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dim)}"
        )
    if dim is None and ord is not None and rank not in (1, 2):
        raise ShapeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {rank}D.",
            actual=rank,
        )
    if isinstance(ord, str) or (ord is not None and (rank if dim is None else len(dim)) == 2):
        return _matrix_norm(F, input, ord, (0, 1) if dim is None else dim, keepdim, dtype)
    return _vector_norm(F)(input, 2.0 if ord is None else ord, dim, keepdim, dtype=dtype)


@composite(
    "linalg.matrix_norm",
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 2, 3), 1),
        sample(make(2, 3, 2), float("inf"), (0, 1), True),
        sample(make(2, 2, 3), 2),
        sample(make(2, 3, 2), -2, (0, 1), True),
        sample(make(3, 2) + 1j * make(3, 2), "nuc"),
        sample(make(2, 0), 2),
    ],
    refusals=lambda make: [
        refused("linalg.matrix_norm: Order 3 not supported.", make(2, 2), 3),
        refused("linalg.matrix_norm: Expected a non-complex scalar as the order of norm.", make(2, 2), 1j),
        refused("linalg.matrix_norm: dim must be a 2-tuple. Got 0", make(2, 2), 2, (0,)),
        refused(
            "linalg.matrix_norm: Low precision dtypes not supported. Got Half",
            make(2, 2).astype(np.float16),
            2,
        ),
        refused("amin(): Expected reduction dim", make(2, 0), -2),
    ],
)
def matrix_norm(
    F: Any,
    input: Tensor,
    ord: Number | str = "fro",
    dim: Dims = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Any:
    """The norm of matrices, over the two dimensions `dim`: "fro", "nuc", 1, 2, inf, -1, -2 or -inf.

    "fro" as linalg.vector_norm; 1 and inf share the gradient equally among tied sums, 2 and -2 among tied
    singular values. "nuc" has a kink at singular matrices: the derivative there is that by the singular
    vectors that were found. Where singular values are repeated, second derivatives by them are inf or nan.
    """
    return _matrix_norm(F, input, ord, _tuple(dim), keepdim, dtype)


@composite(
    "norm",
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 3), 1),
        sample(make(2, 3), "fro", 0, True),
        sample(make(2, 3), 3, (0, 1)),
        sample(make(2, 3), p=2, dim=-1),
    ],
    refusals=lambda make: [
        refused(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got Long", make.ints(3)
        ),
        refused("linalg.matrix_norm: Order x not supported.", make(2, 2), "x"),
        refused(OUT_OF_RANGE, make(3), 2, 2),
    ],
)
def norm(
    F: Any,
    input: Tensor,
    p: Number | str | None = "fro",
    dim: Dims | None = None,
    keepdim: bool = False,
    dtype: DType | None = None,
) -> Any:
    """The `p`-norm of the vectors along `dim` (of all elements if None); "fro" is 2.

    As linalg.vector_norm.
    """
    dim = _tuple(dim)
    if not isinstance(p, str):
        return _vector_norm(F)(input, 2.0 if p is None else p, dim, keepdim, dtype=dtype)
    if p == "fro" and (dim is None or len(dim) <= 2):
        return _vector_norm(F)(input, 2, dim, keepdim, dtype=dtype)
    return _matrix_norm(F, input, p, tuple(range(input.meta.ndim)) if dim is None else dim, keepdim, dtype)
