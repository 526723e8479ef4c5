"""Statements as plain JSON again, desugared and under canonical op names: what a program's identity is made
of."""

from __future__ import annotations

from typing import Any

from engine.language.notation import finite_or_name
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
