"""Products of whole tensors: tensordot, kron, linalg.multi_dot, linalg.vander."""

from __future__ import annotations

import math
from typing import Any

from engine.define import composite
from engine.dtypes import BOOL
from engine.errors import DTypeError, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Data, Tensor, Tensors
from engine.types import wrap_dim


def _contracted(a: Any, b: Any, dims: Any) -> tuple[list[int], list[int]]:
    """The dims of each operand that are summed over."""
    if isinstance(dims, (int, float)):
        if dims < 0:
            raise RuntimeArgumentError(f"tensordot expects dims >= 0, but got dims={dims}", actual=dims)
        if dims > min(a.meta.ndim, b.meta.ndim):
            raise RuntimeArgumentError(
                f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}", actual=dims
            )
        return list(range(-int(dims), 0)), list(range(int(dims)))
    left, right = ([each] if isinstance(each, int) else list(each) for each in dims)
    return left, right


@composite(
    "tensordot",
    samples=lambda make: [
        sample(make(2, 3), make(3, 4), 1),
        sample(make(2, 3, 2), make(3, 2), 2),
        sample(make(2, 3), make(3, 2), [[0, 1], [1, 0]]),
        sample(make(2), make(3), 0),
        sample(make(2, 1), make(3, 2), [[1], [0]]),
        sample(make(0, 2), make(2, 3), 1),
    ],
    refusals=lambda make: [
        refused("contracted dimensions need to match, but first has size 3 in dim -1", make(3), make(2), 1),
        refused("both dimension lists should have same length", make(3), make(3, 3), [[0], [0, 1]]),
        refused("tensordot expects dims >= 0, but got dims=-1", make(3), make(3), -1),
        refused("tensordot expects dims < ndim_a or ndim_b, but got dims=5", make(3), make(3), 5),
        refused("both inputs should have same dtype", make(3), make.ints(3), 1),
    ],
)
def tensordot(F: Any, a: Tensor, b: Tensor, dims: Data = 2) -> Any:
    """The sums of products over `dims`: the last of `a` with the first of `b`, or a list of dims of each.

    Smooth everywhere. The operands have one dtype; there is no promotion.
    """
    left, right = _contracted(a, b, dims)
    if len(left) != len(right):
        raise ShapeError("both dimension lists should have same length", actual=[len(left), len(right)])
    if a.meta.dtype is not b.meta.dtype:
        raise DTypeError("both inputs should have same dtype")
    if not left and not a.meta.ndim and not b.meta.ndim:
        return F.mul(a, b)
    for one, other in zip(left, right, strict=True):
        at, opposite = wrap_dim(one, a.meta.ndim), wrap_dim(other, b.meta.ndim)
        sizes = a.meta.shape[at], b.meta.shape[opposite]
        if sizes[1] == 1:
            a = F.sum(a, at, True)
        elif sizes[0] == 1:
            b = F.sum(b, opposite, True)
        elif sizes[0] != sizes[1]:
            raise ShapeError(
                f"contracted dimensions need to match, but first has size {sizes[0]} in dim {one} and second "
                f"has size {sizes[1]} in dim {other}",
                expected=sizes[0],
                actual=sizes[1],
            )
    left = [wrap_dim(each, a.meta.ndim) + a.meta.ndim for each in left]
    right = [wrap_dim(each, b.meta.ndim) + b.meta.ndim for each in right]
    kept_a = [at for at in range(a.meta.ndim) if at not in left]
    kept_b = [at for at in range(b.meta.ndim) if at not in right]
    rows, columns = [a.meta.shape[at] for at in kept_a], [b.meta.shape[at] for at in kept_b]
    inner = math.prod(a.meta.shape[at] for at in left)
    first = F.reshape(F.permute(a, tuple(kept_a + left)), (math.prod(rows), inner))
    second = F.reshape(F.permute(b, tuple(right + kept_b)), (inner, math.prod(columns)))
    return F.reshape(F.mm(first, second), (*rows, *columns))


@composite(
    "kron",
    samples=lambda make: [
        sample(make(2, 2), make(2, 3)),
        sample(make(2), make(3)),
        sample(make(2, 1, 2), make(3)),
        sample(make(2) + 1j * make(2), make(2)),
        sample(make(), make(2)),
    ],
)
def kron(F: Any, input: Tensor, other: Tensor) -> Any:
    """The Kronecker product: `other` in place of each element of `input`, times it.

    Smooth everywhere.
    """
    rank = max(input.meta.ndim, other.meta.ndim)
    left = (1,) * (rank - input.meta.ndim) + input.meta.shape
    right = (1,) * (rank - other.meta.ndim) + other.meta.shape
    first = F.reshape(input, tuple(size for each in left for size in (each, 1)))
    second = F.reshape(other, tuple(size for each in right for size in (1, each)))
    shape = tuple(a * b for a, b in zip(left, right, strict=True))
    return F._unsafe_view(F.mul(first, second), shape)


# -- several matrices


