"""torch.autograd.functional: of several inputs and outputs, and differentiated again."""

from typing import Any

from tests.engine.compositions import numbers


def _function(t: Any) -> Any:
    return lambda a, b: (t.sin(a).outer(b), (a * a).sum() * b)


def _number(t: Any) -> Any:
    return lambda a, b: (t.sin(a).outer(b) ** 2).sum() * (a.prod() + b.sum())


def jacobians(t: Any) -> Any:
    inputs = numbers(t, 3, seed=70), numbers(t, 2, seed=71)
    call = t.autograd.functional.jacobian
    found = [call(_function(t), inputs, vectorize=vectorize) for vectorize in (False, True)]
    return found, call(_function(t), inputs, vectorize=True, strategy="forward-mode")


def hessians(t: Any) -> Any:
    inputs = numbers(t, 3, seed=72), numbers(t, 2, seed=73)
    call = t.autograd.functional.hessian
    found = [call(_number(t), inputs, vectorize=vectorize) for vectorize in (False, True)]
    forward = call(_number(t), inputs, vectorize=True, outer_jacobian_strategy="forward-mode")
    return found, [[each.detach() for each in row] for row in forward]


def products(t: Any) -> Any:
    functional = t.autograd.functional
    inputs = numbers(t, 3, seed=74), numbers(t, 2, seed=75)
    v, u = (
        (numbers(t, 3, seed=76), numbers(t, 2, seed=77)),
        (numbers(t, 3, 2, seed=78), numbers(t, 2, seed=79)),
    )
    return (
        functional.vjp(_function(t), inputs, u),
        functional.jvp(_function(t), inputs, v),
        functional.hvp(_number(t), inputs, v),
        functional.vhp(_number(t), inputs, v),
    )


def without_a_graph(t: Any) -> Any:
    """Of inputs that require grad: what comes out does not."""
    functional = t.autograd.functional
    a, b = numbers(t, 3, seed=84, grad=True), numbers(t, 2, seed=85, grad=True)
    calls = [functional.vjp(_number(t), (a, b)), functional.jvp(_function(t), (a, b), (a, b))]
    calls += [call(_number(t), (a, b), (a.detach(), b)) for call in (functional.hvp, functional.vhp)]
    return calls, functional.jacobian(_function(t), (a, b)), functional.hessian(_number(t), (a, b))


def differentiated_again(t: Any) -> Any:
    functional = t.autograd.functional
    found = []
    for call in (functional.jacobian, functional.hessian):
        for vectorize in (False, True):
            a, b = numbers(t, 3, seed=80, grad=True), numbers(t, 2, seed=81, grad=True)
            function = _function(t) if call is functional.jacobian else _number(t)
            rows = call(function, (a, b), create_graph=True, vectorize=vectorize)
            sum((each**2).sum() for row in rows for each in row).backward()
            found.append((a.grad, b.grad))
    for call in (functional.hvp, functional.vhp, functional.jvp):
        a, b = numbers(t, 3, seed=82, grad=True), numbers(t, 2, seed=83, grad=True)
        _, products = call(_number(t), (a, b), (a.detach(), b), create_graph=True)
        several = products if isinstance(products, tuple) else (products,)
        sum((each**2).sum() for each in several).backward()
        found.append((a.grad, b.grad))
    return found
