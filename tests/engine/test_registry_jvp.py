"""Forward and reverse mode of every op are adjoint: <u, J t> is <Jᵀ u, t>."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import NotDifferentiable
from engine.op import NoDerivative
from tests.engine.harness import Sampled
from tests.engine.registered import (
    EVERY,
    LOOSE,
    MASKED,
    ONCE,
    TRANSFORMED,
    by_way,
    generator_of,
    inner,
    like,
    narrowest,
)
from tests.engine.sampling import Programs
from tests.engine.transforming import Way, floating_outputs, in_single, points_of

ROUNDING = {8: 1e-12, 4: 2e-5, 2: 1e-2}  # of the terms of a sum, by bytes of a real number


def check_adjoint(way: type[Way], sampled: Sampled) -> None:
    points, function, generator = points_of(sampled), way(sampled), generator_of(sampled)
    outputs = function.outputs(points)
    tangents, cotangents = like(generator, points), like(generator, outputs)
    pushed, pulled = function.jvp(points, tangents), function.vjp(points, cotangents)
    assert [(each.shape, each.dtype) for each in pushed] == [(each.shape, each.dtype) for each in outputs]
    assert [(each.shape, each.dtype) for each in pulled] == [(each.shape, each.dtype) for each in points]
    (left, _), (right, size) = inner(cotangents, pushed), inner(pulled, tangents)
    allowed = ROUNDING[narrowest(*points, *outputs)]
    if sampled.op.name in LOOSE:
        allowed = max(allowed, LOOSE[sampled.op.name][0])
    assert abs(left - right) <= allowed * size, f"<u, J t> is {left}, <Jᵀ u, t> is {right}"


@pytest.mark.parametrize(
    ("way", "sampled"), by_way(TRANSFORMED, "functions", "programs", "requests", masked=False)
)
def test_adjoint(way: type[Way], sampled: Sampled) -> None:
    check_adjoint(way, sampled)
    check_adjoint(way, in_single(sampled))


@pytest.mark.parametrize("sampled", [each for each in TRANSFORMED if each.id in MASKED])
def test_a_tangent_has_the_size_that_the_run_tells(sampled: Sampled) -> None:
    points, generator = points_of(sampled), generator_of(sampled)
    tangents = like(generator, points)
    found = Programs(sampled).jvp(points, tangents)
    step = 1e-5
    ahead, behind = (
        Programs(sampled).outputs([x + sign * step * t for x, t in zip(points, tangents, strict=True)])
        for sign in (1, -1)
    )
    for one, other, tangent in zip(ahead, behind, found, strict=True):
        np.testing.assert_allclose(tangent, (one - other) / (2 * step), atol=1e-9)


@pytest.mark.parametrize(
    "sampled", [each for each in EVERY if isinstance(each.op.vjp, NoDerivative) and points_of(each)]
)
def test_what_has_no_derivative_says_so(sampled: Sampled) -> None:
    points, outputs = points_of(sampled), Programs(sampled).outputs(points_of(sampled))
    assert isinstance(sampled.op.vjp, NoDerivative)
    for way, transform in (
        (way, t) for way in by_way([sampled], "functions", "programs", "requests") for t in ("jvp", "vjp")
    ):
        made = way.values[0](sampled)
        with pytest.raises(NotDifferentiable, match=sampled.op.vjp.reason):
            getattr(made, transform)(points, points if transform == "jvp" else outputs)


def test_no_other_sample_has_anything_to_differentiate() -> None:
    left = [each for each in EVERY if each not in TRANSFORMED and not isinstance(each.op.vjp, NoDerivative)]
    left = [each for each in left if each.op.name not in ONCE]
    for each in left:
        assert not points_of(each) or not floating_outputs(each)
        assert each.op.vjp is None or not points_of(each), f"{each.id} has a rule"
    assert len(TRANSFORMED) > 3 * len(left)
