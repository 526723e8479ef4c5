"""Every op on a batch is the op on each sample, bit for bit, and so is its vjp."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from engine.errors import NotImplementedYet
from tests.engine.harness import Array, Sampled
from tests.engine.registered import SELECTED, TRANSFORMED, by_way, generator_of, like
from tests.engine.sampling import Programs
from tests.engine.transforming import Way, in_single, points_of

SIZE = 3

# Ops whose kernel on a batch is not that on a sample, with the reason.
OTHER_KERNEL = {
    "index_put": "a value put at many places: numpy sums its gradient in the order of memory",
    "cumprod": "numpy rounds complex products otherwise where it takes several at once",
    "logcumsumexp": "the same",
    "linalg.cross": "as cumprod",
    "linalg.lstsq": "BLAS adds in another order where matrices lie otherwise",
}


def perturbed(generator: np.random.Generator, array: Array) -> Array:
    """Copies of an array, each a little different."""
    factors = 1 + 0.01 * generator.uniform(-1, 1, (SIZE, *array.shape))
    return np.asarray((array * factors).astype(array.dtype))


def ways_to_batch(count: int) -> list[list[int | None]]:
    """All points in the batch, and each alone with the others shared."""
    alone: list[list[int | None]] = [
        [0 if at == one else None for at in range(count)] for one in range(count)
    ]
    return [[0] * count, *(alone if count > 1 else [])]


def check_equal(name: str, found: Sequence[Array], expected: Sequence[Sequence[Array]]) -> None:
    """A batch is the stack of its samples."""
    for batch, samples in zip(found, zip(*expected, strict=True), strict=True):
        stacked = np.stack(samples)
        assert (batch.shape, batch.dtype) == (stacked.shape, stacked.dtype)
        if name in OTHER_KERNEL:
            eps = 50 * float(np.finfo(batch.dtype).eps)
            np.testing.assert_allclose(
                batch, stacked, rtol=eps, atol=eps * float(np.abs(stacked).max(initial=0))
            )
        else:
            np.testing.assert_array_equal(batch, stacked)


def check_batch(way: type[Way], sampled: Sampled, dims: list[int | None]) -> None:
    generator, function = generator_of(sampled), way(sampled)
    points = points_of(sampled)
    given = [perturbed(generator, x) if dim == 0 else x for x, dim in zip(points, dims, strict=True)]
    each = [[x[at] if dim == 0 else x for x, dim in zip(given, dims, strict=True)] for at in range(SIZE)]
    outputs = [function.outputs(one) for one in each]
    check_equal(sampled.op.name, function.batched(given, dims), outputs)
    v = [np.stack([like(generator, [y])[0] for _ in range(SIZE)]) for y in outputs[0]]
    pulled = [function.vjp(one, [every[at] for every in v]) for at, one in enumerate(each)]
    check_equal(sampled.op.name, function.batched_vjp(given, dims, v), pulled)
    whole = function.vjp_of_batch(given, dims, v)
    for found, samples, dim in zip(whole, zip(*pulled, strict=True), dims, strict=True):
        expected = np.stack(samples) if dim == 0 else np.sum(samples, axis=0)  # what is shared is added up
        eps = 50 * float(np.finfo(found.dtype).eps)
        np.testing.assert_allclose(
            found, expected, rtol=eps, atol=eps * float(np.abs(expected).max(initial=0))
        )


@pytest.mark.parametrize(
    ("way", "sampled"), by_way(TRANSFORMED, "functions", "programs", "requests", masked=False)
)
def test_a_batch_is_a_loop(way: type[Way], sampled: Sampled) -> None:
    for narrow in (sampled, in_single(sampled)):
        for dims in ways_to_batch(len(points_of(sampled))):
            check_batch(way, narrow, dims)


WITH_OTHERS = [
    each
    for each in TRANSFORMED
    if not each.op.name.startswith("_") and each.id not in SELECTED and Programs(each).others
]


@pytest.mark.parametrize("sampled", WITH_OTHERS, ids=[each.id for each in WITH_OTHERS])
def test_indices_may_be_batched_too(sampled: Sampled) -> None:
    generator, function = generator_of(sampled), Programs(sampled)
    points = [perturbed(generator, each) for each in points_of(sampled)]
    others = {
        name: np.stack([np.roll(each.reshape(-1), at).reshape(each.shape) for at in range(SIZE)])
        for name, each in function.others.items()
    }
    expected = [
        function.outputs_of([x[at] for x in points], {name: each[at] for name, each in others.items()})
        for at in range(SIZE)
    ]
    check_equal(sampled.op.name, function.batched_others(points, others), expected)


@pytest.mark.parametrize("sampled", [each for each in TRANSFORMED if each.id in SELECTED])
def test_a_mask_for_all_samples_and_one_for_each(sampled: Sampled) -> None:
    function = Programs(sampled)
    (point,) = points_of(sampled)
    points = perturbed(generator_of(sampled), point)
    expected = [function.outputs([each]) for each in points]
    check_equal(sampled.op.name, function.batched([points], [0]), expected)
    masks = {name: np.stack([mask] * SIZE) for name, mask in function.others.items()}
    with pytest.raises(NotImplementedYet, match="known only when the program runs, in a batch"):
        function.batched_others([points], masks)


def test_large_batches() -> None:
    """Where BLAS and sums choose their order by size, a batch is near its samples."""
    from engine.op import Call
    from engine.registry import REGISTRY

    generator = np.random.default_rng(0)
    big = generator.normal(size=(50, 70))
    for name in ("sum", "mean", "var", "logsumexp", "softmax", "cumsum"):
        if name in REGISTRY:
            args = (big, 1) if name != "var" else (big, 0)
            check_batch(Programs, Sampled(f"{name}-big", REGISTRY[name], Call(args, {})), [0])
