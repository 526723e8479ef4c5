"""The running logarithm of a sum of exponentials."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import FLOAT
from engine.errors import NotImplementedYet
from engine.op import refused, sample
from engine.ops.reductions import wide
from engine.ops.scans import SCALAR_RANGE, backwards
from engine.signature import Array, Dim, Tensor
from engine.types import Type


def _type(input: Type, dim: Dim) -> Type:
    if input.dtype.category < FLOAT:
        raise NotImplementedYet(
            f"\"logcumsumexp_out_cpu\" not implemented for '{input.dtype.title}'", actual=input.dtype.name
        )
    return Type(input.shape, input.dtype)


def _vjp(F: Any, x: Any, y: Any, g: Any, dim: int) -> Any:
    """x[i] gets the sum over j >= i of g[j] exp(x[i] - y[j]), from the end; every factor is at most 1."""

    def rule() -> Any:
        meta = y.meta
        if not meta.shape or not meta.shape[dim]:
            return g
        shrunk = F.conj(F.exp(F.sub(F.roll(y, 1, dim), y)))  # the first counts for nothing
        return F.mul(backwards(F, g, shrunk, dim), F.conj(F.exp(F.sub(x[0], y))))

    return (rule,)


def _complex_scan(rows: Array) -> Array:
    found = np.array(rows)
    for at in range(1, len(found)):
        one, two = found[at - 1], found[at]
        swap = two.real > one.real
        large, small = np.where(swap, two, one), np.where(swap, one, two)
        found[at] = np.where(np.isneginf(large.real), large, large + np.log1p(np.exp(small - large)))
    return found


@kernel(
    "logcumsumexp",
    kind="structural",
    infer=_type,
    vjp=_vjp,
    saves=("dim", "result", "self"),
    samples=lambda make: [
        sample(make(2, 3), 1),
        sample(make(3, 2, 2), -3),
        sample(make(3) + 1j * make(3, low=-0.5, high=0.5), 0),
        sample(make(0, 2), 0),
        sample(make(), 0),
    ],
    refusals=lambda make: [
        refused(SCALAR_RANGE, make(3), 2),
        refused("\"logcumsumexp_out_cpu\" not implemented for 'Long'", make.ints(3), 0),
    ],
)
def logcumsumexp(input: Tensor, dim: Dim, *, lead: int) -> Array:
    """The logarithm of the sum of exp(input) along `dim` up to each element.

    Smooth everywhere. The gradient is nan as long as all elements so far are -inf.

    Unlike torch: with elements of both infinities the gradient of what is finite between them is nan, too.
    """
    if input.ndim == lead:
        return np.array(input)
    if input.dtype.kind == "c":
        return np.asarray(np.moveaxis(_complex_scan(np.moveaxis(input, dim, 0)), 0, dim))
    found: Array = np.logaddexp.accumulate(input, axis=dim, dtype=wide(input.dtype))
    return found.astype(input.dtype, copy=False)
