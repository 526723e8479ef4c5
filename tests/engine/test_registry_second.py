"""Second derivatives of every op: of its gradient by differences, and Hessians against Jacobians of it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.harness import NEAR, STEP, Array, Sampled
from tests.engine.registered import LOOSE, TRANSFORMED, by_way, generator_of, inner, like, narrowest
from tests.engine.transforming import Functions, Way, in_single, points_of

EXACT = {8: (1e-9, 1e-10), 4: (1e-3, 1e-3), 2: (5e-2, 5e-2)}  # rtol, and atol of the largest element


def is_real(sampled: Sampled) -> bool:
    """Whether there are no complex numbers, of which there is no Hessian."""
    points = points_of(sampled)
    return all(each.dtype.kind == "f" for each in (*points, *Functions(sampled).outputs(points)))


REAL = [each for each in TRANSFORMED if is_real(each)]


@pytest.mark.parametrize(("way", "sampled"), by_way(TRANSFORMED, "functions", "programs", masked=False))
def test_the_gradient_of_the_gradient(way: type[Way], sampled: Sampled) -> None:
    points, function, generator = points_of(sampled), way(sampled), generator_of(sampled)
    v = like(generator, function.outputs(points))
    w, d = like(generator, points), like(generator, points)
    found, _ = inner(function.second(points, v, w), d)
    bytes_ = narrowest(*points, *v)

    def paired(sign: int) -> float:
        moved = [x + sign * STEP[bytes_] * each for x, each in zip(points, d, strict=True)]
        return inner(w, function.vjp(moved, v))[0]

    expected = (paired(1) - paired(-1)) / (2 * STEP[bytes_])
    rtol, atol = NEAR[bytes_]
    assert abs(found - expected) <= atol + rtol * max(abs(found), abs(expected))


@pytest.mark.parametrize(("way", "sampled"), by_way(TRANSFORMED, "functions", "programs", masked=False))
def test_the_same_in_single_precision(way: type[Way], sampled: Sampled) -> None:
    narrow, generator = in_single(sampled), generator_of(sampled)
    points = points_of(narrow)
    v = like(generator, way(narrow).outputs(points))
    w = like(generator, points)
    found = way(narrow).second(points, v, w)
    wide = [each.astype(array.dtype) for each, array in zip(points, points_of(sampled), strict=True)]
    v_, w_ = ([each.astype(wider(each)) for each in group] for group in (v, w))
    expected = way(sampled).second(wide, v_, w_)
    check_near(found, expected, narrowest(*points, *v))


def wider(array: Array) -> type:
    return np.complex128 if array.dtype.kind == "c" else np.float64


def check_near(found: list[Array], expected: list[Array], bytes_: int, loose: float = 0.0) -> None:
    rtol, atol = EXACT[bytes_]
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        scale = max(1.0, float(np.abs(other).max(initial=0)))
        np.testing.assert_allclose(one, other, rtol=max(rtol, loose), atol=max(atol, loose) * scale)


@pytest.mark.parametrize(("way", "sampled"), by_way(REAL, "functions", "programs", masked=False))
def test_the_hessian_is_symmetric_and_the_jacobian_of_the_gradient(way: type[Way], sampled: Sampled) -> None:
    points, function = points_of(sampled), way(sampled)
    outputs = function.outputs(points)
    v = like(generator_of(sampled), outputs)
    bytes_ = narrowest(*points, *outputs)
    loose = LOOSE.get(sampled.op.name, (0.0,))[0]
    found = function.hessian(points, v)
    sizes = [each.size for each in points]
    for row, (one, n) in enumerate(zip(found, sizes, strict=True)):
        turned = [found[at][row].reshape(m, n).T for at, m in enumerate(sizes)]
        check_near([each.reshape(n, m) for each, m in zip(one, sizes, strict=True)], turned, bytes_, loose)
    for mode in ("reverse", "forward"):
        for one, other in zip(found, function.jacobian_of_gradient(points, v, mode), strict=True):
            check_near(one, other, bytes_, loose)


def test_most_samples_are_real() -> None:
    assert len(REAL) > 0.85 * len(TRANSFORMED)
