"""torch.func: grad, grad_and_value, vjp and jvp; what they give back requires grad only for the outside."""

from typing import Any

from tests.engine.behaviour import Session


def _double(s: Session, *values: float, grad: bool = False) -> Any:
    return s.torch.tensor([*values], dtype=s.torch.float64, requires_grad=grad)


def gradients_by_argnums(s: Session) -> None:
    f = s.torch.func
    x, y = _double(s, 1.0, 2.0), _double(s, 3.0, 4.0)
    product = lambda a, b: (a * a * b).sum()  # noqa: E731
    s(f.grad(product)(x, y))
    s(f.grad(product, argnums=1)(x, y), f.grad(product, argnums=-1)(x, y))
    s(f.grad(product, argnums=(1, 0))(x, y), f.grad(product, argnums=(0,))(x, y))
    s(f.grad_and_value(product, argnums=(0, 1))(x, y))
    s(f.grad(lambda a, scale=1.0: (a * scale).sum())(x, scale=y))
    s(f.grad(lambda a, b: (a * b).sum())(x, _double(s, 1.0, 2.0).long()))
    for argnums in (2, -3, (0, 0), (0, -2), (), "a", ("a",), [0], (0, 2)):
        s.refused(lambda argnums=argnums: f.grad(product, argnums=argnums)(x, y))


def gradients_of_containers(s: Session) -> None:
    f = s.torch.func
    x = _double(s, 1.0, 2.0)
    s(f.grad(lambda d: (d["a"] * d["b"]).sum())({"a": x, "b": x * 2}))
    s(f.grad(lambda d: (d[0] * d[1][0] * d[1][1]["c"]).sum())([x, (x * 2, {"c": x * 3})]))
    s(f.grad(lambda d: (d["a"] * 2).sum())({"a": x, "unused": x}))
    s.refused(lambda: f.grad(lambda d: (d[0] * d[1]).sum())([x, 2.0]))
    s.refused(lambda: f.grad(lambda d: d["a"].sum())({"a": x, "b": None}))


def auxiliary_results(s: Session) -> None:
    f = s.torch.func
    x = _double(s, 1.0, 2.0)
    s(f.grad(lambda a: (a.sum(), a * 2), has_aux=True)(x))
    s(f.grad_and_value(lambda a: (a.sum(), {"kept": (a * 2, [a])}), has_aux=True)(x))
    output, pull, aux = f.vjp(lambda a: (a * a, a * 3), x, has_aux=True)
    s(output, pull(x), aux)
    s(f.jvp(lambda a: (a * a, a * 3), (x,), (x,), has_aux=True))
    for bad in (lambda a: a.sum(), lambda a: (a.sum(), 3), lambda a: [a.sum(), a], lambda a: (a, a, a)):
        s.refused(lambda bad=bad: f.grad(bad, has_aux=True)(x))
        s.refused(lambda bad=bad: f.vjp(bad, x, has_aux=True))
        s.refused(lambda bad=bad: f.jvp(bad, (x,), (x,), has_aux=True))


def what_a_gradient_is_of(s: Session) -> None:
    f = s.torch.func
    x = _double(s, 1.0, 2.0)
    for bad in (lambda a: a, lambda a: a[:1], lambda a: 3, lambda a: (a.sum(),), lambda a: None):
        s.refused(lambda bad=bad: f.grad(bad)(x))
    s.refused(lambda: f.grad(lambda a: (a * 1.0).sum())(3.0))
    s.refused(lambda: f.grad(lambda a: (a * 1.0).sum())(x.long()))
    s(f.grad(lambda a: s.torch.ones(()))(x), f.grad(lambda a: a.long().sum())(x))
    s(f.grad(lambda a: a.detach().sum())(x), f.grad(lambda a: (a.detach() * a).sum())(x))


def cotangents(s: Session) -> None:
    f = s.torch.func
    x, y = _double(s, 1.0, 2.0), _double(s, 3.0, 4.0)
    output, pull = f.vjp(lambda a, b: {"p": a * b, "q": [a.sum()]}, x, y)
    s(output, pull({"p": x, "q": [s.torch.tensor(2.0)]}), pull({"p": x, "q": [s.torch.tensor(0.0)]}))
    for bad in ((x, x), {"p": x}, {"p": x, "q": (x,)}, [x]):
        s.refused(lambda bad=bad: pull(bad))
    s.refused(lambda: pull({"p": _double(s, 1.0, 2.0, 3.0), "q": [x.sum()]}))
    s.refused(lambda: pull({"p": x, "q": [3.0]}))
    for bad in (lambda a: 3, lambda a: None, lambda a: (), lambda a: (a, 3), lambda a: a.long()):
        s.refused(lambda bad=bad: f.vjp(bad, x))
    s.refused(lambda: f.vjp(lambda a: a, 3.0))
    s(f.vjp(lambda a: s.torch.ones(3), x)[1](s.torch.ones(3)))
    s(f.vjp(lambda a: a * 1.0, x)[1](x.float()))


def tangents(s: Session) -> None:
    f = s.torch.func
    x, y = _double(s, 1.0, 2.0), _double(s, 3.0, 4.0)
    s(f.jvp(lambda a, b: (a * b, [a.sum()]), (x, y), (y, x)))
    s(f.jvp(lambda d: {"s": d["a"] * 2}, ({"a": x},), ({"a": y},)))
    s(f.jvp(lambda a: (s.torch.ones(2), a.long()), (x,), (y,)))
    s(f.jvp(lambda a: a.floor(), (x,), (y,), strict=True))
    for primals, given in ((x, x), ((x,), (x, x)), ((x,), [x]), ((x,), (x[:1],)), ((x,), (x.long(),))):
        s.refused(lambda p=primals, t=given: f.jvp(lambda a: a * a, p, t))
    for primals, given in (((), ()), ((3.0,), (1.0,)), ((x,), (1.0,)), ((x.long(),), (x.long(),))):
        s.refused(lambda p=primals, t=given: f.jvp(lambda a: a * a, p, t))
    for bad in (lambda a: 3, lambda a: (a, 3), lambda a: None):
        s.refused(lambda bad=bad: f.jvp(bad, (x,), (x,)))
    s.refused(lambda: f.jvp(lambda a: s.torch.ones(2), (x,), (x,), strict=True))
    s.refused(lambda: f.jvp(lambda a: a.detach() * 2, (x,), (x,), strict=True))


