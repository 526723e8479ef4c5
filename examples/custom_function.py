"""Custom Functions: a derivative of your own, where the true one is of no use or of poor accuracy.

Run it with `python examples/custom_function.py`.
"""

import engine as torch


class Round(torch.autograd.Function):
    """Rounding, with the straight-through estimator: its derivative is 0 almost everywhere."""

    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, g):
        return g


class LogOnePlusExp(torch.autograd.Function):
    """log(1 + exp(x)). Op by op its derivative is inf / inf for large x; in truth it is a sigmoid."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (1 + x.exp()).log()

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x.sigmoid()


# A node of the graph like any other.
x = torch.tensor([-1.0, 0.0, 100.0], requires_grad=True)
y = LogOnePlusExp.apply(x)
print(y.grad_fn.name(), y.grad_fn.next_functions)
y.sum().backward()
print("its own derivative:", x.grad)

x.grad = None
(1 + x.exp()).log().sum().backward()
print("op by op:          ", x.grad)

# backward is written with ops, so it can be differentiated again.
s = torch.tensor(0.5, requires_grad=True)
(first,) = torch.autograd.grad(LogOnePlusExp.apply(s), s, create_graph=True)
(second,) = torch.autograd.grad(first, s)
print(f"first {first.item():.6f}, second {second.item():.6f}")

# Fit weights that are rounded before use.
weights = torch.tensor([0.2, 0.7, 2.6, -0.4], requires_grad=True)
target = torch.tensor([1.0, 1.0, 1.0, -1.0])
for step in range(4):
    loss = ((Round.apply(weights) - target) ** 2).sum()
    loss.backward()
    print(f"step {step}: loss {loss.item():.1f}, weights {weights.detach()}")
    weights = (weights - 0.2 * weights.grad).detach().requires_grad_()
