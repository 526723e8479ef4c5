"""Custom Functions: their node, their results, their gradients, and what is refused."""

from typing import Any

from tests.engine.behaviour import Session
from tests.engine.behaviour.functions import double, exp, make


def a_node_of_its_own(s: Session) -> None:
    x = s.torch.tensor([0.0, 1.0], requires_grad=True)
    y = exp(s).apply(x)
    node = y.grad_fn
    s(y, node, node.name(), type(node).__name__, node.next_functions, node.needs_input_grad)
    s(node.saved_tensors, y.is_leaf, y.requires_grad, node.next_functions[0][0].variable is x)
    (y * 2).sum().backward()
    s(x.grad)
    s.refused(lambda: node.saved_tensors)
    s.refused(y.sum().backward)


def twice_where_nothing_was_saved(s: Session) -> None:
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    y = double(s, lambda ctx, g: g * 2).apply(x).sum()
    y.backward()
    y.backward()
    s(x.grad)


def nothing_comes(s: Session) -> None:
    t = s.torch
    nothing = make(s, lambda ctx, x: x * 1, lambda ctx, g: None)

    def unmade(ctx: Any, x: Any) -> Any:
        ctx.set_materialize_grads(False)
        return x * 2

    def said(ctx: Any, g: Any) -> Any:
        s("called with", g)
        return None if g is None else g * 2

    for forward in (unmade, lambda ctx, x: x * 2):
        x = t.tensor([1.0, 2.0], requires_grad=True)
        y = nothing.apply(make(s, forward, said).apply(x * 3).exp())
        s(t.autograd.grad(y.sum(), x, allow_unused=True))
        y = nothing.apply(make(s, forward, said).apply(x))
        s(t.autograd.grad(y.sum(), x, allow_unused=True))
        nothing.apply(make(s, forward, said).apply(x)).sum().backward()
        s(x.grad)
        s(t.autograd.grad(nothing.apply(make(s, forward, said).apply(x).sum()), x, allow_unused=True))


def several_results(s: Session) -> None:
    t = s.torch

    def forward(ctx: Any, a: Any, b: Any) -> Any:
        ctx.save_for_backward(a, b)
        return a + b, a * b

    def backward(ctx: Any, g: Any, h: Any) -> Any:
        a, b = ctx.saved_tensors
        s(g, h, ctx.needs_input_grad)
        return g + h * b, g + h * a

    both = make(s, forward, backward, "Both")
    a, b = t.tensor([1.0, 2.0], requires_grad=True), t.tensor([3.0, 4.0])
    total, product = both.apply(a, b)
    s(total.grad_fn is product.grad_fn, total.output_nr, product.output_nr, total.grad_fn.next_functions)
    product.sum().backward()
    s(a.grad, b.grad)


def results_that_are_no_tensors(s: Session) -> None:
    t = s.torch
    several = make(s, lambda ctx, x: (x * 2, 5, "text", None), lambda ctx, *g: s(g) or g[0])
    x = t.ones(2, requires_grad=True)
    found = several.apply(x)
    s(found)
    found[0].sum().backward()
    s(x.grad)
    s(make(s, lambda ctx, x: 5, None).apply(x), make(s, lambda ctx, x: None, None).apply(x))
    s(make(s, lambda ctx, x: [x * 2], None).apply(x), make(s, lambda ctx, x: (x * 2,), None).apply(x))


def an_argument_handed_back(s: Session) -> None:
    t = s.torch
    identity = make(s, lambda ctx, *args: args if len(args) > 1 else args[0], lambda ctx, *g: g)
    x, c = t.ones(2, requires_grad=True), t.ones(2)
    y = identity.apply(x)
    s(y, y is x, y.grad_fn.name(), x.is_leaf)
    s(identity.apply(x, c), identity.apply(c, c), identity.apply(c) is c)
    (y * 3).sum().backward()
    s(x.grad)


