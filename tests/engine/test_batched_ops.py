"""Every op on a batch of samples is the op on each of them, and so is its vjp; jvp and vjp are adjoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import engine
from engine import func, random
from engine.errors import EngineError
from engine.op import NoDerivative
from tests.engine.harness import NEAR, Sampled, like, pair, samples, width
from tests.engine.registered import ONCE
from tests.engine.transforming import RANDOM

SIZE = 3
MASKS = {"getitem-10", "index_put-3"}  # as many elements as the sample has true ones
SIZED = {"bincount-3"}  # of nothing: a size that is known
COUNTED = {"nonzero", "argwhere", "unique", "unique_consecutive", "bincount"}  # as many as its values say


def arrays_of(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return [array for each in value for array in arrays_of(each)]
    return [value] if isinstance(value, np.ndarray) else []


def replaced(value: Any, tensors: Iterator[Any]) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)([replaced(each, tensors) for each in value])
    return next(tensors) if isinstance(value, np.ndarray) else value


def varied(array: Any, number: int) -> Any:
    """Another sample like `array`: near it, or the same integers at other places."""
    if array.dtype.kind in "fc":
        return (array * (1 + 0.01 * number)).astype(array.dtype)
    return np.roll(array.reshape(-1), number).reshape(array.shape)


class Batched:
    """A sample of an op as a function of its arrays, and a batch of them for each."""

    def __init__(self, sampled: Sampled) -> None:
        self.op, self.call = sampled.op, sampled.call
        arrays = arrays_of([*self.call.args, *self.call.kwargs.values()])
        self.floating = [at for at, array in enumerate(arrays) if array.dtype.kind in "fc"]
        self.stacks = [np.stack([varied(array, k) for k in range(SIZE)]) for array in arrays]
        self.differentiable = bool(self.floating) and not isinstance(self.op.vjp, NoDerivative)

    def outputs(self, *tensors: Any) -> tuple[Any, ...]:
        given = iter(tensors)
        args = replaced(list(self.call.args), given)
        kwargs = {name: replaced(value, given) for name, value in self.call.kwargs.items()}
        found = self.op(*args, **kwargs)
        return tuple(found) if isinstance(found, (tuple, list)) else (found,)

    def with_gradients(self, *tensors: Any) -> tuple[Any, ...]:
        """The outputs, and the gradients of the sum of those that have some."""

        def differentiable(*floating: Any) -> tuple[Any, ...]:
            given = list(tensors)
            for at, each in zip(self.floating, floating, strict=True):
                given[at] = each
            return tuple(y for y in self.outputs(*given) if y.dtype.differentiable)

        outputs = self.outputs(*tensors)
        if not self.differentiable or not any(y.dtype.differentiable for y in outputs):
            return outputs
        _, pull = func.vjp(differentiable, *[tensors[at] for at in self.floating])
        return outputs + pull(tuple(engine.ones_like(y) for y in outputs if y.dtype.differentiable))

    def near(self, outputs: Sequence[Any]) -> tuple[float, float]:
        """The tolerance for the narrowest dtype that there is."""
        dtypes = [array.dtype for array in (*self.stacks, *(y.array for y in outputs))]
        return NEAR[min([width(dtype) for dtype in dtypes if dtype.kind in "fc"], default=8)]

    def check(self, batched: Sequence[bool]) -> None:
        """One call on the batch against a call for each sample."""
        pairs = list(zip(self.stacks, batched, strict=True))
        wanted = [
            self.with_gradients(*[engine.Tensor((s[k] if b else s[0]).copy()) for s, b in pairs])
            for k in range(SIZE)
        ]
        mapped = func.vmap(self.with_gradients, in_dims=tuple(0 if b else None for b in batched))
        found = mapped(*[engine.Tensor(s if b else s[0]) for s, b in pairs])
        rtol, atol = self.near(found)
        for tensor, each in zip(found, zip(*wanted, strict=True), strict=True):
            expected = np.stack([one.array for one in each])
            assert tensor.array.dtype == expected.dtype and tensor.meta.shape == expected.shape
            np.testing.assert_allclose(tensor.array, expected, rtol=rtol, atol=atol)


def candidates() -> list[Any]:
    found = []
    for sampled in samples():
        arrays = arrays_of([*sampled.call.args, *sampled.call.kwargs.values()])
        if (
            arrays
            and sampled.op.kind != "random"
            and sampled.op.name not in (*RANDOM, *ONCE)
            and "_like" not in sampled.id
        ):
            found.append(pytest.param(sampled, id=sampled.id))
    return found


@pytest.mark.parametrize("sampled", candidates())
def test_a_batch_is_its_samples(sampled: Sampled) -> None:
    case = Batched(sampled)
    count, floating = len(case.stacks), set(case.floating)
    ways = {
        (True,) * count,
        tuple(at == 0 for at in range(count)),
        tuple(at in floating for at in range(count)),
    }
    ways.add(tuple(at not in floating for at in range(count)))
    for batched in sorted(ways):
        of_mask = sampled.id in MASKS or sampled.op.name == "masked_select"
        if any(batched) and not (of_mask and not batched[0]):
            if (of_mask and all(batched)) or (sampled.op.name in COUNTED and sampled.id not in SIZED):
                with pytest.raises(EngineError, match="vmap: We do not support batching"):
                    case.check(batched)
            else:
                case.check(batched)


@pytest.mark.parametrize("sampled", [each for each in candidates() if Batched(each.values[0]).differentiable])
def test_jvp_and_vjp_are_adjoint(sampled: Sampled) -> None:
    case, generator = Batched(sampled), np.random.default_rng(7)
    given = [engine.Tensor(stack[0].copy()) for stack in case.stacks]

    def function(*floating: Any) -> Any:
        for at, each in zip(case.floating, floating, strict=True):
            given[at] = each
        random.manual_seed(0)
        return tuple(y for y in case.outputs(*given) if y.dtype.differentiable)

    points = [given[at] for at in case.floating]
    outputs = function(*points)
    if not outputs:
        return
    tangents, cotangents = [like(generator, x) for x in points], tuple(like(generator, y) for y in outputs)
    pushed = func.jvp(function, tuple(points), tuple(tangents))[1]
    pulled = func.vjp(function, *points)[1](cotangents)
    left, right = pair(cotangents, pushed), pair(pulled, tangents)
    rtol, atol = case.near(outputs)
    assert abs(left - right) <= atol + rtol * max(abs(left), abs(right))
