"""The ways in which a program can be run: each gives its outputs and the gradients of its inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import engine
from tests.engine.fusing import fuse_everything, fuse_nothing
from tests.fuzz.drawing import Program

Array = np.ndarray[Any, Any]


class Answer(NamedTuple):
    """Outputs, and gradients of the inputs that have some; or the error that was raised instead."""

    outputs: dict[str, Array]
    grads: dict[str, Array]
    error: str = ""


def refusing(run: Callable[..., Answer]) -> Callable[..., Answer]:
    """`run`, with the engine's errors as an answer."""

    def found(*args: Any) -> Answer:
        try:
            return run(*args)
        except engine.errors.EngineError as error:
            return Answer({}, {}, f"{type(error).__name__}: {error}")

    return found


def cotangents(outputs: dict[str, engine.Tensor], seed: int) -> dict[str, engine.Tensor]:
    """A gradient for each output that requires grad."""
    numbers, found = np.random.default_rng(seed), {}
    for name, each in outputs.items():
        if each.requires_grad:
            data: Any = numbers.uniform(-1, 1, tuple(each.shape))
            found[name] = engine.tensor(np.asarray(data).astype(each.dtype.numpy))
    return found


@refusing
def eager(program: Program, seed: int) -> Answer:
    """Define-by-run."""
    given = {
        name: engine.tensor(each.detach().numpy(), requires_grad=each.requires_grad)
        for name, each in program.inputs.items()
    }
    found = engine.Program(program.graph).function(*given, outputs=program.outputs)(*given.values())
    outputs = dict(zip(program.outputs, found if isinstance(found, tuple) else (found,), strict=True))
    wanted = cotangents(outputs, seed)
    if wanted:
        engine.autograd.backward([outputs[name] for name in wanted], list(wanted.values()))
    grads = {name: each.grad.numpy() for name, each in given.items() if each.grad is not None}
    return Answer({name: each.detach().numpy() for name, each in outputs.items()}, grads)


def _compiled(program: Program, seed: int, *, earned: bool) -> Answer:
    made = engine.Program(program.graph)
    flags = made.forward(program.inputs, outputs=program.outputs).outputs
    prepared = made.prepare(
        program.inputs, outputs=program.outputs, gradient=cotangents(flags, seed) or None, trace=False,
        route="backward" if any(each.requires_grad for each in flags.values()) else "forward",
    )  # fmt: skip
    if earned:
        _ = prepared.plan
    found = prepared.run()
    grads = {name: each.numpy() for name, each in found.grads.items() if each is not None}
    return Answer({name: each.detach().numpy() for name, each in found.outputs.items()}, grads)


@refusing
def first_seen(program: Program, seed: int) -> Answer:
    """On the plan of a first sight."""
    return _compiled(program, seed, earned=False)


@refusing
def unfused(program: Program, seed: int) -> Answer:
    """Compiled, nothing fused."""
    with pytest.MonkeyPatch.context() as patch:
        fuse_nothing(patch)
        return _compiled(program, seed, earned=True)


@refusing
def fused(program: Program, seed: int) -> Answer:
    """Compiled, all fused that can be, in tiles of a row or two."""
    with pytest.MonkeyPatch.context() as patch:
        fuse_everything(patch)
        return _compiled(program, seed, earned=True)


WAYS: dict[str, Callable[[Program, int], Answer]] = {
    "first seen": first_seen,
    "unfused": unfused,
    "fused": fused,
}
