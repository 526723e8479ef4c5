"""matmul, outer and linear, taken apart exactly as torch takes them apart."""

from __future__ import annotations

import math
from typing import Any

from engine.define import composite, kernel
from engine.errors import ShapeError
from engine.op import refused, sample
from engine.signature import Array, Dim, Tensor
from engine.types import Type, broadcast_shapes, strided


def _squeezed_type(input: Type, dim: int) -> Type:
    keep = [axis for axis in range(input.ndim) if axis != dim + input.ndim]
    steps = input.stride()
    return strided(tuple(input.shape[at] for at in keep), input.dtype, tuple(steps[at] for at in keep))


@kernel(
    "_squeeze_in_place",
    kind="view",
    infer=_squeezed_type,
    vjp=lambda F, x, y, g, dim: (lambda: F.unsqueeze(g, dim),),
    grad_fn="SqueezeBackward4",
    saves=("dim", "self_sym_sizes"),
    samples=lambda make: [],
)
def _squeeze_in_place(input: Tensor, dim: Dim) -> Array:
    """`input` without `dim`, of size 1, under the name torch has for the in-place squeeze.

    Smooth everywhere.
    """
    found: Array = input.squeeze(dim)
    return found


def _requires_grad(value: Any) -> bool:
    return bool(getattr(value, "requires_grad", False))


def _folds(input: Any, other: Any) -> bool:
    """Whether the larger operand's batch dims are folded into rows, so that mm or mv replaces bmm.

    The fold must cost no copy; but if the smaller operand requires grad, it spares its expanded gradient.
    """
    wide = input.meta.ndim >= other.meta.ndim
    larger, smaller = (input, other) if wide else (other, input)
    if larger.meta.ndim < 3 or smaller.meta.ndim > 2:
        return False
    if _requires_grad(smaller):
        return True
    if input.meta.ndim == 2:
        return False
    if larger.meta.numel == 0:
        return True
    shape, steps = list(larger.meta.shape), list(larger.meta.stride())
    if not wide:
        shape[-2:], steps[-2:] = shape[:-3:-1], steps[:-3:-1]
    return all(steps[at] == steps[at + 1] * shape[at + 1] for at in range(len(shape) - 2))


def _folded(F: Any, input: Any, other: Any) -> Any:
    transposed = other.meta.ndim > input.meta.ndim
    larger = F.mT(other) if transposed else input
    smaller = other if not transposed else F.t(input) if input.meta.ndim == 2 else input
    *batch, inner = larger.meta.shape
    rows = F.reshape(larger, (math.prod(batch), inner))
    if smaller.meta.ndim == 1:
        return F._unsafe_view(F.mv(rows, smaller), tuple(batch))
    found = F._unsafe_view(F.mm(rows, smaller), (*batch, smaller.meta.shape[1]))
    return F.contiguous(F.mT(found)) if transposed else found


def _batched(F: Any, input: Any, other: Any) -> Any:
    left, right = input.meta.shape, other.meta.shape
    if len(left) == len(right) == 3 and left[0] != right[0]:
        if left[0] == 1 and _requires_grad(input):
            return F.matmul(F.squeeze(input, 0), other)
        if right[0] == 1 and _requires_grad(other):
            return F.matmul(input, F.squeeze(other, 0))
    vector = len(right) == 1
    batch = broadcast_shapes(left[:-2], () if vector else right[:-2])
    count = math.prod(batch)
    rows, columns = (1, *left)[-2:], right if vector else right[-2:]
    first = F.reshape(F.expand(input, (*batch, *rows)), (count, *rows))
    second = F.reshape(F.expand(other, (*batch, *columns)), (count, *columns))
    shape = batch + rows[:1] * (len(left) > 1) + columns[1:]
    if vector:
        return F._unsafe_view(F.squeeze(F.bmm(first, F.unsqueeze(second, 2)), -1), shape)
    return F._unsafe_view(F.bmm(first, second), shape)


