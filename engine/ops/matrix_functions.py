"""Functions of square matrices: powers, the exponential."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.op import refused, sample
from engine.ops.inverse import complex_regular, regular
from engine.ops.matrices import adjoint, check_floating, check_square
from engine.signature import Array, Tensor
from engine.types import Type


def _power(F: Any, input: Any, n: int) -> Any:
    check_square("linalg.matrix_power", input.meta)
    if n == 0:
        return F._identity_of(input)
    if n == 1:
        return F.clone(input)
    if n < 0:
        input, n = getattr(F, "linalg.inv")(input), -n
    if n == 3:
        return F.matmul(F.matmul(input, input), input)
    square, found = input, None
    while n:
        n, odd = divmod(n, 2)
        if odd:
            found = square if found is None else F.matmul(found, square)
        if n:
            square = F.matmul(square, square)
    return found


@kernel(
    "_identity_of",
    kind="structural",
    infer=lambda input: Type(input.shape, input.dtype),
    vjp=lambda F, x, y, g: (lambda: F.zeros_like(g),),
    grad_fn="torch::autograd::CopyBackwards",
    samples=lambda make: [],
)
def _identity_of(input: Tensor) -> Array:
    """Matrices to the power of 0.

    Constant: the derivative is 0.
    """
    found: Array = np.broadcast_to(np.eye(input.shape[-1], dtype=input.dtype), input.shape).copy()
    return found


def _power_samples(make: Any) -> list[Any]:
    return [
        sample(make(2, 2), 2),
        sample(make(2, 2, 2), 3),
        sample(make(2, 2), 5),
        sample(regular(make, 2, 2), -2),
        sample(make(2, 2), 1),
        sample(make.ints(2, 2), 0),
        sample(complex_regular(make, 2, 2), 2),
    ]


def _power_refusals(make: Any) -> list[Any]:
    return [
        refused("linalg.matrix_power: The input tensor A must have at least 2 dimensions.", make(3), 2),
        refused("linalg.matrix_power: A must be batches of square matrices, but they are", make(2, 3), 2),
        refused("linalg.inv: The diagonal element 1 is zero", np.zeros((2, 2)), -1),
    ]


@composite("linalg.matrix_power", samples=_power_samples, refusals=_power_refusals)
def linalg_matrix_power(F: Any, A: Tensor, n: int) -> Any:
    """Square matrices to the power of an integer; of their inverses if it is negative.

    Smooth everywhere; for negative `n` where the inverse is defined.
    """
    return _power(F, A, n)


@composite("matrix_power", samples=_power_samples, refusals=_power_refusals)
def matrix_power(F: Any, input: Tensor, n: int) -> Any:
    """Square matrices to the power of an integer; linalg.matrix_power.

    Smooth everywhere; for negative `n` where the inverse is defined.
    """
    return _power(F, input, n)


# -- the exponential


def _exp_type(A: Type) -> Type:
    check_square("linalg.matrix_exp", A)
    check_floating("linalg.matrix_exp", A)
    return Type(A.shape, A.dtype)


def _exp_rule(F: Any, A: Any, g: Any) -> Any:
    """The upper right block of exp([[A^H, g], [0, A^H]])."""
    turned, size = adjoint(F, A), A.meta.shape[-1]
    rows = F.cat([turned, g], -1), F.cat([F.zeros_like(turned), turned], -1)
    found = F._linalg_matrix_exp(F.cat(list(rows), -2))
    return F.narrow(F.narrow(found, -2, 0, size), -1, size, size)


@kernel(
    "_linalg_matrix_exp",
    kind="decomposition",
    infer=_exp_type,
    vjp=lambda F, x, y, g: (lambda: _exp_rule(F, x[0], g),),
    saves=("self",),
    grad_fn="LinalgMatrixExpBackward0",
    samples=lambda make: [],
)
def _linalg_matrix_exp(A: Tensor) -> Array:
    """The exponential.

    Smooth everywhere.
    """
    from scipy.linalg import expm

    if A.size == 0:
        return np.array(A)
    wide = A.astype(np.float32) if A.dtype == np.float16 else A
    finite = np.isfinite(wide).all(axis=(-2, -1))[..., None, None]
    found = np.where(finite, expm(np.where(finite, wide, 0)), np.nan)
    return np.asarray(found).astype(A.dtype, copy=False)


def _exp_samples(make: Any) -> list[Any]:
    return [
        sample(make(2, 2, low=-1, high=1)),
        sample(make(2, 2, 2, low=-1, high=1)),
        sample(0.3 * complex_regular(make, 2, 2)),
        sample(make(0, 0)),
    ]


def _exp_refusals(make: Any) -> list[Any]:
    return [
        refused("linalg.matrix_exp: The input tensor A must have at least 2 dimensions.", make(3)),
        refused("linalg.matrix_exp: A must be batches of square matrices", make(2, 3)),
        refused("linalg.matrix_exp: Expected a floating point or complex tensor", make.ints(2, 2)),
    ]


@composite("linalg.matrix_exp", samples=_exp_samples, refusals=_exp_refusals)
def linalg_matrix_exp(F: Any, A: Tensor) -> Any:
    """The exponential of square matrices, the sum of A^k / k!.

    Smooth everywhere.
    """
    return F._linalg_matrix_exp(A)


@composite("matrix_exp", samples=_exp_samples, refusals=_exp_refusals)
def matrix_exp(F: Any, input: Tensor) -> Any:
    """The exponential of square matrices; linalg.matrix_exp.

    Smooth everywhere.
    """
    return F._linalg_matrix_exp(input)
