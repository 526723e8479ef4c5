"""Derivatives of functions of one number, and of functions that are derivatives."""

from typing import Any

from tests.engine.compositions import numbers


def derivatives_of_tanh(t: Any) -> Any:
    x = numbers(t, 5, seed=1)
    found, function = [], t.tanh
    for _ in range(4):
        function = t.func.grad(function)
        found.append(t.func.vmap(function)(x))
    return found


def derivatives_of_tanh_forward(t: Any) -> Any:
    x, one = numbers(t, 5, seed=1), t.ones(5, dtype=t.float64)
    found, function = [], t.tanh
    for _ in range(4):
        function = _pushed(t, function, one)
        found.append(function(x))
    return found


def _pushed(t: Any, function: Any, tangent: Any) -> Any:
    return lambda x: t.func.jvp(function, (x,), (tangent,))[1]


def derivatives_of_tanh_mixed(t: Any) -> Any:
    f, x = t.func, numbers(t, 3, seed=1)
    total = lambda a: t.tanh(a).sum()  # noqa: E731
    third = f.jacfwd(f.jacrev(f.jacfwd(total)))
    return third(x), f.jacrev(f.jacfwd(f.jacrev(f.grad(total))))(x), f.hessian(f.grad(total))(x)


def derivatives_of_other_functions(t: Any) -> Any:
    functions = (t.exp, t.sin, t.sigmoid, t.nn.functional.softplus, t.nn.functional.gelu, lambda a: a**5)
    found = []
    for function in functions:
        derived = function
        for _ in range(3):
            derived = t.func.grad(derived)
        found.append(t.func.vmap(derived)(numbers(t, 4, seed=2)))
    return found


def inner_derivatives_of_outer_values(t: Any) -> Any:
    f, x, y = t.func, t.tensor(0.7, dtype=t.float64), t.tensor(-0.4, dtype=t.float64)

    def outer(a: Any, b: Any) -> Any:
        inner = f.grad(lambda c: t.sin(a * c) * b**2)(b)
        pushed = f.jvp(lambda c: t.exp(a * c), (b,), (a * b,))[1]
        _, pull = f.vjp(lambda c: (c * a, c**3), b)
        return inner * pushed + pull((a, b))[0]

    return outer(x, y), f.grad(outer, argnums=(0, 1))(x, y), f.hessian(outer, argnums=(0, 1))(x, y)


def gradient_of_a_gradient_step(t: Any) -> Any:
    """A step of descent that is itself differentiated, in functions and by backward."""
    w, rate = numbers(t, 3, seed=3, grad=True), t.tensor(0.1, dtype=t.float64, requires_grad=True)
    loss = lambda a: (t.sin(a) * a**2).sum()  # noqa: E731

    def after(a: Any, step: Any) -> Any:
        for _ in range(3):
            a = a - step * t.func.grad(loss)(a)
        return loss(a)

    after(w, rate).backward()
    detached = w.detach(), rate.detach()
    return w.grad, rate.grad, t.func.grad(after, argnums=(0, 1))(*detached), t.func.jacrev(after)(*detached)


def tangents_of_gradients(t: Any) -> Any:
    f, x, v = t.func, numbers(t, 4, seed=4), numbers(t, 4, seed=5)
    loss = lambda a: (t.cos(a) * a.prod()).sum()  # noqa: E731
    forward_over_reverse = f.jvp(f.grad(loss), (x,), (v,))
    _, pull = f.vjp(f.grad(loss), x)
    reverse_over_forward = f.grad(lambda a: f.jvp(loss, (a,), (v,))[1])(x)
    return forward_over_reverse, pull(v), reverse_over_forward, f.hessian(loss)(x) @ v
