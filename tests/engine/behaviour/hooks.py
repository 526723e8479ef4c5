"""Hooks on tensors and on nodes, and retained gradients."""

from typing import Any

from tests.engine.behaviour import Session


def in_registration_order(s: Session) -> None:
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.register_hook(lambda g: s("first", g))
    y.register_hook(lambda g: s("second", g) or g * 10)
    y.register_hook(lambda g: s("third", g))
    y.sum().backward()
    s(x.grad)


def on_a_leaf_see_the_sum_once(s: Session) -> None:
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    x.register_hook(lambda g: s("leaf", g) or g * 2)
    (x * x + x).sum().backward()
    s(x.grad)
    (x * 1).sum().backward()
    s(x.grad)


def removed(s: Session) -> None:
    x = s.torch.ones(2, requires_grad=True)
    handle = x.register_hook(lambda g: s("called", g))
    (x * 2).sum().backward()
    handle.remove()
    handle.remove()
    (x * 2).sum().backward()
    s(x.grad)


def the_same_hook_twice(s: Session) -> None:
    x = s.torch.ones(1, requires_grad=True)

    def double(g):  # type: ignore[no-untyped-def]
        return g * 2

    first = x.register_hook(double)
    x.register_hook(double)
    x.sum().backward()
    s(x.grad)
    first.remove()
    x.sum().backward()
    s(x.grad)


def retained_after_hooks(s: Session) -> None:
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    s(y.retains_grad, x.retains_grad, y.grad)
    y.sum().backward()
    s(y.grad, x.grad, y.grad.requires_grad)


def retained_accumulates(s: Session) -> None:
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    y.retain_grad()
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    s(y.grad, x.grad)
    x.retain_grad()
    s.refused(s.torch.ones(2).retain_grad)
    s.refused((x.detach() * 2).retain_grad)


def refuse(s: Session) -> None:
    t = s.torch
    x = t.ones(3, requires_grad=True)
    s.refused(lambda: t.ones(3).register_hook(lambda g: g))
    for result in (t.ones(2), 1, "gradient"):
        y = x * 2

        def wrong(g, result=result):  # type: ignore[no-untyped-def]
            return result

        y.register_hook(wrong)
        s.refused(y.sum().backward)
    s(x.grad)


def may_not_change_the_dtype(s: Session) -> None:
    x = s.torch.ones(2, requires_grad=True)
    for hook in (_as_double, _as_complex, lambda g: g.double().sum()):
        handle = x.register_hook(hook)
        s.refused((x * 2).sum().backward)
        handle.remove()


def _as_double(g: Any) -> Any:
    return g.double()


def _as_complex(g: Any) -> Any:
    return g + 1j


def run_under_grad(s: Session) -> None:
    t = s.torch
    x = t.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    x.register_hook(lambda g: s("x", g) or g + 1)
    y.register_hook(lambda g: s("y", g) or g * 2)
    s(t.autograd.grad(y.sum(), x, retain_graph=True), x.grad)
    s(t.autograd.grad(y.sum(), y))


def see_grad_mode(s: Session) -> None:
    t = s.torch
    x = t.tensor([1.0, 2.0], requires_grad=True)
    y = x**3
    y.register_hook(lambda g: s(t.is_grad_enabled(), g.requires_grad))
    (y * y).sum().backward(retain_graph=True)
    t.autograd.grad((y * y).sum(), x, create_graph=True)


def after_accumulation(s: Session) -> None:
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    handle = x.register_post_accumulate_grad_hook(lambda leaf: s(leaf is x, leaf.grad))
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    handle.remove()
    (x * 2).sum().backward()
    s(x.grad)
    s.refused(lambda: (x * 2).register_post_accumulate_grad_hook(lambda leaf: None))
    s.refused(lambda: x.detach().register_post_accumulate_grad_hook(lambda leaf: None))


def on_nodes(s: Session) -> None:
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    w = s.torch.tensor([3.0, 4.0])
    y = x * w
    y.register_hook(lambda g: s("tensor", g))
    y.grad_fn.register_prehook(lambda outputs: s("pre", outputs))
    y.grad_fn.register_hook(lambda inputs, outputs: s("post", inputs, outputs))
    y.sum().backward(retain_graph=True)
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 10,))
    handle = y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] + 1, None))
    y.sum().backward(retain_graph=True)
    s(x.grad)
    handle.remove()
    y.sum().backward()
    s(x.grad)


def on_several_outputs(s: Session) -> None:
    x = s.torch.tensor([[1.0, 5.0], [4.0, 2.0]], requires_grad=True)
    values, indices = x.max(dim=1)
    s(values.grad_fn.name(), indices.grad_fn, indices.requires_grad, values.output_nr)
    values.register_hook(lambda g: s("values", g) or g * 2)
    values.sum().backward()
    s(x.grad)


def interior_grad_is_not_kept(s: Session) -> None:
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.sum().backward()
    s(y.grad, x.grad)


def a_hook_may_start_a_backward(s: Session) -> None:
    t = s.torch
    x = t.tensor([2.0], requires_grad=True)
    w = t.tensor([3.0], requires_grad=True)

    def inner(g):  # type: ignore[no-untyped-def]
        with t.enable_grad():
            (w * 5).sum().backward()

    y = x * 2
    y.register_hook(inner)
    y.sum().backward()
    s(x.grad, w.grad)
