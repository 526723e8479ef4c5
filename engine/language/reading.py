"""Reading a program: plain dicts to statements, with every error named by its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.errors import (
    ArgumentError,
    EngineError,
    GraphError,
    Pointer,
    shown,
)
from engine.language.flow import FLOW, FlowReader
from engine.language.notation import booleans, fields, valid_id
from engine.language.state import OP_FIELDS, PARAMETERS, placed
from engine.language.statements import Block, GradCall, Leaf, OpCall, Statement
from engine.op import Op
from engine.registry import lookup

_LEAF_FIELDS = frozenset({"id", "tensor", "requires_grad"})
_BLOCK_FIELDS = frozenset({"with", "do"})
_GRAD_FLAGS = ("create_graph", "retain_graph", "allow_unused", "materialize_grads", "is_grads_batched")
_GRAD_ATTRS = frozenset({"wrt", "grad_outputs", *_GRAD_FLAGS})
_MODES = ("no_grad", "enable_grad")


class Reader(FlowReader):
    """Reads one program."""

    def read(self, raw: Any, pointer: Pointer = ("graph",)) -> list[Statement]:
        """The statements of a list; the nested nodes of each stand before it."""
        if type(raw) is not list:
            raise GraphError("a graph is a list of statements", pointer=pointer, actual=type(raw).__name__)
        statements: list[Statement] = []
        for at, each in enumerate(raw):
            self._statement(each, (*pointer, at), statements)
        return statements

    def _statement(self, raw: Any, pointer: Pointer, into: list[Statement]) -> None:
        self._count += 1
        try:
            if self._count > self._limits.statements or len(pointer) > self._limits.depth:
                self._limits.check("statements", self._count)
                self._limits.check("depth", len(pointer))
            if type(raw) is not dict:
                raise GraphError("a statement is an object", actual=type(raw).__name__)
            if "op" in raw:
                into.append(self._op_statement(raw, pointer, into))
            elif "tensor" in raw:
                into.append(self._leaf(raw, pointer))
            elif "with" in raw:
                into.append(self._block(raw, pointer))
            else:
                raise GraphError(
                    'a statement has one of "op", "tensor", "with"', expected=["op", "tensor", "with"]
                )
        except EngineError as error:
            error = placed(error, pointer)
            # a name used before its definition is found at the definition: the place is the use
            raise (_named(error, raw) if error.pointer[: len(pointer)] == pointer else error) from None

    def _op_statement(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> Statement:
        name = raw["op"]
        if type(name) is not str:
            raise GraphError("an op is named by a string", pointer=("op",), actual=type(name).__name__)
        read = _READERS.get(name)
        if read is not None:
            return read(self, raw, pointer, into)
        if not raw.keys() <= OP_FIELDS:
            fields(raw, OP_FIELDS)
        op = self._ops.get(name) or self._lookup(name)
        args = self._args(raw["in"], (*pointer, "in"), into) if "in" in raw else []
        attrs = self._attrs(op, raw["attrs"], len(args), pointer) if "attrs" in raw else {}
        several = "out" in raw
        out: list[str | None] = [] if several else [self._define(raw.get("id"), ("id",))]
        return OpCall(pointer, op, args, attrs, out or self._outputs(raw), several)

    def _lookup(self, name: str) -> Op:
        try:
            op = lookup(name)
        except EngineError as error:
            raise error.at(("op",)) from None
        if op.short.startswith("_"):
            raise GraphError(f"op '{shown(name)}' is internal", pointer=("op",))
        self._ops[name] = op
        return op

    def _leaf(self, raw: dict[str, Any], pointer: Pointer) -> Leaf:
        fields(raw, _LEAF_FIELDS)
        literal = self._literal(raw["tensor"], ("tensor",))
        flag = raw.get("requires_grad", False)
        if not isinstance(flag, bool):
            raise ArgumentError(
                "requires_grad is true or false", pointer=("requires_grad",), actual=type(flag).__name__
            )
        if "requires_grad" in raw and isinstance(raw["tensor"], dict) and "requires_grad" in raw["tensor"]:
            raise GraphError("requires_grad is given twice", pointer=("requires_grad",))
        name = self._define(raw.get("id"), ("id",))
        return Leaf(pointer, name, literal, flag or literal.value.requires_grad)

    def _block(self, raw: dict[str, Any], pointer: Pointer) -> Block:
        fields(raw, _BLOCK_FIELDS)
        if raw["with"] not in _MODES:
            raise GraphError('with is "no_grad" or "enable_grad"', pointer=("with",), expected=list(_MODES))
        return Block(pointer, raw["with"], self.read(raw.get("do"), (*pointer, "do")))

    def _grad(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> GradCall:
        fields(raw, OP_FIELDS)
        outputs = self._args(raw.get("in", []), (*pointer, "in"), into)
        attrs = raw.get("attrs", {})
        fields(attrs, _GRAD_ATTRS, ("attrs",))
        place = (*pointer, "attrs", "wrt")
        found = self._references(attrs.get("wrt"), place, "grad: wrt is a list of ids")
        settings = {k: self._attr(v, (*pointer, "attrs", k)) for k, v in attrs.items() if k != "wrt"}
        booleans(settings, _GRAD_FLAGS)
        out = self._all_outputs(raw, len(found), "grad: {} gradients, {} outputs")
        return GradCall(pointer, outputs, found, settings, out)


_READERS: dict[str, Callable[[Reader, dict[str, Any], Pointer, list[Statement]], Statement]] = {
    **dict.fromkeys(FLOW, Reader._flow),
    **dict.fromkeys(PARAMETERS, Reader._state),
    "grad": Reader._grad,
}


def _named(error: EngineError, raw: Any) -> EngineError:
    """`error` with the id and the op of the statement `raw`, where they can be read."""
    if not isinstance(raw, dict):
        return error
    name, op = raw.get("id"), raw.get("op")
    return error.at(
        (),
        node=name if type(name) is str and valid_id(name) else None,
        op=shown(op) if isinstance(op, str) else None,
    )
