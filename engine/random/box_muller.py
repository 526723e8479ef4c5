"""Uniform numbers to normal ones, rounded as torch rounds them.

Box and Muller (1958): for u, v uniform on (0, 1], sqrt(-2 log u) times cos(2 pi v) and sin(2 pi v)
are two independent standard normals. The formula is one line; what takes the space is that the last
bits must be torch's on x86-64: in float64 those of the C library's `log`, in float32 those of its AVX2
kernel, which evaluates the Cephes polynomials of `logf`, `sinf` and `cosf` with fused multiply-adds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["BLOCK", "normal_blocks", "normal_pairs"]

BLOCK = 16  # torch transforms 8 radii and 8 angles at a time
TILE = 1 << 15  # elements whose scratch stays in the second-level cache

Array = np.ndarray[Any, np.dtype[Any]]
Scalar = np.float32

TWO_PI = 2 * math.pi
SQRT_HALF = Scalar(0.707106781186547524)
LOG2_HIGH, LOG2_LOW = Scalar(0.693359375), Scalar(-2.12194440e-4)
LOG_POLYNOMIAL = (
    *(7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1),
    *(-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1),
)
FOUR_OVER_PI = Scalar(1.27323954473516)
QUARTER_PI_PARTS = (0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8)
SIN_POLYNOMIAL = (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
COS_POLYNOMIAL = (2.443315711809948e-005, -1.388731625493765e-003, 4.166664568298827e-002)


def normal_blocks(uniform: Array) -> Array:
    """Normals from uniforms on [0, 1), both of shape (16 n,), in float32 or float64.

    Of each block of 16, numbers j and j + 8 make normals j (the cosine) and j + 8 (the sine).
    """
    normal = np.empty_like(uniform)
    for start in range(0, uniform.size, TILE):
        pair = uniform[start : start + TILE].reshape(-1, 2, BLOCK // 2)
        # [0, 1) -> (0, 1] for the logarithm
        radius_uniform, angle_uniform = 1 - pair[:, 0], pair[:, 1]
        angle = angle_uniform * uniform.dtype.type(TWO_PI)
        if uniform.dtype == np.float32:
            radius = np.sqrt(_log32(radius_uniform) * Scalar(-2))
            cos, sin = _cos_sin32(angle)
        else:
            radius = np.sqrt(_libm(math.log, radius_uniform) * -2)
            cos, sin = np.cos(angle), np.sin(angle)
        made = normal[start : start + TILE].reshape(pair.shape)
        np.multiply(radius, cos, out=made[:, 0])
        np.multiply(radius, sin, out=made[:, 1])
    normal += 0  # no negative zeros: torch adds the mean
    return normal


def normal_pairs(uniform: Array) -> Array:
    """Normals from float64 uniforms on [0, 1), both of shape (2 n,): neighbours make a cosine and a sine."""
    pair = uniform.reshape(-1, 2)
    radius = np.sqrt(_libm(math.log1p, -pair[:, 1]) * -2)
    angle = pair[:, 0] * TWO_PI
    normal = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()
    normal += 0
    return normal


def _libm(function: Callable[[float], float], values: Array) -> Array:
    """The C library's function of each element: numpy's own logarithms round 0.3 % of them otherwise."""
    return np.fromiter(map(function, values.ravel().tolist()), np.float64, values.size).reshape(values.shape)


def _fused(a: Array, b: Array | float, c: Array) -> Array:
    """float32(a * b + c) with one rounding, for float32 numbers.

    The product is exact in float64; the sum is rounded there once more than by the processor's fused
    multiply-add, which shows in one of some 2**29 results.
    """
    return np.asarray((np.multiply(a, b, dtype=np.float64) + c).astype(np.float32))


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """Horner's rule, each step one fused multiply-add in float32."""
    wide = x.astype(np.float64)
    value = np.full(x.shape, coefficients[0], np.float32)
    for coefficient in coefficients[1:]:
        value = (value * wide + float(Scalar(coefficient))).astype(np.float32)
    return value


def _log32(x: Array) -> Array:
    """Natural logarithm of normal float32 numbers x > 0, as `log256_ps` of torch's avx_mathfun.h."""
    mantissa, exponent = np.frexp(x)
    small = mantissa < SQRT_HALF
    exponent = (exponent - small).astype(np.float32)
    # mantissa in [sqrt(1/2), sqrt(2)), less 1
    rest = mantissa - Scalar(1) + np.where(small, mantissa, Scalar(0))
    square = rest * rest
    value = _polynomial(LOG_POLYNOMIAL, rest) * rest
    value = _fused(value, square, exponent * LOG2_LOW)
    value = value - square * Scalar(0.5)
    return np.asarray((rest + value) + exponent * LOG2_HIGH)


def _cos_sin32(angle: Array) -> tuple[Array, Array]:
    """Cosine and sine of float32 angles >= 0, as `sincos256_ps` of torch's avx_mathfun.h."""
    octant = ((angle * FOUR_OVER_PI).astype(np.int32) + 1) & ~1
    turns = octant.astype(np.float32)
    for part in QUARTER_PI_PARTS:
        angle = _fused(turns, -float(Scalar(part)), angle)
    square = angle * angle
    cos = _polynomial(COS_POLYNOMIAL, square) * square
    cos = _fused(cos, square, square * Scalar(-0.5)) + Scalar(1)
    sin = _fused(_polynomial(SIN_POLYNOMIAL, square) * square, angle, angle)
    swapped = (octant & 2) != 0
    cos, sin = np.where(swapped, sin, cos), np.where(swapped, cos, sin)
    return (
        np.where(((octant - 2) & 4) == 0, -cos, cos),
        np.where((octant & 4) != 0, -sin, sin),
    )
