"""Numerical Jacobians: central differences of a function whose input is changed in its own memory.

An element of the input is a row, an element of the output a column, as torch has it. Along an element
z = a + bi of a complex input the entry is ∂y/∂a + i ∂y/∂b, for a real y.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.eager.tensor import Tensor
from engine.errors import AssertedArgumentError
from engine.gradcheck.calls import Call
from engine.seeds import size_text

Array = np.ndarray[Any, Any]


def jacobians(call: Call, given: Tensor, eps: float) -> list[Array]:
    """The Jacobian of each output with respect to `given`, one of the inputs."""
    rows = []
    for place in np.ndindex(given.array.shape):

        def slope(step: Any, place: tuple[int, ...] = place) -> list[Array]:
            return _central(call, given, place, step, eps)

        rows.append(_wirtinger(slope, eps, eps, given.is_complex()))
    found = []
    for at, output in enumerate(call.results()):
        dtype = given.array.dtype if given.is_complex() else output.array.dtype
        columns = [row[at] for row in rows]
        dtype = dtype if dtype.kind in "fc" else np.dtype(np.float64)
        found.append(np.array(columns, dtype).reshape(given.numel(), output.numel()))
    return found


def along(call: Call, given: Tensor, directions: Sequence[Array], eps: float) -> list[Array]:
    """The derivative of each output, flat, along a direction in the space of `given`; for a complex input
    there are two, of its real and its imaginary parts."""
    ways = [each.reshape(given.array.shape) * eps for each in directions]

    def slope(step: Any) -> list[Array]:
        return _central(call, given, (), step, eps)

    return _wirtinger(slope, ways[0], ways[-1], given.is_complex())


def _wirtinger(
    slope: Callable[[Any], list[Array]], real: Any, imaginary: Any, is_complex: bool
) -> list[Array]:
    found = slope(real)
    if not is_complex:
        return found
    return [one + other * 1j for one, other in zip(found, slope(imaginary * 1j), strict=True)]


def _central(call: Call, given: Tensor, place: tuple[int, ...], step: Any, eps: float) -> list[Array]:
    """(f(x + step) - f(x - step)) / 2 eps for each output, flat; `step` is added to `given` at `place`."""
    array = given.array
    before = array[place].copy()
    sides = []
    try:
        for moved in (before - step, before + step):
            array[place] = moved
            sides.append([each.array.copy() for each in call.results()])
    finally:
        array[place] = before
    where = f"on index {place} " if place else ""
    with np.errstate(all="ignore"):
        return [_quotient(behind, ahead, eps, where) for behind, ahead in zip(*sides, strict=True)]


def _quotient(behind: Array, ahead: Array, eps: float, where: str) -> Array:
    changed = [
        ("shape", size_text(behind.shape), size_text(ahead.shape)),
        ("dtype", f"torch.{behind.dtype}", f"torch.{ahead.dtype}"),
    ]
    for name, one, other in changed:
        if one != other:
            raise AssertedArgumentError(
                f"Expected `func` to return outputs with the same {name} when inputs are perturbed "
                f"{where}by {eps}, but got: {name}s {one} and {other}."
            )
    if ahead.dtype.kind not in "fc":
        behind, ahead = behind.astype(float), ahead.astype(float)
    return np.asarray((ahead - behind) / (2 * eps)).reshape(-1)
