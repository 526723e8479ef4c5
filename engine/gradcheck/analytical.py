"""Analytical Jacobians: the vjp of an output with one unit cotangent after another.

All is computed twice, so that a backward that gives another answer each time is found out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from engine.eager.sweep import grad
from engine.eager.tensor import Tensor
from engine.errors import GradcheckError
from engine.gradcheck import messages

Array = np.ndarray[Any, Any]


def jacobians(output: Tensor, inputs: Sequence[Tensor], *, nondet_tol: float = float("inf")) -> list[Array]:
    """The Jacobian of `output` with respect to each of `inputs`: an element of an input is a row."""
    return _twice(output, inputs, list(_units(output)), nondet_tol)


def against(output: Tensor, inputs: Sequence[Tensor], v: Array, *, nondet_tol: float) -> list[Array]:
    """The vjp with `v`, flat, for each of `inputs`, flat too."""
    cotangent = Tensor(v.reshape(output.shape))
    found = _twice(output, inputs, [cotangent], nondet_tol)
    return [each.reshape(-1) for each in found]


def _units(output: Tensor) -> Iterator[Tensor]:
    for place in np.ndindex(output.array.shape):
        array = np.zeros(output.array.shape, output.array.dtype)
        array[place] = 1
        yield Tensor(array)


def _twice(
    output: Tensor, inputs: Sequence[Tensor], cotangents: list[Tensor], nondet_tol: float
) -> list[Array]:
    first, second = (_rows(output, inputs, cotangents) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        with np.errstate(all="ignore"):
            if one.size and np.abs(one - other).max() > nondet_tol:
                raise GradcheckError(messages.not_reentrant(nondet_tol))
    return first


def _rows(output: Tensor, inputs: Sequence[Tensor], cotangents: list[Tensor]) -> list[Array]:
    found = [np.zeros((each.numel(), len(cotangents)), each.array.dtype) for each in inputs]
    for at, cotangent in enumerate(cotangents):
        gradients = grad(output, inputs, cotangent, retain_graph=True, allow_unused=True)
        for jacobian, gradient in zip(found, gradients, strict=True):
            if gradient is not None:
                jacobian[:, at] = gradient.array.reshape(-1)
    return found
