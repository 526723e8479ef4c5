"""Tensors joined to one, and one taken apart: cat, stack, unbind."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from engine.define import kernel
from engine.errors import DimError, RuntimeArgumentError, ShapeError, ValueArgumentError
from engine.kernels import promoted
from engine.op import refused, sample
from engine.signature import Array, Dim, NewDim, Tensor, Tensors
from engine.types import Type, strided


def _is_skipped(each: Any, lead: int = 0) -> bool:
    """torch lets cat have empty vectors beside tensors of any rank."""
    return bool(each.shape[lead:] == (0,))


def _cat_type(tensors: tuple[Type, ...], dim: Dim) -> Type:
    if not tensors:
        raise ValueArgumentError("torch.cat(): expected a non-empty list of Tensors")
    for at, each in enumerate(tensors):
        if not each.shape:
            raise RuntimeArgumentError(f"zero-dimensional tensor (at position {at}) cannot be concatenated")
    joined = [(at, each) for at, each in enumerate(tensors) if not _is_skipped(each)]
    dtype = promoted(list(tensors))
    if not joined:
        return Type((0,), dtype)
    first = joined[0][1]
    for _, each in joined:
        if each.ndim != first.ndim:
            raise ShapeError(
                f"Tensors must have same number of dimensions: got {first.ndim} and {each.ndim}",
                expected=first.ndim,
                actual=each.ndim,
            )
    axis = dim + first.ndim
    total = 0
    for at, each in joined:
        _check_joined(first, each, axis, at)
        total += each.shape[axis]
    return Type((*first.shape[:axis], total, *first.shape[axis + 1 :]), dtype)


def _check_joined(first: Type, other: Type, axis: int, at: int) -> None:
    for place, (want, have) in enumerate(zip(first.shape, other.shape, strict=True)):
        if place != axis and want != have:
            raise ShapeError(
                f"Sizes of tensors must match except in dimension {axis}. Expected size {want} but got "
                f"size {have} for tensor number {at} in the list.",
                expected=want,
                actual=have,
            )


def _cat_rule(F: Any, x: Any, y: Any, g: Any, dim: Dim) -> Any:
    def part(start: int, operand: Any) -> Any:
        if _is_skipped(operand):
            return lambda: F.zeros((0,), dtype=operand.meta.dtype)
        return lambda: F.slice(g, dim, start, start + operand.shape[dim])

    rules, start = [], 0
    for operand in x:
        rules.append(part(start, operand))
        start += 0 if _is_skipped(operand) else operand.shape[dim]
    return rules


@kernel(
    "cat",
    kind="structural",
    infer=_cat_type,
    vjp=_cat_rule,
    saves=("dim",),
    aliases=("concat", "concatenate"),
    samples=lambda make: [
        sample([make(2, 3), make(1, 3)]),
        sample([make(2, 3), make(2, 1), make(2, 2)], -1),
        sample([make(0), make(2, 3)]),
        sample([make(2), make.ints(3)]),
    ],
    refusals=lambda make: [
        refused("torch.cat(): expected a non-empty list of Tensors", []),
        refused("zero-dimensional tensor (at position 1) cannot be concatenated", [make(2), make()]),
        refused("Tensors must have same number of dimensions: got 2 and 3", [make(2, 3), make(2, 3, 1)]),
        refused(
            "Sizes of tensors must match except in dimension 0. Expected size 3 but got size 4 for tensor "
            "number 1 in the list.",
            [make(2, 3), make(2, 4)],
        ),
    ],
)
def cat(tensors: Tensors, dim: Dim = 0, *, meta: Type, lead: int) -> Array:
    """Tensors joined along a dimension that they have; empty vectors are left out.

    Smooth everywhere.
    """
    parts = [each for each in tensors if not _is_skipped(each, lead)]
    dtype = meta.dtype.numpy
    return np.concatenate(parts, axis=dim, dtype=dtype) if parts else np.zeros(meta.shape, dtype)


def _stack_type(tensors: tuple[Type, ...], dim: NewDim) -> Type:
    if not tensors:
        raise RuntimeArgumentError("stack expects a non-empty TensorList")
    first = tensors[0]
    for at, each in enumerate(tensors):
        if each.shape != first.shape:
            raise ShapeError(
                f"stack expects each tensor to be equal size, but got {list(first.shape)} at entry 0 and "
                f"{list(each.shape)} at entry {at}",
                expected=list(first.shape),
                actual=list(each.shape),
            )
    axis = dim + first.ndim + 1
    return Type((*first.shape[:axis], len(tensors), *first.shape[axis:]), promoted(list(tensors)))


@kernel(
    "stack",
    kind="structural",
    infer=_stack_type,
    vjp=lambda F, x, y, g, dim: [partial(F.select, g, dim, at) for at in range(len(x))],
    saves=("dim",),
    samples=lambda make: [
        sample([make(3), make(3)]),
        sample([make(2, 3), make(2, 3)], -1),
        sample([make(), make()]),
    ],
    refusals=lambda make: [
        refused("stack expects a non-empty TensorList", []),
        refused(
            "stack expects each tensor to be equal size, but got [2] at entry 0 and [3] at entry 1",
            [make(2), make(3)],
        ),
    ],
)
def stack(tensors: Tensors, dim: NewDim = 0, *, meta: Type) -> Array:
    """Tensors of one shape joined along a new dimension.

    Smooth everywhere.
    """
    return np.stack(tensors, axis=dim, dtype=meta.dtype.numpy)


def _unbind_type(input: Type, dim: Dim) -> tuple[Type, ...]:
    if not input.shape:
        raise DimError("Dimension specified as 0 but tensor has no dimensions")
    axis = dim + input.ndim
    steps = input.stride()
    shape, strides = input.shape[:axis] + input.shape[axis + 1 :], steps[:axis] + steps[axis + 1 :]
    return (strided(shape, input.dtype, strides),) * input.shape[axis]


def _unbind_rule(F: Any, x: Any, y: Any, g: Any, dim: Dim) -> Any:
    def stacked() -> Any:
        parts = zip(g, y, strict=True)
        return F.stack(
            [F.zeros(own.meta.shape, dtype=own.meta.dtype) if each is None else each for each, own in parts],
            dim,
        )

    return (stacked,)


@kernel(
    "unbind",
    kind="view",
    infer=_unbind_type,
    vjp=_unbind_rule,
    outputs=(),
    saves=("dim",),
    aliases=("unstack",),
    samples=lambda make: [sample(make(2, 3)), sample(make(2, 3), -1), sample(make(1, 2))],
    refusals=lambda make: [refused("Dimension specified as 0 but tensor has no dimensions", make())],
)
def unbind(input: Tensor, dim: Dim = 0) -> tuple[Array, ...]:
    """The slices of `input` along `dim`, as a tuple of views.

    Smooth everywhere.
    """
    moved = np.moveaxis(input, dim, 0)
    return tuple(moved[at, ...] for at in range(moved.shape[0]))
