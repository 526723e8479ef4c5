"""The autograd tutorial of PyTorch's 60-minute blitz, cell by cell, on gradwire's engine.

Run it with `python examples/tutorial.py`. What it prints is what PyTorch prints for the same code.
"""

import engine as torch

torch.manual_seed(0)

# Create a tensor and record what is done with it.
x = torch.ones(2, 2, requires_grad=True)
print(x)

# y is the result of an op, so it has a grad_fn.
y = x + 2
print(y)
print(y.grad_fn)

# More ops on y.
z = y * y * 3
out = z.mean()
print(z, out)

# requires_grad_() changes the flag of a leaf in place; it is False at first.
a = torch.randn(2, 2)
a = (a * 3) / (a - 1)
print(a.requires_grad)
a.requires_grad_(True)
print(a.requires_grad)
b = (a * a).sum()
print(b.grad_fn)

# out is a scalar: backward() needs no gradient.
out.backward()
print(x.grad)

# A function whose length depends on the data.
x = torch.randn(3, requires_grad=True)
y = x * 2
while y.data.norm() < 1000:
    y = y * 2
print(y)

# y is no scalar: the vector of the vector-Jacobian product is given.
v = torch.tensor([0.1, 1.0, 0.0001], dtype=torch.float)
y.backward(v)
print(x.grad)

# Record nothing in a block …
print(x.requires_grad)
print((x**2).requires_grad)
with torch.no_grad():
    print((x**2).requires_grad)

# … or take a value out of the graph.
print(x.requires_grad)
y = x.detach()
print(y.requires_grad)
print(x.eq(y).all())
