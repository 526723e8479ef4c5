"""Views with their dimensions in another order."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Array, Dim, Order, Shape, Tensor
from engine.types import Type, strided, wrap_dim


def _reordered(input: Type, order: tuple[int, ...]) -> Type:
    if input.strides is None and order == tuple(range(input.ndim)):
        return input
    steps = input.stride()
    return strided(tuple(input.shape[at] for at in order), input.dtype, tuple(steps[at] for at in order))


def _swapped(input: Type, dim0: Dim, dim1: Dim) -> Type:
    order = list(range(input.ndim))
    if order:
        order[dim0], order[dim1] = order[dim1], order[dim0]
    return _reordered(input, tuple(order))


def _t_type(input: Type) -> Type:
    if input.ndim > 2:
        raise ShapeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D", actual=input.ndim
        )
    return _reordered(input, tuple(range(input.ndim))[::-1])


@kernel(
    "t",
    kind="view",
    infer=_t_type,
    vjp=lambda F, x, y, g: (lambda: F.t(g),),
    samples=lambda make: [sample(make(2, 3)), sample(make(3)), sample(make())],
    refusals=lambda make: [
        refused("t() expects a tensor with <= 2 dimensions, but self is 3D", make(2, 3, 2))
    ],
)
def t(input: Tensor, *, lead: int) -> Array:
    """The transpose of a matrix; of fewer dimensions, `input` as it is.

    Smooth everywhere.
    """
    found: Array = input if input.ndim - lead < 2 else np.swapaxes(input, -1, -2)
    return found


@kernel(
    "transpose",
    kind="view",
    infer=_swapped,
    vjp=lambda F, x, y, g, dim0, dim1: (lambda: F.transpose(g, dim0, dim1),),
    saves=("dim0", "dim1"),
    aliases=("swapaxes", "swapdims"),
    samples=lambda make: [sample(make(2, 3), 0, 1), sample(make(2, 3, 4), -1, 0), sample(make(), 0, -1)],
    refusals=lambda make: [
        refused("Dimension out of range (expected to be in range of [-2, 1], but got 2)", make(2, 3), 0, 2)
    ],
)
def transpose(input: Tensor, dim0: Dim, dim1: Dim) -> Array:
    """`input` with two dimensions swapped.

    Smooth everywhere.
    """
    return np.swapaxes(input, dim0, dim1) if input.ndim else input[()].reshape(())


def _permute_type(input: Type, dims: tuple[int, ...]) -> Type:
    if len(dims) != input.ndim:
        raise ShapeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of "
            f"the desired ordering of dimensions i.e. input.dim() = {input.ndim} is not equal to len(dims) "
            f"= {len(dims)}",
            expected=input.ndim,
            actual=len(dims),
        )
    order = tuple(wrap_dim(dim, input.ndim) + input.ndim for dim in dims)
    if len(set(order)) != len(order):
        raise RuntimeArgumentError("permute(): duplicate dims are not allowed.")
    return _reordered(input, order)


def _permute_rule(F: Any, x: Any, y: Any, g: Any, dims: tuple[int, ...]) -> Any:
    rank = len(dims)
    back = sorted(range(rank), key=lambda at: dims[at])
    return (lambda: F.permute(g, tuple(at - rank for at in back)),)


@kernel(
    "permute",
    kind="view",
    infer=_permute_type,
    vjp=_permute_rule,
    saves=("dims",),
    aliases=("permute_dims",),
    samples=lambda make: [
        sample(make(2, 3, 4), (2, 0, 1)),
        sample(make(2, 3), (-1, 0)),
        sample(make(3), (0,)),
        sample(make(), ()),
    ],
    refusals=lambda make: [
        refused("input.dim() = 3 is not equal to len(dims) = 2", make(2, 3, 4), (0, 1)),
        refused("permute(): duplicate dims are not allowed.", make(2, 3, 4), (0, 0, 1)),
    ],
)
def permute(input: Tensor, dims: Order, *, lead: int) -> Array:
    """`input` with its dimensions in the order `dims`.

    Smooth everywhere.
    """
    found: Array = input.transpose((*range(lead), *dims))
    return found


@composite("T", samples=lambda make: [sample(make(2, 3)), sample(make(2, 3, 4)), sample(make())])
def T(F: Any, input: Tensor) -> Any:
    """`input` with its dimensions in reverse order.

    Smooth everywhere.
    """
    return F.permute(input, tuple(range(input.meta.ndim - 1, -1, -1)))


@composite(
    "mT",
    samples=lambda make: [sample(make(2, 3)), sample(make(2, 3, 4))],
    refusals=lambda make: [
        refused("tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor.", make(3))
    ],
)
def mT(F: Any, input: Tensor) -> Any:
    """Each matrix of the last two dimensions transposed; a 0-dim tensor is given back as it is.

    Smooth everywhere.
    """
    if not input.meta.ndim:
        return input
    if input.meta.ndim < 2:
        raise RuntimeArgumentError(
            f"tensor.mT is only supported on matrices or batches of matrices. Got {input.meta.ndim}-D tensor."
        )
    return F.transpose(input, -2, -1)


@composite(
    "movedim",
    aliases=("moveaxis",),
    samples=lambda make: [sample(make(2, 3, 4), 0, 2), sample(make(2, 3, 4), (0, 1), (1, 2))],
    refusals=lambda make: [
        refused("movedim: repeated dim in `source` ([0, 0])", make(2, 3), (0, 0), (0, 1)),
        refused("movedim: Invalid source or destination dims", make(2, 3), (0,), (0, 1)),
    ],
)
def movedim(F: Any, input: Tensor, source: Shape, destination: Shape) -> Any:
    """`input` with the dimensions `source` moved to `destination`, the others kept in order.

    Smooth everywhere.
    """
    return F.permute(input, _moved(input.meta.ndim, _tuple(source), _tuple(destination)))


def _tuple(dims: Any) -> tuple[int, ...]:
    return (dims,) if isinstance(dims, int) else tuple(dims)


def _moved(rank: int, source: tuple[int, ...], destination: tuple[int, ...]) -> tuple[int, ...]:
    if len(source) != len(destination):
        raise RuntimeArgumentError(
            f"movedim: Invalid source or destination dims: source ({list(source)} dims) should contain the "
            f"same number of dims as destination ({list(destination)} dims)"
        )
    places = []
    for name, dims in (("source", source), ("destination", destination)):
        places.append([wrap_dim(dim, rank) + rank for dim in dims])
        if len(set(places[-1])) != len(dims):
            raise RuntimeArgumentError(f"movedim: repeated dim in `{name}` ({list(dims)})")
    rest = iter(axis for axis in range(rank) if axis not in places[0])
    moved = dict(zip(places[1], places[0], strict=True))
    return tuple(moved[axis] if axis in moved else next(rest) for axis in range(rank))
