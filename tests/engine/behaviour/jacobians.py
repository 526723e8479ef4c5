"""torch.func: jacrev, jacfwd and hessian; autograd.grad with many cotangents at once."""

from typing import Any

from tests.engine.behaviour import Session


def _double(s: Session, *values: float, grad: bool = False) -> Any:
    return s.torch.tensor([*values], dtype=s.torch.float64, requires_grad=grad)


def _both(s: Session, function: Any, *args: Any, **settings: Any) -> None:
    """Say the Jacobian in either mode, or how it is refused."""
    for mode in (s.torch.func.jacrev, s.torch.func.jacfwd):
        s.refused(lambda mode=mode: s(mode(function, **settings)(*args)))


def structures(s: Session) -> None:
    x, y = _double(s, 1.0, 2.0), _double(s, 3.0)
    several = lambda a, b: (a * b, {"sum": a.sum() * b})  # noqa: E731
    for argnums in (0, 1, (0,), (0, 1), (1, 0)):
        _both(s, several, x, y, argnums=argnums)
    _both(s, lambda d: d["a"] * d["b"][0], {"a": x, "b": [y]})
    _both(s, lambda a: (a.sum(), a.outer(a)), x)
    _both(s, lambda a: [a.sum()], x.sum())
    _both(s, lambda a: s.torch.ones(3, dtype=s.torch.float64), x)
    _both(s, lambda a, b: a * 2, x, y, argnums=(0, 1))


def auxiliary_results(s: Session) -> None:
    x = _double(s, 1.0, 2.0)
    _both(s, lambda a: (a * a, a), x, has_aux=True)
    _both(s, lambda a: (a * a, {"twice": [a * 2]}), x, has_aux=True, argnums=(0,))
    _both(s, lambda a: a * a, x, has_aux=True)


def dtypes(s: Session) -> None:
    x = _double(s, 1.0, 2.0)
    _both(s, lambda a: a.float() * 2, x)
    _both(s, lambda a: a.long() * 2, x)
    _both(s, lambda a: a * 2, x.long())
    _both(s, lambda a: a * 2, x.float())
    _both(s, lambda a: a * 2, x * 1j)
    _both(s, lambda a: a * 2j, x)
    _both(s, lambda a: a * 2, x[:0])


def refused(s: Session) -> None:
    f, x = s.torch.func, _double(s, 1.0, 2.0)
    for argnums in (1, -2, (0, 0), (), "a", (0, "a"), [0]):
        _both(s, lambda a: a * a, x, argnums=argnums)
    for bad in (lambda a: 3, lambda a: (a, None), lambda a: ()):
        _both(s, bad, x)
    s.refused(lambda: f.jacrev(lambda a: a * a)(3.0))
    for size in (0, -1):
        s.refused(lambda size=size: f.jacrev(lambda a: a * a, chunk_size=size))


def rows_in_chunks(s: Session) -> None:
    x = _double(s, 1.0, 2.0, 3.0)
    for size in (1, 2, 3, 7):
        s(s.torch.func.jacrev(lambda a: (a * a, a.sum()), chunk_size=size)(x))


def what_requires_grad_outside(s: Session) -> None:
    f = s.torch.func
    x, w = _double(s, 1.0, 2.0), _double(s, 3.0, 4.0, grad=True)
    for mode in (f.jacrev, f.jacfwd):
        s(mode(lambda a: a * a)(w).requires_grad, mode(lambda a: a * a)(x).requires_grad)
        s(mode(lambda a: a * w)(x).requires_grad, mode(lambda a, b: a * b)(x, w).requires_grad)
        with s.torch.no_grad():
            s(mode(lambda a: a * a * w)(w))
    s(f.hessian(lambda a: (a**3).sum())(w).requires_grad, f.hessian(lambda a: (a**3).sum())(x).requires_grad)
    f.hessian(lambda a: (a**3).sum())(w).sum().backward()
    s(w.grad)


def hessians(s: Session) -> None:
    f, x, y = s.torch.func, _double(s, 1.0, 2.0), _double(s, 3.0, 4.0)
    s(f.hessian(lambda a: (a**3).sum())(x), f.hessian(lambda a, b: (a * a * b).sum(), argnums=(0, 1))(x, y))
    s(f.hessian(lambda d: (d["a"] * d["a"] * d["b"]).sum())({"a": x, "b": y}))
    s(f.hessian(lambda a: a * a)(x), f.hessian(lambda a: a.sum())(x))
    s.refused(lambda: f.hessian(lambda a: a * a, argnums=2)(x))


def batched_cotangents(s: Session) -> None:
    t = s.torch
    x, z = _double(s, 1.0, 2.0, grad=True), _double(s, 1.0, grad=True)
    y = x * x
    rows = t.arange(6.0, dtype=t.float64).reshape(3, 2)
    settings = {"retain_graph": True, "is_grads_batched": True}
    s(t.autograd.grad(y, x, rows, **settings))
    s(t.autograd.grad((y.sum(), y), x, (rows[:, 0], rows), **settings))
    s(t.autograd.grad(y, (x, z), rows, allow_unused=True, **settings))
    s(t.autograd.grad(y, (x, z), rows, materialize_grads=True, **settings))
    s(t.autograd.grad(y, y, rows, **settings))
    s(t.autograd.grad(y, x, rows.float(), **settings))
    (second,) = t.autograd.grad(y, x, rows, create_graph=True, is_grads_batched=True)
    s(second.requires_grad, t.autograd.grad(second.sum(), x, retain_graph=True))
    (linear,) = t.autograd.grad(y, x, rows.clone().requires_grad_(), create_graph=True, is_grads_batched=True)
    s(linear.requires_grad)
    for bad in (rows[0], rows.T, rows.sum(), t.ones(2, 2, 2, dtype=t.float64), [1.0], rows * 1j):
        s.refused(lambda bad=bad: t.autograd.grad(y, x, bad, **settings))
    s.refused(lambda: t.autograd.grad(y.sum(), x, None, **settings))
    s.refused(lambda: t.autograd.grad((y.sum(), y), x, (rows[:2, 0], rows), **settings))
    s.refused(lambda: t.autograd.grad(y, (x, z), rows, **settings))
    s.refused(lambda: t.autograd.grad(z.detach(), x, rows, **settings))
    t.autograd.grad(y, x, rows, is_grads_batched=True)
    s.refused(lambda: t.autograd.grad(y, x, rows, is_grads_batched=True))


def gradients_asked_for_in_other_ways(s: Session) -> None:
    t = s.torch
    x, z = _double(s, 1.0, 2.0, grad=True), _double(s, 1.0, grad=True)
    y = x * x
    s(t.autograd.grad(y, {"b": x, "a": y}, x.detach(), retain_graph=True))
    found = t.autograd.grad(y, (x, z), x.detach(), create_graph=True, materialize_grads=True)
    s([each.requires_grad for each in found])
    s(t.autograd.grad(y.sum(), [x, z], None, True, False, True, True))