def _order(sizes: list[int]) -> list[list[int]]:
    """Where to split each run of matrices for the fewest multiplications, given the sizes around each."""
    count = len(sizes) - 1
    costs = [[0] * count for _ in range(count)]
    split = [[0] * count for _ in range(count)]
    for length in range(1, count):
        for start in range(count - length):
            stop = start + length
            options = [
                costs[start][at] + costs[at + 1][stop] + sizes[start] * sizes[at + 1] * sizes[stop + 1]
                for at in range(start, stop)
            ]
            costs[start][stop] = min(options)
            split[start][stop] = start + options.index(min(options))
    return split


def _multiplied(F: Any, matrices: list[Any], split: list[list[int]], start: int, stop: int) -> Any:
    if start == stop:
        return matrices[start]
    at = split[start][stop]
    left = _multiplied(F, matrices, split, start, at)
    return F.mm(left, _multiplied(F, matrices, split, at + 1, stop))


def _check_dot(tensors: Any) -> None:
    name = "multi_dot()"
    if len(tensors) < 2:
        raise RuntimeArgumentError(f"{name}: expected at least 2 tensors but got {len(tensors)}")
    for at, each in enumerate(tensors):
        rank, ends = each.meta.ndim, {0: "first", len(tensors) - 1: "last"}
        if at in ends and rank not in (1, 2):
            raise ShapeError(f"{name}: the {ends[at]} tensor must be 1D or 2D but got {rank}D")
        if at not in ends and rank != 2:
            raise ShapeError(f"{name}: tensor {at} must be 2D but got {rank}D")
        if each.meta.dtype is not tensors[0].meta.dtype:
            raise DTypeError(
                f"{name}: all tensors must have be the same dtype but tensor 0 is "
                f"{tensors[0].meta.dtype.title.lower()} and tensor {at} {each.meta.dtype.title.lower()}"
            )
    for at in range(len(tensors) - 1):
        left, right = tensors[at].meta.shape, tensors[at + 1].meta.shape
        if left[-1] != right[0]:
            raise ShapeError(
                f"{name}: tensors {at} and {at + 1} with shapes {list(left)} and {list(right)} cannot be "
                "multiplied"
            )


@composite(
    "linalg.multi_dot",
    samples=lambda make: [
        sample([make(2, 3), make(3, 2)]),
        sample([make(2, 3), make(3, 1), make(1, 4)]),
        sample([make(3), make(3, 2), make(2, 4), make(4)]),
        sample([make(2, 0), make(0, 3)]),
    ],
    refusals=lambda make: [
        refused("multi_dot(): expected at least 2 tensors but got 1", [make(2, 2)]),
        refused("multi_dot(): tensor 1 must be 2D but got 1D", [make(2, 2), make(2), make(2, 2)]),
        refused("shapes [3, 3] and [2, 2] cannot be multiplied", [make(3, 3), make(2, 2)]),
        refused("the first tensor must be 1D or 2D but got 3D", [make(2, 3, 3), make(3, 3)]),
        refused("all tensors must have be the same dtype", [make(2, 2), make.ints(2, 2)]),
    ],
)
def multi_dot(F: Any, tensors: Tensors) -> Any:
    """The product of several matrices, in the order that multiplies least; the ends may be vectors.

    Smooth everywhere. The operands have one dtype; there is no promotion.
    """
    matrices = list(tensors)
    _check_dot(matrices)
    shape = (*matrices[0].meta.shape[:-1], *matrices[-1].meta.shape[1:])
    if matrices[0].meta.ndim == 1:
        matrices[0] = F.unsqueeze(matrices[0], 0)
    if matrices[-1].meta.ndim == 1:
        matrices[-1] = F.unsqueeze(matrices[-1], -1)
    sizes = [matrices[0].meta.shape[0], *(each.meta.shape[1] for each in matrices)]
    found = _multiplied(F, matrices, _order(sizes), 0, len(matrices) - 1)
    return F.view(found, shape)


@composite(
    "linalg.vander",
    samples=lambda make: [
        sample(make(3)),
        sample(make(2, 3), N=2),
        sample(make.ints(3)),
        sample(make(), N=3),
    ],
    refusals=lambda make: [
        refused("N must be greater than 1.", make(3), N=1),
        refused("linalg.vander supports floating point, complex, and integer tensors", make.bools(3)),
    ],
)
def vander(F: Any, x: Tensor, *, N: int | None = None) -> Any:
    """Matrices with the powers 0 to N - 1 of each element as its row; as many as elements if N is None.

    Smooth everywhere.
    """
    x = x if x.meta.shape else F.unsqueeze(x, 0)
    dtype, shape = x.meta.dtype, x.meta.shape
    if dtype.category == BOOL:
        raise DTypeError(
            f"linalg.vander supports floating point, complex, and integer tensors, but got {dtype.title}"
        )
    count = N if N is not None else shape[-1]
    if count <= 1:
        raise RuntimeArgumentError("N must be greater than 1.", actual=count)
    powers = F.cumprod(F.expand(F.unsqueeze(x, -1), (*shape, count - 1)), -1)
    return F.cat([F.ones((*shape, 1), dtype=powers.meta.dtype), powers], -1)
