"""What people compose derivatives for: losses of small models."""

from typing import Any

from tests.engine.compositions import numbers


def _parameters(t: Any) -> Any:
    return {
        "first": {"weight": numbers(t, 4, 3, seed=10), "bias": numbers(t, 4, seed=11)},
        "second": {"weight": numbers(t, 2, 4, seed=12), "bias": numbers(t, 2, seed=13)},
    }


def _loss(t: Any, parameters: Any, x: Any, target: Any) -> Any:
    functional, first, second = t.nn.functional, parameters["first"], parameters["second"]
    hidden = t.tanh(functional.linear(x, first["weight"], first["bias"]))
    scores = functional.linear(hidden, second["weight"], second["bias"])
    return functional.cross_entropy(scores, target)


def _data(t: Any) -> Any:
    return numbers(t, 5, 3, seed=14), t.tensor([0, 1, 1, 0, 1])


def per_sample_gradients(t: Any) -> Any:
    parameters, (x, target) = _parameters(t), _data(t)
    loss = lambda p, a, b: _loss(t, p, a, b)  # noqa: E731
    gradient = t.func.vmap(t.func.grad(loss), in_dims=(None, 0, 0))
    together = t.func.grad(loss)(parameters, x, target)
    chunked = t.func.vmap(t.func.grad_and_value(loss), in_dims=(None, 0, 0), chunk_size=2)
    return gradient(parameters, x, target), together, chunked(parameters, x, target)


def per_sample_gradients_with_aux(t: Any) -> Any:
    parameters, (x, target) = _parameters(t), _data(t)

    def loss(p: Any, a: Any, b: Any) -> Any:
        found = _loss(t, p, a, b)
        return found, {"loss": found * 2, "input": a}

    return t.func.vmap(t.func.grad(loss, has_aux=True), in_dims=(None, 0, 0))(parameters, x, target)


def gradients_of_an_ensemble(t: Any) -> Any:
    stacked = {"w": numbers(t, 3, 4, seed=15), "b": numbers(t, 3, seed=16)}
    x, y = numbers(t, 6, 4, seed=17), numbers(t, 6, seed=18)
    loss = lambda p, a, b: ((a @ p["w"] + p["b"] - b) ** 2).mean()  # noqa: E731
    over_models = t.func.vmap(t.func.grad(loss), in_dims=(0, None, None))
    over_both = t.func.vmap(t.func.vmap(t.func.grad(loss), in_dims=(None, 0, 0)), in_dims=(0, None, None))
    return over_models(stacked, x, y), over_both(stacked, x, y)


def hessian_of_logistic_regression(t: Any) -> Any:
    f, x, w = t.func, numbers(t, 8, 3, seed=19), numbers(t, 3, seed=20)
    y = t.tensor([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0], dtype=t.float64)

    def loss(a: Any) -> Any:
        scores = x @ a
        return t.nn.functional.binary_cross_entropy_with_logits(scores, y) + 0.05 * (a * a).sum()

    reverse = f.jacrev(f.jacrev(loss))(w)
    functional = [t.autograd.functional.hessian(loss, w, vectorize=each) for each in (False, True)]
    return f.hessian(loss)(w), f.jacfwd(f.grad(loss))(w), reverse, f.jacfwd(f.jacfwd(loss))(w), functional


def hessian_times_vector_of_an_mlp(t: Any) -> Any:
    f, parameters, (x, target) = t.func, _parameters(t), _data(t)
    v = {name: {key: each * 0.5 + 0.1 for key, each in layer.items()} for name, layer in parameters.items()}
    loss = lambda p: _loss(t, p, x, target)  # noqa: E731
    _, pull = f.vjp(f.grad(loss), parameters)
    flat = tuple(each for layer in parameters.values() for each in layer.values())
    flat_v = tuple(each for layer in v.values() for each in layer.values())

    def of_flat(w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        return loss({"first": {"weight": w1, "bias": b1}, "second": {"weight": w2, "bias": b2}})

    products = [
        call(of_flat, flat, flat_v) for call in (t.autograd.functional.hvp, t.autograd.functional.vhp)
    ]
    return f.jvp(f.grad(loss), (parameters,), (v,)), pull(v), products


def gauss_newton(t: Any) -> Any:
    f, x, w = t.func, numbers(t, 6, 3, seed=21), numbers(t, 3, seed=22)
    model = lambda a: t.sigmoid(x @ a)  # noqa: E731
    output, pull = f.vjp(model, w)
    jacobian = f.jacrev(model)(w)
    pushed = f.jvp(model, (w,), (w,))[1]
    return output, pull(pushed), jacobian.T @ jacobian, f.vmap(lambda row: row.outer(row))(jacobian).sum(0)


def laplacian(t: Any) -> Any:
    f, x, w = t.func, numbers(t, 4, 3, seed=23), numbers(t, 3, 5, seed=24)
    field = lambda a: t.tanh(a @ w).sum()  # noqa: E731
    return f.vmap(lambda a: t.einsum("ii->", f.hessian(field)(a)))(x), f.vmap(f.hessian(field))(x)
