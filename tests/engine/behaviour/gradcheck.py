"""gradcheck and gradgradcheck: what passes, what does not, and in what words."""

from __future__ import annotations

import warnings
from typing import Any

from tests.engine.behaviour import Session
from tests.engine.behaviour.functions import exp, make


def _double(s: Session, *values: Any, **more: Any) -> Any:
    return s.torch.tensor([*values], dtype=s.torch.float64, requires_grad=True, **more)


def _scaled(s: Session, factor: float) -> Any:
    """Twice its argument, with another factor in the backward."""
    return make(s, lambda ctx, x: x * 2, lambda ctx, g: g * factor).apply


def _square(s: Session, wrong: float = 0.0) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * x * 2 + g * wrong

    return make(s, forward, backward).apply


def _check(s: Session, func: Any, inputs: Any, *, second: bool = False, **settings: Any) -> None:
    """Say what the check says, and that it says False where it must not raise."""
    check = s.torch.autograd.gradgradcheck if second else s.torch.autograd.gradcheck
    try:
        s(check(func, inputs, **settings))
    except RuntimeError as error:
        s(type(error).__name__, error)
        s(check(func, inputs, raise_exception=False, **settings))


def right(s: Session) -> None:
    t = s.torch
    x, y = _double(s, 0.5, -1.5), _double(s, 2.0, 3.0)
    _check(s, lambda a, b: a * b.exp(), (x, y))
    _check(s, lambda a, b: (a.sin() @ b, b.sum(), a.detach()), [x, y])
    _check(s, lambda a: a, x, check_grad_dtypes=True)
    _check(s, lambda a, n: a * n, (x, 3))
    _check(s, exp(s).apply, (x,))
    _check(s, lambda a, b: a * b.exp(), (x, y), fast_mode=True)
    _check(s, lambda a: a.sum(), (t.zeros(0, 2, dtype=t.float64, requires_grad=True),))
    _check(s, lambda a: a[:0], (x,))


def wrong_factor(s: Session) -> None:
    x, y = _double(s, 1.0, 2.0), _double(s, 1.5)
    for fast in (False, True):
        _check(s, _scaled(s, 3.0), (x,), fast_mode=fast)
        _check(s, _scaled(s, -2.0), (x,), fast_mode=fast)
        _check(s, lambda a, b: (a * b, a + _scaled(s, 2.5)(b)), (x, y), fast_mode=fast)


def missing_term(s: Session) -> None:
    _check(s, _square(s, 0.25), (_double(s, 1.0, -2.0, 4.0),))
    _check(s, _square(s, 0.25), (_double(s, 1.0, -2.0, 4.0),), atol=0.3)
    _check(s, _square(s, 1e-4), (_double(s, 1.0, 8.0),), rtol=0.0)
    _check(s, _square(s, 1e-4), (_double(s, 1.0, 8.0),), rtol=0.0, fast_mode=True)


def kinks(s: Session) -> None:
    for fast in (False, True):
        _check(s, s.torch.relu, (_double(s, 0.0, 1.0),), fast_mode=fast)
        _check(s, s.torch.abs, (_double(s, 0.0),), fast_mode=fast)
        _check(s, s.torch.sqrt, (_double(s, 0.0),), fast_mode=fast)


