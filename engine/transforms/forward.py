"""Forward mode as a graph transform: the tangents of a graph's values, as nodes appended to the graph.

No op has a rule for it. An elementwise op's vjp multiplies by its derivative, which is what its jvp does; any
other op's vjp is linear in the cotangent, and the transpose of that linear map, taken by reverse mode, is the
jvp. What was built only to be transposed is dead code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from engine.bounded import same
from engine.errors import EngineError
from engine.flow import ControlKernel
from engine.grad_mode import set_grad_enabled
from engine.graph import GraphNode, Value, locate
from engine.graph_builder import GraphBuilder
from engine.levels import INTO, OUT_OF, into, out_of, sum_over
from engine.op import NoDerivative
from engine.pullback import pullback
from engine.transforms.reverse import dependents, vjp

Tangents = Sequence[Value | None]


def jvp(
    builder: GraphBuilder,
    tangents: dict[Value, Value],
    outputs: Sequence[Value],
    nodes: Sequence[GraphNode],
) -> list[Value | None]:
    """The tangents of `outputs` (None: they do not change), where `tangents` has those of what `nodes` made
    them from."""
    known = dict(tangents)
    useful = _leading_to(outputs, set(nodes))
    for node in dependents(nodes, known):
        if node in useful:
            source, builder.source = builder.source, node.source
            try:
                found = _pushforward(builder, node, [_tangent(known, x) for x in node.operands])
            except EngineError as error:
                raise locate(error, node.site) from None
            finally:
                builder.source = source
            known.update((y, t) for y, t in zip(node.outputs, found, strict=True) if t is not None)
    return [known.get(output) for output in outputs]


def _tangent(known: dict[Value, Value], operand: Any) -> Value | None:
    return known.get(operand) if isinstance(operand, Value) else None


def _leading_to(outputs: Iterable[Value], among: set[GraphNode]) -> set[GraphNode]:
    stack = [output.node for output in outputs if output.node is not None and output.node in among]
    seen = set(stack)
    while stack:
        node = stack.pop()
        for operand in node.operands:
            maker = operand.node if isinstance(operand, Value) else None
            if maker in among and maker not in seen:
                seen.add(maker)
                stack.append(maker)
    return seen


def _pushforward(builder: GraphBuilder, node: GraphNode, tangents: Tangents) -> Tangents:
    op, run = node.op, node.op.run
    slots = set(op.slots(node.operands))
    tangents = [each if at in slots else None for at, each in enumerate(tangents)]
    if all(each is None for each in tangents):
        return [None] * len(node.outputs)
    if isinstance(run, ControlKernel):
        return run.pushforward(builder, node.operands, node.outputs, tangents)
    if op.kind == "level":
        function = into if op is INTO else out_of if op is OUT_OF else sum_over
        return [function(builder.F, tangents[0], **node.attrs)]
    values = [*node.outputs, *(node.operands[at] for at, each in enumerate(tangents) if each is not None)]
    if op.kind == "elementwise" and not any(value.dtype.is_complex for value in values):
        return [_multiplied(builder.F, node, tangents)]
    return _transposed(builder, node, tangents)


def _multiplied(F: Any, node: GraphNode, tangents: Tangents) -> Value | None:
    """An elementwise op's tangent: its rule, with the tangent of each operand in place of the cotangent."""
    output, vjp = node.outputs[0], node.op.vjp
    if isinstance(vjp, NoDerivative):
        pullback(node.op, F, node.operands, node.outputs, tangents, node.attrs, ())  # raises its reason
    assert callable(vjp)
    total: Value | None = None
    for at, tangent in enumerate(tangents):
        if tangent is not None:
            rule = vjp(F, node.operands, output, _like(F, tangent, output), **node.attrs)[at]
            part = None if rule is None else rule()
            if part is not None:
                part = _like(F, part, output)
                total = part if total is None else F.add(total, part)
    return total


def _like(F: Any, value: Any, output: Value) -> Any:
    """`value` with the shape and dtype of `output`."""
    if value.meta.dtype is not output.dtype:
        value = F.to(value, output.dtype)
    return value if same(value.meta.shape, output.shape) else F.expand(value, output.shape)


def _transposed(builder: GraphBuilder, node: GraphNode, tangents: Tangents) -> Tangents:
    """The tangents of a node's results: the transpose of its vjp, which is linear in the cotangents."""
    F, start = builder.F, len(builder.graph.nodes)
    with set_grad_enabled(True):
        cotangents = [F.zeros_like(y) if y.dtype.differentiable else None for y in node.outputs]
        needs = [each is not None for each in tangents]
        found = pullback(node.op, F, node.operands, node.outputs, cotangents, node.attrs, needs)
    pairs = [(v, t) for v, t in zip(found, tangents, strict=True) if v is not None and t is not None]
    given = [each for each in cotangents if each is not None]
    known = dict(
        zip(given, vjp(builder, pairs, given, builder.graph.nodes[start:], linear=True), strict=True)
    )
    return [None if each is None else known[each] for each in cotangents]
