"""The order at which the remainder of a Taylor expansion falls, in one random direction.

|f(x + t d) - f(x) - t J d| falls as t² where J is the derivative of a smooth f, and as t where it is not;
the remainder of a linear f is rounding noise. The steps t span eight decades, and the order is read at the
smallest that stand above the noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.eager.tensor import Tensor
from engine.program.gradcheck.differences import ULP

Array = np.ndarray[Any, Any]

RATIO = 4.0
STEPS = 0.0617 * RATIO ** -np.arange(13.0)
# so near each other that what a smooth function does not do between them is noise
NOISE_STEPS = np.multiply.outer([2.0**-26, 2.0**-14], np.arange(1.0, 8.0)).reshape(-1)
EVALUATIONS = 2 * len(STEPS) + len(NOISE_STEPS)
_ABOVE = 8  # times the noise: a remainder to be trusted
_SUDDEN = 3.0  # a remainder that falls faster was there because of something further off


@dataclass(frozen=True, slots=True)
class Convergence:
    """`order` is the lowest of `orders`, which are by output; None where the remainder is rounding noise: the
    function is linear, and its gradient right. `remainders` are the larger of the two at ±t, for each t of
    `steps`; `direction` is d, by input."""

    order: float | None
    orders: dict[str, float | None]
    steps: tuple[float, ...]
    remainders: dict[str, tuple[float, ...]]
    direction: dict[str, Tensor]


def direction(generator: np.random.Generator, scale: Array) -> Array:
    """A random direction that moves every element by half to all of its scale."""
    sign = np.where(generator.random(scale.shape) < 0.5, -1.0, 1.0)
    return np.asarray(sign * generator.uniform(0.5, 1.0, scale.shape) * scale)


def noise(values: Array) -> Array:
    """What each output element may be off by, from the outputs (flat) at NOISE_STEPS: a smooth function has
    no differences of fourth order between the first half. One that is flat there may go in steps: they show
    in the differences of sixth order between the others."""
    near, far = values.reshape(2, 7, -1)
    fourth = np.abs(np.diff(near, 4, axis=0)).max(axis=0) / math.sqrt(70)
    sixth = np.abs(np.diff(far, 6, axis=0))[0] / math.sqrt(924)
    found = 3 * np.where((near == near[0]).all(axis=0), sixth, fourth)
    return np.where(np.isfinite(found), found, 0.0)


def remainders(
    values: Array, here: Array, linear: Array, magnitude: Array, noise: Array
) -> tuple[Array, Array]:
    """The lengths of `values` - `here` - `linear`, a row for each point, and those of the noise in them;
    `magnitude` is what `linear` is the sum of, without the signs."""
    off = noise + 2 * ULP * (np.abs(here) + np.abs(values) + magnitude)
    return np.linalg.norm(values - here - linear, axis=1), np.linalg.norm(off, axis=1)


def order(remainders: Array, noises: Array) -> float | None:
    """The slope of log remainder over log step, at the smallest of STEPS where it can be told; None where the
    remainder is noise there."""
    known = np.isfinite(remainders) & np.isfinite(noises)
    steps, found, floor = STEPS[known], remainders[known], np.maximum(noises[known], 1e-300)
    loud = np.flatnonzero(found > _ABOVE * floor)
    if not loud.size:
        return None
    last = int(loud[-1])
    if last + 1 < len(found):
        fall = math.log(found[last] / max(found[last + 1], floor[last + 1])) / math.log(RATIO)
        if fall > _SUDDEN:
            return None
    first = last
    while first > max(last - 2, 0) and first - 1 in loud:
        first -= 1
    if first == last:
        return None
    slope = np.polyfit(np.log(steps[first : last + 1]), np.log(found[first : last + 1]), 1)[0]
    return float(slope)
