"""Where arithmetic costs next to nothing: the tutorial's graph, and chains of a thousand statements."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

import engine
from bench import chains, ours
from bench.case import OURS, Arrays, Case, Match, at_least
from bench.ours import let, op
from bench.peers import libraries
from bench.timing import timed, timed_once

TUTORIAL = [
    let("y", "add", "x", 2),
    let("z", "mul", op("mul", "y", "y"), 3),
    let("out", "mean", "z"),
]
NODES = 1_000
SQUARE = np.array([[0.1, 0.2], [0.3, 0.4]], np.float32)


def tutorial(_: ExitStack) -> Match:
    """A known program against the tutorial's own lines."""
    (x,) = libraries.leaves([np.ones((2, 2), np.float32)])

    def forward() -> Any:
        y = x + 2
        z = y * y * 3
        return z.mean()

    eager = timed(libraries.eager(forward, [x]), libraries.answer([x]))
    own = ours.backward(TUTORIAL, ours.tensors({"x": np.ones((2, 2), np.float32)}))
    return Match({OURS: own, "torch eager": eager}, eager.answer)


def plan_only(_: ExitStack) -> Match:
    """The steps of the plan against the same numpy calls in a function."""
    x = np.ones((2, 2), np.float32)
    two, three, four, one = (np.float32(number) for number in (2, 3, 4, 1))

    def by_hand() -> Any:
        y = np.add(x, two)
        z = np.multiply(np.multiply(y, y), three)
        out = np.divide(np.add.reduce(z, axis=None), four)
        g = np.multiply(np.broadcast_to(np.divide(one, four), (2, 2)), three)
        g = np.multiply(g, y)
        return out, np.add(g, g)

    prepared = ours.program(TUTORIAL).prepare(ours.tensors({"x": x}), trace=False)
    plan, arrays = prepared.plan, [x]
    own = timed(lambda: plan.run(None, arrays), lambda found: [each for each in found if each is not None])
    (leaf,) = libraries.leaves([x])
    step = libraries.eager(lambda: ((leaf + 2) ** 2).mul(3).mean(), [leaf])
    reference = libraries.answer([leaf])
    return Match({OURS: own, "numpy by hand": timed(by_hand, list)}, lambda: reference(step()))


def chain_warm(_: ExitStack) -> Match:
    """A known program against the parsed JSON, interpreted."""
    graph = chains.graph(NODES)
    eager = _interpreted(lambda: graph)
    return Match(
        {OURS: ours.backward(graph, ours.tensors({"x": SQUARE})), "torch eager": eager}, eager.answer
    )


def chain_first(_: ExitStack) -> Match:
    """From the bytes of a graph never seen before to its gradient: interpreted by torch, compiled by jax."""
    import orjson

    from bench.peers import jax_graph

    bodies, graph = _unseen(), json.dumps(chains.graph(NODES))

    def work(body: bytes) -> engine.Result:
        return engine.Program(orjson.loads(body)).backward(ours.tensors({"x": SQUARE}), trace=False)

    def compiled(body: bytes) -> Any:
        return jax_graph.first_call(orjson.loads(body), SQUARE)

    eager = _interpreted(lambda: orjson.loads(graph))
    sides = {
        OURS: timed_once(lambda: next(bodies), work, ours.answer),
        "torch eager": eager,
        "jax.jit, first call": timed_once(lambda: next(bodies), compiled, libraries.arrays),
    }
    return Match(sides, eager.answer)


def chain_served(stack: ExitStack) -> Match:
    """The same from a request's body to its answer's, with every check of the service."""
    import orjson

    from app.compute import Call
    from app.compute.service import Service
    from app.settings import Settings

    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
    service, bodies = Service(Settings(store=f"{folder}/graphs.sqlite3")), _unseen()
    inputs = {"x": {"data": SQUARE.tolist(), "requires_grad": True}}

    def request() -> bytes:
        return b'{"inputs":%b,"graph":%b,"trace":false}' % (orjson.dumps(inputs), next(bodies))

    def answer(found: Any) -> Arrays:
        body = orjson.loads(b"".join(found.pieces))
        named = (body["outputs"]["out"], body["grads"]["x"])
        return [np.array(each["data"], np.float32) for each in named]

    from bench.peers import torch_graph

    def theirs() -> bytes:
        (x,) = libraries.leaves([np.array(inputs["x"]["data"], np.float32)])
        out = torch_graph.run(orjson.loads(graph), {"x": x})
        out.backward()
        return orjson.dumps({"out": out.tolist(), "x": x.grad.tolist()})

    graph = json.dumps(chains.graph(NODES))
    sides = {
        OURS: timed_once(request, lambda body: service.answer(Call("backward", body)), answer),
        "torch eager": timed(
            theirs, lambda found: [np.array(each, np.float32) for each in orjson.loads(found).values()]
        ),
    }
    return Match(sides, _interpreted(lambda: orjson.loads(graph)).answer)


def _unseen() -> Any:
    """Graphs that differ in the names of their values, as JSON."""
    text = json.dumps(chains.graph(NODES))
    return (text.replace('"v', f'"v{number}_').encode() for number in itertools.count())


def _interpreted(read: Callable[[], Any]) -> Any:
    """Torch eager running the JSON graph that `read` gives."""
    from bench.peers import torch_graph

    (x,) = libraries.leaves([SQUARE])
    step = libraries.eager(lambda: torch_graph.run(read(), {"x": x}), [x])
    return timed(step, libraries.answer([x]))


CASES = (
    Case("tutorial graph 2×2, known program", {"torch eager": at_least(5)}, tutorial),
    Case("tutorial graph 2×2, plan alone", {"numpy by hand": at_least(0.7)}, plan_only),
    Case("chain of 1,000 on 2×2, known program", {"torch eager": at_least(2.5)}, chain_warm),
    Case(
        "chain of 1,000 on 2×2, first sight from JSON",
        {"torch eager": at_least(0.4), "jax.jit, first call": at_least(20)},
        chain_first,
    ),
    Case("the same, the service's whole answer", {"torch eager": at_least(0.4)}, chain_served),
)
