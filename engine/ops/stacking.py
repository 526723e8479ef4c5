"""Tensors side by side: hstack and kin, at least so many dimensions, matrices as blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.errors import RuntimeArgumentError, ShapeError
from engine.kernels import promoted
from engine.op import refused, sample
from engine.signature import Array, Tensors
from engine.types import Type


def _one_or_all(F: Any, tensors: Any, raise_: Any) -> Any:
    """What `raise_` makes of one tensor, or of each."""
    found = tuple(raise_(each) for each in tensors)
    return found[0] if len(found) == 1 else found


@composite(
    "atleast_1d",
    samples=lambda make: [sample(make()), sample(make(2)), sample([make(), make(2)])],
)
def atleast_1d(F: Any, tensors: Tensors) -> Any:
    """Tensors of at least one dimension, as views.

    Smooth everywhere.
    """
    return _one_or_all(F, tensors, lambda each: each if each.meta.ndim else F.reshape(each, (1,)))


@composite(
    "atleast_2d",
    samples=lambda make: [sample(make()), sample(make(2)), sample(make(2, 1)), sample([make(), make(2)])],
)
def atleast_2d(F: Any, tensors: Tensors) -> Any:
    """Tensors of at least two dimensions, as views: a vector is a row.

    Smooth everywhere.
    """

    def two(each: Any) -> Any:
        rank = each.meta.ndim
        if rank == 0:
            return F.reshape(each, (1, 1))
        return F.unsqueeze(each, 0) if rank == 1 else each

    return _one_or_all(F, tensors, two)


@composite(
    "atleast_3d",
    samples=lambda make: [sample(make()), sample(make(2)), sample(make(2, 1)), sample([make(), make(2)])],
)
def atleast_3d(F: Any, tensors: Tensors) -> Any:
    """Tensors of at least three dimensions, as views: a vector is the row of a matrix of depth 1.

    Smooth everywhere.
    """

    def three(each: Any) -> Any:
        rank = each.meta.ndim
        if rank == 0:
            return F.reshape(each, (1, 1, 1))
        if rank == 1:
            return F.unsqueeze(F.unsqueeze(each, 0), -1)
        return F.unsqueeze(each, -1) if rank == 2 else each

    return _one_or_all(F, tensors, three)


def _each(F: Any, name: str, rank: str, tensors: Any) -> list[Any]:
    if not tensors:
        raise RuntimeArgumentError(f"{name} expects a non-empty TensorList")
    raised = getattr(F, f"atleast_{rank}")
    return [raised([each]) for each in tensors]


@composite(
    "hstack",
    samples=lambda make: [
        sample([make(2), make(3)]),
        sample([make(2, 1), make(2, 2)]),
        sample([make(), make()]),
    ],
    refusals=lambda make: [
        refused("hstack expects a non-empty TensorList", []),
        refused("Sizes of tensors must match except in dimension 1.", [make(2, 1), make(3, 1)]),
    ],
)
def hstack(F: Any, tensors: Tensors) -> Any:
    """Tensors joined along their columns (dim 1), vectors end to end.

    Smooth everywhere.
    """
    found = _each(F, "hstack", "1d", tensors)
    return F.cat(found, 0 if found[0].meta.ndim == 1 else 1)


@composite(
    "vstack",
    aliases=("row_stack",),
    samples=lambda make: [sample([make(3), make(3)]), sample([make(2, 3), make(3)]), sample([make()])],
    refusals=lambda make: [
        refused("vstack expects a non-empty TensorList", []),
        refused("Sizes of tensors must match except in dimension 0.", [make(2), make(3)]),
    ],
)
def vstack(F: Any, tensors: Tensors) -> Any:
    """Tensors joined along their rows (dim 0), a vector as one row.

    Smooth everywhere.
    """
    return F.cat(_each(F, "vstack", "2d", tensors), 0)


@composite(
    "dstack",
    samples=lambda make: [sample([make(3), make(3)]), sample([make(2, 3), make(2, 3)])],
    refusals=lambda make: [refused("dstack expects a non-empty TensorList", [])],
)
def dstack(F: Any, tensors: Tensors) -> Any:
    """Tensors joined along their depth (dim 2).

    Smooth everywhere.
    """
    return F.cat(_each(F, "dstack", "3d", tensors), 2)


@composite(
    "column_stack",
    samples=lambda make: [
        sample([make(3), make(3)]),
        sample([make(2), make(2, 3)]),
        sample([make(), make()]),
    ],
    refusals=lambda make: [refused("column_stack expects a non-empty TensorList", [])],
)
def column_stack(F: Any, tensors: Tensors) -> Any:
    """Tensors joined along their columns (dim 1), a vector as one column.

    Smooth everywhere.
    """
    if not tensors:
        raise RuntimeArgumentError("column_stack expects a non-empty TensorList")
    columns = [F.reshape(each, (each.meta.numel, 1)) if each.meta.ndim < 2 else each for each in tensors]
    return F.hstack(columns)


def _block(each: Type) -> tuple[int, ...]:
    return (1,) * (2 - each.ndim) + each.shape


def _block_diag_type(tensors: tuple[Type, ...]) -> Type:
    for at, each in enumerate(tensors):
        if each.ndim > 2:
            raise ShapeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input "
                f"{at} has {each.ndim} dimensions"
            )
    if not tensors:
        raise RuntimeArgumentError("torch.block_diag: expected a non-empty list of Tensors")
    blocks = [_block(each) for each in tensors]
    return Type((sum(rows for rows, _ in blocks), sum(cols for _, cols in blocks)), promoted(list(tensors)))


def _block_diag_rule(F: Any, x: Any, y: Any, g: Any) -> Any:
    def part(row: int, col: int, operand: Any) -> Any:
        rows, cols = _block(operand.meta)

        def cut() -> Any:
            block = F.slice(F.slice(g, 0, row, row + rows), 1, col, col + cols)
            return F.reshape(block, operand.meta.shape)

        return cut

    rules, row, col = [], 0, 0
    for operand in x:
        rules.append(part(row, col, operand))
        row, col = (at + size for at, size in zip((row, col), _block(operand.meta), strict=True))
    return rules


@kernel(
    "block_diag",
    kind="structural",
    infer=_block_diag_type,
    vjp=_block_diag_rule,
    samples=lambda make: [
        sample([make(2, 3), make(1, 2)]),
        sample([make(2), make(), make(2, 1)]),
        sample([make(0, 2), make(2, 2)]),
    ],
    refusals=lambda make: [
        refused("Input tensors must have 2 or fewer dimensions. Input 1 has 3 dimensions",
                [make(2), make(1, 1, 1)])
    ],
    batched="loop",
)  # fmt: skip
def block_diag(tensors: Tensors, *, meta: Type) -> Array:
    """A matrix of zeros with the tensors as blocks on its diagonal.

    Smooth everywhere.
    """
    found = np.zeros(meta.shape, meta.dtype.numpy)
    row = col = 0
    for each in tensors:
        block = np.atleast_2d(each)
        found[row : row + block.shape[0], col : col + block.shape[1]] = block
        row, col = row + block.shape[0], col + block.shape[1]
    return found
