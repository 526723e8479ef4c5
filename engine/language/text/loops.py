"""Reading `while`, `for` and `if`: the names that they change are what they carry, or yield."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from engine.language.text.functions import Functions
from engine.language.text.names import Function, Gone, Slot


class Loops(Functions):
    """Reads statements with blocks."""

    def _while(self, node: ast.While) -> None:
        self._no_else(node.orelse)
        carried = self._carried(node.body, node)
        found: dict[str, Any] = {"op": "while"}

        def parts() -> None:
            found["carry"], slots = self._initial(carried)
            found["cond"] = self.inside(self._test, node.test)
            found["body"] = self.inside(self._looped, node.body, slots)

        self.inside(parts)
        self._loop_result(found, carried, node, "a loop")

    def _for(self, node: ast.For) -> None:
        self._no_else(node.orelse)
        if not isinstance(node.target, ast.Name):
            raise self.source.refused("a loop goes through one thing, by one name", node.target)
        carried = [name for name in self._carried(node.body, node) if name != node.target.id]
        found: dict[str, Any] = {"op": "scan"}
        through = self._range(node.iter) or self.args([node.iter])[0]

        def parts() -> None:
            found["carry"], slots = self._initial(carried)
            entry = self.ids.new(node.target.id)  # type: ignore[attr-defined]
            self.scope.names[entry.base] = entry
            found["xs"] = {entry: through}
            found["body"] = self.inside(self._looped, node.body, slots)
            found["body"]["yield"] = {"carry": found["body"]["yield"]}

        self.inside(parts)
        self._loop_result(found, carried, node, "a loop")
        self.scope.names[node.target.id] = Gone("a loop")

    def _if(self, node: ast.If) -> None:
        found: dict[str, Any] = {"op": "cond", "in": self.args([node.test])}
        bodies = (node.body, node.orelse)
        changed = list(dict.fromkeys(name for body in bodies for name in assigned(body)))
        both = [set(assigned(body)) for body in bodies]
        given = [
            name
            for name in changed
            if name in both[0] & both[1] or not isinstance(self._here(name), (Gone, type(None)))
        ]
        if not given:
            raise self.source.refused("an `if` gives a value to a name, in both of its branches", node)
        for part, body in zip(("then", "else"), bodies, strict=True):
            found[part] = self.inside(self._branch, body, given)
        self._loop_result(found, given, node, "a branch")
        for name in changed:
            if name not in given:
                self.scope.names[name] = Gone("a branch")

    # -- parts

    def _here(self, name: str) -> Any:
        """What a name stands for among those of this function."""
        return self.scope.names.get(name)

    def _carried(self, body: list[ast.stmt], node: ast.stmt) -> list[str]:
        """The names with a value before the loop and another one in it."""
        found = []
        for name in dict.fromkeys(assigned(body)):
            before = self._here(name)
            if before is None and self.scope.parent is None and name in self.ids.free:
                text = f"'{name}' is an input: give the value that the loop changes a name of its own"
                raise self.source.refused(text, node)
            if before is not None and not isinstance(before, (Gone, Function)):
                found.append(name)
        if not found:
            raise self.source.refused("a loop changes a value that was there before it", node)
        return found

    def _initial(self, carried: list[str]) -> tuple[dict[Slot, Any], list[Slot]]:
        first = [self.reference(name, ast.Pass()) for name in carried]
        slots = [self.ids.new(name) for name in carried]
        self.scope.names.update(zip(carried, slots, strict=True))
        return dict(zip(slots, first, strict=True)), slots

    def _test(self, node: ast.expr) -> dict[str, Any]:
        return {"do": self.into, "yield": self.args([node])[0]}

    def _looped(self, body: list[ast.stmt], slots: list[Slot]) -> dict[str, Any]:
        for each in body:
            self.statement(each)
        return {
            "do": self.into,
            "yield": {slot: self.reference(slot.base, body[-1]) for slot in slots},
        }

    def _branch(self, body: list[ast.stmt], given: list[str]) -> dict[str, Any]:
        for each in body:
            self.statement(each)
        return {"do": self.into, "yield": [self.reference(name, ast.Pass()) for name in given]}

    def _loop_result(self, found: dict[str, Any], names: list[str], node: ast.stmt, where: str) -> None:
        """The statement, behind which its names stand for what it gives."""
        for name in assigned(node.body if isinstance(node, (ast.While, ast.For)) else []):
            if name not in names and not isinstance(self._here(name), Function):
                self.scope.names[name] = Gone(where)
        self.add({"out": [self.bind(name, node) for name in names], **found}, node)

    def _range(self, node: ast.expr) -> dict[str, Any] | None:
        """The numbers of `range(...)`."""
        is_range = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"
        if not is_range:
            return None
        assert isinstance(node, ast.Call)
        args = self.args(node.args)
        if node.keywords or not 1 <= len(args) <= 3 or any(type(each) is not int for each in args):
            raise self.source.refused("range takes one to three whole numbers", node)
        start, stop, step = [0, args[0], 1] if len(args) == 1 else [*args, 1][:3]
        if step == 0:
            raise self.source.refused("the step of a range is not 0", node)
        if (stop - start) * step <= 0:
            stop = start
        return {"op": "arange", "in": [start, stop, step]}

    def _no_else(self, body: list[ast.stmt]) -> None:
        if body:
            raise self.source.refused("a loop has no `else`", body[0])

    def bind(self, name: str, node: ast.AST) -> Slot:
        """A new value for a name."""
        raise NotImplementedError

    def add(self, statement: dict[str, Any], node: ast.AST) -> None:
        """Put a statement behind those before it."""
        raise NotImplementedError


def assigned(body: list[ast.stmt]) -> Iterator[str]:
    """The names that statements give values to, in their order; not those of functions among them."""
    pending: list[ast.AST] = list(reversed(body))
    while pending:
        node = pending.pop()
        match node:
            case ast.Assign(targets=targets):
                for target in targets:
                    elements = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
                    drops = len(elements) > 1 or isinstance(target, ast.Tuple)
                    names = [each.id for each in elements if isinstance(each, ast.Name)]
                    yield from (name for name in names if not (drops and name == "_"))
            case ast.While(body=inner) | ast.With(body=inner):
                pending += reversed(inner)
            case ast.If(body=inner, orelse=other):
                pending += reversed([*inner, *other])
            case ast.For(body=inner, target=target):
                own = {target.id} if isinstance(target, ast.Name) else set()
                yield from (name for name in assigned(inner) if name not in own)
