"""torch.autograd.functional: shapes of results, strictness, and what is refused in what words."""

from collections.abc import Callable
from typing import Any

from tests.engine.behaviour import Session


class _Case:
    """Functions and points that the scenarios share."""

    def __init__(self, s: Session) -> None:
        t = s.torch
        self.functional = t.autograd.functional
        self.x, self.y = t.tensor([1.0, 2.0], dtype=t.float64), t.tensor([3.0, 4.0], dtype=t.float64)
        self.w = t.tensor([1.0, 2.0], dtype=t.float64, requires_grad=True)
        self.number = t.tensor(2.0, dtype=t.float64)
        self.constant = lambda a: t.ones(2, dtype=t.float64)


def _square(a: Any) -> Any:
    return a * a


def _two(a: Any, b: Any) -> Any:
    return a * b, a.sum()


def _cube(a: Any) -> Any:
    return (a**3).sum()


def _mixed(a: Any, b: Any) -> Any:
    return (a * a * b).sum()


def _flags(found: Any) -> Any:
    """The results without their grad_fns' names, which are the engine's own."""
    if isinstance(found, (tuple, list)):
        return type(found)(_flags(each) for each in found)
    return found.detach(), found.requires_grad


def _tell(s: Session, call: Callable[..., Any], *args: Any, **settings: Any) -> None:
    s.refused(lambda: s(_flags(call(*args, **settings))))


def vector_products(s: Session) -> None:
    c = _Case(s)
    for call, pair in ((c.functional.vjp, (c.y, c.number)), (c.functional.jvp, (c.y, c.x))):
        _tell(s, call, _square, c.x, c.y)
        _tell(s, call, _two, (c.x, c.y), pair)
        _tell(s, call, lambda a: a.sum(), c.number)
        _tell(s, call, c.constant, c.x, c.y)
        _tell(s, call, lambda a: a, c.x, c.y)
        _tell(s, call, lambda a, b: a * 2, (c.x, c.y), c.y if call is c.functional.vjp else (c.x, c.y))
        _tell(s, call, _square, c.w, c.y)
        _tell(s, call, _square, c.w, c.y, create_graph=True)
        _tell(s, call, _square, c.x, c.w, create_graph=True)
        with s.torch.no_grad():
            _tell(s, call, _square, c.w, c.y)
            _tell(s, call, _square, c.w, c.y, create_graph=True)


def vector_products_refused(s: Session) -> None:
    c, t = _Case(s), s.torch
    for call in (c.functional.vjp, c.functional.jvp):
        _tell(s, call, _square, c.x)
        _tell(s, call, _square, c.x, t.ones(3))
        _tell(s, call, _square, c.x, (c.y, c.y))
        _tell(s, call, _two, (c.x, c.y), (c.y, c.y, c.y))
        _tell(s, call, _two, (c.x, c.y), (t.ones(3), t.ones(3)))
        _tell(s, call, _square, [c.x], c.y)
        _tell(s, call, _square, (c.x, 3), c.y)
        _tell(s, call, _square, c.x, 3.0)
        _tell(s, call, _square, c.x.long(), c.y)
        for bad in (lambda a: 3, lambda a: (a, 3), lambda a: [a, a]):
            _tell(s, call, bad, c.x, c.y)


def strict_vector_products(s: Session) -> None:
    c = _Case(s)
    for call in (c.functional.vjp, c.functional.jvp):
        _tell(s, call, c.constant, c.x, c.y, strict=True)
        _tell(s, call, lambda a: a * 3, c.x, c.y, strict=True)
        _tell(s, call, lambda a: a * 3, c.w, c.y, strict=True, create_graph=True)
        _tell(s, call, _square, c.w, c.y, strict=True, create_graph=True)
        _tell(
            s,
            call,
            lambda a, b: a * 2,
            (c.x, c.y),
            c.y if call is c.functional.vjp else (c.x, c.y),
            strict=True,
        )


def hessian_products(s: Session) -> None:
    c = _Case(s)
    for call in (c.functional.hvp, c.functional.vhp):
        _tell(s, call, _mixed, (c.x, c.y), (c.y, c.x))
        _tell(s, call, _cube, c.x, c.y)
        _tell(s, call, lambda a: a**3, c.number)
        _tell(s, call, lambda a: a.sum(), c.x, c.y)
        _tell(s, call, lambda a: c.number, c.x, c.y)
        _tell(s, call, lambda a, b: _cube(a) + b.sum(), (c.x, c.y), (c.x, c.y))
        _tell(s, call, _cube, c.w, c.y, create_graph=True)
        _tell(s, call, _cube, c.w, c.y)
        _tell(s, call, lambda a: _cube(a).reshape(1, 1), c.x, c.y)


