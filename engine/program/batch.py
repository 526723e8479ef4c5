"""A batch of requests in one: inputs with a leading axis, a program written for one sample of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.eager.tensor import Tensor
from engine.errors import ArgumentError, ShapeError, UnknownField, UnknownId, ValueArgumentError, shown
from engine.grad_mode import set_grad_enabled
from engine.graph import Value
from engine.graph_builder import GraphBuilder
from engine.levels import Level, into, out_of, sum_over
from engine.types import Shape

_FIELDS = ("inputs", "grads", "randomness")


class Batch:
    """What a request says of its batch; of none, if it says nothing.

    `level` is the batch. Gradients are those of each sample, or ("sum") of the sum over all samples; then
    only what has the axis itself has it in its gradient.
    """

    def __init__(self, given: dict[str, Any] | None, inputs: dict[str, Tensor]) -> None:
        self.names: frozenset[str] = frozenset()
        self.level: Level | None = None
        if given is not None:
            _check(given)
            self.names = frozenset(given["inputs"])
            size = _size(given["inputs"], inputs)
            summed = given.get("grads", "per_sample") == "sum"
            self.level = Level(size, given.get("randomness", "different"), summed=summed)

    def sample(self, builder: GraphBuilder, value: Value, name: str | None = None, *, dim: int = 0) -> Value:
        """One sample of `value`, whose axis `dim` is the batch."""
        if self.level is None:
            return value
        with set_grad_enabled(False):
            found: Value = into(builder.F, value, self.level, dim)
        found.name = name
        return found

    def given(self, builder: GraphBuilder, value: Value, shape: Shape, dim: int = 0) -> Value:
        """A value that belongs to one of `shape`: one for each sample if it has the batch axis, at `dim`;
        else one for all."""
        whole = () if self.level is None else (*shape[:dim], self.level.size, *shape[dim:])
        return self.sample(builder, value, dim=dim) if value.shape == whole else value

    def every(self, builder: GraphBuilder, value: Value) -> Value:
        """`value` of all samples, the batch its first axis."""
        if self.level is None:
            return value
        with set_grad_enabled(False):
            found: Value = out_of(builder.F, value, self.level)
        return found

    def derivative(self, builder: GraphBuilder, value: Value, *by: Value, apart: bool = False) -> Value:
        """A derivative by the values in `by` as it is answered: of every sample, or the sum over them where
        none of those has the axis. It is that sum already, unless it was taken `apart`."""
        level = self.level
        if level is None or not level.summed or any(level in each.levels for each in by):
            return self.every(builder, value)
        if not apart:
            return value
        with set_grad_enabled(False):
            found: Value = sum_over(builder.F, value, level)
        return found


def _check(given: dict[str, Any]) -> None:
    for name in given:
        if name not in _FIELDS:
            raise UnknownField(f"unknown field '{shown(name)}'", expected=_FIELDS, pointer=("batch", name))
    names = given.get("inputs")
    if not isinstance(names, (list, tuple)) or not names or not all(isinstance(x, str) for x in names):
        raise ArgumentError(
            "batch: inputs is a list of the inputs with the axis", pointer=("batch", "inputs")
        )
    if given.get("grads", "per_sample") not in ("per_sample", "sum"):
        raise ValueArgumentError('batch: grads is "per_sample" or "sum"', pointer=("batch", "grads"))
    if given.get("randomness", "different") not in ("same", "different"):
        raise ValueArgumentError(
            'batch: randomness is "same" or "different"', pointer=("batch", "randomness")
        )


def _size(names: Iterable[str], inputs: dict[str, Tensor]) -> int:
    """The length of the axis, the same of all inputs that have it."""
    sizes: dict[str, int] = {}
    for at, name in enumerate(names):
        pointer = ("batch", "inputs", at)
        if name not in inputs:
            raise UnknownId(f"unknown id '{shown(name)}'", pointer=pointer)
        shape = inputs[name].meta.shape
        if not shape:
            raise ShapeError(f"batch: input '{name}' has no axis", pointer=pointer)
        sizes[name] = shape[0]
    (first, size), *others = sizes.items()
    for name, other in others:
        if other != size:
            text = f"batch: input '{first}' has {size} samples and input '{name}' has {other}"
            raise ShapeError(text, expected=size, actual=other, pointer=("inputs", name))
    return size
