"""Elementwise arithmetic on large arrays, and the sums at its edge."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np

from bench import ours
from bench.case import OURS, Case, Match, at_least
from bench.ours import let, op
from bench.peers import libraries
from bench.timing import timed

LOSS = [
    let("h", "tanh", op("add", op("mul", "x", "w"), 0.5)),
    let("bell", "exp", op("mul", op("neg", "x"), "x")),
    let("loss", "mean", op("mul", op("pow", "h", 2), "bell")),
]


def loss(_: ExitStack, *, size: int) -> Match:
    """mean(tanh(x*w+.5)**2 * exp(-x*x)) and its gradients by x and w."""
    import autograd
    from autograd import numpy as anp

    torch, jax = libraries.torch(), libraries.jax()
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, size)).astype(np.float32)
    leaves = libraries.leaves([x, w])

    def of(module: Any) -> Callable[..., Any]:
        return lambda x, w: module.mean(module.tanh(x * w + 0.5) ** 2 * module.exp(-x * x))

    eager = timed(libraries.eager(lambda: of(torch)(*leaves), leaves), libraries.answer(leaves))
    compiled = jax.jit(jax.value_and_grad(of(jax.numpy), argnums=(0, 1)))
    on_device = [jax.numpy.asarray(x), jax.numpy.asarray(w)]
    hips = autograd.value_and_grad(of(anp), argnum=(0, 1))
    sides = {
        OURS: ours.backward(LOSS, ours.tensors({"x": x, "w": w})),
        "torch eager": eager,
        "jax.jit, warm": timed(lambda: jax.block_until_ready(compiled(*on_device)), libraries.arrays),
        "HIPS autograd": timed(lambda: hips(x, w), libraries.arrays),
    }
    return Match(sides, eager.answer)


PARTS, POINTS, DIMS = 10, 100_000, 2
MIXTURE = [
    let("z", "mul", op("sub", op("unsqueeze", "points", 1), "means"), op("exp", op("neg", "log_scales"))),
    let("log_parts", "mul", op("sum", op("mul", "z", "z"), -1), -0.5),
    let("log_norms", "add", op("sum", "log_scales", -1), DIMS / 2 * math.log(2 * math.pi)),
    let("joint", "add", op("sub", "log_parts", "log_norms"), op("log_softmax", "logits", 0)),
    let("out", "sum", op("logsumexp", "joint", 1)),
]


def mixture(_: ExitStack) -> Match:
    """The log-density of points under a mixture of Gaussians, by weights, means and scales."""
    torch = libraries.torch()
    rng = np.random.default_rng(0)
    points = rng.standard_normal((POINTS, DIMS)).astype(np.float32)
    parameters = {
        "logits": rng.standard_normal(PARTS).astype(np.float32),
        "means": rng.standard_normal((PARTS, DIMS)).astype(np.float32),
        "log_scales": (0.3 * rng.standard_normal((PARTS, DIMS))).astype(np.float32),
    }
    leaves = libraries.leaves(list(parameters.values()))
    logits, means, log_scales = leaves
    data = torch.tensor(points)

    def forward() -> Any:
        z = (data.unsqueeze(1) - means) * torch.exp(-log_scales)
        log_norms = log_scales.sum(-1) + DIMS / 2 * math.log(2 * math.pi)
        joint = -0.5 * (z * z).sum(-1) - log_norms + torch.log_softmax(logits, 0)
        return torch.logsumexp(joint, 1).sum()

    eager = timed(libraries.eager(forward, leaves), libraries.answer(leaves))
    own = ours.backward(MIXTURE, ours.tensors(parameters, {"points": points}))
    return Match({OURS: own, "torch eager": eager}, eager.answer)


OPTIONS = 1_000_000
BLACK_SCHOLES = [
    let("width", "mul", "volatility", op("sqrt", "time")),
    let("drift", "mul", op("add", "rate", op("mul", op("mul", "volatility", "volatility"), 0.5)), "time"),
    let("d1", "div", op("add", op("log", op("div", "spot", "strike")), "drift"), "width"),
    let("d2", "sub", "d1", "width"),
    let("above", "mul", op("add", op("erf", op("mul", "d1", math.sqrt(0.5))), 1), 0.5),
    let("below", "mul", op("add", op("erf", op("mul", "d2", math.sqrt(0.5))), 1), 0.5),
    let("discounted", "mul", "strike", op("exp", op("mul", op("neg", "rate"), "time"))),
    let("price", "sub", op("mul", "spot", "above"), op("mul", "discounted", "below")),
    let("total", "sum", "price"),
]


def black_scholes(_: ExitStack) -> Match:
    """The price of calls, and by one backward from their sum its derivatives by spot, strike, time, rate and
    volatility, option by option."""
    torch = libraries.torch()
    rng = np.random.default_rng(0)
    bounds = {"spot": (80, 120), "strike": (80, 120), "time": (0.1, 2), "rate": (0.0, 0.05)}
    inputs = {name: rng.uniform(*each, OPTIONS) for name, each in bounds.items()}
    inputs["volatility"] = rng.uniform(0.1, 0.5, OPTIONS)
    leaves = libraries.leaves(list(inputs.values()))
    spot, strike, time, rate, volatility = leaves
    prices = None

    def forward() -> Any:
        nonlocal prices
        width = volatility * torch.sqrt(time)
        d1 = (torch.log(spot / strike) + (rate + 0.5 * volatility * volatility) * time) / width
        d2 = d1 - width
        above, below = (0.5 * (1 + torch.erf(d * math.sqrt(0.5))) for d in (d1, d2))
        prices = spot * above - strike * torch.exp(-rate * time) * below
        return prices.sum()

    def found(_: Any) -> Any:
        return [prices.detach().numpy(), *[each.grad.numpy() for each in leaves]]

    eager = timed(libraries.eager(forward, leaves), found)
    gradient = {"total": ours.tensor(1.0, "float64")}
    own = ours.backward(BLACK_SCHOLES, ours.tensors(inputs), outputs=["price"], gradient=gradient)
    return Match({OURS: own, "torch eager": eager}, eager.answer)


def _loss_aims(eager: float, compiled: float) -> dict[str, Any]:
    return {
        "torch eager": at_least(eager),
        "jax.jit, warm": at_least(compiled),
        "HIPS autograd": at_least(5),
    }


CASES = (
    Case("mean(tanh(x*w+.5)**2 * exp(-x*x)), 1e5", _loss_aims(1.5, 0.7), partial(loss, size=100_000)),
    Case("mean(tanh(x*w+.5)**2 * exp(-x*x)), 1e6", _loss_aims(2, 0.5), partial(loss, size=1_000_000)),
    Case("mean(tanh(x*w+.5)**2 * exp(-x*x)), 1e7", _loss_aims(4, 0.9), partial(loss, size=10_000_000)),
    Case("mixture of 10 Gaussians, 1e5 × 2 points", {"torch eager": at_least(1.5)}, mixture),
    Case("Black-Scholes and five Greeks, 1e6 options", {"torch eager": at_least(1.5)}, black_scholes),
)
