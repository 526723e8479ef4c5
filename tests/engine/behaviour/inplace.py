"""Changes in place: whose history they continue, and what they are refused for."""

from tests.engine.behaviour import Session


def of_leaves(s: Session) -> None:
    t = s.torch
    x = t.ones(3, requires_grad=True)
    s.refused(lambda: x.add_(1))
    s.refused(x.zero_)
    s.refused(lambda: x.__setitem__(0, 5.0))
    s.refused(lambda: x[:2].mul_(2))
    with t.no_grad():
        x.add_(1)
        x[0] = 7.0
    s(x, x._version, x.is_leaf)
    (x * x).sum().backward()
    s(x.grad)


def of_results(s: Session) -> None:
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    z = y.add_(1)
    s(z is y, y, y.is_leaf, y._version)
    y *= 2
    s(y)
    y.sum().backward()
    s(x.grad)


def of_constants(s: Session) -> None:
    t = s.torch
    x, w = t.tensor([1.0, 2.0], requires_grad=True), t.zeros(2)
    w.add_(x)
    s(w, w.requires_grad, w.is_leaf)
    w.sum().backward()
    s(x.grad)
    plain = t.zeros(2)
    plain += 1
    plain[0] = 5
    s(plain, plain._version, plain.requires_grad)
    integers = t.zeros(2, dtype=t.int64)
    s.refused(lambda: integers.add_(0.5))
    s.refused(lambda: t.ones(2).add_(t.ones(3)))
    s.refused(lambda: t.ones(2).add_(t.ones(2, 2)))


def of_what_a_backward_needs(s: Session) -> None:
    t = s.torch
    x = t.ones(3, requires_grad=True)
    y = x.exp()
    z = y.sum()
    y.add_(1)
    s.refused(z.backward)
    squared = x * 2
    product = (squared * squared).sum()
    squared.detach().zero_()
    s.refused(product.backward)
    free = x * 2
    total = free.sum()
    free.mul_(5)
    total.backward()
    s(x.grad)


def descent(s: Session) -> None:
    t = s.torch
    w = t.tensor([1.0, -2.0], requires_grad=True)
    for _ in range(3):
        (w * w).sum().backward()
        with t.no_grad():
            w -= 0.1 * w.grad
        s(w, w.grad)
        w.grad.zero_()
    s(w.grad)


def assignment_to_constants(s: Session) -> None:
    t = s.torch
    y = t.arange(6.0).reshape(2, 3)
    y[0, 1] = 10.0
    y[1] = t.tensor([7.0, 8.0, 9.0])
    y[:, 2] *= 2
    s(y, y._version)
    s.refused(lambda: y.__setitem__((0, 3), 1.0))
    s.refused(lambda: y.__setitem__(0, t.ones(2)))
