"""What the tests of ops share: samples as calls on tensors, finite differences, comparison.

A sample is evaluated as a function of its floating leaves. L is the sum of Re(conj(v) * output) with random
v; its derivative along a random direction d is the sum of Re(conj(grad) * d), in torch's convention for
complex leaves, whatever the size of the tensors.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import engine
from engine import random
from engine.op import Call, Op, Refusal, SampleMaker
from engine.registry import REGISTRY

Array = np.ndarray[Any, Any]
STEP = {8: 1e-5, 4: 1e-2, 2: 1e-1}  # of the difference quotient, by bytes of a real number
NEAR = {8: (1e-6, 1e-8), 4: (1e-2, 1e-2), 2: (1e-1, 1e-1)}  # rtol, atol of it
EXACT = {8: (1e-9, 1e-12), 4: (2e-6, 1e-5), 2: (4e-3, 1e-3)}  # rtol, atol against torch


class Sampled(NamedTuple):
    """One sample of an op; `id` as in `sum-1`."""

    id: str
    op: Op
    call: Call


class Refused(NamedTuple):
    """One call that an op must refuse."""

    id: str
    op: Op
    refusal: Refusal


def maker(op: Op) -> SampleMaker:
    """The same arrays for an op at every run, whatever the other ops."""
    return SampleMaker(zlib.crc32(op.name.encode()))


def samples() -> Iterator[Sampled]:
    """Every sample of the registry."""
    for name, op in sorted(REGISTRY.items()):
        for number, call in enumerate(op.samples(maker(op))):
            yield Sampled(f"{name}-{number}", op, call)


def refusals() -> Iterator[Refused]:
    """Every call of the registry that must be refused."""
    for name, op in sorted(REGISTRY.items()):
        for number, refusal in enumerate(op.refusals(maker(op))):
            yield Refused(f"{name}-{number}", op, refusal)


def width(dtype: np.dtype[Any]) -> int:
    """The bytes of a real number of `dtype`."""
    return dtype.itemsize // (2 if dtype.kind == "c" else 1)


def is_floating(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fc"


def floating_arrays(call: Call) -> list[Array]:
    """The arrays of a call that become leaves, in order."""
    found: list[Array] = []
    _replace([*call.args, *call.kwargs.values()], lambda array: found.append(array) or array)
    return found


def _replace(value: Any, change: Callable[[Array], Any]) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)([_replace(each, change) for each in value])
    if isinstance(value, np.ndarray):
        return change(value) if is_floating(value) else engine.Tensor(value)
    return value


def evaluate(op: Op, call: Call, leaves: Sequence[engine.Tensor]) -> list[engine.Tensor]:
    """The outputs of a call with `leaves` in place of its floating arrays."""
    remaining = iter(leaves)
    args = _replace(list(call.args), lambda _: next(remaining))
    kwargs = {name: _replace(value, lambda _: next(remaining)) for name, value in call.kwargs.items()}
    random.manual_seed(0)
    found = op(*args, **kwargs)
    return list(found) if isinstance(found, (tuple, list)) else [found]


def leaves_of(call: Call) -> list[engine.Tensor]:
    """Fresh leaves that require grad."""
    return [engine.Tensor(array.copy(), requires_grad=True) for array in floating_arrays(call)]


def like(generator: np.random.Generator, tensor: Any) -> engine.Tensor:
    """A random tensor of the shape and dtype of another."""
    values: Any = generator.uniform(-1, 1, tensor.shape)
    if tensor.dtype.is_complex:
        values = values + 1j * generator.uniform(-1, 1, tensor.shape)
    return engine.Tensor(np.asarray(values, dtype=tensor.dtype.numpy))


def pair(left: Sequence[Any], right: Sequence[Any]) -> float:
    """The sum of Re(conj(left) * right); None counts as zero."""
    total = 0.0
    for one, other in zip(left, right, strict=True):
        if one is not None and other is not None:
            a, b = one.array.astype(np.complex128), other.array.astype(np.complex128)
            total += float(np.sum(np.conj(a) * b).real)
    return total


def moved(leaves: Sequence[Any], direction: Sequence[Any], step: float) -> list[engine.Tensor]:
    """Fresh leaves, `step` along `direction`."""
    return [
        engine.Tensor((leaf.array + step * d.array).astype(leaf.array.dtype), requires_grad=True)
        for leaf, d in zip(leaves, direction, strict=True)
    ]


class Problem:
    """A sample as a function of its leaves, with random cotangents."""

    def __init__(self, sampled: Sampled) -> None:
        self.op, self.call = sampled.op, sampled.call
        self.generator = np.random.default_rng(zlib.crc32(sampled.id.encode()))
        self.leaves = leaves_of(sampled.call)
        outputs = self.outputs(self.leaves)
        self.differentiable = [at for at, y in enumerate(outputs) if y.requires_grad]
        self.v = [like(self.generator, outputs[at]) for at in self.differentiable]
        widths = [width(outputs[at].array.dtype) for at in self.differentiable]
        self.width = min([*widths, *(width(leaf.array.dtype) for leaf in self.leaves)], default=8)

    def outputs(self, leaves: Sequence[Any]) -> list[engine.Tensor]:
        return evaluate(self.op, self.call, leaves)

    def loss(self, leaves: Sequence[Any]) -> float:
        outputs = self.outputs(leaves)
        return pair(self.v, [outputs[at] for at in self.differentiable])

    def gradients(self, leaves: Sequence[Any], v: Sequence[Any], create_graph: bool = False) -> list[Any]:
        """The gradient of every leaf; None where nothing flows."""
        outputs = self.outputs(leaves)
        chosen = [outputs[at] for at in self.differentiable]
        found = engine.grad(chosen, list(leaves), list(v), create_graph=create_graph, allow_unused=True)
        return list(found)

    def directions(self, points: Sequence[Any]) -> list[engine.Tensor]:
        return [like(self.generator, point) for point in points]

    def close(self, found: float, expected: float) -> bool:
        rtol, atol = NEAR[self.width]
        return abs(found - expected) <= atol + rtol * max(abs(found), abs(expected))

    def check_first(self) -> None:
        """The gradient along a random direction is the central difference quotient of the loss."""
        d = self.directions(self.leaves)
        found = pair(self.gradients(self.leaves, self.v), d)
        step = STEP[self.width]
        ahead, behind = (self.loss(moved(self.leaves, d, sign * step)) for sign in (1, -1))
        expected = (ahead - behind) / (2 * step)
        assert self.close(found, expected), f"gradient along d is {found}, difference quotient {expected}"

    def check_second(self) -> None:
        """The gradient of <w, gradient> by leaves and cotangents, against difference quotients of it."""
        v = [engine.Tensor(each.array.copy(), requires_grad=True) for each in self.v]
        first = self.gradients(self.leaves, v, create_graph=True)
        w = [None if g is None else like(self.generator, g) for g in first]
        chosen = [(g, each) for g, each in zip(first, w, strict=True) if g is not None and g.requires_grad]
        points = [*self.leaves, *v]
        found: list[Any] = [None] * len(points)
        if chosen:
            outputs, cotangents = (list(part) for part in zip(*chosen, strict=True))
            found = list(engine.grad(outputs, points, cotangents, allow_unused=True))
        d = self.directions(points)
        step = STEP[self.width]

        def paired(sign: int) -> float:
            at = moved(points, d, sign * step)
            return pair(w, self.gradients(at[: len(self.leaves)], at[len(self.leaves) :]))

        expected = (paired(1) - paired(-1)) / (2 * step)
        along = pair(found, d)
        assert self.close(along, expected), f"second derivative is {along}, difference quotient {expected}"


def assert_equal(
    found: Any, expected: Array | None, what: str, *, digits: int = 8, gaps: bool = False
) -> None:
    """A tensor has the dtype, the shape and (to rounding) the values of torch's array; both may be None.

    `digits` is the `width` of the narrowest dtype on the way; with `gaps` torch's NaNs are not compared.
    """
    if expected is None or found is None:
        assert found is None and expected is None, f"{what}: {found} where torch has {expected}"
        return
    array = found.array
    assert (array.dtype, array.shape) == (expected.dtype, expected.shape), what
    assert found.dtype.numpy == expected.dtype and found.meta.shape == expected.shape, what
    if expected.dtype.kind in "fc":
        rtol, atol = EXACT[min(digits, width(expected.dtype))]
        if gaps:
            array = np.where(np.isnan(expected), expected, array)
        np.testing.assert_allclose(array, expected, rtol=rtol, atol=atol, err_msg=what)
    else:
        np.testing.assert_array_equal(array, expected, err_msg=what)
