"""Reading the statements that change state: requires_grad_, retain_grad, zero_grad, read_grad, backward."""

from __future__ import annotations

from typing import Any

from engine.errors import ArgumentError, EngineError, GraphError, NotImplementedYet, Pointer, UnknownField
from engine.language.arguments import Arguments
from engine.language.notation import booleans, fields
from engine.language.statements import Ref, StateChange, Statement

PARAMETERS: dict[str, tuple[str, ...]] = {  # after the tensor; by place in "in" or by name in "attrs"
    "requires_grad_": ("requires_grad",),
    "retain_grad": (),
    "zero_grad": (),
    "read_grad": (),
    "backward": ("gradient", "retain_graph", "create_graph", "inputs"),
}
OP_FIELDS = frozenset({"id", "out", "op", "in", "attrs"})
_SEVERAL = ("retain_grad", "zero_grad")


class StateReader(Arguments):
    """Reads state statements."""

    def _state(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> StateChange:
        kind = raw["op"]
        fields(raw, OP_FIELDS)
        if self._bodies and kind != "requires_grad_":
            raise NotImplementedYet(f"{kind} in a body is not implemented yet", pointer=("op",))
        names = PARAMETERS[kind]
        attrs = raw.get("attrs", {})
        fields(attrs, frozenset((*names, "tensor") if kind == "backward" else names), ("attrs",))
        place = (*pointer, "in")
        if "tensor" in attrs:
            if raw.get("in"):
                raise ArgumentError('backward: the tensor is given in "in" and in "attrs"', pointer=("in",))
            args, place = [attrs["tensor"]], (*pointer, "attrs", "tensor")
        else:
            args = raw.get("in", [])
        targets, settings = self._split(kind, self._targets(args, place, into))
        for name in names:
            if name in attrs:
                if name in settings:
                    text = f"{kind}() got multiple values for argument '{name}'"
                    raise ArgumentError(text, pointer=("attrs", name))
                settings[name] = self._setting(name, attrs[name], (*pointer, "attrs", name))
        booleans(settings, ("requires_grad", "create_graph"))
        if settings.get("retain_graph") is not None:
            booleans(settings, ("retain_graph",))
        return StateChange(pointer, kind, targets, settings, self._id(kind, raw))

    def _targets(self, args: Any, place: Pointer, into: list[Statement]) -> list[Any]:
        if place[-1] == "tensor":
            return [self._arg(args[0], place, into)]
        return self._args(args, place, into)

    @staticmethod
    def _split(kind: str, args: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The tensors that a statement is about, and its settings given by place."""
        if kind in _SEVERAL:
            targets, rest = args, []
        else:
            targets, rest = args[:1], args[1:]
        if not targets and kind != "zero_grad":
            raise ArgumentError(f"{kind}: the first operand is a reference", pointer=("in",))
        for at, each in enumerate(targets):
            if not isinstance(each, Ref):
                raise ArgumentError(f"{kind}: the first operand is a reference", pointer=("in", at))
        if len(rest) > len(PARAMETERS[kind]):
            allowed = len(PARAMETERS[kind]) + 1
            raise ArgumentError(
                f"{kind}() takes {allowed} positional arguments but {len(args)} were given",
                expected=allowed,
                actual=len(args),
                pointer=("in",),
            )
        return targets, dict(zip(PARAMETERS[kind], rest, strict=False))

    def _setting(self, name: str, value: Any, pointer: Pointer) -> Any:
        if name == "inputs" and value is not None:
            return self._references(value, pointer, "backward: inputs is a list of ids")
        return self._attr(value, pointer)

    def _references(self, value: Any, pointer: Pointer, text: str) -> list[Ref]:
        """A list of ids, or one id, as references."""
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
            raise ArgumentError(text, pointer=pointer)
        return [self._reference(each, (*pointer, at)) for at, each in enumerate(names)]

    def _id(self, kind: str, raw: dict[str, Any]) -> str | None:
        if kind == "read_grad":
            if "out" in raw:
                raise GraphError('read_grad gives one value: name it with "id"', pointer=("out",))
            return self._define(raw.get("id"), ("id",))
        for name in ("id", "out"):
            if name in raw:
                raise UnknownField(f"{kind} gives no value: it has no id", pointer=(name,))
        return None


def placed(error: EngineError, pointer: Pointer) -> EngineError:
    """`error` with its place in the program, if it does not have one yet."""
    if error.pointer[:1] != pointer[:1]:
        error.pointer = pointer + error.pointer
    return error
