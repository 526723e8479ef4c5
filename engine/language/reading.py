"""Reading a program: plain dicts to statements, with every error named by its place."""

from __future__ import annotations

from typing import Any

from engine.errors import (
    ArgumentError,
    DuplicateId,
    EngineError,
    GraphError,
    NotImplementedYet,
    Pointer,
    shown,
)
from engine.language.notation import booleans, fields, valid_id
from engine.language.state import PARAMETERS, StateReader, placed
from engine.language.statements import Block, Body, GradCall, Leaf, OpCall, Statement, While
from engine.op import Op
from engine.registry import lookup

_LATER = frozenset({"cond", "scan", "jvp", "vjp", "jacobian", "hessian", "hvp", "vmap", "register_hook"})
_OP_FIELDS = frozenset({"id", "out", "op", "in", "attrs"})
_LEAF_FIELDS = frozenset({"id", "tensor", "requires_grad"})
_BLOCK_FIELDS = frozenset({"with", "do"})
_WHILE_FIELDS = frozenset({"id", "out", "op", "carry", "cond", "body", "max_iters"})
_BODY_FIELDS = frozenset({"do", "yield"})
_GRAD_FLAGS = ("create_graph", "retain_graph", "allow_unused", "materialize_grads")
_GRAD_ATTRS = frozenset({"wrt", "grad_outputs", *_GRAD_FLAGS})
_MODES = ("no_grad", "enable_grad")


class Reader(StateReader):
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
        if name == "while":
            return self._while(raw, pointer, into)
        if name in _LATER:
            raise NotImplementedYet(f"op '{name}' is not implemented yet", pointer=("op",))
        fields(raw, _OP_FIELDS)
        if name in PARAMETERS:
            return self._state(raw, pointer, into)
        if name == "grad":
            return self._grad(raw, pointer, into)
        op = self._lookup(name)
        args = self._args(raw["in"], (*pointer, "in"), into) if "in" in raw else []
        attrs = self._attrs(op, raw["attrs"], len(args), pointer) if "attrs" in raw else {}
        return OpCall(pointer, op, args, attrs, self._outputs(raw), "out" in raw)

    @staticmethod
    def _lookup(name: str) -> Op:
        try:
            op = lookup(name)
        except EngineError as error:
            raise error.at(("op",)) from None
        if op.short.startswith("_"):
            raise GraphError(f"op '{shown(name)}' is internal", pointer=("op",))
        return op

    def _outputs(self, raw: dict[str, Any]) -> list[str | None]:
        if "out" not in raw:
            return [self._define(raw.get("id"), ("id",))]
        if "id" in raw:
            raise GraphError('a statement has "id" or "out", not both', pointer=("out",))
        names = raw["out"]
        if not isinstance(names, list) or not names:
            raise GraphError("out is a list of ids", pointer=("out",))
        return [None if each is None else self._define(each, ("out", at)) for at, each in enumerate(names)]

    def _all_outputs(self, raw: dict[str, Any], count: int, text: str) -> list[str | None]:
        """The outputs of a statement that is known to have `count`."""
        out = self._outputs(raw)
        if len(out) != count:
            place = "out" if "out" in raw else "id"
            raise ArgumentError(
                text.format(count, len(out)), expected=count, actual=len(out), pointer=(place,)
            )
        return out

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

    def _while(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> While:
        fields(raw, _WHILE_FIELDS)
        carry = raw.get("carry")
        if not isinstance(carry, dict) or not carry:
            raise GraphError(
                "carry is an object with an initial value for each carried name", pointer=("carry",)
            )
        self._checked("arity", len(carry), (*pointer, "carry"))
        initial = {name: self._arg(arg, (*pointer, "carry", name), into) for name, arg in carry.items()}
        limit = raw.get("max_iters")
        if limit is not None and (type(limit) is not int or limit < 0):
            raise ArgumentError("max_iters is a whole number from 0", pointer=("max_iters",))
        cond = self._body(raw.get("cond"), (*pointer, "cond"), initial, named=False)
        body = self._body(raw.get("body"), (*pointer, "body"), initial, named=True)
        out = self._all_outputs(raw, len(initial), "while: {} carried values, {} outputs")
        return While(pointer, initial, cond, body, limit, out)

    def _body(self, raw: Any, pointer: Pointer, carry: dict[str, Any], *, named: bool) -> Body:
        if not isinstance(raw, dict):
            raise GraphError(f'{pointer[-1]} is an object with "do" and "yield"', pointer=pointer)
        fields(raw, _BODY_FIELDS, pointer)
        if "yield" not in raw:
            raise GraphError(f"{pointer[-1]} yields nothing", pointer=pointer)
        outer, self._defined = self._defined, set(self._defined)
        self._bodies.append(pointer)
        try:
            for name in carry:
                self._define(name, ("carry", name))
            statements = self.read(raw.get("do", []), (*pointer, "do"))
            return Body(
                statements,
                self._yield(raw["yield"], (*pointer, "yield"), statements, carry if named else None),
            )
        finally:
            self._bodies.pop()
            self._inner |= self._defined - outer
            self._defined = outer

    def _yield(
        self, raw: Any, place: Pointer, statements: list[Statement], carry: dict[str, Any] | None
    ) -> Any:
        if carry is None:
            return self._arg(raw, place, statements)
        if not isinstance(raw, dict) or raw.keys() != carry.keys():
            raise ArgumentError(
                "body yields a value for each carried name", pointer=place, expected=sorted(carry)
            )
        return {name: self._arg(raw[name], (*place, name), statements) for name in carry}

    def _define(self, name: Any, pointer: Pointer) -> str:
        if self._bodies and type(name) is str and name in self._free:
            body = self._bodies[-1]
            if self._free[name][: len(body)] != body:
                text = f"id '{name}' is defined in the loop and used outside of it"
                raise DuplicateId(text, pointer=pointer)
        return super()._define(name, pointer)

    def _grad(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> GradCall:
        outputs = self._args(raw.get("in", []), (*pointer, "in"), into)
        attrs = raw.get("attrs", {})
        fields(attrs, _GRAD_ATTRS, ("attrs",))
        place = (*pointer, "attrs", "wrt")
        found = self._references(attrs.get("wrt"), place, "grad: wrt is a list of ids")
        settings = {k: self._attr(v, (*pointer, "attrs", k)) for k, v in attrs.items() if k != "wrt"}
        booleans(settings, _GRAD_FLAGS)
        out = self._all_outputs(raw, len(found), "grad: {} gradients, {} outputs")
        return GradCall(pointer, outputs, found, settings, out)


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