def gradients_of_the_wrong_number_or_kind(s: Session) -> None:
    t = s.torch
    x = t.ones(2, requires_grad=True)
    for backward, arguments in (
        (lambda ctx, g: g, (x, x)),
        (lambda ctx, g: (), (x,)),
        (lambda ctx, g: (g, g), (x,)),
        (lambda ctx, g: (g, g, g), (x, x)),
        (lambda ctx, g: (g, g), (x, 3)),
        (lambda ctx, g: (g, None), (x, 3, 4)),
        (lambda ctx, g: 3.0, (x,)),
        (lambda ctx, g: [g], (x,)),
        (lambda ctx, g: t.ones(3), (x,)),
        (lambda ctx, g: t.ones(()), (x,)),
        (lambda ctx, g: (None, t.ones(5, 7)), (x, x)),
    ):
        s.refused(double(s, backward).apply(*arguments).sum().backward)
    s(x.grad)


def gradients_that_fit(s: Session) -> None:
    t = s.torch
    for backward in (
        lambda ctx, g: (g, None, None),
        lambda ctx, g: t.ones(4, 2),
        lambda ctx, g: g.double(),
        lambda ctx, g: g > 0,
        lambda ctx, g: g.long(),
        lambda ctx, g: None,
    ):
        x = t.ones(2, requires_grad=True)
        double(s, backward).apply(x).sum().backward()
        s(x.grad)
    constant = t.ones(2)
    x = t.ones(2, requires_grad=True)
    make(s, lambda ctx, x, c: x * c, lambda ctx, g: (g, g)).apply(x, constant).sum().backward()
    s(x.grad, constant.grad)


def what_is_not_written(s: Session) -> None:
    base = s.torch.autograd.Function
    x = s.torch.ones(2, requires_grad=True)
    half = type("NoBackward", (base,), {"forward": staticmethod(lambda ctx, x: x * 2)})
    s.refused(half.apply(x).sum().backward)
    s.refused(lambda: type("NoForward", (base,), {}).apply(x))
    twice = make(s, lambda ctx, x: x * 2, lambda ctx, g: g, vjp=lambda ctx, g: g)
    s.refused(twice.apply(x).sum().backward)
    other = type("Other", (base,), {
        "forward": staticmethod(lambda ctx, x: x * 2), "vjp": staticmethod(lambda ctx, g: g * 2),
    })  # fmt: skip
    other.apply(x).sum().backward()
    s(x.grad)


def second_derivatives(s: Session) -> None:
    t = s.torch

    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x * x

    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * x * x * g

    for function in (make(s, forward, backward, "Cube"), exp(s)):
        x = t.tensor([1.0, 2.0], requires_grad=True)
        y = function.apply(x)
        for _ in range(3):
            (y,) = t.autograd.grad(y.sum(), x, create_graph=True)
            s(y.detach(), y.requires_grad)


def hooks_on_its_node(s: Session) -> None:
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    y = make(s, lambda ctx, x, k: x * k, lambda ctx, g: (g * 2, None)).apply(x, 2)
    y.register_hook(lambda g: s("tensor", g))
    y.grad_fn.register_prehook(lambda outputs: s("pre", outputs))
    y.grad_fn.register_hook(lambda inputs, outputs: s("post", inputs, outputs))
    y.retain_grad()
    y.sum().backward()
    s(y.grad, x.grad)


def inside_a_graph(s: Session) -> None:
    t = s.torch
    x, w = t.tensor([1.0, 2.0], requires_grad=True), t.tensor([3.0, 4.0], requires_grad=True)
    y = exp(s).apply(x * w)
    s(y.grad_fn.next_functions, (y * x).grad_fn.next_functions)
    s(t.autograd.grad((y * x).sum(), [x, w, y]))


def a_graph_inside_forward_is_dropped(s: Session) -> None:
    t = s.torch

    def forward(ctx: Any, x: Any) -> Any:
        with t.enable_grad():
            return x.detach().requires_grad_() * 2

    x = t.ones(2, requires_grad=True)
    y = make(s, forward, lambda ctx, g: g * 10).apply(x)
    s(y)
    y.sum().backward()
    s(x.grad)


def a_gradient_that_is_estimated(s: Session) -> None:
    t = s.torch
    rounded = make(s, lambda ctx, x: x.round(), lambda ctx, g: g, "StraightThrough")
    x = t.tensor([0.4, 0.6, 1.5], requires_grad=True)
    (rounded.apply(x) * t.tensor([1.0, 2.0, 3.0])).sum().backward()
    s(x.grad)
