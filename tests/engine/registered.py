"""The samples of the registry that can be transformed, and what is known not to be exact of them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from engine.op import NoDerivative
from tests.engine.harness import Array, Sampled, samples, width
from tests.engine.requesting import Requests
from tests.engine.sampling import Programs
from tests.engine.transforming import Functions, Way, floating_outputs, points_of

WAYS: dict[str, type[Way]] = {"functions": Functions, "programs": Programs, "requests": Requests}

# Samples whose results have as many elements as a mask has true ones: a program knows that when it runs.
SELECTED = {"getitem-10", *(f"masked_select-{at}" for at in range(4))}
MASKED = {*SELECTED, "index_put-3"}  # or their gradients do

# Ops whose derivatives agree less well than rounding allows, with the reason.
LOOSE = {
    "nn.functional.binary_cross_entropy": (
        1e-10,
        "PyTorch bounds x (1 - x) below by 1e-12 in the gradient and adds 1e-12 to it in what comes of that",
    )
}

# Ops whose derivative has none, as PyTorch's has not: no second derivatives, and no forward mode.
ONCE = {"nn.functional.ctc_loss"}

EVERY = list(samples())
TRANSFORMED = [
    each
    for each in EVERY
    if points_of(each)
    and floating_outputs(each)
    and not isinstance(each.op.vjp, NoDerivative)
    and each.op.name not in ONCE
]


def by_way(cases: Sequence[Sampled], *ways: str, masked: bool = True) -> list[Any]:
    """Each sample by each of `ways`; programs may not call internal ops, nor be given cotangents of a size
    that a mask tells when they run (without `masked`)."""
    found = []
    for name in ways:
        for each in cases:
            refused = each.op.name.startswith("_") or (each.id in MASKED and not masked)
            if name == "functions" or not refused:
                found.append(pytest.param(WAYS[name], each, id=f"{name}-{each.id}"))
    return found


def generator_of(sampled: Sampled) -> np.random.Generator:
    """The same numbers for a sample at every run."""
    return np.random.default_rng(zlib.crc32(sampled.id.encode()))


def like(generator: np.random.Generator, arrays: Sequence[Array]) -> list[Array]:
    """Random arrays of the shapes and dtypes of others."""
    found = []
    for array in arrays:
        values: Any = generator.uniform(-1, 1, array.shape)
        if array.dtype.kind == "c":
            values = values + 1j * generator.uniform(-1, 1, array.shape)
        found.append(np.asarray(values, array.dtype))
    return found


def narrowest(*arrays: Array) -> int:
    """The bytes of a real number of the narrowest dtype among floating arrays."""
    return min(width(array.dtype) for array in arrays)


def inner(left: Sequence[Array], right: Sequence[Array]) -> tuple[float, float]:
    """The sum of Re(conj(left) right), and the sum of the sizes of its terms."""
    total = size = 0.0
    for one, other in zip(left, right, strict=True):
        terms = np.conj(one.astype(np.complex128)) * other
        total += float(terms.real.sum())
        size += float(np.abs(terms).sum())
    return total, size
