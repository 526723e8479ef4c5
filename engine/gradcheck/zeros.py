"""What must come of nothing: cotangents of zeros, and cotangents that are not there at all."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.eager.function import Function
from engine.eager.sweep import grad
from engine.eager.tensor import Tensor
from engine.errors import GradcheckError
from engine.gradcheck import messages
from engine.gradcheck.calls import Call, differentiable


class _Undefined(Function):
    """The identity, whose backward says that nothing came."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """The tensor itself."""
        return x

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> None:
        """Nothing."""


def check_zero_gradient(call: Call, outputs: list[Tensor], masked: bool) -> None:
    """GradcheckError unless a backward from cotangents of zeros gives zeros."""
    for gradient in _from_zeros(call, outputs):
        if gradient is None:
            continue
        zero = np.allclose(gradient.array, 0) if masked else np.all(gradient.array == 0)
        if not zero:
            raise GradcheckError(messages.NOT_MULTIPLIED)


def check_undefined(call: Call) -> None:
    """GradcheckError unless backward takes outputs to which nothing flows, all of them or one at a time, and
    gives zeros or nothing."""
    outputs = _outputs(call)
    _check([_Undefined.apply(each) for each in outputs], call)
    if len(outputs) > 1:
        for alone in range(len(outputs)):
            fresh = _outputs(call)
            fresh[alone] = _Undefined.apply(fresh[alone])
            _check(fresh, call)


def _outputs(call: Call) -> list[Tensor]:
    results = call.results()
    return [results[at] for at in differentiable(results)]


def _from_zeros(call: Call, outputs: list[Tensor]) -> Sequence[Tensor | None]:
    zeros = [Tensor(np.zeros(each.array.shape, each.array.dtype)) for each in outputs]
    found: Sequence[Tensor | None] = grad(outputs, call.checked, zeros, allow_unused=True)
    return found


def _check(outputs: list[Tensor], call: Call) -> None:
    try:
        gradients = _from_zeros(call, outputs)
    except RuntimeError as error:
        warnings.warn(messages.UNDEFINED_WARNING, UserWarning, stacklevel=4)
        raise GradcheckError(messages.UNDEFINED_REFUSED) from error
    for gradient in gradients:
        if gradient is not None and np.any(gradient.array != 0):
            warnings.warn(messages.UNDEFINED_WARNING, UserWarning, stacklevel=4)
            raise GradcheckError(messages.UNDEFINED_NOT_ZERO)
