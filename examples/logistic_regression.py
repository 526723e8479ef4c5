"""Gradient descent with a Program: read and planned once, run at every step.

Run it with `python examples/logistic_regression.py`. It fits a line that separates two clouds of points.
"""

import engine

STEPS = 200
RATE = 0.5

program = engine.Program(
    [
        {"id": "logits", "op": "add", "in": [{"op": "matmul", "in": ["points", "w"]}, "b"]},
        {"id": "loss", "op": "nn.functional.binary_cross_entropy_with_logits", "in": ["logits", "labels"]},
    ]
)

engine.manual_seed(0)
labels = (engine.arange(200) % 2).float()
points = engine.randn(200, 2) + 2 * labels.unsqueeze(1)  # the clouds' centres: (0, 0) and (2, 2)

w, b = engine.zeros(2, requires_grad=True), engine.zeros((), requires_grad=True)
for step in range(STEPS + 1):
    result = program.backward(
        {"points": points, "labels": labels, "w": w, "b": b}, outputs=["logits", "loss"]
    )
    if step % 50 == 0:
        right = ((result.outputs["logits"] > 0) == (labels > 0)).float().mean()
        print(f"step {step:3}: loss {result.outputs['loss'].item():.4f}, {right.item():.1%} right")
    with engine.no_grad():
        w = (w - RATE * result.grads["w"]).requires_grad_()
        b = (b - RATE * result.grads["b"]).requires_grad_()

print(f"separated by {w[0].item():.2f} x + {w[1].item():.2f} y = {-b.item():.2f}")
