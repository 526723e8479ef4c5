"""einsum: sums of products by an equation, taken apart exactly as torch takes them apart.

Operands are permuted to one layout, output dims first and then those to sum out, and contracted from left to
right, each pair by one batched matrix product.
"""

from __future__ import annotations

import math
from typing import Any

from engine.define import composite
from engine.errors import ShapeError, ValueArgumentError
from engine.op import refused, sample
from engine.ops.equation import ELLIPSIS, Layout, read_equation
from engine.signature import Tensors


class _Sizes:
    """The size of each place of the layout, and how many operands have it other than 1."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.sizes = [1] * layout.rank
        self.counts = [0] * layout.rank

    def see(self, place: int, size: int, dim: int, label: str, number: int) -> None:
        if size == 1:
            return
        known = self.sizes[place]
        if known not in (1, size):
            if label == ELLIPSIS:
                text = (
                    f"einsum(): dimension {dim} covered by ellipsis in operand {number}has size {size} "
                    f"which does not broadcast with previously seen ellipsis with size {known} for the "
                    "respective dimension"
                )
            else:
                text = (
                    f"einsum(): subscript {label} has size {size} for operand {number} which does not "
                    f"broadcast with previously seen size {known}"
                )
            raise ShapeError(text, expected=known, actual=size)
        self.sizes[place] = size
        self.counts[place] += 1


def _aligned(F: Any, operand: Any, labels: list[str], number: int, sizes: _Sizes) -> Any:
    """`operand` with its dims in the layout's places; repeated labels are diagonals, missing ones size 1."""
    layout = sizes.layout
    order = [-1] * layout.rank
    hidden = operand.meta.ndim - (len(labels) - 1)
    dim = 0
    for label in labels:
        if label == ELLIPSIS:
            for place in range(layout.ellipsis + layout.covered - hidden, layout.ellipsis + layout.covered):
                sizes.see(place, operand.meta.shape[dim], dim, label, number)
                order[place] = dim
                dim += 1
            continue
        place = layout.place[label]
        if order[place] < 0:
            sizes.see(place, operand.meta.shape[dim], dim, label, number)
            order[place] = dim
            dim += 1
        else:
            operand = _diagonal(F, operand, label, number, order[place], dim)
    for place, found in enumerate(order):
        if found < 0:
            operand = F.unsqueeze(operand, dim)
            order[place] = dim
            dim += 1
    return F.permute(operand, tuple(order))


def _diagonal(F: Any, operand: Any, label: str, number: int, first: int, second: int) -> Any:
    sizes = operand.meta.shape[second], operand.meta.shape[first]
    if sizes[0] != sizes[1]:
        raise ShapeError(
            f"einsum(): subscript {label} is repeated for operand {number} but the sizes don't match, "
            f"{sizes[0]} != {sizes[1]}",
            expected=sizes[1],
            actual=sizes[0],
        )
    return F.movedim(F.diagonal(operand, 0, first, second), -1, first)


def _contracted(F: Any, left: Any, right: Any, sizes: _Sizes) -> Any:
    """The product of two aligned operands, summed over what no other operand has."""
    layout, counts = sizes.layout, sizes.counts
    alone: tuple[list[int], list[int]] = ([], [])
    both = []
    for dim in range(layout.out, layout.rank):
        wide = left.meta.shape[dim] != 1, right.meta.shape[dim] != 1
        if all(wide):
            counts[dim] -= 1
            if counts[dim] == 1:
                both.append(dim)
                counts[dim] = 0
        elif any(wide) and counts[dim] == 1:
            alone[wide[1]].append(dim)
            counts[dim] = 0
    left = F.sum(left, tuple(alone[0]), True) if alone[0] else left
    right = F.sum(right, tuple(alone[1]), True) if alone[1] else right
    return _summed_product(F, left, right, both) if both else F.mul(left, right)


