"""Transforms inside each other: of constants, of leaves from outside, along many axes, of complex numbers."""

from typing import Any

from tests.engine.compositions import numbers


def products_along_a_map(t: Any) -> Any:
    f, x, w, v = t.func, numbers(t, 4, 3, seed=100), numbers(t, 3, 3, seed=101), numbers(t, 4, 3, seed=102)
    layer = f.vmap(lambda a: t.softmax(t.tanh(w @ a), -1))
    pushed = lambda a: f.jvp(layer, (a,), (v,))[1]  # noqa: E731
    pulled = lambda a: f.vjp(layer, a)[1](v)[0]  # noqa: E731
    return pushed(x), pulled(x), f.vjp(pushed, x)[1](v), f.jvp(pulled, (x,), (v,))


def a_map_of_cotangents(t: Any) -> Any:
    f, x = t.func, numbers(t, 3, seed=103)
    output, pull = f.vjp(lambda a: (t.exp(a) * a.sum(), a.prod()), x)
    return output, f.vmap(lambda u, v: pull((u, v)))(numbers(t, 5, 3, seed=104), numbers(t, 5, seed=105))


def hessians_per_sample(t: Any) -> Any:
    f, x, w, v = t.func, numbers(t, 5, 3, seed=106), numbers(t, 3, seed=107), numbers(t, 5, 3, seed=108)
    loss = lambda a, b: t.log(1 + t.sigmoid(a @ b) * (a * a).sum())  # noqa: E731
    product = lambda b, u: f.jvp(f.grad(lambda a: loss(a, b)), (w,), (u,))[1]  # noqa: E731
    return f.vmap(product)(x, v), f.vmap(f.hessian(loss, argnums=(0, 1)), in_dims=(None, 0))(w, x)


def results_that_all_samples_share(t: Any) -> Any:
    f, x, w = t.func, numbers(t, 4, 3, seed=109), numbers(t, 3, seed=110)
    some = lambda a, b: (b * 2, a + b, {"w": b.sum()})  # noqa: E731
    square = lambda a, b: (b * b, a.sum() * b)  # noqa: E731
    jacobians = [f.vmap(mode(square, argnums=(0, 1)), in_dims=(0, None)) for mode in (f.jacrev, f.jacfwd)]
    return f.vmap(some, in_dims=(0, None))(x, w), [each(x, w) for each in jacobians]


def out_dims_in_containers(t: Any) -> Any:
    x, function = numbers(t, 4, 2, 3, seed=111), lambda a: (a, a.T, {"s": a.sum(0)})
    return t.func.vmap(function, out_dims=(1, -1, {"s": 1}))(x)


def where_nothing_flows(t: Any) -> Any:
    f, a, b = t.func, numbers(t, 3, seed=112), numbers(t, 2, seed=113)
    square, pair = lambda p, q: (p * p).sum(), lambda p, q: (p, b)
    return (
        f.grad(square, argnums=(0, 1))(a, b),
        f.hessian(square, argnums=(0, 1))(a, b),
        f.jacrev(pair, argnums=(0, 1))(a, b),
        f.jacfwd(pair, argnums=(0, 1))(a, b),
        f.vmap(f.hessian(lambda p: (p * 2).sum()))(numbers(t, 4, 3, seed=114)),
        f.vjp(lambda p: b * 1, a)[1](b),
        f.jvp(lambda p: b * 1, (a,), (a,)),
    )


def detached_factors(t: Any) -> Any:
    f, x = t.func, numbers(t, 3, seed=115)
    half = lambda a: (a * a.detach()).sum()  # noqa: E731
    samples = numbers(t, 4, 3, seed=116)
    return f.grad(half)(x), f.hessian(half)(x), f.vmap(f.grad(half))(samples), f.jacrev(f.grad(half))(x)


def leaves_from_outside(t: Any) -> Any:
    f, w, x = t.func, numbers(t, 3, seed=117, grad=True), numbers(t, 4, 3, seed=118)
    curved = f.vmap(f.hessian(lambda a: (t.tanh(a * w) ** 2).sum()))(x)
    pushed = f.vmap(lambda a: f.jvp(lambda c: t.sin(c * w), (a,), (w,))[1])(x)
    (curved.sum() + pushed.prod()).backward()
    (f.jacrev(lambda a: a**3)(w).sum()).backward()
    return curved, pushed, w.grad


def a_step_along_the_hessian(t: Any) -> Any:
    f, w = t.func, numbers(t, 3, seed=119, grad=True)
    loss = lambda a: (t.cos(a) * a**2).sum()  # noqa: E731
    step = w - 0.1 * (f.hessian(loss)(w) @ f.grad(loss)(w))
    loss(step).backward()
    return step, w.grad


def products_with_matrices(t: Any) -> Any:
    f, a, b = t.func, numbers(t, 3, 4, 4, seed=120), numbers(t, 3, 4, seed=121)
    form = lambda m, v: v @ (m @ v)  # noqa: E731
    slope = f.grad(form, argnums=1)
    both = [f.vmap(mode(slope, argnums=(0, 1)))(a, b) for mode in (f.jacrev, f.jacfwd)]
    return both, f.jacrev(lambda m: f.vmap(form, in_dims=(None, 0))(m, b))(a[0])


def maps_of_numbers(t: Any) -> Any:
    f, x = t.func, numbers(t, 4, seed=122)
    two = lambda a: t.stack([a, a**3])  # noqa: E731
    maps = (two, f.jacrev(two), f.jacfwd(two), f.hessian(lambda a: a**4), f.grad_and_value(t.exp))
    return [f.vmap(each)(x) for each in maps], f.vmap(lambda a: 2 - a / 3 + 1 / (a + 3))(x)


def an_unrolled_solver(t: Any) -> Any:
    f, w, b = t.func, numbers(t, 3, 3, seed=123), numbers(t, 3, seed=124)

    def solve(matrix: Any, start: Any) -> Any:
        x = start
        for _ in range(6):
            x = t.tanh(matrix @ x * 0.3 + start)
        return x

    second = f.hessian(lambda a: solve(w, a).sum())(b)
    return f.jacrev(solve, argnums=(0, 1))(w, b), f.jacfwd(solve, argnums=(0, 1))(w, b), second


def complex_samples(t: Any) -> Any:
    f, z = t.func, t.tensor([[0.3 - 0.5j, 1.2 + 0.1j], [0.4 + 0.4j, -0.7j]], dtype=t.complex128)
    energy = lambda a: (a * a.conj() * a).real.sum()  # noqa: E731
    total = lambda a: f.vmap(energy)(a).prod()  # noqa: E731
    return (
        f.vmap(f.grad(energy))(z),
        f.grad(total)(z),
        f.jvp(f.grad(energy), (z,), (z,)),
        f.vmap(lambda a: a.abs() * a)(z),
    )
