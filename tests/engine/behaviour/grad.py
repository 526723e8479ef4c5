"""grad: gradients given back, of any order."""

from tests.engine.behaviour import Session


def grad_of_one(s: Session) -> None:
    t = s.torch
    x = t.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    found = t.autograd.grad(y, x, retain_graph=True)
    s(found, x.grad, found[0].requires_grad)
    s(t.autograd.grad(y, [x, x], retain_graph=True))
    s(t.autograd.grad(y, y, retain_graph=True))
    s(t.autograd.grad([y, y], x, retain_graph=True))
    s(t.autograd.grad((y, x * 2), (x,), (None, t.tensor([1.0, 10.0]))))
    s.refused(lambda: t.autograd.grad(y, x))


def grad_of_interior_values(s: Session) -> None:
    t = s.torch
    x = t.tensor([1.0, 2.0], requires_grad=True)
    a = x * 3
    b = a.exp()
    y = (a * b).sum()
    s(t.autograd.grad(y, [a, b, x], retain_graph=True))
    s(t.autograd.grad(y, [b], retain_graph=True))
    s(t.autograd.grad(b, a, t.ones(2)))
    leaf = t.tensor(2.0, requires_grad=True)
    s(t.autograd.grad(leaf, leaf))


def grad_of_unused(s: Session) -> None:
    t = s.torch
    x, w = t.tensor([1.0, 2.0], requires_grad=True), t.tensor([[3.0]], requires_grad=True)
    y = (x * 2).sum()
    s.refused(lambda: t.autograd.grad(y, [x, w], retain_graph=True))
    s(t.autograd.grad(y, [x, w], allow_unused=True, retain_graph=True))
    s(t.autograd.grad(y, [x, w], materialize_grads=True, retain_graph=True))
    s(t.autograd.grad(y, [x, w], materialize_grads=True, allow_unused=True, retain_graph=True))
    s.refused(lambda: t.autograd.grad(y, [x, w], materialize_grads=True, allow_unused=False))
    s.refused(lambda: t.autograd.grad(y, [x, w], allow_unused=False, retain_graph=True))
    s.refused(lambda: t.autograd.grad(y, []))
    s.refused(lambda: t.autograd.grad(y, [x, t.ones(2)]))
    s.refused(lambda: t.autograd.grad(y, t.tensor([1])))


def second_derivatives(s: Session) -> None:
    t = s.torch
    x = t.tensor([1.0, 2.0], requires_grad=True)
    value = (x**3).sum()
    for _ in range(4):
        (value,) = t.autograd.grad(value.sum(), x, create_graph=True)
        s(value.detach(), value.requires_grad)
    (linear,) = t.autograd.grad((x * 2).sum(), x, create_graph=True)
    s(linear.requires_grad)
    s.refused(lambda: t.autograd.grad(linear.sum(), x))
    (g,) = t.autograd.grad((x**3).sum(), x)
    s(g.requires_grad)
    s.refused(lambda: t.autograd.grad(g.sum(), x))


def dtypes_of_gradients(s: Session) -> None:
    t = s.torch
    x = t.ones(3, requires_grad=True)
    c = t.tensor(2.0, dtype=t.float64, requires_grad=True)
    (x * c).sum().backward()
    s(x.grad, c.grad)
    row, column = t.ones(1, 3, requires_grad=True), t.ones(2, 1, requires_grad=True)
    (row * column).sum().backward()
    s(row.grad, column.grad)
    z = t.tensor([3 + 4j], requires_grad=True)
    z.abs().sum().backward()
    s(z.grad)


def only_what_ran_is_freed(s: Session) -> None:
    t = s.torch
    x, w = t.tensor([1.0, 2.0], requires_grad=True), t.tensor([3.0, 4.0], requires_grad=True)
    left, right = x.exp(), w * w
    product = (left * right).sum()
    s(*t.autograd.grad(product, x))
    s(*t.autograd.grad(right.sum(), w))
    s.refused(lambda: t.autograd.grad(left.sum(), x))
    s.refused(lambda: t.autograd.grad(product, w))