def _summed_product(F: Any, left: Any, right: Any, dims: list[int]) -> Any:
    """(left * right).sum(dims, keepdim=True) by one bmm."""
    sizes = left.meta.shape, right.meta.shape
    rank = len(sizes[0])
    kept = [dim for dim in range(rank) if dim not in dims]
    shared = [dim for dim in kept if sizes[0][dim] != 1 and sizes[1][dim] != 1]
    mine = [dim for dim in kept if sizes[0][dim] != 1 and sizes[1][dim] == 1]
    theirs = [dim for dim in kept if sizes[0][dim] == 1]
    if mine and theirs and theirs[-1] < mine[0]:  # swapped, bmm gives the dims in the order of the output
        left, right, sizes, mine, theirs = right, left, sizes[::-1], theirs, mine
    count = [math.prod(sizes[0][dim] for dim in group) for group in (shared, mine, dims)]
    columns = math.prod(sizes[1][dim] for dim in theirs)
    first = F.reshape(F.permute(left, (*shared, *mine, *dims, *theirs)), (count[0], count[1], count[2]))
    second = F.reshape(F.permute(right, (*shared, *dims, *theirs, *mine)), (count[0], count[2], columns))
    order = [*shared, *mine, *dims, *theirs]
    shape = tuple(1 if dim in dims else sizes[dim in theirs][dim] for dim in order)
    return F.permute(F.view(F.bmm(first, second), shape), tuple(order.index(dim) for dim in range(rank)))


@composite(
    "einsum",
    samples=lambda make: [
        sample("ij,jk->ik", make(2, 3), make(3, 4)),
        sample("ii->i", make(3, 3)),
        sample("ij->", make(2, 3)),
        sample("...ij,jk", make(2, 2, 3), make(3, 2)),
        sample("i,ij,j->", make(2), make(2, 3), make(3)),
        sample("bij,bkj->bik", make(2, 2, 3), make(2, 4, 3)),
        sample("i,j->ji", make(2), make(3)),
        sample("ij,jk->ik", make(2, 2) + 1j, make(2, 2) + 1j * make(2, 2)),
    ],
    refusals=lambda make: [
        refused(
            "subscript j has size 2 for operand 1 which does not broadcast",
            "ij,jk->ik",
            make(2, 3),
            make(2, 3),
        ),
        refused("output subscript k does not appear in the equation", "ij->ik", make(2, 3)),
        refused("output subscript i appears more than once in the output", "ij->ii", make(2, 3)),
        refused("fewer operands were provided than specified", "ij,jk", make(2, 3)),
        refused("more operands were provided than specified", "ij", make(2, 3), make(2, 3)),
        refused("invalid subscript given at index 1 in the equation string", "i1->i", make(2, 3)),
        refused("(3) does not match the number of dimensions (2) for operand 0", "ijk->i", make(2, 3)),
        refused("is repeated for operand 0 but the sizes don't match, 3 != 2", "ii->i", make(2, 3)),
        refused("that is not part of any ellipsis", "ij.->i", make(2, 3)),
        refused("einsum(): must specify the equation string and at least one operand", "->"),
    ],
)
def einsum(F: Any, equation: str, operands: Tensors = ()) -> Any:
    """The sum of products of `operands` that `equation` names: "ij,jk->ik" is the matrix product.

    Smooth everywhere. A label not in the output is summed over; "..." stands for the dims not named; without
    an arrow the output has the labels seen once, in alphabetical order.
    """
    if not operands:
        raise ValueArgumentError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand "
            "and its subscripts list"
        )
    parts, layout = read_equation(equation, [each.meta.ndim for each in operands])
    sizes = _Sizes(layout)
    aligned = [
        _aligned(F, each, labels, number, sizes)
        for number, (each, labels) in enumerate(zip(operands, parts, strict=True))
    ]
    found = aligned[0]
    for each in aligned[1:]:
        found = _contracted(F, found, each, sizes)
    if layout.rank == layout.out:
        return found
    if len(aligned) > 1:
        return F.view(found, found.meta.shape[: layout.out])
    return F.sum(found, tuple(range(layout.out, layout.rank)))
