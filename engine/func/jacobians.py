"""jacrev, jacfwd and hessian: a vjp, or a jvp, of every element of a standard basis at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.eager.builder import F
from engine.eager.tensor import Tensor
from engine.errors import ValueArgumentError
from engine.func import trees
from engine.func.arguments import Argnums, check_real, chosen
from engine.func.forward import pushed_forward
from engine.func.mapping import vmap
from engine.func.reverse import pulled_back
from engine.types import Type


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that gives the Jacobian of `func` by its arguments `argnums`, in reverse mode.

    It has the structure of the output, and in place of each tensor the structure of the arguments, of tensors
    of shape output + argument. `chunk_size` rows are computed at once, all by default. With `has_aux`, `func`
    returns (output, aux), and the answer is (jacobian, aux).
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueArgumentError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def jacobian(*args: Any) -> Any:
        check_real("jacrev", args, "inputs")
        output, pull, aux = pulled_back(func, args, argnums, has_aux)
        outputs, out_structure = trees.flatten(output)
        check_real("jacrev", outputs, "outputs")
        inputs, structure = _differentiated(args, argnums)
        rows = _rows(pull, trees.unflatten(basis(outputs), out_structure), chunk_size)
        by_input = [split(each, outputs) for each in trees.flatten(rows)[0]]
        found = [
            trees.unflatten(
                [F.view(part, (*y.meta.shape, *x.meta.shape)) for part, x in zip(parts, inputs, strict=True)],
                structure,
            )
            for y, parts in zip(outputs, zip(*by_input, strict=True), strict=True)
        ]
        answer = trees.unflatten([_one(each, argnums) for each in found], out_structure)
        return (answer, aux) if has_aux else answer

    return jacobian


def jacfwd(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
) -> Callable[..., Any]:
    """The same as `jacrev`, a column at a time; `randomness` is that of `vmap`."""

    @functools.wraps(func)
    def jacobian(*args: Any) -> Any:
        check_real("jacfwd", args, "inputs")
        inputs, structure = _differentiated(args, argnums)

        def push(tangents: Any) -> Any:
            output, tangent, aux = pushed_forward(func, args, tangents, argnums, has_aux=has_aux)
            check_real("jacfwd", output, "outputs")
            return (tangent, aux) if has_aux else tangent

        columns = vmap(push, randomness=randomness)(trees.unflatten(basis(inputs), structure))
        if has_aux:
            columns, aux = columns[0], trees.mapped(lambda each: F.select(each, 0, 0), columns[1])
        by_output, out_structure = trees.flatten(columns)
        found = [
            trees.unflatten(
                [_turned(part, x) for part, x in zip(split(each, inputs), inputs, strict=True)], structure
            )
            for each in by_output
        ]
        answer = trees.unflatten([_one(each, argnums) for each in found], out_structure)
        return (answer, aux) if has_aux else answer

    return jacobian


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that gives the Hessian of `func` by its arguments `argnums`: the Jacobian in forward mode of
    that in reverse mode."""
    return jacfwd(jacrev(func, argnums), argnums)


def basis(tensors: Sequence[Tensor]) -> list[Tensor]:
    """The standard basis of the tensors together: as many copies of each as they have elements, one of them
    1 in each."""
    total = sum(each.meta.numel for each in tensors)
    found, start = [], 0
    for each in tensors:
        count = each.meta.numel
        array = np.zeros((total, count), each.dtype.numpy)
        array[start + np.arange(count), np.arange(count)] = 1
        shape = (total, *each.meta.shape)
        found.append(Tensor(array.reshape(shape), Type(shape, each.dtype)))
        start += count
    return found


def _rows(pull: Callable[[Any], Any], cotangents: Any, chunk_size: int | None) -> Any:
    """The vjp of each cotangent. One after another they are calls like any other, free of what `vmap` cannot
    do."""
    if chunk_size != 1:
        return vmap(pull, chunk_size=chunk_size)(cotangents)
    leaves, structure = trees.flatten(cotangents)
    each = [[F.select(leaf, 0, at) for leaf in leaves] for at in range(leaves[0].meta.shape[0])]
    found = [trees.flatten(pull(trees.unflatten(row, structure)))[0] for row in each]
    return [F.stack(column, 0) for column in zip(*found, strict=True)]


def _differentiated(args: Sequence[Any], argnums: Any) -> tuple[list[Tensor], trees.Structure]:
    """The tensors that a Jacobian is by, and the structure of the arguments that they are in."""
    return trees.flatten(tuple(args[place] for place in chosen(argnums, len(args))))


def _one(found: Any, argnums: Any) -> Any:
    """A tuple with an entry for each of `argnums`, or the entry where that is a number."""
    return found if isinstance(argnums, tuple) else found[0]


def split(stacked: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
    """The rows that belong to the elements of each tensor."""
    found, start = [], 0
    for each in tensors:
        stop = start + each.meta.numel
        found.append(F.slice(stacked, 0, start, stop, 1))
        start = stop
    return found


def _turned(columns: Tensor, input: Tensor) -> Tensor:
    """Columns for the elements of `input`, with its dims behind their own."""
    rank = columns.ndim - 1
    turned: Tensor = F.reshape(
        F.permute(columns, (*range(1, rank + 1), 0)), (*columns.shape[1:], *input.shape)
    )
    return turned
