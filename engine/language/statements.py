"""The statements of a program: read once, checked for all that needs no shapes, desugared.

Reading hoists nested op nodes into statements of their own (ids `$0`, `$1` …, which a program cannot write),
resolves op names and aliases, and checks fields, ids, scopes and arity. What remains is a flat list per body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.errors import ArgumentError, Pointer, Site
from engine.op import Op


class Ref(NamedTuple):
    """A reference to a value by its id."""

    name: str


class Literal(NamedTuple):
    """A tensor written in the program: `raw` as it stands there, `value` decoded."""

    raw: Any
    value: Any


@dataclass(slots=True)
class Statement:
    """One statement; `pointer` is its place in the program."""

    pointer: Pointer

    @property
    def site(self) -> Site:
        """What an error says of it."""
        return Site(self.pointer, _id_of(self), _op_of(self))


@dataclass(slots=True)
class OpCall(Statement):
    """`out = op(*args, **attrs)`; an entry of `out` is None where an output is dropped."""

    op: Op
    args: list[Any]
    attrs: dict[str, Any]
    out: list[str | None]
    several: bool  # written with "out": a tuple is expected even of one

    def named(self, found: Any) -> Sequence[Any]:
        """What the call gave, as many values as there are names; ArgumentError if they are not."""
        results = found if isinstance(found, (tuple, list)) else (found,)
        said = f"{self.op.short}() gives {len(results)} values"
        if isinstance(found, (tuple, list)) and not self.several:
            raise ArgumentError(f'{said}: name them with "out"', expected=len(results))
        if len(results) != len(self.out):
            raise ArgumentError(
                f"{said}, {len(self.out)} are named",
                expected=len(results),
                actual=len(self.out),
                pointer=("out",),
            )
        return results


@dataclass(slots=True)
class Leaf(Statement):
    """A tensor of the program's own."""

    id: str
    literal: Literal
    requires_grad: bool


@dataclass(slots=True)
class Block(Statement):
    """Statements run with grad mode on or off."""

    mode: str
    body: list[Statement]


class Body(NamedTuple):
    """Statements inside a statement, and what they yield; `params` are names that stand for values there."""

    statements: list[Statement]
    results: Any  # one Arg, a list of them, or a dict of them by carry
    params: tuple[str, ...] = ()


@dataclass(slots=True)
class While(Statement):
    """A loop over `carry` (name → initial Arg) while `cond` yields true."""

    carry: dict[str, Any]
    cond: Body
    body: Body
    max_iters: int | None
    out: list[str | None]


@dataclass(slots=True)
class Scan(Statement):
    """A loop over axis 0 of `xs` (name → Arg) that carries `carry`. The body's results are a dict of carries
    and a list of what is stacked."""

    carry: dict[str, Any]
    xs: dict[str, Any]
    body: Body
    out: list[str | None]


@dataclass(slots=True)
class Choice(Statement):
    """`cond`: the results of one of two bodies."""

    predicate: Any
    then: Body
    otherwise: Body
    out: list[str | None]


@dataclass(slots=True)
class Transform(Statement):
    """A transform (vmap, vjp …) of the function that `body` is, at `args`."""

    kind: str
    args: list[Any]
    body: Body
    settings: dict[str, Any]
    out: list[str | None]


@dataclass(slots=True)
class Hook(Statement):
    """A body that every gradient of `target` goes through."""

    target: Any
    body: Body


@dataclass(slots=True)
class GradCall(Statement):
    """`out = grad(outputs, wrt, …)`."""

    outputs: list[Any]
    wrt: list[Ref]
    settings: dict[str, Any]
    out: list[str | None]


@dataclass(slots=True)
class StateChange(Statement):
    """requires_grad_, retain_grad, zero_grad, read_grad or backward, applied to `targets`."""

    kind: str
    targets: list[Any]
    settings: dict[str, Any]
    id: str | None


def last_names(statements: Sequence[Statement]) -> list[str]:
    """The ids of the last statement that defines any."""
    for each in reversed(statements):
        if isinstance(each, Block):
            found = last_names(each.body)
        else:
            named = getattr(each, "out", None) or [getattr(each, "id", None)]
            found = [name for name in named if name and not name.startswith("$")]
        if found:
            return found
    return []


def _id_of(each: Statement) -> str | None:
    """The first id that a statement defines, as an error names it."""
    name = getattr(each, "id", None) or next((n for n in getattr(each, "out", ()) if n), None)
    return None if name is None or name.startswith("$") else name


def _op_of(each: Statement) -> str | None:
    """The op of a statement, as an error names it."""
    match each:
        case OpCall(op=op):
            return op.name
        case StateChange(kind=kind):
            return kind
        case While():
            return "while"
        case Scan():
            return "scan"
        case Choice():
            return "cond"
        case Transform(kind=kind):
            return kind
        case Hook():
            return "register_hook"
        case GradCall():
            return "grad"
    return None
