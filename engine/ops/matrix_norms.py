"""norm and linalg.norm: the vector norm, and the matrix norms that follow from it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from engine.define import composite
from engine.dtypes import DType
from engine.errors import NotImplementedYet, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.norms import check_norm_dtype
from engine.ops.reductions import OUT_OF_RANGE
from engine.signature import Dims, Number, Tensor
from engine.types import Type, wrap_dim


def _vector_norm(F: Any) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(F, "linalg.vector_norm")
    return found


def _matrix_norm(F: Any, input: Any, ord: Any, dim: Any, keepdim: bool, dtype: DType | None) -> Any:
    _check_matrix_norm(input.meta, ord, dim, dtype)
    if ord == "fro":
        return _vector_norm(F)(input, 2, dim, keepdim, dtype=dtype)
    if ord == "nuc" or abs(ord) == 2:
        raise NotImplementedYet(f"linalg.matrix_norm: order {ord} is not implemented", actual=ord)
    rank = input.meta.ndim
    first, second = (wrap_dim(each, rank) + rank for each in dim)
    if math.isinf(ord):
        first, second = second, first
    sums = _vector_norm(F)(input, 1.0, (first,), keepdim, dtype=dtype)
    second -= not keepdim and first < second
    return (F.amax if ord > 0 else F.amin)(sums, (second,), keepdim)


def _check_matrix_norm(input: Type, ord: Any, dim: Any, dtype: DType | None) -> None:
    if ord not in ("fro", "nuc") if isinstance(ord, str) else abs(ord) not in (1, 2, math.inf):
        shown = ord if isinstance(ord, str) else f"{ord:g}"
        raise RuntimeArgumentError(f"linalg.matrix_norm: Order {shown} not supported.", actual=shown)
    if input.ndim < 2:
        raise ShapeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    check_norm_dtype("linalg.matrix_norm", input, dtype)
    if len(dim) != 2:
        raise RuntimeArgumentError(
            f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dim))}"
        )
    first, second = (wrap_dim(each, input.ndim) + input.ndim for each in dim)
    if first == second:
        raise RuntimeArgumentError(f"linalg.matrix_norm: dims must be different. Got ({first}, {second})")


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
        refused("linalg.matrix_norm: order nuc is not implemented", make(2, 2), "nuc"),
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

    As linalg.vector_norm; the matrix norms of order 1 and inf share the gradient equally among tied sums.
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
