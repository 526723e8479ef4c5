"""Ways to transform the samples of the registry: functions of Tensors here, programs in `sampling`.

All take a sample as a function of its floating arrays ("points") and give its floating outputs, their
tangents, cotangents, second derivatives and batches as arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

import engine
from engine import func
from engine.op import Call
from tests.engine import harness
from tests.engine.harness import Array, Sampled, evaluate, floating_arrays

_NOISY = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "rrelu")
_NOISY += ("gumbel_softmax",)
RANDOM = (*(f"nn.functional.{name}" for name in _NOISY), "rand_like", "randn_like", "randint_like")


def in_single(sampled: Sampled) -> Sampled:
    """The same sample in float32 and complex64."""

    def narrow(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return type(value)(narrow(each) for each in value)
        if not harness.is_floating(value):
            return value
        return value.astype({"f": np.float32, "c": np.complex64}[value.dtype.kind])

    call = sampled.call
    kwargs = {name: narrow(each) for name, each in call.kwargs.items()}
    return Sampled(f"{sampled.id}-float32", sampled.op, Call(narrow(call.args), kwargs))


def points_of(sampled: Sampled) -> list[Array]:
    """The floating arrays of a sample."""
    return floating_arrays(sampled.call)


def floating_outputs(sampled: Sampled) -> list[int]:
    """The places of the outputs that can have a derivative."""
    outputs = evaluate(sampled.op, sampled.call, harness.leaves_of(sampled.call))
    return [at for at, each in enumerate(outputs) if each.dtype.differentiable]


class Way(Protocol):
    """One way to transform a sample."""

    def __init__(self, sampled: Sampled) -> None: ...

    def outputs(self, points: Sequence[Array]) -> list[Array]:
        """The floating outputs."""

    def jvp(self, points: Sequence[Array], tangents: Sequence[Array]) -> list[Array]:
        """The tangents of the outputs."""

    def vjp(self, points: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        """The cotangents of the points."""

    def second(self, points: Sequence[Array], v: Sequence[Array], w: Sequence[Array]) -> list[Array]:
        """The derivatives of <w, vjp(points, v)> by the points."""

    def hessian(self, points: Sequence[Array], v: Sequence[Array]) -> list[list[Array]]:
        """The Hessian of <v, outputs>, a row for each point."""

    def jacobian_of_gradient(
        self, points: Sequence[Array], v: Sequence[Array], mode: str
    ) -> list[list[Array]]:
        """The Jacobian of vjp(points, v), a row for each point, in "reverse" or "forward" mode."""

    def batched(self, points: Sequence[Array], dims: Sequence[int | None]) -> list[Array]:
        """The outputs for a batch of some of the points, those that have a dim; random ops draw the same for
        each."""

    def batched_vjp(
        self, points: Sequence[Array], dims: Sequence[int | None], v: Sequence[Array]
    ) -> list[Array]:
        """The cotangents of the points for each sample of a batch, from a cotangent for each."""

    def vjp_of_batch(
        self, points: Sequence[Array], dims: Sequence[int | None], v: Sequence[Array]
    ) -> list[Array]:
        """The cotangents of the points, of a batch and shared, from a cotangent for each sample."""


class Functions:
    """Define-by-run, by `engine.func`."""

    def __init__(self, sampled: Sampled) -> None:
        self._op, self._call, self._chosen = sampled.op, sampled.call, floating_outputs(sampled)
        self._random = sampled.op.name in RANDOM

    def _run(self, *points: Any) -> tuple[Any, ...]:
        found = evaluate(self._op, self._call, points)
        return tuple(found[at] for at in self._chosen)

    def _paired(self, v: Sequence[Array]) -> Any:
        cotangents = _tensors(v)

        def loss(*points: Any) -> Any:
            pairs = zip(cotangents, self._run(*points), strict=True)
            return sum(engine.sum(engine.mul(one, other)) for one, other in pairs)

        return loss

    def _pulled(self, v: Sequence[Any]) -> Any:
        return lambda *points: func.vjp(self._run, *points)[1](tuple(v))

    def outputs(self, points: Sequence[Array]) -> list[Array]:
        return _arrays(self._run(*_tensors(points)))

    def jvp(self, points: Sequence[Array], tangents: Sequence[Array]) -> list[Array]:
        return _arrays(func.jvp(self._run, _tensors(points), _tensors(tangents))[1])

    def vjp(self, points: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        return _arrays(self._pulled(_tensors(cotangents))(*_tensors(points)))

    def second(self, points: Sequence[Array], v: Sequence[Array], w: Sequence[Array]) -> list[Array]:
        return _arrays(func.vjp(self._pulled(_tensors(v)), *_tensors(points))[1](_tensors(w)))

    def hessian(self, points: Sequence[Array], v: Sequence[Array]) -> list[list[Array]]:
        every = tuple(range(len(points)))
        hessian = func.hessian(self._paired(v), every)
        if self._random:  # which hessian cannot be told to draw the same numbers for
            hessian = func.jacfwd(func.jacrev(self._paired(v), every), every, randomness="same")
        return [_arrays(row) for row in hessian(*_tensors(points))]

    def jacobian_of_gradient(
        self, points: Sequence[Array], v: Sequence[Array], mode: str
    ) -> list[list[Array]]:
        every = tuple(range(len(points)))
        pulled = self._pulled(_tensors(v))
        if mode == "reverse":
            rows = func.jacrev(pulled, every)(*_tensors(points))
        else:
            rows = func.jacfwd(pulled, every, randomness="same")(*_tensors(points))
        return [_arrays(row) for row in rows]

    def batched(self, points: Sequence[Array], dims: Sequence[int | None]) -> list[Array]:
        return _arrays(func.vmap(self._run, tuple(dims), randomness="same")(*_tensors(points)))

    def batched_vjp(
        self, points: Sequence[Array], dims: Sequence[int | None], v: Sequence[Array]
    ) -> list[Array]:
        def pull(given: Any, cotangents: Any) -> Any:
            return self._pulled(cotangents)(*given)

        mapped = func.vmap(pull, (tuple(dims), 0), randomness="same")
        return _arrays(mapped(_tensors(points), _tensors(v)))

    def vjp_of_batch(
        self, points: Sequence[Array], dims: Sequence[int | None], v: Sequence[Array]
    ) -> list[Array]:
        mapped = func.vmap(self._run, tuple(dims), randomness="same")
        return _arrays(func.vjp(mapped, *_tensors(points))[1](_tensors(v)))


def _tensors(arrays: Sequence[Array]) -> tuple[engine.Tensor, ...]:
    return tuple(engine.tensor(each) for each in arrays)


def _arrays(tensors: Any) -> list[Array]:
    return [each.detach().numpy() for each in tensors]
