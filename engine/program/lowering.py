"""Statements to graph: define-by-run, with nodes appended in place of arithmetic.

`requires_grad`, grad mode, `.grad` slots and freed nodes are followed statement by statement, as torch would
follow them, so what a program means does not depend on how it is run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from engine import grad_checks
from engine.eager.factories import FACTORIES
from engine.errors import (
    ArgumentError,
    EngineError,
    UnknownId,
)
from engine.grad_mode import set_grad_enabled
from engine.graph import Graph, Value
from engine.graph_builder import GraphBuilder, Ledger
from engine.language.state import placed
from engine.language.statements import (
    Block,
    Body,
    Choice,
    GradCall,
    Hook,
    Leaf,
    Literal,
    OpCall,
    Ref,
    Scan,
    StateChange,
    Statement,
    Transform,
    While,
)
from engine.limits import Limits
from engine.program.changes import change, lower_grad, lower_hook
from engine.program.choices import lower_cond
from engine.program.functions import lower_transform
from engine.program.loops import lower_scan, lower_while
from engine.program.scope import Scope, as_value
from engine.program.slots import Slots
from engine.types import Type


class Lowering:
    """A program, or (with a `scope`) the body of a loop, being turned into one graph."""

    def __init__(self, limits: Limits, scope: Scope | None = None, *, watch: bool = False) -> None:
        self.limits = limits
        self.scope = scope
        self.graph = Graph()
        ledger = scope.outer.builder.ledger if scope else Ledger(limits, watch=watch)
        self.builder: GraphBuilder = GraphBuilder(self.graph, limits, ledger)
        self.names: dict[str, Value] = {}
        self.required: dict[str, bool] = {}  # whether an id's value required grad when its statement ran
        self.slots = Slots(self.builder, self.names)
        self.swept = False  # a statement has run backward

    def inside(self, scope: Scope) -> Lowering:
        """The lowering of a loop's condition or body."""
        found = Lowering(self.limits, scope)
        found.builder.active = self.builder.active
        for name, placeholder in scope.given.items():
            found.define(name, placeholder)
        return found

    def inline(self, body: Body, values: Sequence[Value]) -> list[Value]:
        """The results of a body lowered where it stands, with `values` for its parameters."""
        names, required = self.names.copy(), self.required.copy()
        try:
            for name, value in zip(body.params, values, strict=True):
                self.define(name, value)
            self.run(body.statements)
            return [as_value(self.resolve(arg), "body") for arg in body.results]
        finally:
            for known, before in ((self.names, names), (self.required, required)):
                known.clear()
                known.update(before)  # type: ignore[arg-type]

    # -- names

    def define(self, name: str | None, value: Value) -> None:
        """Enter `value` under an id."""
        if name is None:
            return
        if value.name is None and name[0] != "$":
            value.name = name
        self.names[name] = value
        self.required[name] = value.requires_grad

    def value(self, name: str) -> Value:
        """The value of an id."""
        found = self.names.get(name)
        if found is not None:
            return found
        if self.scope is None:
            raise UnknownId(f"unknown id '{name}'")
        return self.scope.capture(name)

    # -- statements

    def run(self, statements: Iterable[Statement]) -> None:
        """Lower statements in order; an error names the statement it happened in."""
        for each in statements:
            self.builder.source = each
            try:
                if type(each) is OpCall:
                    self._call(each)
                else:
                    self._statement(each)
            except EngineError as error:
                raise placed(error, each.pointer).at((), node=each.site.id, op=each.site.op) from None

    def _statement(self, each: Statement) -> None:
        match each:
            case Leaf():
                self.define(each.id, self._leaf(each.literal, each.requires_grad))
            case Block():
                with set_grad_enabled(each.mode == "enable_grad"):
                    self.run(each.body)
            case While():
                self._define_all(each.out, lower_while(self, each))
            case Scan():
                self._define_all(each.out, lower_scan(self, each))
            case Choice():
                self._define_all(each.out, lower_cond(self, each))
            case Transform():
                self._define_all(each.out, lower_transform(self, each), each.kind)
            case Hook():
                lower_hook(self, each)
            case GradCall():
                lower_grad(self, each)
            case StateChange():
                change(self, each)

    def _define_all(self, names: Sequence[str | None], values: Sequence[Value], what: str = "") -> None:
        if len(names) != len(values):
            raise ArgumentError(
                f"{what} gives {len(values)} values, {len(names)} are named",
                expected=len(values),
                actual=len(names),
                pointer=("out",),
            )
        for name, value in zip(names, values, strict=True):
            self.define(name, value)

    def _call(self, each: OpCall) -> None:
        names = self.names
        args = [(type(arg) is Ref and names.get(arg.name)) or self.resolve(arg) for arg in each.args]
        attrs = {name: self.resolve(value) for name, value in each.attrs.items()} if each.attrs else {}
        requires_grad = bool(attrs) and each.op.name in FACTORIES and attrs.pop("requires_grad", False)
        found = self.builder.apply(each.op, args, attrs)
        if requires_grad:
            found = _required(found, True)
        if type(found) is Value and len(each.out) == 1:
            self.define(each.out[0], found)
        else:
            for name, value in zip(each.out, each.named(found), strict=True):
                self.define(name, value)

    def resolve(self, arg: Any) -> Any:
        """An argument with its references and literals as values."""
        if type(arg) is Ref:
            return self.names.get(arg.name) or self.value(arg.name)
        if isinstance(arg, Literal):
            return self._leaf(arg, arg.value.requires_grad)
        if isinstance(arg, list):
            return [self.resolve(each) for each in arg]
        return arg

    def _leaf(self, literal: Literal, requires_grad: bool) -> Value:
        meta: Type = literal.value.meta
        self.limits.check_type(meta)
        value = Value(meta)
        value.constant = literal.value.array
        return _required(value, requires_grad)


def _required(leaf: Value, requires_grad: bool) -> Value:
    """A new leaf, recording from here on if `requires_grad`."""
    if requires_grad:
        grad_checks.check_created(leaf.dtype)
    leaf.requires_grad = requires_grad
    return leaf
