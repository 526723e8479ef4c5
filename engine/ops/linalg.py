"""Products of matrices and vectors: mm, mv, dot.

They do not promote: both operands have one dtype. float16 is multiplied and summed in float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import BOOL, DType
from engine.errors import DTypeError, NotImplementedYet, ShapeError
from engine.op import refused, sample
from engine.ops.reductions import wide
from engine.signature import Array, Tensor
from engine.types import Type

MANY = 1 << 14  # elements of a batch that is worth one large product; a small one is multiplied as if alone

_CPP = {
    "uint8": "unsigned char",
    "int8": "signed char",
    "int16": "short int",
    "int32": "int",
    "int64": "long int",
    "float16": "c10::Half",
    "float32": "float",
    "float64": "double",
    "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
}


def product(left: Array, right: Array, out: Array | None = None) -> Array:
    """The matrix product, summed in the wide dtype; in `out`, if that is given and of this dtype."""
    dtype = wide(left.dtype)
    if dtype != left.dtype:
        left, right, out = left.astype(dtype), right.astype(dtype), None
    if left.shape[-1] == 1 and left.ndim > 1 < right.ndim and left.size * right.shape[-1] >= MANY:
        left, right = _doubled(left, -1), _doubled(right, -2)
    if left.ndim == right.ndim > 2 and left.size >= MANY and not any(right.strides[:-2]):
        whole = None if out is None else out.reshape(-1, right.shape[-1])
        rows = np.matmul(left.reshape(-1, left.shape[-1]), right[(0,) * (right.ndim - 2)], out=whole)
        found: Array = rows.reshape(*left.shape[:-1], right.shape[-1])  # one product with what all share
        return found
    return np.asarray(np.matmul(left, right, out=out))


def _doubled(array: Array, axis: int) -> Array:
    """With zeros behind the one place along an axis: numpy gives sums over one place to no BLAS, and takes
    ten times as long."""
    return np.concatenate((array, np.zeros_like(array)), axis)


def refuse_bool(loop: str, dtype: DType) -> None:
    """Refuse bools, which are not multiplied and summed."""
    if dtype.category == BOOL:
        raise NotImplementedYet(f"\"{loop}\" not implemented for 'Bool'", actual=dtype.name)


def check_shapes(left: Type, right: Type) -> None:
    """Refuse two matrices that do not fit each other."""
    if left.shape[1] != right.shape[0]:
        (rows, inner), (other, columns) = left.shape, right.shape
        raise ShapeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{inner} and {other}x{columns})",
            expected=inner,
            actual=other,
        )


def check_dtypes(left: Type, right: Type) -> None:
    """Refuse two matrices of different dtypes."""
    if left.dtype is not right.dtype:
        names = [_CPP.get(each.dtype.name, each.dtype.name) for each in (left, right)]
        raise DTypeError(
            f"expected m1 and m2 to have the same dtype, but got: {names[0]} != {names[1]}",
            expected=left.dtype.name,
            actual=right.dtype.name,
        )
    refuse_bool("addmm_impl_cpu_", left.dtype)


def _mm_type(input: Type, mat2: Type) -> Type:
    for name, each in (("self", input), ("mat2", mat2)):
        if each.ndim != 2:
            raise ShapeError(f"{name} must be a matrix", expected=2, actual=each.ndim)
    check_shapes(input, mat2)
    check_dtypes(input, mat2)
    return Type((input.shape[0], mat2.shape[1]), input.dtype)


def matrix_rules(F: Any, left: Any, right: Any, g: Any) -> Any:
    """The cotangents of the factors of a matrix product."""
    return lambda: F.mm(g, F.conj(F.t(right))), lambda: F.mm(F.conj(F.t(left)), g)


@kernel(
    "mm",
    kind="contraction",
    infer=_mm_type,
    vjp=lambda F, x, y, g: matrix_rules(F, x[0], x[1], g),
    saves=(
        "mat2 for self",
        "mat2_sym_sizes",
        "mat2_sym_strides for mat2",
        "self for mat2",
        "self_sym_sizes",
        "self_sym_strides for self",
    ),
    samples=lambda make: [
        sample(make(2, 3), make(3, 4)),
        sample(make(2, 0), make(0, 3)),
        sample(make.ints(2, 2), make.ints(2, 2)),
        sample(make(2, 2) + 1j * make(2, 2), make(2, 2) + 1j * make(2, 2)),
    ],
    refusals=lambda make: [
        refused("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)", make(2, 3), make(2, 3)),
        refused("self must be a matrix", make(3), make(3, 2)),
        refused("mat2 must be a matrix", make(2, 3), make(3)),
        refused("same dtype, but got: double != long int", make(2, 2), make.ints(2, 2)),
        refused("\"addmm_impl_cpu_\" not implemented for 'Bool'", make.bools(1, 1), make.bools(1, 1)),
    ],
)
def mm(input: Tensor, mat2: Tensor, *, meta: Any, out: Array | None = None) -> Array:
    """The product of two matrices, (n, m) and (m, p) to (n, p).

    Smooth everywhere. The operands have one dtype; there is no promotion.
    """
    return product(input, mat2, out).astype(meta.dtype.numpy, copy=False)


def _mv_type(input: Type, vec: Type) -> Type:
    if input.ndim != 2 or vec.ndim != 1:
        raise ShapeError(f"vector + matrix @ vector expected, got 1, {input.ndim}, {vec.ndim}")
    rows, columns = input.shape
    if columns != vec.shape[0]:
        raise ShapeError(
            f"size mismatch, got input ({rows}), mat ({rows}x{columns}), vec ({vec.shape[0]})",
            expected=columns,
            actual=vec.shape[0],
        )
    if input.dtype is not vec.dtype:
        title = vec.dtype.title
        raise DTypeError(
            f"addmv input tensors must have the same dtype, but got {title}, {input.dtype.title}, and "
            f"{title}",
            expected=input.dtype.name,
            actual=vec.dtype.name,
        )
    refuse_bool("addmv_impl_cpu", input.dtype)
    return Type((rows,), input.dtype)


@kernel(
    "mv",
    kind="contraction",
    infer=_mv_type,
    vjp=lambda F, x, y, g: (
        lambda: F.mul(F.unsqueeze(g, 1), F.conj(x[1])),
        lambda: F.mv(F.conj(F.t(x[0])), g),
    ),
    saves=("self for vec", "vec for self"),
    samples=lambda make: [
        sample(make(2, 3), make(3)),
        sample(make(2, 0), make(0)),
        sample(make(2, 2) + 1j, make(2) + 1j * make(2)),
    ],
    refusals=lambda make: [
        refused("size mismatch, got input (2), mat (2x3), vec (2)", make(2, 3), make(2)),
        refused("vector + matrix @ vector expected, got 1, 1, 1", make(3), make(3)),
        refused("must have the same dtype, but got Long, Double, and Long", make(2, 2), make.ints(2)),
    ],
)
def mv(input: Tensor, vec: Tensor, *, meta: Any, lead: int) -> Array:
    """The product of a matrix and a vector, (n, m) and (m,) to (n,).

    Smooth everywhere. The operands have one dtype; there is no promotion.
    """
    found = product(input, vec[..., None])[..., 0] if lead else product(input, vec)
    return found.astype(meta.dtype.numpy, copy=False)


def _dot_type(input: Type, tensor: Type) -> Type:
    if input.ndim != 1 or tensor.ndim != 1:
        raise ShapeError(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    if input.dtype is not tensor.dtype:
        raise DTypeError(
            "dot : expected both vectors to have same dtype, but found "
            f"{input.dtype.title} and {tensor.dtype.title}",
            expected=input.dtype.name,
            actual=tensor.dtype.name,
        )
    left, right = input.shape[0], tensor.shape[0]
    if left != right:
        raise ShapeError(
            f"inconsistent tensor size, expected tensor [{left}] and src [{right}] to have the same number "
            f"of elements, but got {left} and {right} elements respectively",
            expected=left,
            actual=right,
        )
    refuse_bool("dot", input.dtype)
    return Type((), input.dtype)


@kernel(
    "dot",
    kind="contraction",
    infer=_dot_type,
    vjp=lambda F, x, y, g: (lambda: F.mul(g, F.conj(x[1])), lambda: F.mul(g, F.conj(x[0]))),
    saves=("self for tensor", "tensor for self"),
    samples=lambda make: [
        sample(make(3), make(3)),
        sample(make(0), make(0)),
        sample(make(3) + 1j * make(3), make(3) + 1j * make(3)),
    ],
    refusals=lambda make: [
        refused("inconsistent tensor size, expected tensor [2] and src [3]", make(2), make(3)),
        refused("1D tensors expected, but got 2D and 1D tensors", make(2, 2), make(2)),
        refused("dot : expected both vectors to have same dtype", make(2), make.ints(2)),
    ],
)
def dot(input: Tensor, tensor: Tensor, *, meta: Any, lead: int) -> Array:
    """The sum of the products of two vectors' elements; neither is conjugated.

    Smooth everywhere. The operands have one dtype; there is no promotion.
    """
    if lead:
        found = product(input[..., None, :], tensor[..., None])[..., 0, 0]
    else:
        found = product(input, tensor)
    return found.astype(meta.dtype.numpy, copy=False)
