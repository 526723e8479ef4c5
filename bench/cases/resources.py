"""What is not seconds against a peer: memory, and how costs grow."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np

import engine
from bench import chains, ours, peak
from bench.case import OURS, Arrays, Case, Match, Side, at_most
from bench.peers import libraries
from bench.timing import timed, timed_once

FEW, MANY = 100, 100_000
POINT = np.array([0.1, 0.2, 0.3, 0.4], np.float32)


def memory(_: ExitStack) -> Match:
    """100 elementwise ops on 1e6 float32, forward and backward."""
    x = np.linspace(0.1, 1, peak.SIZE, dtype=np.float32)
    own = ours.backward(chains.graph(peak.OPS), ours.tensors({"x": x}))
    eager = _torch_chain(peak.OPS, x)
    sides = {
        OURS: Side(lambda _: [peak.measured("gradwire")], own.answer),
        "torch eager": Side(lambda _: [peak.measured("torch")], eager.answer),
    }
    return Match(sides, eager.answer)


def growth(_: ExitStack, *, cold: bool) -> Match:
    """The cost of a node where there are many, against its cost where there are few."""
    few, many = (_per_node(length, cold=cold) for length in (FEW, MANY))

    def expected() -> Arrays:
        return [*_torch_chain(FEW, POINT).answer(), *_torch_chain(MANY, POINT).answer()]

    both = Side(many.samples, lambda: [*few.answer(), *many.answer()])
    return Match({OURS: both, f"itself, {FEW} nodes": Side(few.samples, expected)}, expected)


def _per_node(length: int, *, cold: bool) -> Side:
    graph, inputs = chains.graph(length), ours.tensors({"x": POINT})
    if cold:
        whole = timed_once(list, lambda _: engine.Program(graph).backward(inputs, trace=False), ours.answer)
    else:
        whole = ours.backward(graph, inputs)
    return Side(lambda seconds: [each / length for each in whole.samples(seconds)], whole.answer)


def _torch_chain(length: int, x: Any) -> Side:
    torch = libraries.torch()
    (leaf,) = libraries.leaves([x])
    step = libraries.eager(lambda: chains.along(length, leaf, torch), [leaf])
    return timed(step, libraries.answer([leaf]))


CASES = (
    Case("100 elementwise ops on 1e6 float32, peak memory", {"torch eager": at_most(0.3)}, memory, "bytes"),
    Case(
        f"cost per node, {MANY:,} nodes, known program",
        {f"itself, {FEW} nodes": at_most(1.3)},
        partial(growth, cold=False),
    ),
    Case(
        f"cost per node, {MANY:,} nodes, first sight",
        {f"itself, {FEW} nodes": at_most(2)},
        partial(growth, cold=True),
    ),
)
