"""Where nothing is recorded."""

from tests.engine.behaviour import Session


def no_grad_as_a_block(s: Session) -> None:
    t = s.torch
    x = t.ones(2, requires_grad=True)
    with t.no_grad():
        y = x * 2
        s(t.is_grad_enabled(), y.requires_grad, y.grad_fn, y.is_leaf)
        made = t.ones(2, requires_grad=True)
        s(made.requires_grad, t.ones(2).requires_grad_().requires_grad)
        with t.enable_grad():
            z = x * 2
            s(t.is_grad_enabled(), z.requires_grad)
            with t.no_grad():
                s(t.is_grad_enabled())
            s(t.is_grad_enabled())
        s(t.is_grad_enabled())
    s(t.is_grad_enabled(), (y * x).requires_grad)
    (y * x).sum().backward()
    s(x.grad)


def no_grad_is_left_by_an_error(s: Session) -> None:
    t = s.torch

    def leave() -> None:
        with t.no_grad():
            raise KeyError("left")

    s.refused(leave)
    s(t.is_grad_enabled())


def no_grad_as_a_decorator(s: Session) -> None:
    t = s.torch
    x = t.ones(2, requires_grad=True)

    @t.no_grad()
    def plain(y):  # type: ignore[no-untyped-def]
        return y * 2

    @t.no_grad
    def bare(y):  # type: ignore[no-untyped-def]
        return y * 2

    @t.enable_grad()
    def recorded(y):  # type: ignore[no-untyped-def]
        return y * 2

    s(plain(x).requires_grad, bare(x).requires_grad, plain(x).requires_grad, plain.__name__, bare.__name__)
    with t.no_grad():
        s(recorded(x).requires_grad, t.is_grad_enabled())
    with t.set_grad_enabled(False):
        s((x * 2).requires_grad)
    s(t.is_grad_enabled())


def set_grad_enabled_as_a_function(s: Session) -> None:
    t = s.torch
    x = t.ones(2, requires_grad=True)
    t.set_grad_enabled(False)
    s(t.is_grad_enabled(), (x * 2).requires_grad)
    t.set_grad_enabled(True)
    s(t.is_grad_enabled(), (x * 2).requires_grad)


def a_block_can_be_entered_again(s: Session) -> None:
    t = s.torch
    off = t.no_grad()
    with off:
        with t.enable_grad(), off:
            s(t.is_grad_enabled())
        s(t.is_grad_enabled())
    s(t.is_grad_enabled())
