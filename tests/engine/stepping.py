"""Programs with control flow against their statements run one by one, with Python's loops."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import engine
from engine.eager.factories import FACTORIES
from engine.registry import lookup
from tests.engine.building import Json
from tests.engine.program_route import plain_trace
from tests.engine.routes import trace as eager_trace
from tests.oracle.steps import Steps

Inputs = dict[str, engine.Tensor]


class Stepped(NamedTuple):
    """What statements gave: every name that they defined, and the leaves that they were given."""

    names: dict[str, Any]
    leaves: Inputs


def stepped(graph: list[Json], inputs: Inputs, seed: int = 0) -> Stepped:
    """The statements run one by one, on fresh leaves."""
    engine.manual_seed(seed)
    leaves = {n: engine.tensor(x.array.copy(), requires_grad=x.requires_grad) for n, x in inputs.items()}
    steps = Steps(engine, _apply, leaves)
    steps.run(graph)
    return Stepped(steps.names, leaves)


def _apply(op: str, args: list[Any], attrs: Json) -> Any:
    return (FACTORIES.get(op) or lookup(op))(*args, **attrs)


def agree(
    graph: list[Json], inputs: Inputs, *outputs: str, seed: int = 0, exact: bool = True, **limits: int
) -> engine.Result:
    """The program and its statements one by one give the same bits (but for rounding, unless it is `exact`),
    flags, gradients and trace; the last of the `outputs` is differentiated."""
    names, leaves = stepped(graph, inputs, seed)
    expected = {name: names[name] for name in outputs}
    nodes, roots = eager_trace(list(expected.values()), list(leaves.values()))
    target = names[outputs[-1]]
    if target.requires_grad:
        target.backward()
    route = "backward" if target.requires_grad else "forward"
    program = engine.Program(graph, limits=engine.Limits(**limits))
    found = program.prepare(inputs, route=route, outputs=outputs, seed=seed).run()
    for name, y in expected.items():
        (same_bits if exact else close)(found.outputs[name], y, name)
        assert flags(found.outputs[name]) == flags(y), name
    for name, x in leaves.items():
        if x.requires_grad and target.requires_grad:
            close(found.grads[name], x.grad, f"gradient of {name}")
    assert found.trace is not None
    assert plain_trace(found.trace, list(leaves)) == nodes
    assert list(found.trace["roots"].values()) == [None if root is None else root[0] for root in roots]
    return found


def flags(y: Any) -> tuple[Any, ...]:
    """What a tensor shows of its history."""
    return y.requires_grad, y.is_leaf, y.grad_fn and (y.grad_fn.name(), y.output_nr)


def same_bits(found: Any, expected: Any, what: str) -> None:
    """Two tensors, or None, are the same in type and in every bit but a zero's sign."""
    if found is None or expected is None:
        assert found is None and expected is None, what
        return
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape), what
    assert np.array_equal(found.array, expected.array, equal_nan=found.array.dtype.kind in "fc"), what


def close(found: Any, expected: Any, what: str, rtol: float = 1e-11) -> None:
    """Two tensors are the same up to the order of sums; None only where the other is."""
    if found is None or expected is None:
        assert found is None and expected is None, f"{what}: {found} and {expected}"
        return
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape), what
    tiny = 1e-6 if found.dtype is engine.float32 else 1e-12
    size = float(np.abs(expected.array).max(initial=1.0))
    np.testing.assert_allclose(
        found.array, expected.array, rtol=max(rtol, tiny), atol=tiny * size, err_msg=what
    )


def second_stepped(
    output: engine.Tensor, inputs: list[engine.Tensor], v: list[engine.Tensor]
) -> list[engine.Tensor]:
    """The Hessian of `output` along `v`, by double backward; zeros where nothing flows."""
    grads = engine.autograd.grad(output, inputs, create_graph=True, allow_unused=True)
    pairs = [(g, d) for g, d in zip(grads, v, strict=True) if g is not None and g.requires_grad]
    found: Any = [None] * len(inputs)
    if pairs:
        roots, along = zip(*pairs, strict=True)
        found = engine.autograd.grad(list(roots), inputs, list(along), allow_unused=True)
    return [engine.zeros_like(x) if h is None else h for x, h in zip(inputs, found, strict=True)]
