"""Reading calls of what takes a function: a `def` becomes the body of a statement."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from engine.language.text.calls import Calls
from engine.language.text.names import Function, Scope, Slot

Finish = Callable[[list[ast.expr]], Any]
_TAKES = {
    "while_loop": "while_loop(cond, body, carry, max_iters=...)",
    "scan": "scan(body, carry, xs)",
    "cond": "cond(predicate, then, otherwise)",
    "register_hook": "register_hook(value, hook)",
}


class Functions(Calls):
    """Reads loops, choices, transforms and hooks that are written with `def`."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._active: set[int] = set()  # functions whose bodies are being read

    def _flow(self, name: str, args: list[ast.expr], node: ast.Call) -> Any:
        match name, len(args):
            case "while_loop", 3:
                return self._while_loop(args, node)
            case "scan", 3:
                self._no_keywords(node)
                return self._scan(args)
            case "cond", 3:
                self._no_keywords(node)
                found: dict[str, Any] = {"op": "cond", "in": self.args(args[:1])}
                for part, each in (("then", args[1]), ("else", args[2])):
                    found[part] = self.function(self._known(each, 0), [], self.args)
                return found
            case "register_hook", 2:
                self._no_keywords(node)
                return {"op": name, "in": self.args(args[:1]), "body": self._with_params(args[1])}
            case (("while" | "while_loop" | "scan" | "cond" | "register_hook"), _):
                raise self.source.refused(f"this is written {_TAKES.get(name, _TAKES['while_loop'])}", node)
        if not args:
            raise self.source.refused(f"this is written {name}(function, ...)", node)
        found = {"op": name, "in": self.args(args[1:]), "attrs": {}}
        self._keywords(found, node.keywords, name)
        if not found["attrs"]:
            del found["attrs"]
        found["body"] = self._with_params(args[0])
        return found

    def _no_keywords(self, node: ast.Call) -> None:
        for each in node.keywords:
            raise self.source.refused("there is no such argument", each)

    def _while_loop(self, args: list[ast.expr], node: ast.Call) -> dict[str, Any]:
        first = self.args(_elements(args[2]))
        going, body = self._known(args[0]), self._known(args[1], len(first))
        names = [each.arg for each in body.node.args.args]
        if [each.arg for each in going.node.args.args] != names:
            raise self.source.refused("the condition takes what the body takes, by the same names", args[0])
        found: dict[str, Any] = {"op": "while"}
        for each in node.keywords:
            if each.arg != "max_iters" or "max_iters" in found:
                raise self.source.refused("there is no such argument", each)
            found["max_iters"] = self.setting(each.value)

        def parts() -> None:
            slots = [self.ids.new(name) for name in names]
            found["carry"] = dict(zip(slots, first, strict=True))
            found["cond"] = self.function(going, slots, self._only)
            found["body"] = self.function(body, slots, lambda nodes: self._by_slot(slots, nodes))

        self.inside(parts)
        return found

    def _scan(self, args: list[ast.expr]) -> dict[str, Any]:
        carry, xs = self.args(_elements(args[1])), self.args(_elements(args[2]))
        body = self._known(args[0], len(carry) + len(xs))
        found: dict[str, Any] = {"op": "scan"}

        def parts() -> None:
            slots = [self.ids.new(each.arg) for each in body.node.args.args]
            carried, rest = slots[: len(carry)], slots[len(carry) :]
            found["carry"] = dict(zip(carried, carry, strict=True))
            found["xs"] = dict(zip(rest, xs, strict=True))
            found["body"] = self.function(body, slots, lambda nodes: self._scanned(carried, nodes))

        self.inside(parts)
        return found

    def _scanned(self, carried: list[Slot], nodes: list[ast.expr]) -> dict[str, Any]:
        new = self._by_slot(carried, nodes[: len(carried)])
        return {"carry": new, "y": self.args(nodes[len(carried) :])}

    def _by_slot(self, slots: list[Slot], nodes: list[ast.expr]) -> dict[Slot, Any]:
        if len(slots) != len(nodes):
            where = nodes[0] if nodes else ast.Pass()
            text = f"the body carries {len(slots)} values and returns {len(nodes)}"
            raise self.source.refused(text, where, expected=len(slots))
        return dict(zip(slots, self.args(nodes), strict=True))

    def _only(self, nodes: list[ast.expr]) -> Any:
        if len(nodes) != 1:
            raise self.source.refused("a condition returns one value", nodes[0])
        return self.args(nodes)[0]

    def _with_params(self, node: ast.expr) -> dict[str, Any]:
        """A body that names its parameters."""
        function, found = self._known(node), {}

        def parts() -> None:
            slots = [self.ids.new(each.arg) for each in function.node.args.args]
            found.update({"params": slots, **self.function(function, slots, self.args)})

        self.inside(parts)
        return found

    def _known(self, node: ast.expr, takes: int | None = None) -> Function:
        """The `def` that a name stands for, of so many parameters."""
        found = self.scope.find(node.id) if isinstance(node, ast.Name) else None
        if not isinstance(found, Function):
            raise self.source.refused("the name of a function is expected, of a `def` above", node)
        if takes is not None and len(found.node.args.args) != takes:
            text = f"the function takes {len(found.node.args.args)} values and gets {takes}"
            raise self.source.refused(text, node, expected=takes)
        return found

    def function(self, function: Function, slots: list[Slot], finish: Finish) -> dict[str, Any]:
        """The body of a function whose parameters are `slots`; `finish` reads what it returns."""
        node = function.node
        if id(node) in self._active:
            raise self.source.refused("a function does not use itself", node)
        self._active.add(id(node))
        outer = self.scope
        self.scope = Scope(function.scope)
        self.scope.names = {each.arg: slot for each, slot in zip(node.args.args, slots, strict=False)}
        found = self.inside(self._body, node, finish)
        self.scope = outer
        self._active.discard(id(node))
        return dict(found)

    def _body(self, node: ast.FunctionDef, finish: Finish) -> dict[str, Any]:
        *before, last = node.body
        for each in before:
            self.statement(each)
        if not isinstance(last, ast.Return) or last.value is None:
            raise self.source.refused("a function ends with `return` and what it gives", last)
        nodes = _elements(last.value)
        result = finish(nodes)
        return {"do": self.into, "yield": result}

    def statement(self, node: ast.stmt) -> None:
        """Read one statement."""
        raise NotImplementedError


def _elements(node: ast.expr) -> list[ast.expr]:
    """What a tuple or a list holds, or what is none alone."""
    return node.elts if isinstance(node, (ast.Tuple, ast.List)) else [node]
