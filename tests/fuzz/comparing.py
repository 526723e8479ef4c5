"""What counts as the same: equal bits but for the order of sums, which a program may amplify.

A value may differ by so many units in the last place of what went into it; how far that moves the answer, the
program itself tells when its inputs are moved by as much.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import engine
from tests.fuzz.drawing import Program
from tests.fuzz.running import Answer, eager

CLOSE = 1e-9  # relative, in float64
CLOSE_SINGLE = 2e-4
NUDGE = 1e-12


def differences(one: Answer, other: Answer, close: float = CLOSE) -> list[str]:
    """Where two answers differ."""
    if one.error or other.error:
        return [] if one.error == other.error else [f"errors: {one.error!r} and {other.error!r}"]
    found = []
    for kind, left, right in (("output", one.outputs, other.outputs), ("grad", one.grads, other.grads)):
        if left.keys() != right.keys():
            found.append(f"{kind}s of {sorted(left.keys() ^ right.keys())}")
        for name in left.keys() & right.keys():
            text = _difference(left[name], right[name], close)
            found += [f"{kind} {name}: {text}"] if text else []
    return found


def _difference(one: Any, other: Any, close: float) -> str:
    if (one.shape, one.dtype) != (other.shape, other.dtype):
        return f"{one.dtype}{list(one.shape)} and {other.dtype}{list(other.shape)}"
    if one.dtype.kind not in "fc":
        return "" if np.array_equal(one, other) else f"{one} and {other}"
    tolerance = CLOSE_SINGLE if one.dtype.itemsize <= 4 or one.dtype == np.complex64 else close
    with np.errstate(all="ignore"):
        size = max(1.0, *[np.abs(each[np.isfinite(each)]).max(initial=0) for each in (one, other)])
        same = np.isclose(one, other, rtol=tolerance, atol=tolerance * size, equal_nan=True)
    return "" if same.all() else f"{one[~same].ravel()[:3]} and {other[~same].ravel()[:3]}"


def is_shaky(program: Program, seed: int) -> bool:
    """Whether inputs that differ in the last digits move the answer as well: at a jump, near a pole."""
    numbers = np.random.default_rng(seed)
    moved = {}
    for name, each in program.inputs.items():
        data = each.detach().numpy()
        if data.dtype.kind in "fc":
            data = data * (1 + NUDGE * numbers.uniform(-1, 1, data.shape)) + NUDGE * numbers.uniform(-1, 1)
        moved[name] = engine.tensor(
            np.asarray(data).astype(each.dtype.numpy), requires_grad=each.requires_grad
        )
    return bool(differences(eager(program, seed), eager(program._replace(inputs=moved), seed), CLOSE / 10))
