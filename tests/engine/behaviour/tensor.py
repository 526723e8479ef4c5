"""A tensor by itself: flags, the grad attribute, shared memory and its version."""

from tests.engine.behaviour import Session


def flags_of_leaves(s: Session) -> None:
    t = s.torch
    for x in (t.ones(2), t.ones(2, requires_grad=True), t.tensor(3), t.tensor([True]), t.tensor([1.5])):
        s(x, x.requires_grad, x.is_leaf, x.grad_fn, x.grad, x.dtype, x.shape, x.retains_grad)


def flags_of_results(s: Session) -> None:
    x = s.torch.ones(2, 3, requires_grad=True)
    y = x + 2
    s(y.requires_grad, y.is_leaf, y.grad_fn, y.grad_fn.name(), type(y.grad_fn).__name__, y.shape, y.ndim)
    s(
        y.size(),
        y.size(0),
        y.size(-1),
        y.dim(),
        y.numel(),
        y.stride(),
        y.is_contiguous(),
        y.t().is_contiguous(),
    )
    s((x > 1).requires_grad, x.argmax().requires_grad, x.round().requires_grad, x.floor().grad_fn)
    s(x.long().requires_grad, x.bool().requires_grad, x.double().requires_grad, x.sign().requires_grad)
    s.refused(lambda: y.size(2))


def who_may_require_grad(s: Session) -> None:
    t = s.torch
    s.refused(lambda: t.tensor([1, 2], requires_grad=True))
    s.refused(lambda: t.tensor(True, requires_grad=True))
    s.refused(lambda: t.ones(2, dtype=t.bool, requires_grad=True))
    s.refused(lambda: t.zeros(2, dtype=t.int64, requires_grad=True))
    s.refused(lambda: t.tensor([1]).requires_grad_())
    s.refused(lambda: setattr(t.tensor([1]), "requires_grad", True))
    s(t.tensor([1]).requires_grad_(False), t.tensor([1 + 2j], requires_grad=True))
    s(t.tensor(1.0, dtype=t.float64, requires_grad=True), t.tensor([1.0], dtype=t.float16).requires_grad_())


def flags_change_on_leaves_alone(s: Session) -> None:
    x = s.torch.ones(2, requires_grad=True)
    y = x * 2
    s.refused(lambda: y.requires_grad_(False))
    s.refused(lambda: setattr(y, "requires_grad", False))
    s(y.requires_grad_() is y, y.requires_grad)
    s(x.requires_grad_(False) is x, x.requires_grad, y.requires_grad, x)
    x.requires_grad = True
    s(x.requires_grad, (x * 1).grad_fn.name())


def assigning_grad(s: Session) -> None:
    t = s.torch
    x = t.ones(3, requires_grad=True)
    s.refused(lambda: setattr(x, "grad", t.ones(2)))
    s.refused(lambda: setattr(x, "grad", 1))
    s.refused(lambda: setattr(x, "grad", x))
    s.refused(lambda: setattr(x, "grad", t.ones(3, dtype=t.float64)))
    s.refused(lambda: setattr(x, "grad", t.ones(3, 1)))
    mine = t.tensor([1.0, 2.0, 3.0])
    x.grad = mine
    (x * 2).sum().backward()
    s(x.grad is mine, mine)
    x.grad = None
    s(x.grad)
    del x.grad
    s(x.grad)


def detach_shares_memory_and_version(s: Session) -> None:
    t = s.torch
    x = t.ones(3, requires_grad=True)
    d = x.detach()
    s(d.requires_grad, d.is_leaf, d.grad_fn, d is x)
    d.numpy()[0] = 7
    s(x, d)
    before = x._version
    s.touch(d)
    s(x._version - before, d._version - before)


def data_shares_memory_alone(s: Session) -> None:
    t = s.torch
    x = t.ones(3, requires_grad=True)
    d = x.data
    s(d.requires_grad, d.is_leaf, d.grad_fn)
    d.numpy()[1] = 5
    s(x)
    s.touch(d)
    s(x._version, d._version)


def views_share_a_version(s: Session) -> None:
    x = s.torch.ones(2, 3)
    view, row, copy = x.view(3, 2), x[0], x.clone()
    s.touch(row)
    s(x._version, view._version, row._version, copy._version)


def saved_values_are_watched(s: Session) -> None:
    t = s.torch
    x = t.ones(3, requires_grad=True)
    y = x.exp()
    z = y.sum()
    s.touch(y)
    s.refused(z.backward)
    scaled = x * 2
    squared = (scaled * scaled).sum()
    s.touch(scaled.detach())
    s.refused(squared.backward)
    factor = t.ones(3)
    product = (x * factor).sum()
    s.touch(factor)
    s.touch(factor)
    s.refused(product.backward)
    unwatched = (x + factor).sum()
    s.touch(factor)
    unwatched.backward()
    s(x.grad)
    hidden = x.exp()
    total = hidden.sum()
    s.touch(hidden.data)
    total.backward()
    s(x.grad)
