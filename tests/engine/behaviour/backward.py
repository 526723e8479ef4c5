"""backward: what it starts from, where gradients go, what it leaves behind."""

from tests.engine.behaviour import Session


def from_a_scalar(s: Session) -> None:
    t = s.torch
    x = t.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    s.refused(y.backward)
    s.refused((x * 1j).sum().backward)
    s.refused(t.ones(0, requires_grad=True).exp().backward)
    for shape in ((), (1,), (1, 1)):
        one = t.ones(shape, requires_grad=True)
        (one * 3).backward()
        s(one.grad)
    leaf = t.tensor(2.0, requires_grad=True)
    leaf.backward()
    s(leaf.grad)


def from_a_gradient(s: Session) -> None:
    t = s.torch
    x = t.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    y.backward(t.tensor([0.1, 1.0, 0.0001]), retain_graph=True)
    s(x.grad)
    y.backward(t.ones(3, dtype=t.float64), retain_graph=True)
    y.backward(t.ones(3, dtype=t.int64), retain_graph=True)
    s(x.grad, x.grad.dtype)
    for wrong in (t.ones(2), t.ones(1), t.tensor(1.0), t.ones(3, 1), t.ones(3) * 1j, [1.0, 1.0, 1.0]):
        s.refused(lambda wrong=wrong: y.backward(wrong))
    s.refused(lambda: t.autograd.backward([y, y], [t.ones(3)]))
    s.refused(lambda: t.autograd.backward([y, y], [t.ones(2), t.ones(3)]))
    s.refused(lambda: t.autograd.backward([y, y], [t.ones(3), None]))
    t.autograd.backward([y.sum(), y], [None, t.ones(3)])
    s(x.grad)


def without_a_history(s: Session) -> None:
    t = s.torch
    x = t.ones(2, requires_grad=True)
    s.refused(t.tensor(1.0).backward)
    s.refused(t.tensor(1).backward)
    s.refused(lambda: t.autograd.backward([(x * 2).sum(), t.tensor(1.0)]))
    s.refused(lambda: t.ones(2).backward(t.ones(2)))
    s.refused(lambda: t.ones(2).backward())
    s.refused((x * 2).sum().detach().backward)
    s.refused((x > 0).all().backward)
    s.refused(lambda: t.autograd.grad(t.tensor(1.0), x))


def a_second_time(s: Session) -> None:
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    s(x.grad)
    s.refused(y.backward)
    s.refused(lambda: y.grad_fn.next_functions[0][0]._saved_self)
    scaled = (x * 2).sum()
    scaled.backward()
    s.refused(scaled.backward)
    e = x.exp()
    e.sum().backward()
    s.refused(e.sum().backward)


def a_second_time_where_nothing_was_saved(s: Session) -> None:
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x + 2).sum()
    y.backward()
    y.backward()
    s(x.grad)
    z = (x - x).t().reshape(2, 1).sum(0)
    z.backward()
    z.backward()
    s(x.grad)


def part_of_a_freed_graph(s: Session) -> None:
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    shared = x.exp()
    first, second = shared.sum(), (shared * 2).sum()
    first.backward()
    s.refused(second.backward)
    s(x.grad)


def create_graph_keeps_the_graph(s: Session) -> None:
    t = s.torch
    x = t.tensor([1.0, 2.0], requires_grad=True)
    y = (x**3).sum()
    y.backward(create_graph=True)
    s(x.grad.requires_grad, x.grad.detach())
    y.backward()
    s(x.grad.detach())
    (g,) = t.autograd.grad((x**3).sum(), x, create_graph=True, retain_graph=False)
    s.refused(lambda: t.autograd.grad(g.sum(), x))


def accumulation_is_in_place(s: Session) -> None:
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    s(x.grad is first, first, first._version)
    x.grad = None
    (x * 3).sum().backward()
    s(x.grad is first, x.grad, first)


def accumulation_with_a_graph_is_not(s: Session) -> None:
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    (x * 2).sum().backward()
    first = x.grad
    (x**2).sum().backward(create_graph=True)
    s(x.grad is first, first, x.grad, x.grad.requires_grad)


def grads_share_no_memory(s: Session) -> None:
    t = s.torch
    x, y = t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)
    v = t.tensor([1.0, 2.0])
    (x + y).backward(v)
    (x + y).backward(v)
    s(x.grad, y.grad, v)


def to_chosen_inputs(s: Session) -> None:
    t = s.torch
    x, w = t.tensor([1.0, 2.0], requires_grad=True), t.tensor([3.0, 4.0], requires_grad=True)
    h = x * w
    y = (h * h).sum()
    y.backward(inputs=[x], retain_graph=True)
    s(x.grad, w.grad)
    y.backward(inputs=w, retain_graph=True)
    s(x.grad, w.grad)
    y.backward(inputs=[h], retain_graph=True)
    s(h.grad, x.grad, w.grad)
    y.backward(inputs=(h, x))
    s(h.grad, x.grad, w.grad)
    s.refused(lambda: (x * 2).sum().backward(inputs=[]))
    stranger = t.ones(2, requires_grad=True)
    (x * 2).sum().backward(inputs=[stranger])
    s(stranger.grad, x.grad)
    s.refused(lambda: (x * 2).sum().backward(inputs=[t.ones(2)]))


def order_of_accumulation(s: Session) -> None:
    x = s.torch.tensor([1.0], requires_grad=True)
    a, b, c = x * 1e8, x * 1.0, x * -1e8
    ((a + b) + c).sum().backward()
    s(x.grad)


def a_long_chain(s: Session) -> None:
    x = s.torch.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(50_000):
        y = y + x
    y.backward()
    s(x.grad)
    del y


def a_derivative_that_is_missing(s: Session) -> None:
    x = s.torch.tensor([3.0, 5.0], requires_grad=True)
    y = x // 2
    s(y.requires_grad)
    s.refused(y.sum().backward)
