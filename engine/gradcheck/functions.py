"""`gradcheck` and `gradgradcheck`, as torch.autograd has them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.eager.sweep import grad
from engine.eager.tensor import Tensor
from engine.errors import (
    AssertedArgumentError,
    GradcheckError,
    RuntimeArgumentError,
    ValueArgumentError,
)
from engine.gradcheck import messages
from engine.gradcheck.batches import check_cotangents, check_tangents
from engine.gradcheck.calls import Call, Part, as_tuple, differentiable, requires_grad
from engine.gradcheck.comparing import (
    Tolerance,
    along_directions,
    every_element,
    forward_directions,
    forward_elements,
)
from engine.gradcheck.forward import real_calls
from engine.gradcheck.zeros import check_undefined, check_zero_gradient
from engine.random import default_generator

Tensors = Tensor | Sequence[Any]


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensors,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether the gradients of `func` at `inputs`, with respect to those that require grad, are what central
    differences of step `eps` say; GradcheckError (or False, without `raise_exception`) where they are not.

    `fast_mode` compares vᵀ J u for one random pair of vectors, not every element. The defaults are for
    float64: an input of less precision is warned of. Each element of an input must have its own memory. A
    gradient always has the dtype of its input, so `check_grad_dtypes` finds nothing.
    """
    _check_asked(check_forward_ad, check_backward_ad, check_batched_grad, check_batched_forward_grad)
    tolerance = Tolerance(eps, atol, rtol, nondet_tol)
    try:
        given = as_tuple(inputs)
        _check_inputs(given)
        call = Call(func, given)
        results = call.results()
        if check_backward_ad:
            compare = along_directions if fast_mode else every_element
            parts: list[Part | None] = ["imaginary", "real"]
            for part in parts if any(each.is_complex() for each in results) else [None]:
                compare(Call(func, given, part), tolerance)
        if check_forward_ad:
            push = forward_directions if fast_mode else forward_elements
            for part, real in real_calls(call):
                push(real, tolerance, part)
        if check_batched_forward_grad:
            check_tangents(call)
        if check_backward_ad:
            outputs = [results[at] for at in differentiable(results)]
            if check_batched_grad:
                check_cotangents(call, outputs)
            check_zero_gradient(call, outputs, bool(masked))
            if check_undefined_grad:
                check_undefined(call)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check_asked(forward: bool, backward: bool, batched: bool, batched_forward: bool) -> None:
    said = "Expected at least one of check_forward_ad or check_backward_ad to be True"
    for wrong, text in (
        (not (forward or backward), said),
        (batched and not backward, "Setting check_batched_grad=True requires check_backward_ad to be True"),
        (
            batched_forward and not forward,
            "Setting check_batched_forward_grad=True requires check_forward_ad to be True",
        ),
    ):
        if wrong:
            raise AssertedArgumentError(text)


def _check_inputs(given: tuple[Any, ...]) -> None:
    for at, each in enumerate(given):
        if not requires_grad(each):
            continue
        if each.dtype.name not in ("float64", "complex128"):
            warnings.warn(messages.not_double(at), UserWarning, stacklevel=3)
        if any(step == 0 and size > 1 for step, size in zip(each.stride(), each.shape, strict=True)):
            raise RuntimeArgumentError(messages.overlapping(at))
    if not any(map(requires_grad, given)):
        raise ValueArgumentError(messages.NONE_REQUIRES_GRAD)


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensors,
    grad_outputs: Tensors | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """`gradcheck` of the gradients of `func`, as a function of `inputs` and of the cotangents `grad_outputs`,
    which are drawn from the default generator where none are given."""
    said = "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True"
    for asked, text in (
        (not check_fwd_over_rev, said),
        (check_undefined_grad, "Setting check_undefined_grad=True requires check_rev_over_rev to be True"),
        (check_batched_grad, "Setting check_batched_grad=True requires check_rev_over_rev to be True"),
    ):
        if asked and not check_rev_over_rev:
            raise AssertedArgumentError(text)
    given = as_tuple(inputs)
    if grad_outputs is None:
        results = as_tuple(func(*given))
        chosen = [results[at] for at in differentiable(results)]
        cotangents = tuple(_drawn(each, gen_non_contig_grad_outputs) for each in chosen)
    else:
        cotangents = as_tuple(grad_outputs)
    return gradcheck(
        _gradients_of(func, given, cotangents),
        given + cotangents,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        fast_mode=fast_mode,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        masked=masked,
    )


def _gradients_of(
    func: Callable[..., Any], inputs: tuple[Any, ...], cotangents: tuple[Any, ...]
) -> Callable[..., Any]:
    """The gradients of `func` that something flows to, as a function of its inputs and cotangents."""
    checked = [at for at, each in enumerate(inputs) if requires_grad(each)]

    def gradients(*args: Any) -> tuple[Tensor, ...]:
        given, v = args[: len(inputs)], args[len(inputs) :]
        results = as_tuple(func(*given))
        outputs = [results[at] for at in differentiable(results)]
        wanted = [given[at] for at in checked]
        found = grad(outputs, wanted, list(v), create_graph=True, allow_unused=True)
        return tuple(each for each in found if each is not None)

    return gradients


def _drawn(like: Tensor, spread: bool) -> Tensor:
    """A cotangent in [-1, 1) for `like`, not contiguous if `spread`."""
    low = -1 - 1j if like.is_complex() else -1
    array = default_generator().rand(tuple(like.shape), like.array.dtype) * 2 + low
    if spread and array.size > 1:
        array = np.repeat(array[..., None] if not array.ndim else array, 2, axis=-1)[..., ::2]
    return Tensor(array, requires_grad=True)