def hessian_products_refused(s: Session) -> None:
    c = _Case(s)
    for call in (c.functional.hvp, c.functional.vhp):
        _tell(s, call, _cube, c.x)
        _tell(s, call, _mixed, (c.x, c.y), c.y)
        for bad in (_square, lambda a: (a.sum(), a.sum()), lambda a: (a.sum(),), lambda a: 3):
            _tell(s, call, bad, c.x, c.y)
        for bad in (lambda a: a.sum(), lambda a: c.number, lambda a: (a * a).sum()):
            _tell(s, call, bad, c.x, c.y, strict=True)
            _tell(s, call, bad, c.w, c.y, strict=True, create_graph=True)
        _tell(s, call, _cube, c.w, c.y, strict=True, create_graph=True)
        _tell(s, call, lambda a, b: _cube(a), (c.x, c.y), (c.x, c.y), strict=True)
        _tell(s, call, lambda a, b: _cube(a) + b.sum(), (c.x, c.y), (c.x, c.y), strict=True)


def jacobians(s: Session) -> None:
    c, t = _Case(s), s.torch
    for vectorize in (False, True):
        for function, inputs in (
            (_square, c.x), (_two, (c.x, c.y)), (_square, (c.x,)), (lambda a: (a * a,), c.x),
            (lambda a: a.sum(), c.number), (lambda a: a.sum(1), t.ones(2, 3)), (c.constant, c.x),
            (lambda a, b: a * 2, (c.x, c.y)), (lambda a: a.float() * 2, c.x),
            (lambda a, b, d: (a * b, d.sum()), (c.x, c.y, c.number)), (lambda a: (a * a, t.ones(2)), c.x),
            (lambda a: a * c.w, c.x),
        ):  # fmt: skip
            _tell(s, c.functional.jacobian, function, inputs, vectorize=vectorize)
            _tell(s, c.functional.jacobian, function, inputs, vectorize=vectorize, create_graph=True)
        _tell(s, c.functional.jacobian, _square, c.w, vectorize=vectorize, create_graph=True)
        _tell(s, c.functional.jacobian, _square, c.w, vectorize=vectorize)


def jacobians_refused(s: Session) -> None:
    c, t = _Case(s), s.torch
    for vectorize in (False, True):
        for function, inputs in (
            (_square, [c.x]),
            (lambda a: 3, c.x),
            (lambda a: [a, a], c.x),
            (_square, c.x.long()),
        ):
            _tell(s, c.functional.jacobian, function, inputs, vectorize=vectorize)
        for function in (c.constant, lambda a: a * 3, lambda a: (a * a, t.ones(2))):
            _tell(s, c.functional.jacobian, function, c.w, vectorize=vectorize, strict=True)
            _tell(
                s, c.functional.jacobian, function, c.w, vectorize=vectorize, strict=True, create_graph=True
            )
        _tell(s, c.functional.jacobian, lambda a, b: a * 2, (c.x, c.y), vectorize=vectorize, strict=True)
        for settings in ({"strict": True}, {"create_graph": True}):
            _tell(
                s,
                c.functional.jacobian,
                _square,
                c.x,
                vectorize=vectorize,
                strategy="forward-mode",
                **settings,
            )
    _tell(s, c.functional.jacobian, _square, c.x[:0])
    _tell(s, c.functional.jacobian, _square, c.x, strategy="forward-mode")


def jacobians_in_forward_mode(s: Session) -> None:
    c = _Case(s)
    settings = {"vectorize": True, "strategy": "forward-mode"}
    for function, inputs in (
        (_square, c.x),
        (c.constant, c.x),
        (_square, c.w),
        (lambda a: a.float() * 2, c.x),
    ):
        _tell(s, c.functional.jacobian, function, inputs, **settings)


def hessians(s: Session) -> None:
    c = _Case(s)
    for vectorize in (False, True):
        for function, inputs in (
            (_cube, c.x), (_mixed, (c.x, c.y)), (_cube, (c.x,)), (lambda a: a**3, c.number),
            (lambda a: a.sum(), c.x),
            (lambda a: c.number, c.x), (lambda a: _cube(a).reshape(1, 1), c.x),
            (_square, c.x), (lambda a: (a.sum(),), c.x), (lambda a: 3, c.x), (_square, [c.x]),
        ):  # fmt: skip
            _tell(s, c.functional.hessian, function, inputs, vectorize=vectorize)
        _tell(s, c.functional.hessian, _cube, c.w, vectorize=vectorize, create_graph=True)
    _tell(s, c.functional.hessian, _cube, c.x, outer_jacobian_strategy="forward-mode")
    for function in (lambda a: a.sum(), lambda a: c.number, lambda a: (a * a).sum(), _cube):
        _tell(s, c.functional.hessian, function, c.x, strict=True)
        _tell(s, c.functional.hessian, function, c.w, strict=True, create_graph=True)
    _tell(s, c.functional.hessian, lambda a, b: _cube(a) + _cube(b), (c.x, c.y), strict=True)
