"""vmap of vmap, vmap of derivatives and derivatives of vmap; axes, shared arguments, many kinds of op."""

from typing import Any

from tests.engine.compositions import numbers


def pairs(t: Any) -> Any:
    a, b = numbers(t, 4, 3, seed=30), numbers(t, 5, 3, seed=31)
    kernel = lambda x, y: t.exp(-((x - y) ** 2).sum())  # noqa: E731
    table = t.func.vmap(t.func.vmap(kernel, in_dims=(None, 0)), in_dims=(0, None))
    slopes = t.func.vmap(
        t.func.vmap(t.func.grad(kernel, argnums=(0, 1)), in_dims=(None, 0)), in_dims=(0, None)
    )
    turned = t.func.vmap(t.func.vmap(kernel, in_dims=(0, None)), in_dims=(None, 0), out_dims=1)
    return table(a, b), slopes(a, b), turned(a, b)


def derivatives_of_a_map(t: Any) -> Any:
    f, x, w = t.func, numbers(t, 4, 3, seed=32), numbers(t, 3, seed=33)
    rows = f.vmap(lambda a, b: t.sin(a * b).sum() * b, in_dims=(0, None))
    total = lambda a, b: rows(a, b).pow(2).sum()  # noqa: E731
    return (
        f.grad(total, argnums=(0, 1))(x, w),
        f.jacrev(rows, argnums=1)(x, w),
        f.jacfwd(rows, argnums=1)(x, w),
        f.hessian(total, argnums=1)(x, w),
        f.jvp(rows, (x, w), (x * 2, w * 3)),
    )


def maps_of_derivatives(t: Any) -> Any:
    f, x, w = t.func, numbers(t, 4, 3, seed=34), numbers(t, 3, 3, seed=35)
    function = lambda a: t.tanh(w @ a)  # noqa: E731
    energy = lambda a: (function(a) ** 2).sum()  # noqa: E731
    pushed = f.vmap(lambda a, v: f.jvp(function, (a,), (v,)))(x, x * 0.5)
    pulled = f.vmap(lambda a, v: f.vjp(function, a)[1](v))(x, x * 0.5)
    return (
        f.vmap(f.jacrev(function))(x),
        f.vmap(f.jacfwd(function))(x),
        f.vmap(f.hessian(energy))(x),
        pushed,
        pulled,
    )


def gradients_by_what_all_samples_share(t: Any) -> Any:
    f, x, w = t.func, numbers(t, 4, 3, seed=36), numbers(t, 3, seed=37, grad=True)
    loss = lambda b, a: t.sin(a @ b) * b.sum()  # noqa: E731
    inside = f.vmap(f.grad(loss), in_dims=(None, 0))(w, x)
    outside = f.grad(lambda b: f.vmap(loss, in_dims=(None, 0))(b, x).sum())(w)
    f.vmap(lambda a: loss(w, a))(x).sum().backward()
    both = f.grad(lambda b: f.vmap(f.grad(loss), in_dims=(None, 0))(b, x).pow(2).sum())(w)
    return inside, outside, w.grad, both


def axes(t: Any) -> Any:
    f, x = t.func, numbers(t, 2, 3, 4, seed=38)
    function = lambda a: t.cat([a.sum(0), a.amax(1)])  # noqa: E731
    found = []
    for dim in (0, 1, 2, -1, -2):
        for out in (0, 1, -1):
            mapped = f.vmap(function, in_dims=dim, out_dims=out)
            found.append((mapped(x), f.grad(lambda a, mapped=mapped: (mapped(a) ** 3).sum())(x)))
    return found


def three_deep(t: Any) -> Any:
    f, x, y, z = t.func, numbers(t, 2, 4, seed=39), numbers(t, 3, 4, seed=40), numbers(t, 2, 4, seed=41)
    function = lambda a, b, c: (a * b - c).prod() + t.logsumexp(a * c, 0)  # noqa: E731
    mapped = f.vmap(f.vmap(f.vmap(function, (None, None, 0)), (None, 0, None)), (0, None, None))
    derived = f.vmap(
        f.vmap(f.vmap(f.grad(function, argnums=(0, 2)), (None, None, 0)), (None, 0, None)), (0, None, None)
    )
    return mapped(x, y, z), derived(x, y, z)


def many_ops(t: Any) -> Any:
    """Kernels of every kind on leading axes, with what all samples share on either side."""
    f, functional, x, w = t.func, t.nn.functional, numbers(t, 3, 4, 4, seed=42), numbers(t, 4, 4, seed=43)
    places = t.tensor([2, 0, 3])
    functions = (
        lambda a, b: a @ b + b @ a,
        lambda a, b: t.einsum("ij,kj->ik", a, b),
        lambda a, b: t.outer(a[0], b[0]),
        lambda a, b: functional.softmax(a * b, -1),
        lambda a, b: functional.layer_norm(a, (4,), b[0], b[1]),
        lambda a, b: t.linalg.norm(a - b, dim=1),
        lambda a, b: t.where(a > b, a, b * 2),
        lambda a, b: a[places] * b[1],
        lambda a, b: t.max(a * b, 1)[0],
        lambda a, b: (a + b).std(0),
        lambda a, b: t.stack([a[:, 1], b[2]], 1),
        lambda a, b: functional.gelu(a).mT.reshape(2, 8) * b.reshape(2, 8),
        lambda a, b: t.cat([a, b[:1]]).mean(0),
        lambda a, b: a.index_select(1, places) * b.gather(1, places.expand(4, 3)),
        lambda a, b: t.mv(a, b[0]).dot(b[1]),
    )
    found = []
    for function in functions:
        squared = lambda a, b, function=function: (function(a, b) ** 2).sum()  # noqa: E731
        found.append(f.vmap(function, in_dims=(0, None))(x, w))
        found.append(f.vmap(f.grad(squared, argnums=(0, 1)), in_dims=(0, None))(x, w))
        found.append(f.vmap(lambda a, function=function: function(w, a))(x))
    return found


def rows_of_a_batch_of_cotangents(t: Any) -> Any:
    x, w = numbers(t, 3, seed=44, grad=True), numbers(t, 3, seed=45, grad=True)
    y = t.tanh(x * w)
    rows = t.tensor([[1.0, 0.0, 0.0], [0.5, -1.0, 2.0]], dtype=t.float64)
    first = t.autograd.grad(y, (x, w), rows, create_graph=True, is_grads_batched=True)
    second = t.autograd.grad(first[0].pow(2).sum(), (x, w), retain_graph=True)
    mapped = t.func.vmap(lambda v: t.autograd.grad(y, x, v, retain_graph=True)[0])(rows)
    return first, second, mapped


def random_numbers(t: Any) -> Any:
    x = numbers(t, 3, 4, seed=46)
    function = lambda a: t.nn.functional.dropout(a, 0.4) * t.rand(4, dtype=t.float64)  # noqa: E731
    found = []
    for randomness in ("same", "different"):
        t.manual_seed(3)
        found.append(t.func.vmap(function, randomness=randomness)(x))
        found.append(t.func.vmap(t.func.grad(lambda a: function(a).sum()), randomness=randomness)(x))
    return found
