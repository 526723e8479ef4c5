"""Reading expressions: syntax trees to the arguments of statements, by a closed list of their nodes."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any, ClassVar

from engine.errors import LimitExceeded, Place, UnknownId
from engine.language.notation import valid_id
from engine.language.text.names import Constant, Function, Gone, Ids, Quoted, Scope, Slot, dtype_name
from engine.language.text.operators import BINARY, COMPARE, UNARY, binary, is_number, known
from engine.language.text.places import Places, Source
from engine.limits import Limits

_PROPERTIES = {
    "T": "T", "mT": "mT", "H": "H", "mH": "mH", "real": "real", "imag": "imag", "data": "detach",
    "grad": "read_grad",
}  # fmt: skip
_WORDS: dict[type[ast.AST], str] = {
    ast.BoolOp: "`and` and `or` are no ops: write `&` and `|`, or logical_and(a, b)",
    ast.NamedExpr: "a value is named by a statement of its own",
    ast.Lambda: "a function is a `def`",
    ast.Starred: "arguments are written out, without `*`",
    ast.Dict: "an object stands in tensor(...) alone",
}


class Expressions:
    """Reads expressions; what an attribute cannot hold goes into a statement of its own, `into` the list of
    those that are being read."""

    def __init__(self, text: str, limits: Limits) -> None:
        self.source, self.places, self.ids = Source(text), Places(), Ids()
        self.limits = limits
        self.scope = Scope()
        self.into: list[Any] = []
        self._levels, self._read = 1, 0

    def arg(self, node: ast.expr) -> Any:
        """An argument: a reference, a number, a nested op node …; `Quoted` for a text constant."""
        read = self._EXPRESSIONS.get(type(node))
        if read is None:
            said = _WORDS.get(type(node), f"{type(node).__name__} is not part of the language")
            raise self.source.refused(said, node)
        self._spend(1)
        self._levels += 2  # "in" and a place in it
        if self._levels > self.limits.depth:
            place = self.source.place(node)
            raise LimitExceeded("depth", self._levels, self.limits.depth).at(("graph", place))
        found = read(self, node)
        self._levels -= 2
        if type(found) is dict:
            self.places.put(found, self.source.place(node))
        return found

    def _spend(self, count: int) -> None:
        """Count what is read: more than there are tokens if functions and lists are used again and again."""
        self._read += count
        if self._read > 2 * self.limits.tokens:
            error = LimitExceeded("tokens", self._read // 2, self.limits.tokens)
            raise error.at(("graph", Place(1, 1)))

    def args(self, nodes: list[ast.expr]) -> list[Any]:
        """A list of arguments, none of them a text constant."""
        found = [self.arg(each) for each in nodes]
        for at, node in enumerate(nodes):
            if type(found[at]) is Quoted:
                raise self.source.refused("a text constant does not stand here", node)
            self.places.put(found, self.source.place(node), at)
        return found

    def setting(self, node: ast.expr) -> Any:
        """The value of an attribute, where a reference is an object and a text constant a string."""
        if isinstance(node, (ast.List, ast.Tuple)):
            found = [self.setting(each) for each in node.elts]
            for at, each in enumerate(node.elts):
                self.places.put(found, self.source.place(each), at)
            return found
        name = dtype_name(node, self.scope) if isinstance(node, ast.Attribute) else None
        return name if name is not None else self.as_setting(self.arg(node), node)

    def as_setting(self, found: Any, node: ast.expr) -> Any:
        """An argument as an attribute has it."""
        if type(found) is dict and "op" in found:
            slot = self.ids.new("value", like=True)
            self.into.append({"id": slot, **found})
            self.places.put(self.into[-1], self.source.place(node))
            found = slot
        if type(found) is list:
            return [self.as_setting(each, node) for each in found]
        return {"ref": found} if type(found) in (Slot, str) else found

    def reference(self, name: str, node: ast.AST) -> Any:
        """What a name stands for where it is read."""
        found = self.scope.find(name)
        match found:
            case None:
                if not valid_id(name):
                    raise self.source.refused("this is no name for a value", node)
                self.ids.free.setdefault(name, node)
                return name
            case Constant(value=value, size=size):
                self._spend(size)
                return value
            case Function():
                raise self.source.refused("a function is no value", node)
            case Gone(where=where):
                error = UnknownId(f"'{name}' is defined inside {where} and used outside of it")
                raise error.at(("graph", self.source.place(node)))
        return found

    # -- nodes

    def _name(self, node: ast.Name) -> Any:
        return self.reference(node.id, node)

    def _constant(self, node: ast.Constant) -> Any:
        value = node.value
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                raise self.source.refused("half of a character", node) from None
            return Quoted(value)
        if value is Ellipsis:
            return {"ellipsis": True}
        if isinstance(value, float) and not math.isfinite(value):
            raise self.source.refused("a number is out of range", node)
        if isinstance(value, complex):
            return self._complex(0.0, value.imag, node)
        return value

    def _complex(self, real: float, imag: float, node: ast.AST) -> dict[str, Any]:
        if not (math.isfinite(real) and math.isfinite(imag)):
            raise self.source.refused("a number is out of range", node)
        return {"complex": [real, imag]}

    def _unary(self, node: ast.UnaryOp) -> Any:
        if type(node.op) not in UNARY:
            raise self.source.refused("`not` is no op: write `~`, or logical_not(x)", node)
        operand = self.arg(node.operand)
        if isinstance(node.op, ast.USub) and type(operand) in (int, float):
            return -operand
        if isinstance(node.op, ast.USub) and type(operand) is dict and list(operand) == ["complex"]:
            return {"complex": [-each for each in operand["complex"]]}
        return self._node(known(UNARY[type(node.op)]), [operand], [node.operand])

    def _binary(self, node: ast.BinOp) -> Any:
        left, right = self.arg(node.left), self.arg(node.right)
        number = _of_parts(node, left, right)
        if number is not None:
            return number
        self._no_text(node.left, left)
        self._no_text(node.right, right)
        return binary(known(BINARY[type(node.op)]), left, right)

    def _no_text(self, node: ast.expr, found: Any) -> None:
        if type(found) is Quoted:
            raise self.source.refused("a text constant does not stand here", node)

    def _compare(self, node: ast.Compare) -> Any:
        if len(node.ops) > 1:
            raise self.source.refused("comparisons do not chain: write (a < b) & (b < c)", node)
        if type(node.ops[0]) not in COMPARE:
            raise self.source.refused("this comparison is not part of the language", node)
        nodes = [node.left, node.comparators[0]]
        return self._node(COMPARE[type(node.ops[0])], [self.arg(each) for each in nodes], nodes)

    def _node(self, op: str, args: list[Any], nodes: list[ast.expr]) -> dict[str, Any]:
        for each, found in zip(nodes, args, strict=True):
            self._no_text(each, found)
        return {"op": op, "in": args}

    def _list(self, node: ast.List | ast.Tuple) -> Any:
        return self.args(node.elts)

    def _subscript(self, node: ast.Subscript) -> Any:
        key = node.slice
        keys = key.elts if isinstance(key, ast.Tuple) else [key]
        return {"op": "getitem", "in": self.args([node.value, *keys])}

    def _slice(self, node: ast.Slice) -> Any:
        parts: list[Any] = []
        for each in (node.lower, node.upper, node.step):
            parts.append(None if each is None else self.arg(each))
            if each is not None and parts[-1] is not None and type(parts[-1]) is not int:
                raise self.source.refused("a part of a slice is a whole number", each)
        return {"slice": parts}

    def _attribute(self, node: ast.Attribute) -> Any:
        if node.attr not in _PROPERTIES:
            raise self.source.refused("a value has no such attribute here", node)
        return {"op": _PROPERTIES[node.attr], "in": self.args([node.value])}

    def _conditional(self, node: ast.IfExp) -> Any:
        found: dict[str, Any] = {"op": "cond", "in": self.args([node.test])}
        for name, value in (("then", node.body), ("else", node.orelse)):
            found[name] = self.inside(self._yielding, value)
        return found

    def _yielding(self, node: ast.expr) -> dict[str, Any]:
        return {"do": self.into, "yield": self.args([node])}

    def inside(self, read: Callable[..., Any], *given: Any) -> Any:
        """What `read` gives, in a body of its own."""
        into, region, names = self.into, self.ids.region, dict(self.scope.names)
        self.into, self.ids.region = [], self.ids.inside()
        self._levels += 3  # "body", "do" and a place there
        found = read(*given)
        self._levels -= 3
        self.into, self.ids.region, self.scope.names = into, region, names
        return found

    def _call(self, node: ast.Call) -> Any:
        raise NotImplementedError

    _EXPRESSIONS: ClassVar[dict[type[ast.AST], Callable[..., Any]]] = {
        ast.Name: _name,
        ast.Constant: _constant,
        ast.UnaryOp: _unary,
        ast.BinOp: _binary,
        ast.Compare: _compare,
        ast.List: _list,
        ast.Tuple: _list,
        ast.Subscript: _subscript,
        ast.Slice: _slice,
        ast.Attribute: _attribute,
        ast.IfExp: _conditional,
        ast.Call: lambda self, node: self._call(node),
    }


def _of_parts(node: ast.BinOp, left: Any, right: Any) -> Any:
    """The complex number that `1.0 + 2j` is; None for anything else."""
    signs = {ast.Add: 1.0, ast.Sub: -1.0}
    if type(node.op) not in signs or type(left) not in (int, float) or not is_number(right):
        return None
    if not isinstance(node.right, ast.Constant) or not isinstance(node.right.value, complex):
        return None
    return {"complex": [float(left), signs[type(node.op)] * node.right.value.imag]}
