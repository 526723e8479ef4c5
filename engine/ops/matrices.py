"""What the ops on matrices share: their refusals, their memory order, LAPACK one matrix at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import FLOAT, DType, float16
from engine.errors import DTypeError, RuntimeArgumentError, ShapeError
from engine.ops.dtype_checks import no_kernel
from engine.signature import Array, Tensor
from engine.types import Shape, Type, contiguous_strides, strided


def by_columns(shape: Shape, dtype: DType) -> Type:
    """Matrices column by column, as LAPACK leaves them."""
    return strided(shape, dtype, (*contiguous_strides(shape)[:-2], 1, max(shape[-2], 1)))


def columnwise(array: Array) -> Array:
    """`array` with its matrices in memory column by column, as its Type says."""
    found: Array = np.ascontiguousarray(array.swapaxes(-1, -2)).swapaxes(-1, -2)
    return found


# -- refusals


def check_matrix(name: str, input: Type, letter: str = "A") -> None:
    """Refuse a tensor that has no matrices."""
    if input.ndim < 2:
        raise ShapeError(
            f"{name}: The input tensor {letter} must have at least 2 dimensions.", actual=input.ndim
        )


def check_square(name: str, input: Type) -> None:
    """Refuse matrices that are not square."""
    check_matrix(name, input)
    rows, columns = input.shape[-2:]
    if rows != columns:
        prefix = f"{name}: " if name else ""
        raise ShapeError(
            f"{prefix}A must be batches of square matrices, but they are {rows} by {columns} matrices",
            expected=rows,
            actual=columns,
        )


def check_floating(name: str, input: Type, *, half: bool = True) -> None:
    """Refuse integers and bools, and float16 unless `half`."""
    dtype = input.dtype
    if dtype.category < FLOAT:
        raise DTypeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {dtype.title}",
            actual=dtype.name,
        )
    if dtype is float16 and not half:
        raise DTypeError(f"{name}: Low precision dtypes not supported. Got {dtype.title}", actual=dtype.name)


def check_lapack(kernel_name: str, input: Type) -> None:
    """Refuse the dtypes that LAPACK has not, in the words of the torch kernel that would call it."""
    if input.dtype.category < FLOAT or input.dtype is float16:
        raise no_kernel(kernel_name, input.dtype)


def check_same_dtype(name: str, A: Type, B: Type) -> None:
    """Refuse two operands of different dtypes."""
    if A.dtype is not B.dtype:
        raise DTypeError(
            f"{name}: Expected A and B to have the same dtype, but found A of type {A.dtype.title} and B of "
            f"type {B.dtype.title} instead",
            expected=A.dtype.name,
            actual=B.dtype.name,
        )


def check_equation(name: str, A: Type, B: Type, left: bool) -> None:
    """Refuse matrices that do not fit the equation AX = B, or XA = B."""
    check_square(name, A)
    check_matrix(name, B, "B")
    if A.shape[-1] != B.shape[-2 if left else -1]:
        (rows, columns), (other, width) = A.shape[-2:], B.shape[-2:]
        raise ShapeError(
            f"{name}: Incompatible shapes of A and B for the equation {'AX' if left else 'XA'} = B "
            f"({rows}x{columns} and {other}x{width})",
            expected=columns,
            actual=other if left else width,
        )


def failed(name: str, info: Array, reason: Callable[[int], str]) -> RuntimeArgumentError:
    """The error of the first matrix whose `info` is not 0."""
    place = int(np.argmax(info.reshape(-1) != 0))
    batch = f"(Batch element {place}): " if info.ndim else ""
    return RuntimeArgumentError(f"{name}: {batch}{reason(int(info.reshape(-1)[place]))}")


# -- LAPACK


def routine(family: str, name: str, dtype: Any) -> Callable[..., Any]:
    """The routine of LAPACK or BLAS for a dtype."""
    from scipy.linalg import blas, lapack

    letter = {"f": "s", "d": "d", "F": "c", "D": "z"}[np.dtype(dtype).char]
    found: Callable[..., Any] = getattr(lapack if family == "lapack" else blas, letter + name)
    return found


def each_matrix(
    function: Callable[..., Any],
    operands: Sequence[tuple[Array, int]],
    results: Sequence[tuple[Shape, Any]],
) -> list[Array]:
    """`function` at each place of the batch. Operands come with how many dims one call takes, results with
    the shape and dtype that one call gives; without elements they are zeros."""
    cores = [array.shape[array.ndim - rank :] for array, rank in operands]
    batches = [array.shape[: array.ndim - rank] for array, rank in operands]
    batch = np.broadcast_shapes(*batches)
    found = [np.zeros((*batch, *shape), dtype) for shape, dtype in results]
    found = [
        columnwise(each) if len(core[0]) > 1 else each for each, core in zip(found, results, strict=True)
    ]
    if any(0 in core for core in cores):
        return found
    wide = [np.broadcast_to(array, (*batch, *core)) for (array, _), core in zip(operands, cores, strict=True)]
    for place in np.ndindex(batch):
        for out, value in zip(found, function(*(each[place] for each in wide)), strict=True):
            out[place] = value
    return found


def factored(A: Array) -> list[Array]:
    """L and U of each matrix in one, its row exchanges (from 1 on), and where U is first 0 (from 1 on)."""
    getrf = routine("lapack", "getrf", A.dtype)
    rows, columns = A.shape[-2:]
    least = min(rows, columns)

    def one(matrix: Array) -> Any:
        lu, exchanges, info = getrf(matrix)
        return lu, exchanges + 1, info

    lu, exchanges, info = each_matrix(
        one, [(A, 2)], [((rows, columns), A.dtype), ((least,), np.int32), ((), np.int32)]
    )
    return [lu, exchanges, info]


def permutations(exchanges: Array, rows: int) -> Array:
    """Where each row of A = P L U comes from: the exchanges of rows, one after the other."""
    order = np.broadcast_to(np.arange(rows), (*exchanges.shape[:-1], rows)).copy()
    for at in range(exchanges.shape[-1]):
        other = exchanges[..., at : at + 1].astype(np.int64) - 1
        here, there = order[..., at : at + 1].copy(), np.take_along_axis(order, other, -1)
        order[..., at : at + 1] = there
        np.put_along_axis(order, other, here, -1)
    return order


def unpacked(lu: Array, exchanges: Array) -> tuple[Array, Array, Array]:
    """P, L and U."""
    rows, columns = lu.shape[-2:]
    least = min(rows, columns)
    order = permutations(exchanges, rows)
    P = (order[..., None, :] == np.arange(rows)[:, None]).astype(lu.dtype)
    L = np.tril(lu[..., :least], -1) + np.eye(rows, least, dtype=lu.dtype)
    return P, L, np.triu(lu[..., :least, :])


# -- rules


def adjoint(F: Any, value: Any) -> Any:
    """The conjugate transpose."""
    return F.mT(F.conj(value))


def lower(F: Any, value: Any, diagonal: int = 0) -> Any:
    return F._triangle(value, diagonal, False)


def upper_(F: Any, value: Any, diagonal: int = 0) -> Any:
    return F._triangle(value, diagonal, True)


def diagonal_matrix(F: Any, values: Any) -> Any:
    """Matrices that have `values` on their diagonals."""
    shape = values.meta.shape
    return F._diagonal_backward(values, (*shape, shape[-1]), 0, -2, -1)


@kernel(
    "_triangle",
    kind="structural",
    infer=lambda input, diagonal, upper: Type(input.shape, input.dtype),
    vjp=lambda F, x, y, g, diagonal, upper: (lambda: F._triangle(g, diagonal, upper),),
    samples=lambda make: [],
)
def _triangle(input: Tensor, diagonal: int, upper: bool) -> Array:
    """Matrices with zeros below a diagonal, or above it.

    Smooth everywhere.
    """
    return np.triu(input, diagonal) if upper else np.tril(input, diagonal)