def what_requires_grad_inside(s: Session) -> None:
    f = s.torch.func
    x, w = _double(s, 1.0, 2.0), _double(s, 1.0, 2.0, grad=True)

    def look(a: Any) -> Any:
        s(a.requires_grad, a.is_leaf, a.grad_fn)
        return a.sum()

    for given in (x, w, w * 2):
        f.grad(look)(given)
    s.refused(lambda: f.grad(lambda a: a.mul_(2).sum())(x))
    s(x)
    s(f.grad(lambda a: a.clone().mul_(2).sum())(x))
    s.refused(lambda: f.grad(lambda a: a.sum() * a.numpy()[0])(x))
    s(f.grad(lambda a: a.sum() * a[1].item())(x))


def what_requires_grad_outside(s: Session) -> None:
    f = s.torch.func
    x, w = _double(s, 1.0, 2.0), _double(s, 3.0, 4.0, grad=True)
    cube = lambda a: (a**3).sum()  # noqa: E731
    flags = lambda *each: s([one.requires_grad for one in each])  # noqa: E731
    flags(f.grad(cube)(x), *f.grad_and_value(cube)(x))
    flags(f.grad(cube)(w), *f.grad_and_value(cube)(w))
    flags(f.grad(lambda a: (a * w).sum())(x), f.grad(lambda a, b: (a * b).sum())(x, w))
    flags(f.grad(lambda a: a.sum())(w), f.grad_and_value(lambda a: a.sum())(w)[1])
    output, pull = f.vjp(lambda a: a * w, x)
    flags(output, *pull(x), *f.vjp(lambda a: a * a, x)[1](w), *f.vjp(lambda a: a * a, x)[1](x))
    flags(*f.jvp(lambda a: a * w, (x,), (x,)), *f.jvp(lambda a: a * a, (x,), (x,)))
    flags(f.grad(f.grad(lambda a: a**4))(w[0]), f.grad(f.grad(lambda a: a**4))(x[0]))
    flags(
        f.grad(lambda a: f.grad(cube)(x).sum() * a[0])(x), f.grad(lambda a: f.grad(cube)(w).sum() * a[0])(x)
    )
    (f.grad(cube)(w) * x).sum().backward()
    s(w.grad, x.grad)


def grad_mode(s: Session) -> None:
    t, f = s.torch, s.torch.func
    x, w = _double(s, 1.0, 2.0), _double(s, 3.0, 4.0, grad=True)

    def partly(a: Any) -> Any:
        with t.no_grad():
            c = a * a
        return (a * c).sum()

    s(f.grad(partly)(x))
    with t.no_grad():
        s(f.grad(lambda a: (a * a * w).sum())(w), f.grad_and_value(lambda a: (a * a).sum())(w))
        s(f.grad(partly)(x), f.jvp(lambda a: a * w, (x,), (x,)), t.is_grad_enabled())
        output, pull = f.vjp(lambda a: a * w, x)
        s(output, pull(x))
    _, pull = f.vjp(lambda a: a * w, x)
    s(pull(x)[0].requires_grad, pull(x, create_graph=False)[0].requires_grad)
    s.refused(lambda: f.grad(lambda a: t.no_grad().__enter__() or a)(x))
    s(t.is_grad_enabled())


def inside_a_transform(s: Session) -> None:
    t, f = s.torch, s.torch.func
    x = _double(s, 1.0, 2.0)
    s.refused(lambda: f.grad(lambda a: [a.sum().backward(), a.sum()][1])(x))
    s.refused(lambda: f.grad(lambda a: t.ones(2).requires_grad_().sum() * a.sum())(x))
    s.refused(lambda: f.grad(lambda a: t.autograd.functional.jacobian(lambda b: b * b, a).sum())(x))
    s(f.grad(lambda a: t.autograd.grad((a**3).sum(), a, create_graph=True)[0].sum())(x))
    z = t.zeros(2, dtype=t.float64)
    for write in (
        z.copy_, z.add_, lambda a: z.add_(1), lambda a: z.zero_(), lambda a: z.fill_(a[0]),
        lambda a: z.mul_(a.detach()), lambda a: z.index_put_((t.tensor([0]),), a[:1]), lambda a: z.pow_(2),
    ):  # fmt: skip
        s.refused(lambda write=write: f.grad(lambda a: [write(a), a.sum()][1])(x))
    s(z, z.requires_grad)


def nesting(s: Session) -> None:
    f = s.torch.func
    x = _double(s, 0.5)[0]
    found = s.torch.sin
    for _ in range(5):
        found = f.grad(found)
        s(found(x))
    s(f.grad(lambda a: a * f.grad(lambda b: a * b * b)(a))(x))
    s(f.grad(lambda a: a * f.grad(lambda b: a + b)(x))(x))
    s(f.grad(lambda a: f.jvp(lambda b: a * b**2, (a,), (a,))[1])(x))
    s(
        f.jvp(f.grad(lambda a: a**4), (x,), (x,)),
        f.jvp(lambda a: f.jvp(lambda b: a * b**2, (a,), (x,))[1], (x,), (x,)),
    )
