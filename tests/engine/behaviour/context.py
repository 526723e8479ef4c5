"""What the context of a custom Function tells and keeps."""

from typing import Any

from tests.engine.behaviour import Session
from tests.engine.behaviour.functions import exp, make


def integer_results_have_no_history(s: Session) -> None:
    split = make(s, lambda ctx, x: (x * 2, x.long(), x > 1), lambda ctx, *g: s(g) or g[0])
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    found = split.apply(x)
    s(found)
    found[0].sum().backward()


def results_marked_constant(s: Session) -> None:
    def forward(ctx: Any, x: Any) -> Any:
        y, z = x * 2, x * 3
        ctx.mark_non_differentiable(z)
        return y, z

    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    y, z = make(s, forward, lambda ctx, *g: s(g) or g[0] * 2).apply(x)
    s(y, z, z.is_leaf)
    y.sum().backward()
    s(x.grad)


def gradients_not_materialized(s: Session) -> None:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    _, second = make(s, forward, lambda ctx, *g: s(g) or g[1] * 3).apply(x)
    second.sum().backward()
    s(x.grad)


def where_nothing_is_recorded(s: Session) -> None:
    t = s.torch
    double = make(s, lambda ctx, *args: s(ctx.needs_input_grad, t.is_grad_enabled()) or args[0] * 2, None)
    x = t.ones(2, requires_grad=True)
    with t.no_grad():
        s(double.apply(x, 1))
    s(double.apply(t.ones(2), 1), double.apply(t.ones(2), x.long()))


def saved_values_are_checked(s: Session) -> None:
    t = s.torch
    x = t.ones(2, requires_grad=True)
    s.refused(lambda: make(s, lambda ctx, x: ctx.save_for_backward(3), None).apply(x))
    s.refused(lambda: make(s, lambda ctx, x: ctx.save_for_backward(x, [x]), None).apply(x))

    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x, None)
        s(ctx.saved_tensors)
        return x * 2

    def backward(ctx: Any, g: Any) -> Any:
        s(ctx.saved_tensors, t.is_grad_enabled())
        return g * 2

    kept = make(s, forward, backward)
    y = kept.apply(x)
    s(y.grad_fn.saved_tensors[0] is x)
    y.sum().backward()
    scaled = x * 3
    changed = kept.apply(scaled)
    s.touch(scaled)
    s.refused(changed.sum().backward)
    result = exp(s).apply(x)
    s.touch(result)
    s.refused(result.sum().backward)


def attributes_and_plain_arguments(s: Session) -> None:
    def forward(ctx: Any, x: Any, power: Any, label: Any = "none") -> Any:
        ctx.power, ctx.label = power, label
        ctx.save_for_backward(x)
        s(ctx.needs_input_grad)
        return x**power

    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * ctx.power * x ** (ctx.power - 1), None, None

    power = make(s, forward, backward, "Power")
    x = s.torch.tensor([1.0, 2.0], requires_grad=True)
    y = power.apply(x, 3, "cube")
    s(y, y.grad_fn.label, y.grad_fn.next_functions)
    y.sum().backward()
    s(x.grad)
    s(power.apply(x, power=2), power.apply(power=2, x=x), power.apply(x, 2, label="square").grad_fn.label)
    s.refused(power.apply)


def a_context_set_up_apart(s: Session) -> None:
    t = s.torch

    def forward(x: Any, factor: Any = 3) -> Any:
        return x * factor

    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        s(inputs, output, t.is_grad_enabled(), ctx.needs_input_grad)
        ctx.factor = inputs[1]
        ctx.save_for_backward(output)

    def backward(ctx: Any, g: Any) -> Any:
        s(ctx.saved_tensors)
        return g * ctx.factor, None

    scale = make(s, forward, backward, "Scale", setup_context=setup_context)
    x = t.tensor([1.0, 2.0], requires_grad=True)
    scale.apply(x).sum().backward()
    scale.apply(factor=5, x=x).sum().backward()
    s(x.grad)
