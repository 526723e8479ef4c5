"""A JSON graph as a jax function."""

from __future__ import annotations

from typing import Any

from bench.peers import libraries

jax = libraries.jax()


def function(graph: list[dict[str, Any]]) -> Any:
    """The graph of elementwise ops and sums as a function of x."""
    ops = {"mul": jax.numpy.multiply, "add": jax.numpy.add, "sin": jax.numpy.sin, "tanh": jax.numpy.tanh,
           "sum": jax.numpy.sum}  # fmt: skip

    def call(x: Any) -> Any:
        names = {"x": x}
        for each in graph:
            arguments = [names[one] if isinstance(one, str) else one for one in each["in"]]
            names[each["id"]] = ops[each["op"]](*arguments)
        return names[graph[-1]["id"]]

    return call


def first_call(graph: list[dict[str, Any]], x: Any) -> Any:
    """The value and the gradient, traced and compiled for this call."""
    value, gradient = jax.block_until_ready(jax.jit(jax.value_and_grad(function(graph)))(x))
    return value, (gradient,)
