"""Reading a program that is written as text: to the statements that mean the same."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from engine.errors import EngineError, LimitExceeded, Place, UnknownId
from engine.language.notation import valid_id
from engine.language.state import PARAMETERS
from engine.language.text.loops import Loops
from engine.language.text.names import Constant, Function, Quoted, Slot, settled
from engine.language.text.places import Places, Source
from engine.language.text.scan import scan
from engine.limits import Limits

_NO_VALUE = frozenset((*PARAMETERS, "register_hook")) - {"read_grad"}
_MODES = ("no_grad", "enable_grad")
_WORDS: dict[type[ast.AST], str] = {
    ast.AugAssign: "a value does not change in place: write `y = y + ...`",
    ast.AnnAssign: "names have no annotations",
    ast.Import: "every op is there already: nothing is imported",
    ast.ImportFrom: "every op is there already: nothing is imported",
    ast.Return: "`return` ends a function, and stands nowhere else",
    ast.Break: "a loop ends when its condition says so",
    ast.Continue: "a loop ends when its condition says so",
}


class Read(NamedTuple):
    """The statements of a text, as plain JSON, and where each part of them stands in it."""

    statements: list[Any]
    places: Places


def read(text: str, limits: Limits | None = None) -> Read:
    """The statements that `text` means. EngineError, with a `Place` in its pointer, for what it cannot."""
    limits = limits or Limits()
    text = text.replace("\r\n", "\n")
    scan(text, limits)
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise _unread(error, Source(text)) from None
    except (MemoryError, RecursionError):
        raise LimitExceeded("depth", limits.depth + 1, limits.depth).at(("graph", Place(1, 1))) from None
    reader = TextReader(text, limits)
    for each in tree.body:
        reader.statement(each)
    reader.ids.settle()
    return Read(settled(reader.into), reader.places)


def _unread(error: SyntaxError, source: Source) -> EngineError:
    """Python's own refusal; its sentence names tokens, and nothing of the text."""
    line = min(max(error.lineno or 1, 1), len(source.lines))
    place = Place(line, min(max(error.offset or 1, 1), len(source.lines[line - 1]) + 1))
    said = str(error.msg).split(". ")[0].split(" (")[0]
    return source.refused(said if said.isascii() and "'" not in said else "invalid syntax", place)