@composite(
    "matmul",
    aliases=("linalg.matmul",),
    samples=lambda make: [
        sample(make(3), make(3)),
        sample(make(2, 3), make(3)),
        sample(make(3), make(3, 2)),
        sample(make(2, 3), make(3, 4)),
        sample(make(2, 2, 3), make(3)),
        sample(make(2, 2, 3), make(3, 4)),
        sample(make(2, 3), make(2, 3, 2)),
        sample(make(3), make(2, 3, 2)),
        sample(make(2, 2, 3), make(2, 3, 2)),
        sample(make(1, 2, 3), make(2, 3, 2)),
        sample(make(2, 1, 2, 3), make(2, 3, 2)),
        sample(make(2, 2, 2) + 1j, make(2) + 1j * make(2)),
    ],
    refusals=lambda make: [
        refused("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)", make(2, 3), make(2, 3)),
        refused("both arguments to matmul need to be at least 1D, but they are 0D and 1D", make(), make(2)),
        refused("The size of tensor a (2) must match the size of tensor b (3)", make(2, 2, 3), make(3, 3, 2)),
        refused("size mismatch, got input (4), mat (4x3), vec (2)", make(2, 2, 3), make(2)),
    ],
)
def matmul(F: Any, input: Tensor, other: Tensor) -> Any:
    """The matrix product over the last two dimensions, the others broadcast; a vector is a row or a column.

    Smooth everywhere. The operands have one dtype; there is no promotion.
    """
    ranks = input.meta.ndim, other.meta.ndim
    if 0 in ranks:
        raise ShapeError(
            f"both arguments to matmul need to be at least 1D, but they are {ranks[0]}D and {ranks[1]}D"
        )
    if ranks == (1, 1):
        return F.dot(input, other)
    if ranks == (2, 1):
        return F.mv(input, other)
    if ranks == (1, 2):
        return F._squeeze_in_place(F.mm(F.unsqueeze(input, 0), other), 0)
    if ranks == (2, 2):
        return F.mm(input, other)
    return _folded(F, input, other) if _folds(input, other) else _batched(F, input, other)


@composite(
    "outer",
    aliases=("ger",),
    samples=lambda make: [sample(make(2), make(3)), sample(make.ints(2), make(3))],
    refusals=lambda make: [
        refused("outer: Expected 1-D argument self, but got 2-D", make(2, 2), make(2)),
        refused("outer: Expected 1-D argument vec2, but got 0-D", make(2), make()),
    ],
)
def outer(F: Any, input: Tensor, vec2: Tensor) -> Any:
    """The products of each element of one vector with each of another: (n,) and (m,) to (n, m).

    Smooth everywhere.
    """
    for name, each in (("self", input), ("vec2", vec2)):
        if each.meta.ndim != 1:
            raise ShapeError(
                f"outer: Expected 1-D argument {name}, but got {each.meta.ndim}-D", actual=each.meta.ndim
            )
    return F.mul(F.view(input, (input.meta.shape[0], 1)), vec2)


def _plus_bias(F: Any, product: Any, bias: Any) -> Any:
    """The sum in the product's memory, where torch adds the bias: it may not become larger."""
    shape, wide = product.meta.shape, broadcast_shapes(product.meta.shape, bias.meta.shape)
    if wide != shape:
        raise ShapeError(f"output with shape {list(shape)} doesn't match the broadcast shape {list(wide)}")
    return F.add(product, bias)


@composite(
    "nn.functional.linear",
    samples=lambda make: [
        sample(make(2, 3), make(4, 3), make(4)),
        sample(make(2, 3), make(4, 3)),
        sample(make(3), make(4, 3), make(4)),
        sample(make(2, 2, 3), make(4, 3), make(4)),
        sample(make(2, 2, 3), make(4, 3)),
        sample(make(2, 3), make(3)),
    ],
    refusals=lambda make: [
        refused("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x4)", make(2, 3), make(4, 2)),
        refused(
            "both arguments to linear need to be at least 1D, but they are 0D and 2D", make(), make(2, 2)
        ),
        refused("must match the existing size (3) at non-singleton", make(2, 3), make(4, 3), make(3)),
        refused("mat2 must be a matrix, got 1-D tensor", make(2, 3), make(3), make()),
    ],
)
def linear(F: Any, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:
    """input @ weight.T + bias, over the last dimension of `input`; weight is (out, in).

    Smooth everywhere. The operands have one dtype; there is no promotion.
    """
    rank = input.meta.ndim
    if 0 in (rank, weight.meta.ndim):
        raise ShapeError(
            f"both arguments to linear need to be at least 1D, but they are {rank}D and {weight.meta.ndim}D"
        )
    if bias is None:
        return F.matmul(input, F.t(weight))
    if rank == 2:
        return F.addmm(bias, input, F.t(weight))
    if not input.meta.is_contiguous:
        return _plus_bias(F, F.matmul(input, F.t(weight)), bias)
    *batch, inner = input.meta.shape
    rows = F.view(input, (math.prod(batch), inner))
    found = F.addmm(bias, rows, F.t(weight))
    return F.view(found, (*batch, found.meta.shape[1]))
