"""Reading a program: plain dicts to statements, with every error named by its place."""

from __future__ import annotations

from typing import Any

from engine.arguments import Arguments, booleans, fields, shown, valid_id
from engine.errors import ArgumentError, DuplicateId, EngineError, GraphError, NotImplementedYet, Pointer, UnknownField
from engine.op import Op, lookup
from engine.statements import Block, Body, GradCall, Leaf, OpCall, Ref, StateChange, Statement, While

_LATER = frozenset({"cond", "scan", "jvp", "vjp", "jacobian", "hessian", "hvp", "vmap", "register_hook"})
_OP_FIELDS = frozenset({"id", "out", "op", "in", "attrs"})
_STATE: dict[str, frozenset[str]] = {
    "requires_grad_": frozenset({"requires_grad"}),
    "retain_grad": frozenset(),
    "zero_grad": frozenset(),
    "read_grad": frozenset(),
    "backward": frozenset({"tensor", "gradient", "inputs", "retain_graph", "create_graph"}),
}
_GRAD_ATTRS = frozenset({"wrt", "create_graph", "retain_graph", "allow_unused", "grad_outputs", "materialize_grads"})


class Reader(Arguments):
    """Reads one program. `known` holds the ids that may be referred to: the inputs' and those defined so far."""

    def read(self, raw: Any, pointer: Pointer = ("graph",)) -> list[Statement]:
        """The statements of a list; the nested nodes of each stand before it."""
        if not isinstance(raw, list):
            raise GraphError("a graph is a list of statements", pointer=pointer, actual=type(raw).__name__)
        statements: list[Statement] = []
        for at, each in enumerate(raw):
            self._limits.check("statements", self._count + 1)
            self._statement(each, (*pointer, at), statements)
        return statements

    # -- statements

    def _statement(self, raw: Any, pointer: Pointer, into: list[Statement]) -> None:
        self._count += 1
        try:
            if not isinstance(raw, dict):
                raise GraphError("a statement is an object", actual=type(raw).__name__)
            if "op" in raw:
                into.append(self._op_statement(raw, pointer, into))
            elif "tensor" in raw:
                into.append(self._leaf(raw, pointer))
            elif "with" in raw:
                into.append(self._block(raw, pointer))
            else:
                raise GraphError('a statement has one of "op", "tensor", "with"', expected=["op", "tensor", "with"])
        except EngineError as error:
            if error.pointer[:1] != pointer[:1]:  # not placed in the program yet
                error.pointer = pointer + error.pointer
            raise _named(error, raw) from None

    def _op_statement(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> Statement:
        name = raw["op"]
        if not isinstance(name, str):
            raise GraphError("an op is named by a string", pointer=("op",), actual=type(name).__name__)
        if name == "while":
            return self._while(raw, pointer, into)
        fields(raw, _OP_FIELDS)
        if name in _STATE:
            return self._state(raw, pointer, into)
        if name == "grad":
            return self._grad(raw, pointer, into)
        op = self._lookup(name)
        args = self._args(raw.get("in", []), (*pointer, "in"), into)
        attrs = self._attrs(op, raw.get("attrs", {}), len(args), pointer)
        out, several = self._outputs(raw)
        return OpCall(pointer, op, args, attrs, out, several)

    @staticmethod
    def _lookup(name: str) -> Op:
        if name in _LATER:
            raise NotImplementedYet(f"op '{name}' is not implemented yet").at(("op",))
        try:
            op = lookup(name)
        except EngineError as error:
            raise error.at(("op",)) from None
        if op.name.startswith("_"):
            raise GraphError(f"op '{name}' is internal").at(("op",))
        return op

    def _outputs(self, raw: dict[str, Any]) -> tuple[list[str | None], bool]:
        if "out" not in raw:
            return [self._define(raw.get("id"), ("id",))], False
        if "id" in raw:
            raise GraphError('a statement has "id" or "out", not both', pointer=("out",))
        names = raw["out"]
        if not isinstance(names, list) or not names:
            raise GraphError("out is a list of ids", pointer=("out",))
        return [None if each is None else self._define(each, ("out", at)) for at, each in enumerate(names)], True

    def _leaf(self, raw: dict[str, Any], pointer: Pointer) -> Leaf:
        fields(raw, frozenset({"id", "tensor", "requires_grad"}))
        literal = self._literal(raw["tensor"])
        inner = isinstance(raw["tensor"], dict) and "requires_grad" in raw["tensor"]
        flag = raw.get("requires_grad", False)
        if not isinstance(flag, bool):
            raise ArgumentError("requires_grad is true or false", pointer=("requires_grad",))
        if inner and "requires_grad" in raw:
            raise GraphError("requires_grad is given twice", pointer=("requires_grad",))
        return Leaf(pointer, self._define(raw.get("id"), ("id",)), literal, flag or literal.value.requires_grad)

    def _block(self, raw: dict[str, Any], pointer: Pointer) -> Block:
        fields(raw, frozenset({"with", "do"}))
        if raw["with"] not in ("no_grad", "enable_grad"):
            raise GraphError('with is "no_grad" or "enable_grad"', pointer=("with",), expected=["no_grad", "enable_grad"])
        return Block(pointer, raw["with"], self.read(raw.get("do"), (*pointer, "do")))

    def _while(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> While:
        fields(raw, frozenset({"id", "out", "op", "carry", "cond", "body", "max_iters"}))
        carry = raw.get("carry")
        if not isinstance(carry, dict) or not carry:
            raise GraphError("carry is an object with an initial value for each carried name", pointer=("carry",))
        initial = {name: self._arg(arg, (*pointer, "carry", name), into) for name, arg in carry.items()}
        limit = raw.get("max_iters")
        if limit is not None and (type(limit) is not int or limit < 0):
            raise ArgumentError("max_iters is a whole number", pointer=("max_iters",))
        cond = self._body(raw.get("cond"), (*pointer, "cond"), initial, named=False)
        body = self._body(raw.get("body"), (*pointer, "body"), initial, named=True)
        out, several = self._outputs(raw)
        if len(out) != len(initial) or (not several and len(initial) > 1):
            raise ArgumentError(
                f"while: {len(initial)} carried values, {len(out)} outputs",
                expected=len(initial),
                actual=len(out),
                pointer=("out",) if several else ("id",),
            )
        return While(pointer, initial, cond, body, limit, out)

    def _body(self, raw: Any, pointer: Pointer, carry: dict[str, Any], *, named: bool) -> Body:
        if not isinstance(raw, dict):
            raise GraphError(f'{pointer[-1]} is an object with "do" and "yield"', pointer=(pointer[-1],))
        fields(raw, frozenset({"do", "yield"}), (pointer[-1],))
        if "yield" not in raw:
            raise GraphError(f"{pointer[-1]} yields nothing", pointer=(pointer[-1],))
        outer, self._defined = self._defined, set(self._defined)
        try:
            for name in carry:
                if name in outer:
                    raise DuplicateId(f"id '{name}' is defined twice", pointer=("carry", name))
                self._define(name, ("carry", name))
            statements = self.read(raw.get("do", []), (*pointer, "do"))
            place = (*pointer, "yield")
            if not named:
                return Body(statements, self._arg(raw["yield"], place, statements))
            yielded = raw["yield"]
            if not isinstance(yielded, dict) or set(yielded) != set(carry):
                raise ArgumentError("body yields a value for each carried name", pointer=place, expected=sorted(carry))
            return Body(statements, {name: self._arg(yielded[name], (*place, name), statements) for name in carry})
        finally:
            self._defined = outer

    def _grad(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> GradCall:
        outputs = self._args(raw.get("in", []), (*pointer, "in"), into)
        attrs = raw.get("attrs", {})
        fields(attrs, _GRAD_ATTRS, ("attrs",))
        wrt = attrs.get("wrt")
        names = [wrt] if isinstance(wrt, str) else wrt
        if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
            raise ArgumentError("grad: wrt is a list of ids", pointer=("attrs", "wrt"))
        found = [self._reference(each, (*pointer, "attrs", "wrt", at)) for at, each in enumerate(names)]
        settings = {k: self._attr(v, (*pointer, "attrs", k)) for k, v in attrs.items() if k != "wrt"}
        booleans(settings, ("create_graph", "retain_graph", "allow_unused", "materialize_grads"))
        out, several = self._outputs(raw)
        if len(out) != len(found) or (not several and len(found) != 1):
            raise ArgumentError(f"grad: {len(found)} gradients, {len(out)} outputs", expected=len(found), actual=len(out))
        return GradCall(pointer, outputs, found, settings, out)

    def _state(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> StateChange:
        kind = raw["op"]
        attrs = raw.get("attrs", {})
        fields(attrs, _STATE[kind], ("attrs",))
        targets = self._args(raw.get("in", []), (*pointer, "in"), into)
        settings = {k: self._state_attr(k, v, (*pointer, "attrs", k)) for k, v in attrs.items()}
        booleans(settings, ("requires_grad", "retain_graph", "create_graph"))
        if "tensor" in settings:
            targets.insert(0, settings.pop("tensor"))
        name = self._define(raw.get("id"), ("id",)) if kind == "read_grad" else None
        if kind != "read_grad" and ("id" in raw or "out" in raw):
            raise UnknownField(f"{kind} gives no value: it has no id", pointer=("id" if "id" in raw else "out",))
        if not all(isinstance(each, Ref) for each in targets[:1]) or (kind != "zero_grad" and not targets):
            raise ArgumentError(f"{kind}: the first operand is a reference", pointer=("in",))
        return StateChange(pointer, kind, targets, settings, name)

    def _state_attr(self, name: str, value: Any, pointer: Pointer) -> Any:
        if name == "tensor" and isinstance(value, str):
            return self._reference(value, pointer)
        if name == "inputs":
            names = [value] if isinstance(value, str) else value
            if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
                raise ArgumentError("backward: inputs is a list of ids", pointer=pointer)
            return [self._reference(each, (*pointer, at)) for at, each in enumerate(names)]
        return self._attr(value, pointer)


def _named(error: EngineError, raw: Any) -> EngineError:
    """`error` with the id and the op of the statement `raw`, where they can be read."""
    if not isinstance(raw, dict):
        return error
    name, op = raw.get("id"), raw.get("op")
    return error.at((), node=name if type(name) is str and valid_id(name) else None, op=shown(op) if isinstance(op, str) else None)
