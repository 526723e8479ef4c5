"""Models: contractions next to elementwise arithmetic."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np

import engine
from bench import ours
from bench.case import OURS, Case, Match, at_least
from bench.ours import let, op
from bench.peers import libraries
from bench.timing import timed

PIXELS, HIDDEN, CLASSES = 784, 256, 10
NETWORK = [
    let("hidden", "relu", op("nn.functional.linear", "x", "w1", "b1")),
    let("logits", "nn.functional.linear", "hidden", "w2", "b2"),
    let("loss", "nn.functional.cross_entropy", "logits", "labels"),
]


def network(_: ExitStack) -> Match:
    """The loss of a batch and the gradients of all weights."""
    torch, functional = libraries.torch(), libraries.torch().nn.functional
    parameters, x, labels = _digits(256)
    leaves = libraries.leaves(list(parameters.values()))
    w1, b1, w2, b2 = leaves
    images, classes = torch.tensor(x), torch.tensor(labels)

    def forward() -> Any:
        hidden = torch.relu(functional.linear(images, w1, b1))
        return functional.cross_entropy(functional.linear(hidden, w2, b2), classes)

    eager = timed(libraries.eager(forward, leaves), libraries.answer(leaves))
    own = ours.backward(NETWORK, ours.tensors(parameters, {"x": x, "labels": labels}))
    return Match({OURS: own, "torch eager": eager}, eager.answer)


def per_sample(_: ExitStack) -> Match:
    """The gradients of all weights for each sample of a batch."""
    torch, functional = libraries.torch(), libraries.torch().nn.functional
    parameters, x, labels = _digits(64)
    given = {name: torch.tensor(each) for name, each in parameters.items()}
    images, classes = torch.tensor(x), torch.tensor(labels)

    def loss(weights: Any, image: Any, label: Any) -> Any:
        hidden = torch.relu(functional.linear(image, weights["w1"], weights["b1"]))
        return functional.cross_entropy(functional.linear(hidden, weights["w2"], weights["b2"]), label)

    each = torch.func.vmap(torch.func.grad_and_value(loss), in_dims=(None, 0, 0))

    def found(result: Any) -> Any:
        gradients, losses = result
        return [losses.numpy(), *[gradients[name].numpy() for name in parameters]]

    theirs = timed(lambda: each(given, images, classes), found)
    inputs = ours.tensors(parameters, {"x": x, "labels": labels})
    own = ours.backward(NETWORK, inputs, batch={"inputs": ["x", "labels"], "grads": "per_sample"})
    return Match({OURS: own, "torch.func.vmap(grad)": theirs}, theirs.answer)


ROWS, COLUMNS = 1_000, 200
LOGISTIC = [
    let("scores", "mv", "X", "w"),
    let("loss", "nn.functional.binary_cross_entropy_with_logits", "scores", "y"),
]


def hessian(_: ExitStack) -> Match:
    """The Hessian of the loss of a logistic regression."""
    torch, functional = libraries.torch(), libraries.torch().nn.functional
    rng = np.random.default_rng(0)
    data = rng.standard_normal((ROWS, COLUMNS)).astype(np.float32)
    labels = rng.integers(0, 2, ROWS).astype(np.float32)
    weights = (0.1 * rng.standard_normal(COLUMNS)).astype(np.float32)
    matrix, truth, at = torch.tensor(data), torch.tensor(labels), torch.tensor(weights)

    def loss(w: Any) -> Any:
        return functional.binary_cross_entropy_with_logits(torch.mv(matrix, w), truth)

    curvature = torch.func.hessian(loss)
    theirs = timed(lambda: curvature(at), lambda found: [found.numpy()])
    program, inputs = ours.program(LOGISTIC), ours.tensors({"w": weights}, {"X": data, "y": labels})

    def found(result: engine.Result) -> Any:
        return [result.derivative["w"]["w"].numpy()]

    own = timed(lambda: program.hessian(inputs, trace=False), found)
    return Match({OURS: own, "torch.func.hessian": theirs}, theirs.answer)


def _digits(samples: int) -> tuple[dict[str, Any], Any, Any]:
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> Any:
        return (rng.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)

    parameters = {
        "w1": normal(HIDDEN, PIXELS),
        "b1": normal(HIDDEN),
        "w2": normal(CLASSES, HIDDEN),
        "b2": normal(CLASSES),
    }
    images = rng.standard_normal((samples, PIXELS)).astype(np.float32)
    return parameters, images, rng.integers(0, CLASSES, samples)


CASES = (
    Case("MLP 784-256-10, batch of 256", {"torch eager": at_least(0.9)}, network),
    Case("MLP 784-256-10, per-sample, batch of 64", {"torch.func.vmap(grad)": at_least(1)}, per_sample),
    Case("Hessian of logistic regression, 1,000 × 200", {"torch.func.hessian": at_least(1)}, hessian),
)
