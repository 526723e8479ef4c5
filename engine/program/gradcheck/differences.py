"""Difference quotients that choose their own step.

An element is moved by several steps, each a small part of the one before. Where two steps that follow each
other agree best, the quotient lies between the error of a large step and the noise of a small one: there it
is read, with that disagreement as its error. Nobody has to know an eps.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

RATIO = 64.0
STEPS = 0.0617 * RATIO ** -np.arange(5.0)  # of the scale of an element; not round, so that no period fits
COPIES = 2 * len(STEPS)  # evaluations for an element
ULP = 4 * np.finfo(np.float64).eps  # what a value may be off by where nothing more is known
_TINY = 1e-8  # of the scale of its tensor: an element so small is taken for a zero


class Quotients(NamedTuple):
    """For each element of the input (a row) and of the outputs: the derivative, what it may be off by, and
    whether the two sides of the point have slopes of their own."""

    value: Array
    error: Array
    kinked: Array


def scales(array: Array) -> Array:
    """How far each element may be moved, to be one step: its own size, or that of its tensor for a zero."""
    size = np.abs(array)
    finite = size[np.isfinite(size)]
    usual = float(np.sqrt(np.mean(finite**2))) if finite.size else 0.0
    return np.where(np.isfinite(size) & (size > _TINY * usual), size, usual or 1.0)


def moved(array: Array, scale: Array, first: int, last: int) -> Array:
    """Copies of `array`, in each of which one element is moved: those from `first` to `last`, COPIES each,
    ahead by every step and then behind by every step."""
    found = np.repeat(array[None], (last - first) * COPIES, axis=0)
    flat = found.reshape(last - first, 2, len(STEPS), -1)
    for at, element in enumerate(range(first, last)):
        steps = STEPS * scale.reshape(-1)[element]
        flat[at, 0, :, element] += steps
        flat[at, 1, :, element] -= steps
    return found


def quotients(places: Array, values: Array, here: Array, noise: Array, at: Array) -> Quotients:
    """The derivatives by some elements, a row for each, from the outputs (flat) at their `places`: those of
    the COPIES of each, ahead and behind.

    `here` are the outputs at the point itself, where the elements are `at`; `noise` is what each output may
    be off by.
    """
    steps = len(STEPS)
    values = values.reshape(len(at), 2, steps, here.size)
    ahead, behind = values[:, 0], values[:, 1]
    places = places.reshape(len(at), 2, steps, 1)
    forth, back = places[:, 0] - at[:, None, None], at[:, None, None] - places[:, 1]
    central = (ahead - behind) / (forth + back)
    rounding = 2 * (noise + ULP * np.maximum(np.abs(ahead), np.abs(behind))) / (forth + back)
    change = central[:, 1:] - central[:, :-1]
    error = np.abs(change) + rounding[:, 1:]
    gap = np.abs((ahead - here) / forth - (here - behind) / back)
    kinked = (gap[:, 1:] > gap[:, :-1] / 2) & (gap[:, 1:] > 20 * rounding[:, 1:])
    error = np.where(np.isfinite(error), error, np.inf)
    # two steps across a kink agree too well: they are read only where there are no others
    smooth = np.where(kinked, np.inf, error)
    best = np.where(np.isfinite(smooth).any(axis=1), smooth.argmin(axis=1), error.argmin(axis=1))[:, None]
    value = central[:, 1:] + change / (RATIO**2 - 1)
    found = (np.take_along_axis(each, best, axis=1)[:, 0] for each in (value, error, kinked))
    return Quotients(*found)
