"""Reading statements with bodies: while, scan, cond, transforms of a function, hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from engine.errors import ArgumentError, GraphError, NotImplementedYet, Pointer
from engine.language.notation import fields
from engine.language.state import StateReader
from engine.language.statements import Body, Choice, Hook, Ref, Scan, Statement, Transform, While

_WHILE_FIELDS = frozenset({"id", "out", "op", "carry", "cond", "body", "max_iters"})
_SCAN_FIELDS = frozenset({"id", "out", "op", "carry", "xs", "body"})
_COND_FIELDS = frozenset({"id", "out", "op", "in", "then", "else"})
_TRANSFORM_FIELDS = frozenset({"id", "out", "op", "in", "attrs", "body"})
_HOOK_FIELDS = frozenset({"op", "in", "body"})
_BODY_FIELDS = frozenset({"do", "yield"})
_FUNCTION_FIELDS = frozenset({"params", "do", "yield"})
_SETTINGS: dict[str, frozenset[str]] = {
    "vmap": frozenset({"in_dims", "out_dims", "randomness"}),
    "vjp": frozenset(),
    "jvp": frozenset(),
    "jacobian": frozenset({"argnums", "mode"}),
    "hessian": frozenset({"argnums"}),
    "hvp": frozenset(),
}
FLOW = frozenset({"while", "scan", "cond", "register_hook", *_SETTINGS})

_CARRY = "carry is an object with an initial value for each carried name"

Yield = Callable[[Any, Pointer, list[Statement]], Any]


class FlowReader(StateReader):
    """Reads statements that have bodies."""

    def _flow(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> Statement:
        match raw["op"]:
            case "while":
                return self._while(raw, pointer, into)
            case "scan":
                return self._scan(raw, pointer, into)
            case "cond":
                return self._cond(raw, pointer, into)
            case "register_hook":
                return self._hook(raw, pointer, into)
        return self._transform(raw["op"], raw, pointer, into)

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

    def _while(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> While:
        fields(raw, _WHILE_FIELDS)
        carry = self._initial(raw, pointer, into)
        if not carry:
            raise GraphError(_CARRY, pointer=("carry",))
        limit = raw.get("max_iters")
        if limit is not None and (type(limit) is not int or limit < 0):
            raise ArgumentError("max_iters is a whole number from 0", pointer=("max_iters",))
        cond = self._body(raw.get("cond"), (*pointer, "cond"), self._arg, carry, "carry")
        body = self._body(raw.get("body"), (*pointer, "body"), self._carried(carry), carry, "carry")
        out = self._all_outputs(raw, len(carry), "while: {} carried values, {} outputs")
        return While(pointer, carry, cond, body, limit, out)

    def _scan(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> Scan:
        fields(raw, _SCAN_FIELDS)
        carry = self._initial(raw, pointer, into)
        given = raw.get("xs")
        if not isinstance(given, dict) or not given:
            raise GraphError("xs is an object with a tensor for each name to go through", pointer=("xs",))
        self._checked("arity", len(given), (*pointer, "xs"))
        xs = {name: self._arg(arg, (*pointer, "xs", name), into) for name, arg in given.items()}

        def read(raw: Any, place: Pointer, statements: list[Statement]) -> Any:
            fields(raw, frozenset({"carry", "y"}), place)
            new = self._carried(carry)(raw.get("carry", {}), (*place, "carry"), statements)
            return {"carry": new, "y": self._several(raw.get("y", []), (*place, "y"), statements)}

        body = self._body(raw.get("body"), (*pointer, "body"), read, [*carry, *xs], "body")
        results = len(carry) + len(body.results["y"])
        out = self._all_outputs(raw, results, "scan: {} results, carried values first, {} outputs")
        return Scan(pointer, carry, xs, body, out)

    def _cond(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> Choice:
        fields(raw, _COND_FIELDS)
        args = self._args(raw.get("in", []), (*pointer, "in"), into)
        if len(args) != 1:
            raise ArgumentError("cond: in is the predicate", pointer=("in",), expected=1, actual=len(args))
        then, other = (
            self._body(raw.get(each), (*pointer, each), self._several) for each in ("then", "else")
        )
        if len(then.results) != len(other.results):
            text = f"cond: then yields {len(then.results)} values, else yields {len(other.results)}"
            raise ArgumentError(text, pointer=("else", "yield"))
        out = self._all_outputs(raw, len(then.results), "cond: {} results, {} outputs")
        return Choice(pointer, args[0], then, other, out)

    def _transform(
        self, kind: str, raw: dict[str, Any], pointer: Pointer, into: list[Statement]
    ) -> Transform:
        fields(raw, _TRANSFORM_FIELDS)
        args = self._args(raw.get("in", []), (*pointer, "in"), into)
        attrs = raw.get("attrs", {})
        fields(attrs, _SETTINGS[kind], ("attrs",))
        body = self._function(raw.get("body"), (*pointer, "body"))
        if not args:
            raise ArgumentError(f"{kind}: in has a value for each parameter of body", pointer=("in",))
        return Transform(pointer, kind, args, body, attrs, self._outputs(raw))

    def _hook(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> Hook:
        if self._bodies:
            raise NotImplementedYet("register_hook in a body is not implemented yet", pointer=("op",))
        fields(raw, _HOOK_FIELDS)
        args = self._args(raw.get("in", []), (*pointer, "in"), into)
        if len(args) != 1 or not isinstance(args[0], Ref):
            raise ArgumentError("register_hook: in is the id of a value", pointer=("in",))
        body = self._function(raw.get("body"), (*pointer, "body"))
        if len(body.params) != 1 or len(body.results) != 1:
            raise ArgumentError("register_hook: body takes a gradient and yields one", pointer=("body",))
        return Hook(pointer, args[0], body)

    # -- bodies

    def _initial(self, raw: dict[str, Any], pointer: Pointer, into: list[Statement]) -> dict[str, Any]:
        carry = raw.get("carry", {})
        if not isinstance(carry, dict):
            raise GraphError(_CARRY, pointer=("carry",))
        self._checked("arity", len(carry), (*pointer, "carry"))
        return {name: self._arg(arg, (*pointer, "carry", name), into) for name, arg in carry.items()}

    def _function(self, raw: Any, pointer: Pointer) -> Body:
        params = raw.get("params") if isinstance(raw, dict) else None
        if not isinstance(params, list) or not params:
            raise GraphError("body names its parameters in params", pointer=(*pointer, "params"))
        self._checked("arity", len(params), (*pointer, "params"))
        body = self._body(raw, pointer, self._several, params, "params", _FUNCTION_FIELDS)
        return body._replace(params=tuple(params))

    def _body(
        self,
        raw: Any,
        pointer: Pointer,
        read: Yield,
        names: Iterable[Any] = (),
        place: str = "",
        allowed: frozenset[str] = _BODY_FIELDS,
    ) -> Body:
        """Statements in which `names`, given at `place`, are defined; `read` reads what they yield."""
        if not isinstance(raw, dict):
            raise GraphError(f'{pointer[-1]} is an object with "do" and "yield"', pointer=pointer)
        fields(raw, allowed, pointer)
        if "yield" not in raw:
            raise GraphError(f"{pointer[-1]} yields nothing", pointer=pointer)
        outer = len(self._defined)
        self._bodies.append(pointer)
        try:
            for name in names:
                self._define(name, (place, name) if place == "carry" else (place,))
            statements = self.read(raw.get("do", []), (*pointer, "do"))
            return Body(statements, read(raw["yield"], (*pointer, "yield"), statements))
        finally:
            self._bodies.pop()
            while len(self._defined) > outer:
                self._inner.add(self._defined.popitem()[0])

    def _several(self, raw: Any, place: Pointer, statements: list[Statement]) -> list[Any]:
        """One argument, or a list of them."""
        return (
            self._args(raw, place, statements) if type(raw) is list else [self._arg(raw, place, statements)]
        )

    def _carried(self, carry: dict[str, Any]) -> Yield:
        def read(raw: Any, place: Pointer, statements: list[Statement]) -> dict[str, Any]:
            if not isinstance(raw, dict) or raw.keys() != carry.keys():
                text = "body yields a value for each carried name"
                raise ArgumentError(text, pointer=place, expected=sorted(carry))
            return {name: self._arg(raw[name], (*place, name), statements) for name in carry}

        return read

    def read(self, raw: Any, pointer: Pointer = ("graph",)) -> list[Statement]:
        """The statements of a list."""
        raise NotImplementedError
