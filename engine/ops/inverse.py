"""Inverses of square matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import int32
from engine.errors import RuntimeArgumentError
from engine.op import refused, sample
from engine.ops.matrices import (
    adjoint,
    by_columns,
    check_floating,
    check_square,
    columnwise,
    each_matrix,
    factored,
    failed,
    routine,
)
from engine.signature import Array, Tensor
from engine.types import Type


def singular(place: int) -> str:
    """Why there is no inverse."""
    return (
        f"The diagonal element {place} is zero, the inversion could not be completed because the "
        "input matrix is singular."
    )


def _inv_type(A: Type, check: str) -> tuple[Type, Type]:
    check_square("linalg.inv", A)
    check_floating("linalg.inv", A, half=False)
    return by_columns(A.shape, A.dtype), Type(A.shape[:-2], int32)


def _inv_rule(F: Any, inverse: Any, g: Any) -> Any:
    turned = adjoint(F, inverse)
    return F.neg(F.matmul(turned, F.matmul(g, turned)))


@kernel(
    "_linalg_inv_ex",
    kind="decomposition",
    infer=_inv_type,
    vjp=lambda F, x, y, g, check: (lambda: _inv_rule(F, y[0], g[0]),),
    saves=("inverse",),
    outputs=("inverse", "info"),
    grad_fn="LinalgInvExBackward0",
    samples=lambda make: [],
)
def _linalg_inv_ex(A: Tensor, check: str) -> Any:
    """The inverse, and 0 or the place of the first zero of U's diagonal; refused then if there is a `check`.

    As linalg.inv. The rule is -A^-H g A^-H.
    """
    try:
        return columnwise(np.linalg.inv(A)), np.zeros(A.shape[:-2], np.int32)
    except np.linalg.LinAlgError:
        lu, exchanges, info = factored(A)
    if check:
        raise failed(check, info, singular)
    return _divided(lu, exchanges), info


def _divided(lu: Array, exchanges: Array) -> Array:
    """The inverse by division by what is zero."""
    getrs, size = routine("lapack", "getrs", lu.dtype), lu.shape[-1]
    unit = np.eye(size, dtype=lu.dtype)
    return each_matrix(
        lambda each, rows: (getrs(each, rows - 1, unit)[0],),
        [(lu, 2), (exchanges, 1)],
        [((size, size), lu.dtype)],
    )[0]


def regular(make: Any, *shape: int) -> Array:
    """Matrices far from singular ones, for samples."""
    found: Array = make(*shape, low=-0.5, high=0.5) + np.eye(shape[-1]) * [2.0, -1.5, 3.0][: shape[-1]]
    return found


def complex_regular(make: Any, *shape: int) -> Array:
    found: Array = regular(make, *shape) + 0.5j * make(*shape)
    return found


def _samples(make: Any) -> list[Any]:
    return [
        sample(regular(make, 3, 3)),
        sample(regular(make, 2, 2, 2)),
        sample(complex_regular(make, 2, 2)),
        sample(make(0, 0)),
        sample(make(0, 2, 2)),
    ]


def _refusals(make: Any) -> list[Any]:
    flat = np.zeros((2, 2, 2))
    flat[0] = np.eye(2)
    return [
        refused("linalg.inv: The input tensor A must have at least 2 dimensions.", make(3)),
        refused("linalg.inv: A must be batches of square matrices, but they are 2 by 3 matrices", make(2, 3)),
        refused(
            "linalg.inv: Expected a floating point or complex tensor as input. Got Long", make.ints(2, 2)
        ),
        refused("linalg.inv: Low precision dtypes not supported. Got Half", make(2, 2).astype(np.float16)),
        refused(f"linalg.inv: {singular(2)}", np.array([[1.0, 2.0], [2.0, 4.0]])),
        refused(f"linalg.inv: (Batch element 1): {singular(1)}", flat),
    ]


@composite("linalg.inv", samples=_samples, refusals=_refusals)
def inv(F: Any, A: Tensor) -> Any:
    """The inverses of square matrices.

    Smooth where it is defined; a singular matrix is refused.
    """
    return F._linalg_inv_ex(A, "linalg.inv")[0]


@composite("inverse", samples=_samples, refusals=_refusals)
def inverse(F: Any, input: Tensor) -> Any:
    """The inverses of square matrices; linalg.inv.

    Smooth where it is defined; a singular matrix is refused.
    """
    return F._linalg_inv_ex(input, "linalg.inv")[0]


@composite(
    "linalg.inv_ex",
    outputs=("inverse", "info"),
    samples=_samples,
    refusals=lambda make: [*_refusals(make)[:4], refused(singular(1), np.zeros((2, 2)), check_errors=True)],
)
def inv_ex(F: Any, A: Tensor, *, check_errors: bool = False) -> Any:
    """The inverses of square matrices, and for each 0 or the place of the zero that shows it to be singular.

    Smooth where it is defined; a singular matrix gives inf or nan, and nan for the derivative.
    """
    return F._linalg_inv_ex(A, "linalg.inv_ex" if check_errors else "")


@composite(
    "linalg.tensorinv",
    samples=lambda make: [
        sample(regular(make, 2, 2).reshape(2, 1, 2), 2),
        sample(regular(make, 2, 2).reshape(2, 1, 2), 1),
    ],
    refusals=lambda make: [
        refused("Expected a strictly positive integer for 'ind'", make(2, 2), 0),
        refused("Expected self to satisfy the requirement", make(2, 3, 4), 1),
    ],
)
def tensorinv(F: Any, A: Tensor, ind: int = 2) -> Any:
    """The inverse of the matrix that a tensor is, if its first `ind` dims number rows and the others columns.

    Smooth where it is defined; a singular matrix is refused.
    """
    if ind <= 0:
        raise RuntimeArgumentError("Expected a strictly positive integer for 'ind'", actual=ind)
    shape = A.meta.shape
    rows, columns = math.prod(shape[:ind]), math.prod(shape[ind:])
    if rows != columns:
        raise RuntimeArgumentError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but "
            f"got {columns} != {rows}",
            expected=rows,
            actual=columns,
        )
    found = F._linalg_inv_ex(F.reshape(A, (columns, rows)), "linalg.inv")[0]
    return F.reshape(found, (*shape[ind:], *shape[:ind]))
