"""torch.func.vmap: in_dims and out_dims, random numbers, and what cannot be done for many samples at once."""

import functools
from typing import Any

from tests.engine.behaviour import Session


def _rows(s: Session) -> Any:
    return s.torch.arange(6.0).reshape(2, 3)


def in_dims(s: Session) -> None:
    v, x = s.torch.vmap, _rows(s)
    for dim in (0, 1, -1, -2):
        s(v(lambda a: a.sum(), in_dims=dim)(x))
    s(v(lambda a, b: a * b, in_dims=(0, None))(x, x[0]), v(lambda a, b: a @ b, in_dims=(None, 1))(x, x.T))
    s(v(lambda d: d["a"] * d["b"], in_dims=({"a": 0, "b": None},))({"a": x, "b": x[1]}))
    s(v(lambda d, e: d[0] * d[1] + e, in_dims=([0, None], 1))([x, 2.0], x.T))
    s(v(lambda d: d[0] + d[1])((x, x)), v(lambda a, b: a + b, in_dims=(0, None))(x, 3))
    s(v(lambda a, k=1: a * k)(x, k=x).shape, v(lambda a: a)(x[:0]))


def in_dims_refused(s: Session) -> None:
    v, x = s.torch.vmap, _rows(s)

    def f(*args: Any) -> Any:
        return args[0]

    s.refused(v(f))
    for dims in ([0], None, 2, -3, "a", (0, 0), ("a",), ({"a": 0},), (None,), ((0,),)):
        s.refused(lambda dims=dims: v(f, in_dims=dims)(x))
    s.refused(lambda: v(f)(x, x.T))
    s.refused(lambda: v(f)(3.0))
    s.refused(lambda: v(f, in_dims=(0, 0))(x, {"a": 3}))
    s.refused(lambda: v(f)(x.sum()))
    s.refused(lambda: v(functools.partial(f, x), in_dims=3)(x))
    s.refused(lambda: v(f, randomness="none"))
    for size in (0, -1):
        s.refused(lambda size=size: v(f, chunk_size=size))


def out_dims(s: Session) -> None:
    v, x = s.torch.vmap, _rows(s)
    for dim in (0, 1, -1, -2):
        s(v(lambda a: a * 2, out_dims=dim)(x))
    s(v(lambda a: (a, a.sum()), out_dims=(1, 0))(x), v(lambda a: [a, a], out_dims=[1, 0])(x))
    s(v(lambda a: {"p": a, "q": (a,)}, out_dims={"p": 1, "q": (0,)})(x), v(lambda a: (a, a), out_dims=1)(x))
    s(v(lambda a: a, out_dims=(1,))(x), v(lambda a: (a, 3), out_dims=(0, None))(x))
    s(v(lambda a: x, out_dims=None)(x), v(lambda a: (x[0], a))(x), v(lambda a: s.torch.ones(2))(x))


def out_dims_refused(s: Session) -> None:
    v, x = s.torch.vmap, _rows(s)

    def f(a: Any) -> Any:
        return a

    for dims in ("a", ("a",), (0, 0), {"a": 0}, None, 2, -3):
        s.refused(lambda dims=dims: v(f, out_dims=dims)(x))
    for bad in (lambda a: 3, lambda a: None, lambda a: (a, 3), lambda a: [a, "b"]):
        s.refused(lambda bad=bad: v(bad)(x))
    s.refused(lambda: v(lambda a: (a, a), out_dims=(0,))(x))


def chunks(s: Session) -> None:
    v, x = s.torch.vmap, s.torch.arange(10.0).reshape(5, 2)
    for size in (1, 2, 5, 8):
        s(v(lambda a: (a * 2, {"sum": a.sum()}), chunk_size=size)(x))
        s(v(lambda a, b: a * b, in_dims=(1, None), out_dims=1, chunk_size=size)(x.T, x[0]))


def control_flow(s: Session) -> None:
    v, x = s.torch.vmap, _rows(s)
    s.refused(lambda: v(lambda a: a if a.sum() > 0 else -a)(x))
    s.refused(lambda: v(lambda a: a if a > 0 else -a)(x))
    for number in (lambda a: a.item(), float, int, complex):
        s.refused(lambda number=number: v(lambda a: a * number(a.sum()))(x))
    s.refused(lambda: v(lambda a: a * a.tolist()[0])(x))
    s.refused(lambda: v(lambda a: a * a.numpy()[0])(x))
    s(v(lambda a: a * x.sum().item() if x.sum() > 0 else a)(x))
    s(v(lambda a: s.torch.stack([each * 2 for each in a]))(x), v(lambda a: a * a.shape[0] * a.dim())(x))


