"""Negated log-likelihoods and divergences: kl_div, poisson_nll_loss, gaussian_nll_loss."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import COMPLEX, FLOAT
from engine.errors import DTypeError, ValueArgumentError
from engine.op import refused, sample
from engine.ops.differences import reduced
from engine.ops.losses import INVALID, SUM, reduction_number
from engine.signature import Array, Number, Tensor, is_number
from engine.types import Type

_MISMATCH = "The size of tensor a (3) must match the size of tensor b (2)"


@composite(
    "nn.functional.kl_div",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3, low=0.1)),
        sample(make(2, 3), make(2, 3, low=0.1), reduction="none"),
        sample(make(2, 3), make(2, 3), reduction="batchmean", log_target=True),
        sample(make(), make(low=0.1), reduction="sum"),
    ],
    refusals=lambda make: [
        refused(_MISMATCH, make(2), make(3)),
        refused(INVALID, make(2), make(2), reduction="avg"),
        refused("kl_div: Integral inputs not supported.", make.ints(2), make.ints(2)),
        refused("kl_div: Complex inputs not supported.", make(2) + 1j, make(2)),
    ],
)
def kl_div(
    F: Any,
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """target * (log(target) - input), of log-probabilities `input`: each, their mean or sum.

    "batchmean" is the sum over the first dim's size. Where a target is 0, its gradient is
    -inf, and that of `input` 0.
    """
    by_batch = reduction == "batchmean"
    older = size_average is not None or reduce is not None
    number = SUM if by_batch and not older else reduction_number(reduction, size_average, reduce)
    dtypes = (input.meta.dtype, target.meta.dtype)
    if any(dtype.category == COMPLEX for dtype in dtypes):
        raise DTypeError("kl_div: Complex inputs not supported.")
    if any(dtype.category < FLOAT for dtype in dtypes):
        raise DTypeError("kl_div: Integral inputs not supported.")
    if log_target:
        loss = F.mul(F.exp(target), F.sub(target, input))
    else:
        loss = F.sub(F.xlogy(target, target), F.mul(target, input))
    loss = reduced(F, loss, number)
    return F.div(loss, input.meta.shape[0]) if by_batch and input.meta.ndim else loss


@composite(
    "nn.functional.poisson_nll_loss",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3, low=0.1)),
        sample(make(2, 3, low=0.1), make(2, 3, low=0.1), log_input=False, reduction="none"),
        sample(make(2, 3), make(2, 3, low=1.1), full=True, reduction="sum"),
        sample(make(2, 3), make.ints(2, 3)),
    ],
    refusals=lambda make: [
        refused("The size of tensor a (3) must match the size of tensor b (2)", make(2), make(3)),
        refused(INVALID, make(2), make(2), reduction="avg"),
    ],
)
def poisson_nll_loss(
    F: Any,
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The negated log-likelihood of counts `target` for the rates exp(input), or `input`.

    `full` adds Stirling's term for targets above 1; at a target of 1 it has no gradient.
    """
    number = reduction_number(reduction, size_average, reduce)
    if log_input:
        loss = F.sub(F.exp(input), F.mul(target, input))
    else:
        loss = F.sub(input, F.mul(target, F.log(F.add(input, eps))))
    if full:
        entropy = F.sub(F.mul(target, F.log(target)), target)
        stirling = F.add(entropy, F.mul(F.log(F.mul(target, 2 * math.pi)), 0.5))
        loss = F.add(loss, F.masked_fill(stirling, F.le(target, 1), 0))
    return reduced(F, loss, number)


@kernel(
    "_variance_from",
    kind="structural",
    infer=lambda input, eps: Type(input.shape, input.dtype),
    vjp=lambda F, x, y, g, eps: (lambda: g,),
    grad_fn="CloneBackward0",
    samples=lambda make: [],
)
def _variance_from(input: Tensor, eps: float, *, meta: Any) -> Array:
    """`input` with at least `eps` for each element; refused where one is negative.

    Nothing of the bound shows in the gradient, which is g.
    """
    if np.any(input < 0):
        raise ValueArgumentError("var has negative entry/entries")
    found: Array = np.maximum(input, input.dtype.type(eps))
    return found


def _fitting(F: Any, var: Any, input: Any) -> Any:
    """The variances as they broadcast against `input`."""
    shape, own = input.meta.shape, var.meta.shape
    if own == shape:
        return var
    if shape[:-1] == own:
        return F.unsqueeze(var, -1)
    unlike = [b for a, b in zip(shape, own, strict=False) if a != b]
    if len(shape) == len(own) and sum(unlike) == 1:
        return var
    raise ValueArgumentError("var is of incorrect size", expected=list(shape), actual=list(own))


@composite(
    "nn.functional.gaussian_nll_loss",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3), make(2, 3, low=0.1)),
        sample(make(2, 3), make(2, 3), make(2, low=0.1), reduction="none"),
        sample(make(2, 3), make(2, 3), make(2, 1, low=0.1), full=True, reduction="sum"),
        sample(make(2, 3), make(3), 0.7),
    ],
    refusals=lambda make: [
        refused("avg is not valid", make(2), make(2), make(2, low=0.1), reduction="avg"),
        refused("var is of incorrect size", make(2, 3), make(2, 3), make(2, 2, low=0.1)),
        refused("var has negative entry/entries", make(2), make(2), make(2, high=-0.1)),
        refused("var has negative entry/entries", make(2), make(2), -0.5),
        refused("The size of tensor a (2) must match the size of tensor b (3)", make(2), make(3), 0.5),
    ],
)
def gaussian_nll_loss(
    F: Any,
    input: Tensor,
    target: Tensor,
    var: Tensor | Number,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """The negated log-likelihood of `target` for normal distributions with means `input` and variances `var`.

    Variances below `eps` count as `eps`, and have the gradient that they would have there.
    """
    if is_number(var):
        if var.real < 0:
            raise ValueArgumentError("var has negative entry/entries")
        var = F.full_like(input, var)
    var = _fitting(F, var, input)
    if reduction not in ("none", "mean", "sum"):
        raise ValueArgumentError(f"{reduction} is not valid", actual=reduction)
    var = F._variance_from(var, eps)
    apart = F.div(F.pow(F.sub(input, target), 2), var)
    loss = F.mul(F.add(F.log(var), apart), 0.5)
    if full:
        loss = F.add(loss, 0.5 * math.log(2 * math.pi))
    return reduced(F, loss, reduction_number(reduction, None, None))
