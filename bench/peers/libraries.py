"""The libraries, with two threads each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bench.case import Arrays
from bench.machine import THREADS


@functools.cache
def torch() -> Any:
    """torch, with as many threads as everybody."""
    import torch as found

    found.set_num_threads(THREADS)
    return found


@functools.cache
def jax() -> Any:
    """jax; its threads are as many as the processors that `machine.confine` left."""
    import jax as found

    found.config.update("jax_platforms", "cpu")
    return found


def leaves(arrays: Sequence[Any]) -> list[Any]:
    """torch tensors that require grad, sharing no memory with the arrays."""
    return [torch().tensor(each).requires_grad_() for each in arrays]


def eager(function: Callable[[], Any], wanted: Sequence[Any]) -> Callable[[], Any]:
    """A torch training step without the step: forget the last gradients, forward, backward."""

    def work() -> Any:
        for each in wanted:
            each.grad = None
        loss = function()
        loss.backward()
        return loss

    return work


def answer(wanted: Sequence[Any]) -> Callable[[Any], Arrays]:
    """The value and the gradients that `eager` has left."""
    return lambda loss: [loss.detach().numpy(), *[each.grad.numpy() for each in wanted]]


def arrays(found: Any) -> Arrays:
    """A value and gradients of jax or autograd, `(value, (gradient, ...))`, as arrays."""
    value, gradients = found
    return [np.asarray(value), *[np.asarray(each) for each in gradients]]
