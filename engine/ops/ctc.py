"""ctc_loss: the probability of a label sequence, summed over its alignments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import FLOAT, int32, int64
from engine.errors import DTypeError, NotDifferentiable, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.dtype_checks import no_kernel
from engine.ops.losses import INVALID, MEAN, NONE, reduction_number
from engine.signature import Array, Index, Tensor
from engine.types import Type

_WHERE = "(while checking arguments for ctc_loss_allocate_outputs)"


def _ctc_type(
    log_probs: Type,
    targets: Type,
    input_lengths: Type,
    target_lengths: Type,
    blank: int,
    *others: Any,
    **named: Any,
) -> Type:
    if log_probs.dtype.category != FLOAT or log_probs.dtype.itemsize == 2:
        raise no_kernel("ctc_loss_cpu", log_probs.dtype)
    if log_probs.ndim != 3:
        raise ShapeError(
            f"Expected 3-dimensional tensor, but got {log_probs.ndim}-dimensional tensor for argument #1 "
            f"'log_probs' {_WHERE}"
        )
    if not 0 <= blank < log_probs.shape[2]:
        raise RuntimeArgumentError("blank must be in label range")
    for name, each in (("input_lengths", input_lengths), ("target_lengths", target_lengths)):
        if each.dtype not in (int32, int64):
            raise DTypeError(f"{name} must be integral")
        if each.numel != log_probs.shape[1]:
            raise ShapeError(f"{name} must be of size batch_size")
    if targets.ndim not in (1, 2):
        raise ShapeError(
            f"Expected 1 to 2 dimensions, but got {targets.ndim}-dimensional tensor for argument #2 "
            f"'targets' {_WHERE}"
        )
    return Type((log_probs.shape[1],), log_probs.dtype)


def _checked(name: str, lengths: Array, most: int) -> list[int]:
    found = [int(each) for each in lengths]
    for each in found:
        if each < 0 or (name == "input_lengths" and each > most):
            bound = "at least 0" if each < 0 else f"at most {most}"
            raise RuntimeArgumentError(
                f"Expected {name} to have value {bound}, but got value {each} {_WHERE}"
            )
    return found


def _labels(targets: Array, lengths: Sequence[int], classes: int) -> list[Array]:
    """The labels of each sample, from rows or from one list of all."""
    total = sum(lengths) if targets.ndim == 1 else max(lengths, default=0)
    size = targets.shape[-1]
    if (targets.ndim == 1 and size != total) or size < total:
        wanted, dim = (f"size {total}", 0) if targets.ndim == 1 else (f"size at least {total}", 1)
        raise ShapeError(
            f"Expected tensor to have {wanted} at dimension {dim}, but got size {size} for argument #2 "
            f"'targets' {_WHERE}"
        )
    if targets.ndim == 1:
        found = np.split(targets, np.cumsum(lengths)[:-1])
    else:
        found = [row[:length] for row, length in zip(targets, lengths, strict=True)]
    for each in found:
        if np.any((each < 0) | (each >= classes)):
            raise RuntimeArgumentError("a target is out of the range of the classes")
    return [each.astype(np.int64) for each in found]


def _extended(labels: Array, blank: int) -> tuple[Array, Array]:
    """The labels with blanks around them, and where a blank between unlike labels may be left out."""
    states = np.full(2 * len(labels) + 1, blank)
    states[1::2] = labels
    skips = np.zeros(len(states), bool)
    skips[3::2] = labels[1:] != labels[:-1]
    return states, skips


def _summed(scores: Array, skips: Array) -> Array:
    """The logarithm of the sum over all ways to each state at each time; scores (time, states)."""
    alpha = np.full(scores.shape, -np.inf, scores.dtype)
    alpha[0, :2] = scores[0, :2]
    for at in range(1, len(scores)):
        before = alpha[at - 1]
        ways = before.copy()
        ways[1:] = np.logaddexp(ways[1:], before[:-1])
        ways[2:] = np.where(skips[2:], np.logaddexp(ways[2:], before[:-2]), ways[2:])
        alpha[at] = ways + scores[at]
    return alpha


def _each(
    log_probs: Array, targets: Array, input_lengths: Array, target_lengths: Array, blank: int
) -> list[tuple[Array, Array, Array]]:
    """Scores of the states, the states, and the skips of each sample."""
    times = _checked("input_lengths", input_lengths, log_probs.shape[0])
    lengths = _checked("target_lengths", target_lengths, 0)
    found = []
    for at, labels in enumerate(_labels(targets, lengths, log_probs.shape[2])):
        states, skips = _extended(labels, blank)
        found.append((log_probs[: times[at], at][:, states], states, skips))
    return found


def _likelihood(alpha: Array, states: Array) -> Any:
    """The log-probability of all alignments."""
    if not len(alpha):
        return alpha.dtype.type(0 if len(states) == 1 else -np.inf)
    return np.logaddexp.reduce(alpha[-1, -2:])


@kernel(
    "_ctc_loss",
    kind="index",
    infer=_ctc_type,
    vjp=lambda F, x, y, g, blank, zero_infinity: (
        lambda: F._ctc_loss_backward(g, *x, blank, zero_infinity),
        None,
        None,
        None,
    ),
    grad_fn="CtcLossBackward0",
    saves=("blank", "input_lengths", "log_probs", "target_lengths", "targets", "zero_infinity"),
    samples=lambda make: [],
    batched="loop",
)
def _ctc_loss(
    log_probs: Tensor,
    targets: Index,
    input_lengths: Index,
    target_lengths: Index,
    blank: int,
    zero_infinity: bool,
) -> Array:
    """The negated log-probability of each sample's labels.

    As `ctc_loss`.
    """
    losses = np.zeros(log_probs.shape[1], log_probs.dtype)
    samples = _each(log_probs, targets, input_lengths, target_lengths, blank)
    for at, (scores, states, skips) in enumerate(samples):
        losses[at] = -_likelihood(_summed(scores, skips) if len(scores) else scores, states)
    if zero_infinity:
        losses[np.isinf(losses)] = 0
    return losses


def _backward_vjp(F: Any, x: Any, y: Any, g: Any, blank: int, zero_infinity: bool) -> Any:
    def of_grad() -> Any:
        ones = F.ones(x[0].meta.shape, dtype=x[0].meta.dtype)
        return F.sum(F.mul(F._ctc_loss_backward(ones, *x[1:], blank, zero_infinity), g), (0, 2))

    def of_scores() -> Any:
        raise NotDifferentiable("derivative for aten::_ctc_loss_backward is not implemented")

    return of_grad, of_scores, None, None, None


@kernel(
    "_ctc_loss_backward",
    kind="index",
    infer=lambda grad, log_probs, *others, **settings: Type(log_probs.shape, log_probs.dtype),
    vjp=_backward_vjp,
    saves=("log_probs", "targets", "input_lengths", "target_lengths"),
    samples=lambda make: [],
    batched="loop",
)
def _ctc_loss_backward(
    grad: Tensor,
    log_probs: Tensor,
    targets: Index,
    input_lengths: Index,
    target_lengths: Index,
    blank: int,
    zero_infinity: bool,
) -> Array:
    """The cotangent of the log-probabilities: how probable each class is at each time, given the labels.

    There is no second derivative.
    """
    found: Array = np.zeros_like(log_probs)
    samples = _each(log_probs, targets, input_lengths, target_lengths, blank)
    for at, (scores, states, skips) in enumerate(samples):
        if not len(scores):
            continue
        alpha = _summed(scores, skips)
        back_skips = np.concatenate([skips[:2] & False, skips[::-1][: max(len(skips) - 2, 0)]])[: len(skips)]
        beta = _summed(scores[::-1, ::-1], back_skips)[::-1, ::-1]
        total = _likelihood(alpha, states)
        if np.isinf(total) and zero_infinity:
            continue
        occupied = np.exp(alpha + beta - scores - total)
        np.add.at(found[: len(scores), at].T, states, -grad[at] * occupied.T)
    return found


def _samples(make: Any) -> list[Any]:
    lengths = np.array([4, 3]), np.array([2, 1])
    return [
        sample(make(4, 2, 3), np.array([[1, 2], [2, 1]]), *lengths),
        sample(make(4, 2, 3), np.array([1, 1, 2]), *lengths, reduction="none"),
        sample(make(4, 3), np.array([0, 1]), np.array([4]), np.array([2]), 2, "sum"),
    ]


@composite(
    "nn.functional.ctc_loss",
    samples=_samples,
    refusals=lambda make: [
        refused("blank must be in label range", make(4, 1, 3), make.ints(1, 2), *_lengths(4, 2), 3),
        refused(
            "Expected input_lengths to have value at most 4", make(4, 1, 3), make.ints(1, 2), *_lengths(5, 2)
        ),
        refused(
            "Expected tensor to have size at least 3 at dimension 1, but got size 2 for argument #2",
            *(make(4, 1, 3), make.ints(1, 2), *_lengths(4, 3)),
        ),
        refused(INVALID, make(4, 1, 3), make.ints(1, 2), *_lengths(4, 2), reduction="avg"),
    ],
)
def ctc_loss(
    F: Any,
    log_probs: Tensor,
    targets: Index,
    input_lengths: Index,
    target_lengths: Index,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """The negated log-probability of label sequences, over all alignments.

    `log_probs` are (time, batch, class). The mean is over the lengths first. There is no second derivative;
    a loss that is infinite has a NaN gradient, unless `zero_infinity`.

    Unlike torch: the gradient is that of `log_probs` as they are given; torch's has exp(log_probs) added,
    which makes no difference behind `log_softmax`. Labels out of range are refused.
    """
    number = reduction_number(reduction, None, None)
    alone = log_probs.meta.ndim == 2
    if alone:
        log_probs = F.unsqueeze(log_probs, 1)
    if targets.meta.dtype.category == FLOAT:
        targets = F.to(targets, int64)
    input_lengths, target_lengths = (
        F.reshape(each, (1,)) if not each.meta.ndim else each for each in (input_lengths, target_lengths)
    )
    loss = F._ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, zero_infinity)
    if number == MEAN:
        return F.mean(F.div(loss, F.clamp_min(F.to(target_lengths, loss.meta.dtype), 1)))
    if number == NONE:
        return F.squeeze(loss, 0) if alone else loss
    return F.sum(loss)


def _lengths(time: int, labels: int) -> tuple[Array, Array]:
    return np.array([time]), np.array([labels])
