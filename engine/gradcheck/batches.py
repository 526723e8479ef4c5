"""Batched cotangents and tangents: the same as one after the other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.eager.sweep import grad
from engine.eager.tensor import Tensor
from engine.errors import GradcheckError
from engine.func import vmap
from engine.gradcheck import forward, messages
from engine.gradcheck.calls import Call, F

_COUNT = 2


def check_cotangents(call: Call, outputs: Sequence[Tensor]) -> None:
    """GradcheckError unless a batch of cotangents gives what each of them does."""
    for number, output in enumerate(outputs):
        drawn = [F.randn_like(output.detach()) for _ in range(_COUNT)]
        vjp = functools.partial(grad, output, call.checked, retain_graph=True, allow_unused=True)
        _compare(vjp, functools.partial(vjp, is_grads_batched=True), drawn, output=number)


def check_tangents(call: Call) -> None:
    """GradcheckError unless a batch of tangents gives what each of them does."""
    for place in call.places:
        drawn = [F.randn_like(call.inputs[place].detach()) for _ in range(_COUNT)]
        jvp = functools.partial(forward.pushed, call, place)
        _compare(jvp, vmap(jvp), drawn, output=None)


def _compare(
    one: Callable[[Tensor], Sequence[Any]],
    many: Callable[[Tensor], Sequence[Any]],
    drawn: list[Tensor],
    output: int | None,
) -> None:
    """Compare `many` at all that were drawn with `one` at each; without an `output` they are tangents."""
    expected = zip(*[one(each) for each in drawn], strict=True)
    try:
        found = many(F.stack(drawn))
    except RuntimeError as error:
        raise GradcheckError(messages.batch_refused(error, forward=output is None)) from error
    for index, (batched, each) in enumerate(zip(found, expected, strict=True)):
        if batched is None:
            continue
        stacked = F.stack(list(each))
        if not np.allclose(batched.array, stacked.array, rtol=1e-5, atol=1e-8):
            raise GradcheckError(messages.batch_differs(output, index, batched, stacked))
