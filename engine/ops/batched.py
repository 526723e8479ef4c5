"""Products of several matrices at once, and with a term added: bmm, addmm."""

from __future__ import annotations

from typing import Any

from engine.define import kernel
from engine.dtypes import FLOAT
from engine.errors import DTypeError, ShapeError
from engine.leading import behind
from engine.op import refused, sample
from engine.ops.linalg import check_dtypes, check_shapes, matrix_rules, product, refuse_bool
from engine.signature import Array, Number, Tensor
from engine.types import Type


def _bmm_type(input: Type, mat2: Type) -> Type:
    for name, each in (("batch1", input), ("batch2", mat2)):
        if each.ndim != 3:
            raise ShapeError(f"{name} must be a 3D tensor", expected=3, actual=each.ndim)
    batch, rows, inner = input.shape
    if mat2.shape[:2] != (batch, inner):
        raise ShapeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{batch}, {inner}] but got: "
            f"[{mat2.shape[0]}, {mat2.shape[1]}].",
            expected=[batch, inner],
            actual=list(mat2.shape[:2]),
        )
    if input.dtype is not mat2.dtype:
        raise DTypeError(
            f"expected scalar type {input.dtype.title} but found {mat2.dtype.title}",
            expected=input.dtype.name,
            actual=mat2.dtype.name,
        )
    refuse_bool("bmm", input.dtype)
    return Type((batch, rows, mat2.shape[2]), input.dtype)


@kernel(
    "bmm",
    kind="contraction",
    infer=_bmm_type,
    vjp=lambda F, x, y, g: (
        lambda: F.bmm(g, F.conj(F.transpose(x[1], 1, 2))),
        lambda: F.bmm(F.conj(F.transpose(x[0], 1, 2)), g),
    ),
    saves=("mat2 for self", "self for mat2"),
    samples=lambda make: [
        sample(make(2, 3, 4), make(2, 4, 2)),
        sample(make(2, 2, 0), make(2, 0, 2)),
        sample(make(2, 2, 2) + 1j, make(2, 2, 1) + 1j * make(2, 2, 1)),
    ],
    refusals=lambda make: [
        refused("batch1 must be a 3D tensor", make(2, 3), make(2, 3, 2)),
        refused("batch2 tensor to be: [2, 3] but got: [3, 3].", make(2, 2, 3), make(3, 3, 2)),
        refused("expected scalar type Double but found Long", make(1, 2, 2), make.ints(1, 2, 2)),
    ],
)
def bmm(input: Tensor, mat2: Tensor, *, meta: Any, out: Array | None = None) -> Array:
    """The products of matrices, pair by pair: (b, n, m) and (b, m, p) to (b, n, p).

    Smooth everywhere. The operands have one dtype; there is no promotion.
    """
    return product(input, mat2, out).astype(meta.dtype.numpy, copy=False)


def _addmm_type(input: Type, mat1: Type, mat2: Type, *, beta: Any, alpha: Any) -> Type:
    for name, each in (("mat1", mat1), ("mat2", mat2)):
        if each.ndim != 2:
            raise ShapeError(
                f"{name} must be a matrix, got {each.ndim}-D tensor", expected=2, actual=each.ndim
            )
    check_shapes(mat1, mat2)
    shape = mat1.shape[0], mat2.shape[1]
    _check_expandable(input, shape)
    if input.dtype is not mat2.dtype:
        raise DTypeError(
            f"self and mat2 must have the same dtype, but got {input.dtype.title} and {mat2.dtype.title}",
            expected=mat2.dtype.name,
            actual=input.dtype.name,
        )
    check_dtypes(mat1, mat2)
    if input.dtype.category < FLOAT and any(isinstance(each, (float, complex)) for each in (beta, alpha)):
        raise DTypeError("For integral input tensors, argument alpha must not be a floating point number.")
    return Type(shape, mat1.dtype)


def _check_expandable(input: Type, shape: tuple[int, int]) -> None:
    if input.ndim > 2:
        raise ShapeError(
            f"expand(torch.{input.dtype.title}Tensor{{{list(input.shape)}}}, size={list(shape)}): the "
            "number of sizes provided (2) must be greater or equal to the number of dimensions in the "
            f"tensor ({input.ndim})"
        )
    for axis in range(-1, -input.ndim - 1, -1):
        if input.shape[axis] not in (1, shape[axis]):
            raise ShapeError(
                f"The expanded size of the tensor ({shape[axis]}) must match the existing size "
                f"({input.shape[axis]}) at non-singleton dimension {axis + 2}.  Target sizes: "
                f"{list(shape)}.  Tensor sizes: {list(input.shape)}",
                expected=shape[axis],
                actual=input.shape[axis],
            )


def _scaled(F: Any, g: Any, by: Any) -> Any:
    return g if by == 1 else F.mul(g, by.conjugate())


def _addmm_vjp(F: Any, x: Any, y: Any, g: Any, beta: Any, alpha: Any) -> Any:
    left, right = matrix_rules(F, x[1], x[2], g)
    return (
        lambda: _scaled(F, g, beta),
        lambda: _scaled(F, left(), alpha),
        lambda: _scaled(F, right(), alpha),
    )


@kernel(
    "addmm",
    kind="contraction",
    infer=_addmm_type,
    vjp=_addmm_vjp,
    saves=(
        "alpha",
        "beta",
        "mat1 for mat2",
        "mat1_sym_sizes",
        "mat1_sym_strides for mat1",
        "mat2 for mat1",
        "mat2_sym_sizes",
        "mat2_sym_strides for mat2",
    ),
    samples=lambda make: [
        sample(make(2, 4), make(2, 3), make(3, 4)),
        sample(make(4), make(2, 3), make(3, 4), beta=2, alpha=0.5),
        sample(make(2, 1), make(2, 3), make(3, 4), beta=0),
    ],
    refusals=lambda make: [
        refused("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)", make(3), make(2, 3), make(2, 3)),
        refused("mat2 must be a matrix, got 1-D tensor", make(3), make(2, 3), make(3)),
        refused(
            "The expanded size of the tensor (4) must match the existing size (3)",
            make(3),
            make(2, 3),
            make(3, 4),
        ),
        refused(
            "self and mat2 must have the same dtype, but got Long and Double",
            make.ints(2),
            make(2, 2),
            make(2, 2),
        ),
    ],
)
def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1, meta: Any, lead: int
) -> Array:
    """beta * input + alpha * (mat1 @ mat2), where `input` broadcasts to the product.

    Smooth everywhere. With beta 0 the values of `input` are ignored, nan and inf too.
    """
    found = product(mat1, mat2)
    if alpha != 1:
        found = found * found.dtype.type(alpha)
    if beta != 0:
        input = behind(input, lead, 2)
        found = found + (input if beta == 1 else input * found.dtype.type(beta))
    return found.astype(meta.dtype.numpy, copy=False)
