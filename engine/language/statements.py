"""The statements of a program: read once, checked for all that needs no shapes, desugared.

Reading hoists nested op nodes into statements of their own (ids `$0`, `$1` …, which a program cannot write),
resolves op names and aliases, and checks fields, ids, scopes and arity. What remains is a flat list per body;
`canonical` gives it back as plain JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.errors import Pointer, Site
from engine.language.notation import finite_or_name
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


def canonical(statements: list[Statement]) -> list[dict[str, Any]]:
    """The desugared statements as plain JSON, under canonical op names."""
    return [_canonical(each) for each in statements]


def _canonical(each: Statement) -> dict[str, Any]:
    found: dict[str, Any]
    match each:
        case OpCall():
            args = [arg.name if type(arg) is Ref else plain(arg) for arg in each.args]
            name, outputs = ("out", each.out) if each.several else ("id", each.out[0])
            return _with_attrs({name: outputs, "op": each.op.name, "in": args}, each.attrs)
        case Leaf(id=name, literal=literal, requires_grad=requires_grad):
            return {"id": name, "tensor": literal.raw, "requires_grad": requires_grad}
        case Block(mode=mode, body=body):
            return {"with": mode, "do": canonical(body)}
        case While(carry=carry, cond=cond, body=body, max_iters=max_iters, out=out):
            found = {"out": out, "op": "while", "carry": plain(carry), "max_iters": max_iters}
            return found | {"cond": _body(cond), "body": _body(body)}
        case Scan(carry=carry, xs=xs, body=body, out=out):
            return {"out": out, "op": "scan", "carry": plain(carry), "xs": plain(xs), "body": _body(body)}
        case Choice(predicate=predicate, then=then, otherwise=otherwise, out=out):
            found = {"out": out, "op": "cond", "in": [plain(predicate)]}
            return found | {"then": _body(then), "else": _body(otherwise)}
        case Transform(kind=kind, args=args, body=body, settings=settings, out=out):
            found = {"out": out, "op": kind, "in": plain(args), "body": _body(body)}
            return _with_attrs(found, settings)
        case Hook(target=target, body=body):
            return {"op": "register_hook", "in": [plain(target)], "body": _body(body)}
        case GradCall(outputs=outputs, wrt=wrt, settings=settings, out=out):
            attrs = {"wrt": [ref.name for ref in wrt], **{k: _plain_attr(v) for k, v in settings.items()}}
            return {"out": out, "op": "grad", "in": [plain(a) for a in outputs], "attrs": attrs}
        case StateChange(kind=kind, targets=targets, settings=settings, id=name):
            found = {"id": name} if name else {}
            return _with_attrs({**found, "op": kind, "in": [plain(a) for a in targets]}, settings)
    raise TypeError(type(each).__name__)


def _body(body: Body) -> dict[str, Any]:
    found = {"do": canonical(body.statements), "yield": plain(body.results)}
    return {"params": list(body.params), **found} if body.params else found


def _with_attrs(found: dict[str, Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return found | {"attrs": {k: _plain_attr(v) for k, v in attrs.items()}} if attrs else found


_AS_THEY_ARE = frozenset({int, float, bool, str, type(None)})


def plain(arg: Any) -> Any:
    """An argument as JSON again."""
    if type(arg) in _AS_THEY_ARE:
        return arg
    if isinstance(arg, Ref):
        return arg.name
    if isinstance(arg, Literal):
        return {"tensor": arg.raw}
    if isinstance(arg, slice):
        return {"slice": [plain(arg.start), plain(arg.stop), plain(arg.step)]}
    if arg is Ellipsis:
        return {"ellipsis": True}
    if isinstance(arg, complex):
        return {"complex": [arg.real, arg.imag]}
    if isinstance(arg, list):
        return [plain(each) for each in arg]
    if isinstance(arg, dict):
        return {name: plain(each) for name, each in arg.items()}
    return arg


def _plain_attr(value: Any) -> Any:
    """An attribute as JSON again: there a bare string is a constant, so a reference is marked."""
    if isinstance(value, Ref):
        return {"ref": value.name}
    if isinstance(value, float):
        return finite_or_name(value)
    return [_plain_attr(each) for each in value] if isinstance(value, list) else plain(value)


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