def indices(s: Session) -> None:
    t, v, x = s.torch, s.torch.vmap, _rows(s)
    mask, places = t.tensor([True, False, True]), t.tensor([2, 0])
    s(v(lambda a: a[mask])(x), v(t.func.grad(lambda a: (a[mask] ** 2).sum()))(x))
    s(v(lambda a, i: a[i])(x, places), v(lambda a, i: a[i], in_dims=(None, 0))(x[0], places))
    s(v(lambda a, i: a[[0, 1]] * i)(x, places), v(lambda a: t.where(a > 1, a, -a))(x))
    s.refused(lambda: v(lambda a: a[a > 1])(x))
    s.refused(lambda: v(lambda a: x[0][a > 1])(x))


def random_numbers(s: Session) -> None:
    t, v, x = s.torch, s.torch.vmap, _rows(s)
    draws = (
        lambda a: a * 0 + t.rand(3), t.rand_like, lambda a: t.randn(2), lambda a: t.randint(0, 9, (3,)),
        lambda a: t.randperm(4), lambda a: t.nn.functional.dropout(a + 1),
        lambda a: t.nn.functional.dropout(x + 1),
    )  # fmt: skip
    for draw in draws:
        s.refused(lambda draw=draw: v(draw)(x))
        for randomness in ("same", "different"):
            t.manual_seed(0)
            s(v(draw, randomness=randomness)(x))
    for outer in ("same", "different", "error"):
        for inner in ("same", "different"):
            t.manual_seed(0)
            nested = v(v(lambda a: t.rand(()), randomness=inner), randomness=outer)
            s.refused(lambda nested=nested: s(nested(x)))
    t.manual_seed(0)
    s(v(lambda a: t.rand(2), randomness="same", chunk_size=1)(x))
    s(v(lambda a: t.rand(2), randomness="different", chunk_size=1)(x))


def changes_in_place(s: Session) -> None:
    t, v, x = s.torch, s.torch.vmap, _rows(s)
    z = t.zeros(3)

    def write(a: Any) -> Any:
        b = t.zeros_like(a)
        b[1] = a[0]
        b[2:] = a[2:] * 10
        return b

    s(v(lambda a: a.clone().add_(1).mul_(a))(x), v(write)(x))
    s(v(lambda a: a.clone().fill_(a[1]))(x), v(lambda a: a.clone().zero_())(x))
    s(v(lambda a: a.clone().copy_(x[0]))(x), v(lambda a: v(lambda b: (b * a).copy_(a))(x))(x))
    s(v(t.func.grad(lambda a: (a.clone().mul_(a) * a).sum()))(x))
    for bad in (z.mul_, z.copy_, lambda a: z.fill_(a[0])):
        s.refused(lambda bad=bad: v(bad)(x))
    s(z)
    s(v(lambda a: a.add_(1))(x), x)
    s.refused(lambda: v(lambda a: [a.sum().backward(), a][1])(x))
    s.refused(lambda: v(lambda a: a.requires_grad_().sum())(x))


def printing(s: Session) -> None:
    v, x = s.torch.vmap, _rows(s)

    def look(a: Any) -> Any:
        s(a)
        s(a.shape, a.dim(), a.size(), a.numel(), a.dtype, a.requires_grad)
        return a

    v(look)(x)
    v(v(look))(x)


def histories(s: Session) -> None:
    t, v = s.torch, s.torch.vmap
    x = _rows(s).requires_grad_()
    w = t.tensor([1.0, 2.0, 3.0], requires_grad=True)
    found = v(lambda a: (a * w).sum())(x)
    s(found.requires_grad, found.detach())
    (found * t.tensor([1.0, 10.0])).sum().backward()
    s(x.grad, w.grad)
    s(t.autograd.grad(v(lambda a: a * w, in_dims=1, out_dims=1)(x.T.detach()).sum(), w))
    s(v(lambda a: a, out_dims=1)(x.detach()).requires_grad)
    with t.no_grad():
        s(v(lambda a: a * w)(x).requires_grad)
