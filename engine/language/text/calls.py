"""Reading calls: of ops by their names, of methods, of `tensor`, `grad` and what changes state."""

from __future__ import annotations

import ast
from typing import Any

from engine.errors import EngineError
from engine.language.flow import FLOW
from engine.language.state import PARAMETERS
from engine.language.text.expressions import Expressions
from engine.language.text.names import Function, Quoted, dtype_name
from engine.registry import lookup
from engine.signature import Param

_IDS = {"grad": "wrt", "backward": "inputs"}  # attributes that hold ids
CURRIED = FLOW - {"while", "scan", "cond", "register_hook"}
_TURNED = {"where"}  # methods whose tensor is not the first parameter


class Calls(Expressions):
    """Reads calls."""

    def _call(self, node: ast.Call) -> Any:
        func = node.func
        if isinstance(func, ast.Call):  # vmap(f, in_dims=...)(x)
            inner = ast.Call(func.func, [*func.args, *node.args], [*func.keywords, *node.keywords])
            ast.copy_location(inner, node)
            if len(func.args) != 1 or self._callee(func.func) not in CURRIED:
                raise self.source.refused("what is called is an op, by its name", node)
            return self._call(inner)
        if isinstance(func, ast.Name):
            return self._named(func.id, node.args, node)
        if not isinstance(func, ast.Attribute):
            raise self.source.refused("what is called is an op, by its name", node)
        path = self._path(func)
        if path is not None:
            return self._named(path, node.args, node)
        args = [func.value, *node.args]
        if func.attr in _TURNED and len(args) > 1:
            args[:2] = args[1::-1]
        return self._named(func.attr, args, node)

    def _callee(self, func: ast.expr) -> str | None:
        return self._path(func) if isinstance(func, ast.Attribute) else getattr(func, "id", None)

    def _path(self, func: ast.Attribute) -> str | None:
        """The dotted name of an op; None where a method is meant."""
        parts: list[str] = []
        current: ast.expr = func
        while isinstance(current, ast.Attribute):
            parts.append(current.attr)
            current = current.value
        if not isinstance(current, ast.Name):
            return None
        path = ".".join([current.id, *reversed(parts)])
        if current.id == "torch":
            return path.removeprefix("torch.").removeprefix("autograd.").removeprefix("func.")
        return path if self.scope.find(current.id) is None and _found(path) else None

    def _named(self, name: str, args: list[ast.expr], node: ast.Call) -> Any:
        """The call of what is called `name`."""
        if name == "tensor":
            return self.tensor(node, args)
        if name in FLOW or name == "while_loop":
            return self._flow(name, args, node)
        if isinstance(self.scope.find(name), Function):
            raise self.source.refused("a function is called by ops that take one: vmap, scan, cond …", node)
        if name == "slice":
            parts = [self.arg(each) for each in args]
            parts = [None, *parts, None] if len(parts) == 1 else [*parts, None][:3]
            return {"slice": parts}
        if name.startswith("ops."):
            name = name.removeprefix("ops.")
        found: dict[str, Any] = {"op": name, "in": [], "attrs": {}}
        self._positional(found, args, _parameters(name))
        self._keywords(found, node.keywords, name)
        if not found["attrs"]:
            del found["attrs"]
        return found

    def _positional(self, found: dict[str, Any], nodes: list[ast.expr], params: list[Param]) -> None:
        """Arguments by position: tensors and numbers in "in", what that cannot hold in "attrs"."""
        named = False  # from a text constant on, but a leading one, all are
        for at, node in enumerate(nodes):
            param = params[at] if at < len(params) else None
            name = dtype_name(node, self.scope) if param is not None and param.kind == "DType" else None
            each = self.arg(node) if name is None else Quoted(name)
            if type(each) is Quoted:
                if param is None:
                    raise self.source.refused("a text constant does not stand here", node)
                named = named or at > 0 or param.kind != "str"
            elif not named:
                found["in"].append(each)
                self.places.put(found["in"], self.source.place(node), len(found["in"]) - 1)
                continue
            if param is None:
                raise self.source.refused("behind a text constant arguments have names", node)
            self._put(found, param.name, self.as_setting(each, node), node)

    def _keywords(self, found: dict[str, Any], keywords: list[ast.keyword], name: str) -> None:
        kinds = {param.name: param.kind for param in _parameters(name, keywords=True)}
        for each in keywords:
            if each.arg is None:
                raise self.source.refused("arguments are written out, without `**`", each)
            value = self._keyword(each.arg, each.value, name, kinds)
            self._put(found, each.arg, value, each)

    def _keyword(self, key: str, node: ast.expr, name: str, kinds: dict[str, str]) -> Any:
        dtype = dtype_name(node, self.scope) if kinds.get(key) == "DType" else None
        if dtype is not None:
            return dtype
        nothing = isinstance(node, ast.Constant) and node.value is None
        return self._ids(node) if key == _IDS.get(name) and not nothing else self.setting(node)

    def _put(self, found: dict[str, Any], name: str, value: Any, node: ast.AST) -> None:
        if name in found["attrs"]:
            raise self.source.refused("an argument is given twice", node)
        found["attrs"][name] = value
        self.places.put(found["attrs"], self.source.place(node), name)

    def _ids(self, node: ast.expr) -> list[Any]:
        """A list of names, or one name, of values."""
        found = []
        for each in node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]:
            value = self.arg(each)
            if type(value) is dict and "op" in value:
                value = self.as_setting(value, each)["ref"]
            if type(value) in (Quoted, dict, list) or not isinstance(each, (ast.Name, ast.expr)):
                raise self.source.refused("the name of a value is expected", each)
            found.append(value)
            self.places.put(found, self.source.place(each), len(found) - 1)
        return found

    def tensor(self, node: ast.Call, args: list[ast.expr], *, leaf: bool = False) -> dict[str, Any]:
        """`tensor([1.0, 2.0], dtype=float64)`; `requires_grad` is the statement's, if that is all it has."""
        if len(args) != 1:
            raise self.source.refused("tensor takes its numbers, `dtype` and `requires_grad`", node)
        said: dict[str, Any] = {}
        for each in node.keywords:
            if each.arg not in ("dtype", "requires_grad") or each.arg in said:
                raise self.source.refused("tensor takes its numbers, `dtype` and `requires_grad`", each)
            name = dtype_name(each.value, self.scope)
            said[each.arg] = self.literal(each.value) if name is None else name
        outer = {"requires_grad": said.pop("requires_grad")} if leaf and "requires_grad" in said else {}
        data = self.literal(args[0])
        return {"tensor": {"data": data, **said} if said else data, **outer}

    def literal(self, node: ast.expr) -> Any:
        """JSON, written in Python."""
        match node:
            case ast.Constant(value=value) if type(value) in (bool, int, float, str, type(None)):
                found = self._constant(node)
                return str(found) if type(found) is Quoted else found
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return [self.literal(each) for each in elements]
            case ast.Dict(keys=keys, values=values):
                names = [self.literal(key) if isinstance(key, ast.Constant) else None for key in keys]
                if all(type(name) is str for name in names) and len(set(names)) == len(names):
                    return dict(zip(names, map(self.literal, values), strict=True))
        raise self.source.refused("tensor takes numbers as they are, in lists", node)

    def _flow(self, name: str, args: list[ast.expr], node: ast.Call) -> Any:
        raise NotImplementedError


def _found(path: str) -> bool:
    try:
        lookup(path)
    except EngineError:
        return False
    return True


def _parameters(name: str, *, keywords: bool = False) -> list[Param]:
    """What an op takes by position, or in any way; nothing is known of what is none."""
    if name in PARAMETERS or name == "grad":
        return []
    try:
        return [param for param in lookup(name).params if keywords or not param.keyword_only]
    except EngineError:
        return []
