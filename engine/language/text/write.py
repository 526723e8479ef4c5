"""Statements written as text; read again, they are the same program, under the same graph_id."""

from __future__ import annotations

import itertools
from typing import Any

from engine.errors import GraphError
from engine.language.flow import FLOW
from engine.language.state import PARAMETERS
from engine.language.text.nesting import nested
from engine.language.text.words import Words, tensor

_INDENT = "    "


def write(statements: list[Any]) -> str:
    """The text of a program's statements, as they were sent or desugared. GraphError for what has none."""
    lines = Writer(_strings(statements)).statements(nested(statements))
    return "".join(f"{line}\n" for line in lines)


class Writer(Words):
    """Writes statements; functions stand before the statement that takes them."""

    def __init__(self, used: set[str]) -> None:
        super().__init__(used)
        self._numbers = itertools.count(1)
        self._lines: list[str] = []

    def statements(self, statements: list[Any]) -> list[str]:
        """The lines of a list of statements."""
        outer, self._lines = self._lines, []
        for each in statements:
            self._statement(each)
        found, self._lines = self._lines, outer
        return found

    def _statement(self, raw: dict[str, Any]) -> None:
        if "op" not in raw and "tensor" in raw:
            inner = type(raw["tensor"]) is dict and "requires_grad" in raw["tensor"]
            text = tensor(raw["tensor"], not inner and raw.get("requires_grad"))
            self._lines.append(f"{self.name(raw.get('id'))} = {text}")
        elif "op" not in raw:
            lines = self.statements(raw["do"]) or ["pass"]
            self._lines += [f"with {self.name(raw['with'])}():", *(_INDENT + line for line in lines)]
        else:
            plain = raw["op"] == "alias" and not raw.get("attrs") and "id" in raw
            args = raw.get("in", [])
            same = plain and len(args) == 1 and type(args[0]) is str
            value = self.name(args[0]) if same else self.arg(raw)
            self._lines.append(f"{self._target(raw)}{value}")

    def _target(self, raw: dict[str, Any]) -> str:
        if "out" not in raw:
            return f"{self.name(raw['id'])} = " if "id" in raw else ""
        names = ["_" if each is None else self.name(each) for each in raw["out"]]
        if "_" in raw["out"]:
            raise GraphError("one of several values is not called _")
        if len(names) == 1 and names != ["_"] and raw["op"] in FLOW:
            return f"{names[0]} = "
        return f"{names[0]}, = " if len(names) == 1 else f"{', '.join(names)} = "

    def call(self, node: dict[str, Any]) -> str:
        """A node as a call of its op, its bodies as functions before it."""
        op, attrs = node["op"], dict(node.get("attrs") or {})
        if op in FLOW:
            return self._flow(node)
        if op != "grad" and op not in PARAMETERS:
            return super().call(node)
        args = list(node.get("in", []))
        if "tensor" in attrs:
            args.insert(0, attrs.pop("tensor"))
        ids = "wrt" if op == "grad" else "inputs"
        named = [
            f"{self._attr_name(key)}={self.names(each) if key == ids else self.setting(each)}"
            for key, each in attrs.items()
        ]
        return f"{op}({', '.join([*self.args(args), *named])})"

    def _flow(self, node: dict[str, Any]) -> str:
        """A statement with bodies."""
        op = node["op"]
        if op == "while":
            carry = node["carry"]
            first = self._tuple(list(carry.values()))
            going = self._function("going", list(carry), node["cond"], [node["cond"]["yield"]])
            results = [node["body"]["yield"][name] for name in carry]
            body = self._function("body", list(carry), node["body"], results)
            limit = node.get("max_iters")
            return f"while_loop({going}, {body}, {first}{'' if limit is None else f', max_iters={limit!r}'})"
        if op == "scan":
            carry, yields = node.get("carry", {}), node["body"]["yield"]
            given = [self._tuple(list(each.values())) for each in (carry, node["xs"])]
            results = [yields.get("carry", {})[name] for name in carry] + _several(yields.get("y", []))
            body = self._function("body", [*carry, *node["xs"]], node["body"], results)
            return f"scan({body}, {', '.join(given)})"
        if op == "cond":
            predicate = self.arg(node["in"][0])
            names = [
                self._function(name, [], node[part], _several(node[part]["yield"]))
                for name, part in (("then", "then"), ("otherwise", "else"))
            ]
            return f"cond({', '.join([predicate, *names])})"
        args = self.args(node["in"])
        body = self._function("body", node["body"]["params"], node["body"], _several(node["body"]["yield"]))
        given = [args[0], body] if op == "register_hook" else [body, *args]
        given += [
            f"{self._attr_name(key)}={self.setting(each)}" for key, each in node.get("attrs", {}).items()
        ]
        return f"{op}({', '.join(given)})"

    def _function(self, kind: str, params: list[str], body: dict[str, Any], results: list[Any]) -> str:
        """The name of a function that stands before the statement being written."""
        name = next(found for number in self._numbers if (found := f"{kind}{number}") not in self.used)
        outer, self._lines = self._lines, []
        lines = self.statements(body.get("do", []))
        returned = self._tuple(results, bare=True)
        lines += [*self._lines, f"return {returned}"]
        self._lines = outer
        self._lines.append(f"def {name}({', '.join(map(self.name, params))}):")
        self._lines += [_INDENT + line for line in lines]
        return name

    def _tuple(self, args: list[Any], *, bare: bool = False) -> str:
        """Several arguments; one alone without brackets."""
        if len(args) == 1 and type(args[0]) is not list:
            return self.arg(args[0])
        text = ", ".join(self.args(args)) + ("," if len(args) == 1 else "")
        return text if bare and args else f"({text})"


def _several(results: Any) -> list[Any]:
    return results if type(results) is list else [results]


def _strings(value: Any) -> set[str]:
    """Every name in the statements, and other texts, but those that are attributes."""
    found: set[str] = set()
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, str):
            found.add(each)
        elif isinstance(each, (list, tuple)):
            pending += each
        elif isinstance(each, dict):
            found.update(str(key) for key in each)
            attrs = each.get("attrs")
            pending += [part for name, part in each.items() if name != "attrs"]
            pending += (
                [part for part in attrs.values() if type(part) is not str] if type(attrs) is dict else []
            )
    return found
