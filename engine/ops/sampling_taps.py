"""Where a grid reads images: places, neighbours and their shares, on arrays or over a builder.

The kernel of grid_sample and its rule need the same numbers: the kernel as arrays, the rule as values whose
second derivatives come by themselves. Both are made here, with `F` a builder or `OnArrays`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.types import Shape

_CUBIC = -0.75


class OnArrays:
    """What is used of a builder here, on arrays."""

    add, sub, mul, div, abs, neg = np.add, np.subtract, np.multiply, np.divide, np.abs, np.negative
    floor, round, where, remainder, clamp = np.floor, np.rint, np.where, np.remainder, np.clip
    ge, gt, le, lt, eq, logical_and = (
        np.greater_equal,
        np.greater,
        np.less_equal,
        np.less,
        np.equal,
        np.logical_and,
    )
    zeros_like = np.zeros_like

    @staticmethod
    def to(value: Any, dtype: Any) -> Any:
        """A cast."""
        return np.asarray(value).astype(dtype)

    @staticmethod
    def select(value: Any, dim: int, index: int) -> Any:
        """The elements at `index` of the last dim."""
        return value[..., index]


class Neighbour(NamedTuple):
    """A neighbour of all places in a dim: where it is, its share, and how that changes with the place."""

    at: Any
    share: Any
    slope: Any


class Tap(NamedTuple):
    """One combination of neighbours: flat places, whether they are inside, and the neighbours."""

    at: Any
    inside: Any
    parts: tuple[Neighbour, ...]


def _reflected(F: Any, x: Any, size: int, align: bool) -> tuple[Any, Any]:
    """`x` between the borders that mirror it, and the sign of its slope."""
    low, span = (0.0, float(size - 1)) if align else (-0.5, float(size))
    if not span:
        return F.zeros_like(x), F.zeros_like(x)
    moved = F.sub(x, low)
    away = F.abs(moved)
    extra = F.remainder(away, span)
    even = F.eq(F.remainder(F.floor(F.div(away, span)), 2.0), 0.0)
    found = F.where(even, F.add(extra, low), F.sub(span + low, extra))
    one = F.add(F.zeros_like(x), 1.0)
    sign = F.where(F.lt(moved, 0.0), F.neg(one), one)
    return found, F.mul(sign, F.where(even, one, F.neg(one)))


def _bounded(F: Any, x: Any, size: int) -> tuple[Any, Any]:
    """`x` between 0 and the last element, and its slope: 0 at the ends too."""
    inside = F.logical_and(F.gt(x, 0.0), F.lt(x, float(size - 1)))
    zero = F.zeros_like(x)
    return F.clamp(x, 0.0, float(size - 1)), F.where(inside, F.add(zero, 1.0), zero)


def _padded(F: Any, x: Any, size: int, padding: int, align: bool) -> tuple[Any, Any]:
    if padding == 1:
        return _bounded(F, x, size)
    if padding == 2:
        found, sign = _reflected(F, x, size, align)
        found, slope = _bounded(F, found, size)
        return found, F.mul(sign, slope)
    return x, F.add(F.zeros_like(x), 1.0)


def _polynomial(F: Any, x: Any, factors: Sequence[float]) -> Any:
    found = F.mul(x, factors[0])
    for factor in factors[1:-1]:
        found = F.mul(F.add(found, factor), x)
    return F.add(found, factors[-1])


def _cubic_shares(F: Any, at: Any) -> list[tuple[Any, Any]]:
    """The shares of the four neighbours of a place `at` behind the second, and their slopes."""
    a = _CUBIC
    near, near_slope = (a + 2, -(a + 3), 0.0, 1.0), (3 * (a + 2), -2 * (a + 3), 0.0)
    far, far_slope = (a, -5 * a, 8 * a, -4 * a), (3 * a, -10 * a, 8 * a)
    back, ahead = F.sub(1.0, at), F.sub(2.0, at)
    return [
        (_polynomial(F, F.add(at, 1.0), far), _polynomial(F, F.add(at, 1.0), far_slope)),
        (_polynomial(F, at, near), _polynomial(F, at, near_slope)),
        (_polynomial(F, back, near), F.neg(_polynomial(F, back, near_slope))),
        (_polynomial(F, ahead, far), F.neg(_polynomial(F, ahead, far_slope))),
    ]


def _neighbours(F: Any, x: Any, size: int, mode: int, padding: int, align: bool) -> list[Neighbour]:
    """The neighbours of the places that grid numbers from -1 to 1 mean."""
    scale = (size - 1) / 2 if align else size / 2
    place = F.add(F.mul(F.add(x, 1.0), scale), 0.0 if align else -0.5)
    if mode == 2:
        base = F.floor(place)
        shares = _cubic_shares(F, F.sub(place, base))
        return [
            Neighbour(_padded(F, F.add(base, at - 1.0), size, padding, align)[0], share, F.mul(slope, scale))
            for at, (share, slope) in enumerate(shares)
        ]
    place, factor = _padded(F, place, size, padding, align)
    if mode == 1:
        zero = F.zeros_like(place)
        return [Neighbour(F.round(place), F.add(zero, 1.0), zero)]
    base = F.floor(place)
    share, slope = F.sub(place, base), F.mul(factor, scale)
    return [Neighbour(base, F.sub(1.0, share), F.neg(slope)), Neighbour(F.add(base, 1.0), share, slope)]


def taps_of(F: Any, grid: Any, sizes: Shape, mode: int, padding: int, align: bool) -> Iterator[Tap]:
    """The neighbours that each number of the result is made of; grid numbers come last dim first."""
    rank = len(sizes)
    dims = [
        _neighbours(F, F.select(grid, -1, rank - 1 - dim), size, mode, padding, align)
        for dim, size in enumerate(sizes)
    ]
    for parts in itertools.product(*dims):
        flat: Any = None
        inside: Any = None
        for part, size in zip(parts, sizes, strict=True):
            fits = F.logical_and(F.ge(part.at, 0.0), F.le(part.at, float(size - 1)))
            inside = fits if inside is None else F.logical_and(inside, fits)
            place = F.clamp(part.at, 0.0, float(size - 1))
            place = F.to(F.where(fits, place, F.zeros_like(place)), "int64")
            flat = place if flat is None else F.add(F.mul(flat, size), place)
        yield Tap(flat, inside, parts)


def weight(F: Any, tap: Tap, sloped: int | None = None) -> Any:
    """The share of a tap, 0 outside; with `sloped`, how it changes with the place in that dim."""
    found: Any = None
    for dim, part in enumerate(tap.parts):
        factor = part.slope if dim == sloped else part.share
        found = factor if found is None else F.mul(found, factor)
    return F.where(tap.inside, found, F.zeros_like(found))
