"""jacrev and jacfwd: by several arguments, of several outputs, of each other, in chunks."""

from typing import Any

from tests.engine.compositions import numbers


def _function(t: Any) -> Any:
    return lambda a, b: (t.sin(a).outer(b), {"dot": (a * a).sum() * b.prod(), "cube": b**3})


def by_several_arguments(t: Any) -> Any:
    a, b = numbers(t, 3, seed=50), numbers(t, 2, seed=51)
    found = []
    for argnums in (0, 1, (0,), (0, 1), (1, 0)):
        found.append(t.func.jacrev(_function(t), argnums=argnums)(a, b))
        found.append(t.func.jacfwd(_function(t), argnums=argnums)(a, b))
    return found


def of_containers(t: Any) -> Any:
    a, b = numbers(t, 2, 2, seed=52), numbers(t, 2, seed=53)
    function = lambda p, q: {"m": p["a"] @ p["b"][0], "q": [q * p["a"].sum()]}  # noqa: E731
    given = {"a": a, "b": [b, b]}
    return [mode(function, argnums=(0, 1))(given, b) for mode in (t.func.jacrev, t.func.jacfwd)]


def in_chunks(t: Any) -> Any:
    a, b = numbers(t, 3, seed=54), numbers(t, 2, seed=55)
    return [t.func.jacrev(_function(t), argnums=(0, 1), chunk_size=size)(a, b) for size in (1, 2, 4, 100)]


def with_aux(t: Any) -> Any:
    a, b = numbers(t, 3, seed=56), numbers(t, 2, seed=57)
    function = lambda p, q: (p.outer(q), {"sum": p.sum(), "q": q})  # noqa: E731
    return [mode(function, argnums=(0, 1), has_aux=True)(a, b) for mode in (t.func.jacrev, t.func.jacfwd)]


def of_each_other(t: Any) -> Any:
    f, a = t.func, numbers(t, 3, seed=58)
    function = lambda p: t.exp(p * p.sum())  # noqa: E731
    modes = (f.jacrev, f.jacfwd)
    return [outer(inner(function))(a) for outer in modes for inner in modes]


def hessians_by_several_arguments(t: Any) -> Any:
    a, b = numbers(t, 3, seed=59), numbers(t, 2, seed=60)
    function = lambda p, q: t.logsumexp(p.outer(q).reshape(6), 0) * q.sum()  # noqa: E731
    return t.func.hessian(function, argnums=(0, 1))(a, b), t.func.hessian(function, argnums=1)(a, b)


def of_what_outside_requires_grad(t: Any) -> Any:
    a, b = numbers(t, 3, seed=61, grad=True), numbers(t, 3, seed=62, grad=True)
    jacobian = t.func.jacrev(lambda p: t.sin(p * b) * p.sum())(a)
    columns = t.func.jacfwd(lambda p: t.sin(p * b) * p.sum())(a)
    (jacobian.pow(2).sum() + columns.pow(3).sum()).backward()
    return jacobian, columns, a.grad, b.grad


def complex_products(t: Any) -> Any:
    x, v = (t.tensor([0.3 - 0.5j, 1.2 + 0.1j, each], dtype=t.complex128) for each in (-0.7j, 0.4 + 0.9j))
    function = lambda z: z * z * z.conj()  # noqa: E731
    output, pull = t.func.vjp(function, x)
    return (
        output,
        pull(v),
        t.func.jvp(function, (x,), (v,)),
        t.func.grad(lambda z: (z * z.conj()).real.sum())(x),
    )
