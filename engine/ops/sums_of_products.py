"""Products of vectors, added to a term: addmv, addr."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import FLOAT
from engine.errors import DTypeError, ShapeError
from engine.kernels import promoted
from engine.leading import behind
from engine.op import refused, sample
from engine.ops.linalg import product, refuse_bool
from engine.signature import Array, Number, Tensor
from engine.types import Shape, Type


def check_expands(input: Type, shape: Shape) -> None:
    """Refuse a term that does not broadcast to the result."""
    if input.ndim > len(shape):
        raise ShapeError(
            f"expand(torch.{input.dtype.title}Tensor{{{list(input.shape)}}}, size={list(shape)}): the "
            f"number of sizes provided ({len(shape)}) must be greater or equal to the number of dimensions "
            f"in the tensor ({input.ndim})"
        )
    for axis in range(-1, -input.ndim - 1, -1):
        if input.shape[axis] not in (1, shape[axis]):
            raise ShapeError(
                f"The expanded size of the tensor ({shape[axis]}) must match the existing size "
                f"({input.shape[axis]}) at non-singleton dimension {axis + len(shape)}.  Target sizes: "
                f"{list(shape)}.  Tensor sizes: {list(input.shape)}",
                expected=shape[axis],
                actual=input.shape[axis],
            )


def scaled(F: Any, g: Any, by: Any) -> Any:
    """The cotangent of what is multiplied by a number."""
    return g if by == 1 else F.mul(g, by.conjugate())


def summed(term: Array, found: Array, beta: Any, alpha: Any, dtype: Any) -> Array:
    """beta * term + alpha * found; a term that counts 0 times is not looked at."""
    if alpha != 1:
        found = found * found.dtype.type(alpha)
    if beta != 0:
        found = found + (term if beta == 1 else term * found.dtype.type(beta))
    return found.astype(dtype.numpy, copy=False)


# -- a vector


def _addmv_type(input: Type, mat: Type, vec: Type, *, beta: Any, alpha: Any) -> Type:
    if mat.ndim != 2 or vec.ndim != 1 or input.ndim > 1:
        raise ShapeError(f"vector + matrix @ vector expected, got {input.ndim}, {mat.ndim}, {vec.ndim}")
    (rows, columns), size = mat.shape, input.shape[0] if input.shape else 1
    if columns != vec.shape[0] or size not in (1, rows):
        raise ShapeError(
            f"size mismatch, got input ({size}), mat ({rows}x{columns}), vec ({vec.shape[0]})",
            expected=columns,
            actual=vec.shape[0],
        )
    if not input.dtype is mat.dtype is vec.dtype:
        raise DTypeError(
            f"addmv input tensors must have the same dtype, but got {input.dtype.title}, {mat.dtype.title}, "
            f"and {vec.dtype.title}"
        )
    refuse_bool("addmv_impl_cpu", mat.dtype)
    return Type((rows,), mat.dtype)


@kernel(
    "addmv",
    kind="contraction",
    infer=_addmv_type,
    vjp=lambda F, x, y, g, beta, alpha: (
        lambda: scaled(F, g, beta),
        lambda: scaled(F, F.outer(g, F.conj(x[2])), alpha),
        lambda: scaled(F, F.mv(F.conj(F.t(x[1])), g), alpha),
    ),
    saves=("alpha", "beta", "mat for vec", "vec for mat"),
    samples=lambda make: [
        sample(make(2), make(2, 3), make(3)),
        sample(make(1), make(2, 3), make(3), beta=2, alpha=0.5),
        sample(make(2), make(2, 3), make(3), beta=0),
        sample(make(2) + 1j, make(2, 2) + 1j * make(2, 2), make(2) + 1j * make(2)),
    ],
    refusals=lambda make: [
        refused("size mismatch, got input (3), mat (3x3), vec (2)", make(3), make(3, 3), make(2)),
        refused("size mismatch, got input (2), mat (3x3), vec (3)", make(2), make(3, 3), make(3)),
        refused("vector + matrix @ vector expected, got 1, 1, 1", make(3), make(3), make(3)),
        refused("but got Double, Double, and Long", make(3), make(3, 3), make.ints(3)),
    ],
)
def addmv(
    input: Tensor, mat: Tensor, vec: Tensor, *, beta: Number = 1, alpha: Number = 1, meta: Any, lead: int
) -> Array:
    """beta * input + alpha * (mat @ vec), where `input` broadcasts to the product.

    Smooth everywhere. With beta 0 the values of `input` are ignored, nan and inf too.
    """
    found = product(mat, vec[..., None])[..., 0] if lead else product(mat, vec)
    return summed(behind(input, lead, 1), found, beta, alpha, meta.dtype)


def _addr_type(input: Type, vec1: Type, vec2: Type, *, beta: Any, alpha: Any) -> Type:
    for name, each in (("vec1", vec1), ("vec2", vec2)):
        if each.ndim != 1:
            raise ShapeError(f"addr: Expected 1-D argument {name}, but got {each.ndim}-D", actual=each.ndim)
    shape = vec1.shape[0], vec2.shape[0]
    check_expands(input, shape)
    dtype = promoted([Type((1,), each.dtype) for each in (input, vec1, vec2)])
    for name, value in (("beta", beta), ("alpha", alpha)):
        if dtype.category < FLOAT and isinstance(value, (float, complex)):
            raise DTypeError(
                f"For integral input tensors, argument {name} must not be a floating point number."
            )
    return Type(shape, dtype)


@kernel(
    "addr",
    kind="contraction",
    infer=_addr_type,
    vjp=lambda F, x, y, g, beta, alpha: (
        lambda: scaled(F, g, beta),
        lambda: scaled(F, F.mv(g, F.to(F.conj(x[2]), g.meta.dtype)), alpha),
        lambda: scaled(F, F.mv(F.t(g), F.to(F.conj(x[1]), g.meta.dtype)), alpha),
    ),
    saves=("alpha", "beta", "vec1 for vec2", "vec2 for vec1"),
    samples=lambda make: [
        sample(make(2, 3), make(2), make(3)),
        sample(make(3), make(2), make(3), beta=2, alpha=0.5),
        sample(make(2, 1), make(2), make(3), beta=0),
        sample(make(2, 2) + 1j, make(2) + 1j * make(2), make(2) + 1j * make(2)),
        sample(make.ints(2, 3), make.ints(2), make.ints(3)),
    ],
    refusals=lambda make: [
        refused("addr: Expected 1-D argument vec1, but got 2-D", make(3, 3), make(3, 2), make(3)),
        refused("The expanded size of the tensor (3) must match", make(3, 2), make(3), make(3)),
        refused("the number of sizes provided (2) must be", make(1, 3, 3), make(3), make(3)),
        refused(
            "For integral input tensors, argument beta must not be a floating point number.",
            make.ints(2, 2),
            make.ints(2),
            make.ints(2),
            beta=0.5,
        ),
    ],
)
def addr(
    input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Number = 1, alpha: Number = 1, meta: Any, lead: int
) -> Array:
    """beta * input + alpha * outer(vec1, vec2), where `input` broadcasts to the product.

    Smooth everywhere. With beta 0 the values of `input` are ignored, nan and inf too.
    """
    dtype = meta.dtype.numpy
    found = vec1.astype(dtype, copy=False)[..., :, None] * vec2.astype(dtype, copy=False)[..., None, :]
    if dtype.kind == "b":
        found = found & np.bool_(alpha)
        return np.asarray(found | (behind(input, lead, 2) & np.bool_(beta)))
    return summed(behind(input, lead, 2), found, beta, alpha, meta.dtype)