def single_precision(s: Session) -> None:
    x = s.torch.tensor([0.5, 0.25], requires_grad=True)
    y = _double(s, 1.0, 2.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _check(s, lambda a, b: a * b, (y, x), eps=1e-2)
        _check(s, lambda a: a.exp(), (x,), raise_exception=False)
    for each in caught:
        s(each.category.__name__, each.message)


def nothing_to_check(s: Session) -> None:
    t = s.torch
    x = _double(s, 1.0, 2.0)
    s.refused(lambda: t.autograd.gradcheck(t.exp, (x.detach(),)))
    s.refused(lambda: t.autograd.gradcheck(lambda: x, ()))
    s.refused(lambda: t.autograd.gradcheck(t.exp, (x.detach(),), raise_exception=False))
    for fast in (False, True):
        _check(s, lambda a: a.detach(), (x,), fast_mode=fast)
        _check(s, lambda a: a.detach() * 0, (x,), fast_mode=fast)
        _check(s, lambda a: t.ones(2), (x,), fast_mode=fast)


def refused(s: Session) -> None:
    t = s.torch
    x = t.tensor([1.0], dtype=t.float64, requires_grad=True)
    s.refused(lambda: t.autograd.gradcheck(t.exp, (x.expand(3),)))
    for settings in (
        {"check_backward_ad": False},
        {"check_backward_ad": False, "check_forward_ad": True, "check_batched_grad": True},
        {"check_batched_forward_grad": True},
    ):
        try:
            t.autograd.gradcheck(t.exp, (x,), **settings)
        except AssertionError as error:
            s(error)
    for settings in (
        {"check_rev_over_rev": False},
        {"check_rev_over_rev": False, "check_fwd_over_rev": True},
        {"check_rev_over_rev": False, "check_fwd_over_rev": True, "check_undefined_grad": False,
         "check_batched_grad": True},
    ):  # fmt: skip
        try:
            t.autograd.gradgradcheck(t.exp, (x,), **settings)
        except AssertionError as error:
            s(error)


def shapes_and_dtypes_that_change(s: Session) -> None:
    t = s.torch
    x = _double(s, 1.0, 2.0)
    for func in (lambda a: a[a > 1], lambda a: a.float() if a[0] > 1 else a):
        try:
            t.autograd.gradcheck(func, (x,))
        except AssertionError as error:
            s(error)


def not_reentrant(s: Session) -> None:
    calls: list[int] = []

    def backward(ctx: Any, g: Any) -> Any:
        calls.append(1)
        return g * (2 + 1e-7 * len(calls))

    func = make(s, lambda ctx, x: x * 2, backward).apply
    _check(s, func, (_double(s, 1.0, 2.0),))
    _check(s, func, (_double(s, 1.0, 2.0),), nondet_tol=1e-3, check_undefined_grad=False)
    _check(s, func, (_double(s, 1.0, 2.0),), fast_mode=True)


def not_multiplied_by_the_gradient(s: Session) -> None:
    t = s.torch
    func = make(s, lambda ctx, x: x.sum(), lambda ctx, g: t.ones(2, dtype=t.float64)).apply
    _check(s, func, (_double(s, 1.0, 2.0),))
    tiny = make(s, lambda ctx, x: x * 2, lambda ctx, g: g * 2 + 1e-9).apply
    _check(s, tiny, (_double(s, 1.0, 2.0),))
    _check(s, tiny, (_double(s, 1.0, 2.0),), masked=True)


def cotangents_that_do_not_come(s: Session) -> None:
    def unmade(ctx: Any, x: Any) -> Any:
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    def refuses(ctx: Any, *g: Any) -> Any:
        if all(each is None for each in g):
            raise RuntimeError("nothing came")
        return summed(g)

    def invents(ctx: Any, *g: Any) -> Any:
        return s.torch.ones(2, dtype=s.torch.float64) if all(each is None for each in g) else summed(g)

    def summed(g: Any) -> Any:
        return sum(each * by for each, by in zip(g, (2, 3), strict=True) if each is not None)

    for backward in (refuses, invents):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _check(s, make(s, unmade, backward).apply, (_double(s, 1.0, 2.0),))
        s(*[each.message for each in caught])
        _check(s, make(s, unmade, backward).apply, (_double(s, 1.0, 2.0),), check_undefined_grad=False)


def complex_numbers(s: Session) -> None:
    t = s.torch
    z = t.tensor([0.5 + 1j, -1.0 + 0.25j], dtype=t.complex128, requires_grad=True)
    x = _double(s, 1.0, 2.0)
    conjugated = make(s, lambda ctx, a: a * 2j, lambda ctx, g: g * 2j).apply
    for fast in (False, True):
        _check(s, lambda a: a * a, (z,), fast_mode=fast)
        _check(s, lambda a: a.abs(), (z,), fast_mode=fast)
        _check(s, lambda a, b: (a * b, b.sum()), (z, x), fast_mode=fast)
        _check(s, lambda a: (conjugated(a), a.real), (z,), fast_mode=fast)


def second(s: Session) -> None:
    t = s.torch
    t.manual_seed(0)
    x = _double(s, 0.5, -1.5)
    z = t.tensor([0.5 + 1j, -1.0 + 0.25j], dtype=t.complex128, requires_grad=True)
    _check(s, lambda a: a.sin() * a, (x,), second=True)
    _check(s, lambda a: a * a, (z,), second=True)
    _check(s, lambda a: a.sin() * a, (x,), second=True, gen_non_contig_grad_outputs=True)
    _check(s, lambda a: a.sin() * a, (x,), second=True, fast_mode=True)
    _check(
        s, lambda a: (a * 2, a.exp()), (x,), second=True, grad_outputs=(_double(s, 1, 2), _double(s, 3, 4))
    )
    _check(s, lambda a: a * 2, (x,), second=True)


def second_wrong(s: Session) -> None:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x.sin()

    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * x.detach().cos()

    t = s.torch
    func = make(s, forward, backward).apply
    v = t.tensor([1.0, 2.0], dtype=t.float64)
    _check(s, func, (_double(s, 0.5, -1.5),))
    _check(s, func, (_double(s, 0.5, -1.5),), second=True, grad_outputs=v)
    _check(s, func, (_double(s, 0.5, -1.5),), second=True, grad_outputs=v.requires_grad_())
    _check(s, func, (_double(s, 0.5, -1.5),), second=True, grad_outputs=v, fast_mode=True)
    t.manual_seed(3)
    _check(s, func, (_double(s, 0.5, -1.5),), second=True)


def forward_mode(s: Session) -> None:
    t = s.torch
    x, y = _double(s, 0.5, -1.5), _double(s, 2.0, 3.0)
    z = t.tensor([0.5 + 1j, -1.0 + 0.25j], dtype=t.complex128, requires_grad=True)
    for fast in (False, True):
        settings = {"check_forward_ad": True, "fast_mode": fast}
        _check(s, lambda a, b: (a * b.exp(), b.sum()), (x, y), **settings)
        _check(s, lambda a, b: a * b.exp(), (x, y), check_backward_ad=False, **settings)
        _check(s, lambda a, b: a * b, (z, y), **settings)
        _check(s, t.abs, (z,), **settings)
        _check(s, t.relu, (_double(s, 0.0, 1.0),), check_backward_ad=False, **settings)
        _check(s, lambda a: a.detach() * 2, (x,), check_backward_ad=False, check_forward_ad=True)
    settings = {"check_backward_ad": False, "check_forward_ad": True}
    _check(s, lambda a, b: b * a.relu(), (_double(s, 1.0, 0.0), y), **settings)
    _check(s, lambda a: a.sin() * a, (x,), second=True, check_fwd_over_rev=True)


def batched(s: Session) -> None:
    x, y = _double(s, 0.5, -1.5), _double(s, 2.0, 3.0)
    _check(s, lambda a, b: (a * b.exp(), b.sum()), (x, y), check_batched_grad=True)
    _check(s, lambda a, b: a @ b, (x, y), check_forward_ad=True, check_batched_forward_grad=True)
    _check(s, lambda a: a.sin() * a, (x,), second=True, check_batched_grad=True)
