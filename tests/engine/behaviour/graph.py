"""The nodes behind a result and what they keep."""

from tests.engine.behaviour import Session


def next_functions(s: Session) -> None:
    t = s.torch
    x, w = t.ones(2, requires_grad=True), t.ones(2)
    s((x + 2).grad_fn.next_functions, (x * w).grad_fn.next_functions, (w * x).grad_fn.next_functions)
    y = x * 2
    node = (y + x).grad_fn
    s(node.next_functions, node.next_functions[0][0] is y.grad_fn)
    s(node.next_functions[1][0].variable is x, node.next_functions[1][0].name(), node.next_functions[1][0])
    s(node.next_functions[1][0] is y.grad_fn.next_functions[0][0], type(node.next_functions).__name__)
    s((y * y).grad_fn.next_functions, node.next_functions[1][0].next_functions)


def saved_values(s: Session) -> None:
    t = s.torch
    x, w = t.tensor([1.0, 2.0], requires_grad=True), t.tensor([3.0, 4.0])
    product = (x * w).grad_fn
    s(product._saved_self, product._saved_other, product._saved_other is w)
    scaled = (x * 2).grad_fn
    s(scaled._saved_self, scaled._saved_other)
    s((x**3).grad_fn._saved_exponent, (x**3).grad_fn._saved_self is x, x.exp().grad_fn._saved_result)
    s(x.reshape(2, 1).sum(1).grad_fn._saved_dim, x.sum(-1).grad_fn._saved_dim)
    s.refused(lambda: product._saved_nothing)
    s([name for name in dir(x.sum(0).grad_fn) if name.startswith("_saved")])
