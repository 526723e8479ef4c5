"""Elementwise functions that take a formula: what numpy and scipy.special have not, or for fewer dtypes.

Called as those of `engine.elementary`: arrays or numpy scalars, settings among them, and an optional `out`,
which may be one of the operands. scipy is imported by the first call that needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.errors import RuntimeArgumentError

Into = Any  # memory for the result, or None


def _into(out: Into, values: Any) -> Any:
    if out is None:
        return values
    np.copyto(out, values, casting="unsafe")
    return out


def power_of_two(x: Any, out: Into = None) -> Any:
    """2 ** x, of complex x too."""
    if x.dtype.kind == "c":
        return _into(out, np.exp(x * x.dtype.type(np.log(2))))
    return np.exp2(x, out=out)


def log_of_sum(x: Any, other: Any, out: Into = None) -> Any:
    """log(exp(x) + exp(other)), of complex numbers too."""
    if x.dtype.kind != "c":
        return np.logaddexp(x, other, out=out)
    swap = np.real(x) < np.real(other)
    large, small = np.where(swap, other, x), np.where(swap, x, other)
    same = np.isinf(small.real) & (small.real == large.real)
    shifted = np.log1p(np.exp(np.where(same, 0, small - large))) + large
    extreme = np.where(small.real < 0, small, np.log(np.exp(small) + np.exp(large)))
    found = np.where(same, extreme, shifted)
    found = np.where(np.isnan(x) | np.isnan(other), complex(np.nan, np.nan), found)
    return _into(out, found.astype(x.dtype))


def modulo_trunc(dividend: Any, divisor: Any, out: Into = None) -> Any:
    """The remainder, with the sign of the dividend; RuntimeError where an integer is divided by 0."""
    if divisor.dtype.kind in "iu" and not np.all(divisor):
        raise RuntimeArgumentError("ZeroDivisionError")
    return np.fmod(dividend, divisor, out=out)


def scaled(x: Any, factor: Any, out: Into = None) -> Any:
    """x * factor, the factor cut to the dtype of x."""
    return np.multiply(x, x.dtype.type(factor), out=out)


def between(x: Any, end: Any, weight: Any, out: Into = None) -> Any:
    """The number at `weight` of the way from x to `end`, exact at both; in float32 at least."""
    if x.dtype == np.float16:
        x, end, weight = (np.asarray(each, np.float32) for each in (x, end, weight))
        return _into(out, between(x, end, weight).astype(np.float16))
    step = np.subtract(end, x)
    near = np.add(x, np.multiply(weight, step))
    far = np.subtract(end, np.multiply(step, np.subtract(step.dtype.type(1), weight)))
    return _into(out, np.where(np.abs(weight) < 0.5, near, far))


def finite(x: Any, nan: Any, posinf: Any, neginf: Any, out: Into = None) -> Any:
    """x with numbers in place of NaN and the infinities; None is 0, the largest and the smallest number."""
    return _into(out, np.nan_to_num(x, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf))


def within(x: Any, eps: Any, out: Into = None) -> Any:
    """x, no closer to 0 and 1 than eps, if there is one."""
    if eps is None:
        return _into(out, x)
    high = eps.dtype.type(1) - eps
    return _into(out, np.where(x < eps, eps, np.where(x > high, high, x)))


def negative_sign(x: Any, out: Into = None) -> Any:
    """Whether the sign is minus, that of -0.0 too."""
    return np.signbit(x, out=out) if x.dtype.kind == "f" else np.less(x, 0, out=out)


def step_at(x: Any, values: Any, out: Into = None) -> Any:
    """0 below 0 and for NaN, 1 above, `values` at 0."""
    return _into(out, np.where(x == 0, values, (x > 0).astype(x.dtype)))


def _too_far(shift: Any) -> Any:
    width = shift.dtype.itemsize * 8
    return (shift < 0) | (shift >= width)


def shift_left(x: Any, shift: Any, out: Into = None) -> Any:
    """x * 2 ** shift, wrapping; 0 where the shift is negative or as wide as the dtype."""
    far = _too_far(shift)
    return _into(out, np.where(far, 0, np.left_shift(x, np.where(far, 0, shift))).astype(x.dtype))


def shift_right(x: Any, shift: Any, out: Into = None) -> Any:
    """x / 2 ** shift, rounded down; only the sign where the shift is negative or too wide."""
    widest = shift.dtype.itemsize * 8 - 1
    if shift.dtype.kind == "u":
        far = _too_far(shift)
        return _into(out, np.where(far, 0, np.right_shift(x, np.where(far, 0, shift))).astype(x.dtype))
    return _into(out, np.right_shift(x, np.where(_too_far(shift), widest, shift).astype(shift.dtype)))


# -- of scipy


def hurwitz_zeta(x: Any, other: Any, out: Into = None) -> Any:
    """The sum of 1 / (k + other) ** x over k = 0, 1, 2 …"""
    from scipy.special import zeta

    return _into(out, zeta(x, other))


def log_gamma(x: Any, out: Into = None) -> Any:
    """The logarithm of the absolute value of gamma; infinite at both infinities."""
    from scipy.special import gammaln

    found = gammaln(x)
    return _into(out, np.where(np.isinf(found), np.abs(found), found).astype(x.dtype))


def polygamma(x: Any, order: Any, out: Into = None) -> Any:
    """The derivative of digamma, `order` times."""
    from scipy import special

    if order == 0:
        return special.psi(x, out=out)
    sign = 1.0 if int(order) % 2 else -1.0
    factorial = np.exp(special.gammaln(float(order) + 1.0)) if order > 1 else 1.0
    wide = np.asarray(x, np.float64)
    found = sign * factorial * special.zeta(float(order) + 1.0, wide)
    return _into(out, np.asarray(found, x.dtype))


def multi_polygamma(x: Any, count: Any, order: Any, out: Into = None) -> Any:
    """The sum of polygamma at x, x - 1/2, x - 1 …, `count` terms; of order -1 that of the log of gamma."""
    total: Any = 0
    for number in range(int(count)):
        each = np.add(x, x.dtype.type(0.0 - number / 2))  # -0.0 becomes 0.0
        total = np.add(total, log_gamma(each) if order < 0 else polygamma(each, order))
    return _into(out, np.asarray(total, x.dtype))


def log_pi_quarters(count: Any, out: Into = None) -> Any:
    """count (count - 1) / 4 log(pi)."""
    return _into(out, count.dtype.type(int(count) * (int(count) - 1) / 4 * np.log(np.pi)))


def airy_value(x: Any, out: Into = None) -> Any:
    """The Airy function Ai."""
    from scipy.special import airy

    return _into(out, airy(x)[0])


def airy_slope(x: Any, out: Into = None) -> Any:
    """The derivative of the Airy function Ai."""
    from scipy.special import airy

    return _into(out, airy(x)[1])


def spherical_j1(x: Any, out: Into = None) -> Any:
    """(sin(x) / x - cos(x)) / x, by its series near 0."""
    small = np.abs(x) < 1
    safe = np.where(small, x.dtype.type(1), x)
    far = (np.sin(safe) / safe - np.cos(safe)) / safe
    square = np.where(small, x, 0) ** 2
    near = np.zeros_like(square)
    for number in range(9, 0, -1):  # x/3 (1 - x²/10 (1 - x²/28 (1 - …)))
        near = 1 - square * (1 if number == 9 else near) / (2 * number * (2 * number + 3))
    return _into(out, np.where(np.isinf(x), 0, np.where(small, x / 3 * near, far)).astype(x.dtype))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        airy_slope,
        airy_value,
        between,
        finite,
        hurwitz_zeta,
        log_gamma,
        log_of_sum,
        log_pi_quarters,
        modulo_trunc,
        multi_polygamma,
        negative_sign,
        polygamma,
        power_of_two,
        scaled,
        shift_left,
        shift_right,
        spherical_j1,
        step_at,
        within,
    )
}
