"""What bodies take from around them: placeholders of what they are given, and of what they read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.bounded import same
from engine.control.body import Body, placeholder
from engine.eager.factories import tensor
from engine.errors import ArgumentError, DTypeError, EngineError, NotImplementedYet, Pointer, ShapeError
from engine.graph import Value
from engine.transforms.reverse import Sweep
from engine.types import Type

if TYPE_CHECKING:
    from engine.program.lowering import Lowering


class Scope:
    """Placeholders of what a body is `given` (name → placeholder), and of the outer values that it reads.
    `outer` is the lowering around it."""

    def __init__(self, outer: Lowering, given: dict[str, Value]) -> None:
        self.outer = outer
        self.given = given
        self.captured: dict[Value, Value] = {}

    def capture(self, name: str) -> Value:
        """The value that an outer name has inside the loop."""
        outside = self.outer.value(name)
        if outside.constant is not None and not outside.requires_grad:
            return outside
        found = self.captured.get(outside)
        if found is None:
            found = self.captured[outside] = placeholder(outside)
            found.name = outside.name
        return found

    @property
    def placeholders(self) -> list[Value]:
        """Those of values made outside of the body."""
        return [*self.given.values(), *self.captured.values()]

    def owns(self, value: Value) -> bool:
        """Whether a value stands for one that was made outside the body."""
        return value in self.placeholders

    def check_grad(self, wrt: list[Value], sweep: Sweep) -> None:
        """Refuse a `grad` whose answer would need the history that values have outside the body."""
        leaves = {place for outside, place in self.captured.items() if self._is_leaf(outside)}
        targets = [value for value in self.placeholders if value in wrt]
        reached = [value for value in self.placeholders if value in sweep.cotangents and value not in leaves]
        if any(target is not each for target in targets for each in reached):
            raise NotImplementedYet("grad in a body through values from outside it is not implemented yet")

    def _is_leaf(self, outside: Value) -> bool:
        around = self.outer.scope
        return outside.maker is None and (around is None or not around.owns(outside))


def as_value(found: Any, what: str) -> Value:
    """A Python scalar that control flow takes is a 0-dim tensor."""
    if isinstance(found, Value):
        return found
    if not isinstance(found, (bool, int, float, complex)):
        raise ArgumentError(f"{what}: a value is a tensor or a number", actual=type(found).__name__)
    made = tensor(found)
    value = Value(made.meta)
    value.constant = made.array
    return value


def check_kept(what: str, initial: Type, yielded: Type) -> None:
    """Refuse a value that does not keep its shape and dtype. `what` names it and how it starts."""
    if not same(initial.shape, yielded.shape):
        raise ShapeError(
            f"{what} with shape {list(initial.shape)} and is yielded with {list(yielded.shape)}",
            expected=list(initial.shape),
            actual=list(yielded.shape),
        )
    if initial.dtype is not yielded.dtype:
        raise DTypeError(
            f"{what} as {initial.dtype.name} and is yielded as {yielded.dtype.name}",
            expected=initial.dtype.name,
            actual=yielded.dtype.name,
        )


def body_of(lowered: Lowering, inputs: list[Value], outputs: list[Value]) -> Body:
    """What was lowered, as a body."""
    return Body(lowered.builder, inputs, outputs, len(lowered.graph.nodes))


class at:
    """Puts `pointer` in front of the place of an error, if it has none in the program yet."""

    def __init__(self, pointer: Pointer) -> None:
        self._pointer = pointer

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if isinstance(error, EngineError) and error.pointer[:1] != ("graph",):
            error.at(self._pointer)