class TextReader(Loops):
    """Reads statements, one by one, into a list."""

    def statement(self, node: ast.stmt) -> None:
        """Read one statement."""
        read = self._STATEMENTS.get(type(node))
        if read is None:
            said = _WORDS.get(type(node), f"{type(node).__name__} is not part of the language")
            raise self.source.refused(said, node)
        read(self, node)

    def add(self, statement: dict[str, Any], node: ast.AST) -> None:
        """Put a statement behind those before it."""
        self.into.append(statement)
        self.places.put(statement, self.source.place(node))

    def bind(self, name: str, node: ast.AST) -> Slot:
        """A new value for a name."""
        self._nameable(name, node)
        slot = self.scope.names[name] = self.ids.new(name)
        return slot

    def _nameable(self, name: str, node: ast.AST) -> None:
        if not valid_id(name):
            raise self.source.refused("this is no name for a value", node)
        if self.scope.parent is None and name in self.ids.free and self.ids.region is self.ids.top:
            text = (
                f"id '{name}' is used before it is defined; an input keeps its name, a new value has its own"
            )
            raise UnknownId(text).at(("graph", self.source.place(self.ids.free[name])))

    def _assign(self, node: ast.Assign) -> None:
        if len(node.targets) > 1:
            raise self.source.refused("a statement names one value, or a tuple of them", node.targets[1])
        target = node.targets[0]
        if isinstance(target, (ast.Tuple, ast.List)):
            self._several(target, node)
        elif isinstance(target, ast.Name):
            self._one(target, node)
        else:
            raise self.source.refused("a value has a name: nothing is assigned in place", target)

    def _one(self, target: ast.Name, node: ast.Assign) -> None:
        value = self._leaf(node.value) or self.arg(node.value)
        if type(value) is dict and not value.keys() & {"op", "tensor"}:
            value = Constant(value, 1)
        elif type(value) in (Slot, str):
            value = {"op": "alias", "in": [value]}
            self.places.put(value["in"], self.source.place(node.value), 0)
        elif type(value) is list:
            value = self._constant_of(value, node.value)
        elif type(value) is not dict:
            value = Constant(value, 1)
        if isinstance(value, Constant):
            self._nameable(target.id, target)
            self.scope.names[target.id] = value
        else:
            self._has_value(value, node.value)
            self.add({"id": self.bind(target.id, target), **value}, node.value)

    def _leaf(self, node: ast.expr) -> dict[str, Any] | None:
        """A tensor of the program's own; None for anything else."""
        if not isinstance(node, ast.Call):
            return None
        func = node.func
        plain = isinstance(func, ast.Name) and func.id == "tensor"
        dotted = isinstance(func, ast.Attribute) and self._path(func) == "tensor"
        return self.tensor(node, node.args, leaf=True) if plain or dotted else None

    def _several(self, target: ast.Tuple | ast.List, node: ast.Assign) -> None:
        names: list[ast.Name] = []
        for each in target.elts:
            if not isinstance(each, ast.Name):
                raise self.source.refused("a value has a name: nothing is assigned in place", each)
            names.append(each)
        if isinstance(node.value, (ast.Tuple, ast.List)):
            if len(names) != len(node.value.elts):
                raise self.source.refused("there are as many names as values", target)
            self._together(names, node.value.elts)
            return
        value = self.arg(node.value)
        if type(value) is not dict or "op" not in value:
            raise self.source.refused("several names are given to the results of one op", node.value)
        self._has_value(value, node.value)
        out = [None if each.id == "_" else self.bind(each.id, each) for each in names]
        self.places.put(out, self.source.place(target))
        self.add({"out": out, **value}, node.value)

    def _together(self, names: list[ast.Name], nodes: list[ast.expr]) -> None:
        """`a, b = b, a + b`: all values are read before any has its name."""
        found = [self._hoisted(self.arg(each), each) for each in nodes]
        for name, value, node in zip(names, found, nodes, strict=True):
            if type(value) in (Slot, str):
                self.add({"id": self.bind(name.id, name), "op": "alias", "in": [value]}, node)
            else:
                self._nameable(name.id, name)
                self.scope.names[name.id] = self._constant_of(value, node)

    def _constant_of(self, value: Any, node: ast.expr) -> Constant:
        """What a name for a number or a list stands for; a list is as long as all that it holds."""
        before = self._read
        found = self._hoisted(value, node)
        return Constant(found, self._read - before)

    def _hoisted(self, value: Any, node: ast.expr) -> Any:
        """A value that may be read more than once: a node has an id of its own."""
        self._spend(1)
        if type(value) is list:
            return [self._hoisted(each, node) for each in value]
        if type(value) is dict and "op" in value:
            return self.as_setting(value, node)["ref"]
        return value

    def _has_value(self, value: dict[str, Any], node: ast.expr) -> None:
        if value.get("op") in _NO_VALUE:
            raise self.source.refused("this gives no value, and no name", node)

    def _expression(self, node: ast.Expr) -> None:
        value = self.arg(node.value)
        if type(value) is not dict or value.get("op") not in _NO_VALUE:
            said = "a value without a name"
            raise self.source.refused(
                f"{said}: write `name = ...`" if type(value) is not Quoted else said, node
            )
        self.add(value, node)

    def _with(self, node: ast.With) -> None:
        context = node.items[0].context_expr
        func = context.func if isinstance(context, ast.Call) else None
        name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", None)
        if isinstance(func, ast.Attribute) and getattr(func.value, "id", None) != "torch":
            name = None
        plain = isinstance(context, ast.Call) and not context.args and not context.keywords
        if len(node.items) > 1 or name not in _MODES or not plain or node.items[0].optional_vars:
            raise self.source.refused("`with` has no_grad() or enable_grad()", context)
        into, self.into = self.into, []
        self._levels += 2
        for each in node.body:
            self.statement(each)
        self._levels -= 2
        block, self.into = {"with": name, "do": self.into}, into
        self.add(block, node)

    def _def(self, node: ast.FunctionDef) -> None:
        given = node.args
        odd = [*given.posonlyargs, *given.kwonlyargs, *given.defaults, *node.decorator_list]
        odd += [each for each in (given.vararg, given.kwarg, node.returns) if each is not None]
        odd += [each.annotation for each in given.args if each.annotation is not None]
        if odd:
            raise self.source.refused("a function has parameters by name, and nothing beside them", odd[0])
        names = [each.arg for each in given.args]
        for each in given.args:
            if not valid_id(each.arg) or names.count(each.arg) > 1:
                raise self.source.refused("this is no name for a value", each)
        self.scope.names[node.name] = Function(node, self.scope)

    _STATEMENTS: ClassVar[dict[type[ast.stmt], Callable[..., Any]]] = {
        ast.Assign: _assign,
        ast.Expr: _expression,
        ast.With: _with,
        ast.FunctionDef: _def,
        ast.While: Loops._while,
        ast.For: Loops._for,
        ast.If: Loops._if,
        ast.Pass: lambda self, node: None,
    }
