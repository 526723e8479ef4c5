"""Numerical against analytical: every element of the Jacobians, or (fast mode) vᵀ J u for random u and v."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.dtypes import real_of
from engine.eager.tensor import Tensor
from engine.errors import GradcheckError
from engine.gradcheck import analytical, forward, messages, numerical
from engine.gradcheck.calls import Call, Part, differentiable
from engine.random import Generator

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Tolerance:
    """How near is near: the step of the differences, and what they and a second backward may be off by."""

    eps: float
    atol: float
    rtol: float
    nondet_tol: float

    def close(self, found: Array, expected: Array, atol: float | None = None) -> bool:
        """Whether `found` is `expected` to within the tolerances."""
        return bool(np.allclose(found, expected, self.rtol, self.atol if atol is None else atol))


def every_element(call: Call, tolerance: Tolerance) -> None:
    """GradcheckError unless all Jacobians are near each other."""
    results, inputs = call.results(), call.checked
    chosen = differentiable(results)
    found = [numerical.jacobians(call, each, tolerance.eps) for each in inputs]
    if not chosen:
        _expect_zero([each for one in found for each in one], 0.0)
    for number, at in enumerate(chosen):
        exact = analytical.jacobians(results[at], inputs, nondet_tol=tolerance.nondet_tol)
        for index, (a, per_output) in enumerate(zip(exact, found, strict=True)):
            if not tolerance.close(a, per_output[at]):
                part = call.part if _was_complex(call, at) else None
                raise GradcheckError(messages.mismatch(number, index, part, per_output[at], a))


def along_directions(call: Call, tolerance: Tolerance) -> None:
    """GradcheckError unless vᵀ J u is the same both ways, for random u and v that are never negative."""
    results, inputs = call.results(), call.checked
    chosen = differentiable(results)
    generator = Generator()
    u = [_directions(generator, each) for each in inputs]
    v = [_direction(generator, results[at]) for at in chosen]
    moved = [numerical.along(call, x, ways, tolerance.eps) for x, ways in zip(inputs, u, strict=True)]
    if not chosen:
        _expect_zero([each for one in moved for each in one], tolerance.nondet_tol)
    back = [
        analytical.against(results[at], inputs, w, nondet_tol=tolerance.nondet_tol)
        for at, w in zip(chosen, v, strict=True)
    ]
    for index, x in enumerate(inputs):
        for number, at in enumerate(chosen):
            n = np.asarray((v[number] * moved[index][at]).sum())
            a = _dotted(back[number][index], u[index])
            atol = tolerance.atol * float(sum(each.sum() for each in u[index])) * float(v[number].sum())
            if not tolerance.close(a, n, atol):
                part = call.part if _was_complex(call, at) else None
                text = messages.mismatch(number, index, part, n, a)
                raise GradcheckError(text + _in_slow_mode(call, results[at], at, x, tolerance))


def forward_elements(call: Call, tolerance: Tolerance, part: Part | None) -> None:
    """`every_element` with the Jacobians of forward mode; `part` if inputs are that of complex ones."""
    results, places = call.results(), call.places
    chosen = differentiable(results)
    found = [numerical.jacobians(call, each, tolerance.eps) for each in call.checked]
    if not chosen:
        _expect_zero([each for one in found for each in one], 0.0)
    exact = [forward.jacobians(call, place) for place in places] if chosen else []
    for number, at in enumerate(chosen):
        for index in range(len(places)):
            n, a = found[index][at], exact[index][at]
            if not tolerance.close(a, n):
                raise GradcheckError(messages.mismatch(number, index, part, n, a, forward=True))


def forward_directions(call: Call, tolerance: Tolerance, part: Part | None) -> None:
    """J u both ways, for one random u of each input."""
    results = call.results()
    chosen = differentiable(results)
    generator = Generator()
    u = [_direction(generator, each) for each in call.checked]
    for index, (place, x) in enumerate(zip(call.places, call.checked, strict=True)):
        moved = numerical.along(call, x, [u[index]], tolerance.eps)
        exact = forward.along(call, place, u[index])
        for number, at in enumerate(chosen):
            n, a = moved[at], exact[at]
            if not tolerance.close(a, n, tolerance.atol * float(u[index].sum())):
                whole = numerical.jacobians(call, x, tolerance.eps)[at], forward.jacobians(call, place)[at]
                text = messages.mismatch(number, index, part, n, a, forward=True)
                slow = messages.in_slow_mode(*whole, tolerance.close(whole[1], whole[0]))
                raise GradcheckError(text + slow)


def _expect_zero(found: Sequence[Array], tolerance: float) -> None:
    for each in found:
        if each.size and not np.abs(each).max() <= tolerance:
            raise GradcheckError(messages.NOT_ZERO)


def _was_complex(call: Call, at: int) -> bool:
    """Whether an output is complex before a part of it is taken."""
    if call.part is None:
        return False
    return bool(Call(call.func, call.inputs).results()[at].is_complex())


def _direction(generator: Generator, tensor: Tensor) -> Array:
    """A vector of length 1, drawn as torch draws it."""
    drawn = generator.rand((tensor.numel(),)).astype(real_of(tensor.dtype).numpy)
    return np.asarray(drawn / np.sqrt((drawn * drawn).sum()))


def _directions(generator: Generator, tensor: Tensor) -> list[Array]:
    return [_direction(generator, tensor) for _ in range(2 if tensor.is_complex() else 1)]


def _dotted(gradient: Array, ways: list[Array]) -> Array:
    if gradient.dtype.kind == "c":
        return np.asarray((gradient.real * ways[0]).sum() + 1j * (gradient.imag * ways[1]).sum())
    return np.asarray((gradient * ways[0]).sum())


def _in_slow_mode(call: Call, output: Tensor, at: int, given: Tensor, tolerance: Tolerance) -> str:
    n = numerical.jacobians(call, given, tolerance.eps)[at]
    (a,) = analytical.jacobians(output, [given])
    return messages.in_slow_mode(n, a, tolerance.close(a, n))
