"""Jacobians, Hessians and Hessian-vector products: one sweep over a level of all unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.errors import GradError
from engine.graph import Value
from engine.graph_builder import GraphBuilder
from engine.levels import Level, into, out_of
from engine.transforms.forward import jvp
from engine.transforms.reverse import summed, vjp
from engine.types import Type

Rows = list[list[Value]]  # one row for each output, one value for each input


def jacobian(
    builder: GraphBuilder, outputs: Sequence[Value], inputs: Sequence[Value], *, mode: str, since: int = 0
) -> Rows:
    """The derivatives of each output by each input, of shape output + input; zeros where there is none.

    `mode` "reverse" takes a sweep for each output, "forward" one for each input.
    """
    if mode == "reverse":
        return [_row(builder, output, inputs, since) for output in outputs]
    columns = [_column(builder, outputs, value, since) for value in inputs]
    return [list(row) for row in zip(*columns, strict=True)]


def hessian(builder: GraphBuilder, output: Value, inputs: Sequence[Value], since: int = 0) -> Rows:
    """The second derivatives of an output of one element by each pair of inputs, of shape input + input."""
    return jacobian(builder, gradient(builder, output, inputs, since), inputs, mode="reverse", since=since)


def hvp(
    builder: GraphBuilder, output: Value, inputs: Sequence[Value], v: Sequence[Value], since: int = 0
) -> list[Value]:
    """The Hessian of an output of one element times `v`: the tangents of its gradient along `v`."""
    grads = gradient(builder, output, inputs, since)
    found = jvp(builder, dict(zip(inputs, v, strict=True)), grads, builder.graph.nodes[since:])
    return [or_zeros(builder.F, each, value.meta) for each, value in zip(found, inputs, strict=True)]


def gradient(builder: GraphBuilder, output: Value, inputs: Sequence[Value], since: int = 0) -> list[Value]:
    """The gradient of an output of one element; zeros for what it does not depend on."""
    roots = summed(builder, [(output, builder.F.ones_like(output))])
    found = vjp(builder, roots, inputs, builder.graph.nodes[since:])
    return [or_zeros(builder.F, each, value.meta) for each, value in zip(found, inputs, strict=True)]


def or_zeros(F: Any, value: Value | None, meta: Type) -> Any:
    """`value`, or zeros of the type `meta`."""
    return F.zeros(meta.shape, dtype=meta.dtype) if value is None else value


def _row(builder: GraphBuilder, output: Value, inputs: Sequence[Value], since: int = 0) -> list[Value]:
    F, level = builder.F, Level(output.meta.numel)
    roots = summed(builder, [(output, _units(F, output, level))])
    found = vjp(builder, roots, inputs, builder.graph.nodes[since:])
    row = []
    for value, cotangent in zip(inputs, found, strict=True):
        shape = (*output.shape, *value.shape)
        whole = None if cotangent is None else F.reshape(out_of(F, cotangent, level), shape)
        row.append(or_zeros(F, whole, Type(shape, value.dtype)))
    return row


def _column(builder: GraphBuilder, outputs: Sequence[Value], value: Value, since: int) -> list[Value]:
    F, level = builder.F, Level(value.meta.numel)
    found = jvp(builder, {value: _units(F, value, level)}, outputs, builder.graph.nodes[since:])
    column = []
    for output, tangent in zip(outputs, found, strict=True):
        shape = (*output.shape, *value.shape)
        whole = None if tangent is None else F.reshape(out_of(F, tangent, level, -1), shape)
        column.append(or_zeros(F, whole, Type(shape, output.dtype)))
    return column


def _units(F: Any, value: Value, level: Level) -> Any:
    """Every unit vector of the space of `value`, one for each sample of `level`."""
    if not value.dtype.differentiable:
        raise GradError(f"a {value.dtype.name} tensor has no derivative", actual=value.dtype.name)
    units = F.eye(level.size, dtype=value.dtype)
    return into(F, F.reshape(units, (level.size, *value.shape)), level)
