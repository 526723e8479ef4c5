"""Arguments as text."""

from __future__ import annotations

import keyword
import math
from typing import Any

from engine.errors import EngineError, GraphError
from engine.language.notation import finite_or_name, valid_id
from engine.language.text.names import DTYPES
from engine.language.text.operators import SIGNED, SIGNS, SYMBOLS, TAKEN, is_number
from engine.op import Op
from engine.registry import lookup

_ATOM, _POWER, _LOOSE = 10, 9, 0
_SPECIAL = frozenset({"slice", "ellipsis"})
_WRITTEN = frozenset({"id", "out", "op", "in", "attrs"})


class Words:
    """Writes arguments; `used` are the names of the program, which hide those of ops."""

    def __init__(self, used: set[str]) -> None:
        self.used = used

    def name(self, name: Any) -> str:
        """A name of a value."""
        if not isinstance(name, str) or not valid_id(name):
            raise GraphError("a value without a name has no text")
        return name

    def arg(self, arg: Any, least: int = _LOOSE) -> str:
        """An argument, in brackets if it binds less tightly than `least`."""
        text, level = self._leveled(arg)
        return text if level >= least else f"({text})"

    def args(self, args: list[Any]) -> list[str]:
        return [self.arg(each) for each in args]

    def _leveled(self, arg: Any) -> tuple[str, int]:
        """The text of an argument, and how tightly it binds."""
        if isinstance(arg, str):
            return self.name(arg), _ATOM
        if type(arg) is list:
            return f"[{', '.join(self.args(arg))}]", _ATOM
        if type(arg) is not dict:
            text = number(arg)
            return text, SIGNED if text.startswith("-") else _ATOM
        if "op" in arg:
            return self.node(arg)
        key, value = next(iter(arg.items())) if len(arg) == 1 else (None, None)
        return self._special(key, value), _ATOM

    def _special(self, key: Any, value: Any) -> str:
        """The text of `{key: value}`, an argument that is no node."""
        if key == "tensor":
            return tensor(value)
        if key == "slice":
            return f"slice({', '.join(map(number, value))})"
        if key == "complex":
            real, imag = float(value[0]), float(value[1])
            sign = "-" if math.copysign(1.0, imag) < 0 else "+"
            return f"({real!r}{sign}{abs(imag)!r}j)"
        if key == "ellipsis":
            return "..."
        if key == "ref":
            return self.name(value)
        raise GraphError("an argument that has no text")

    def node(self, node: dict[str, Any]) -> tuple[str, int]:
        """The text of a node, and how tightly it binds."""
        args = node.get("in", [])
        if not node.get("attrs") and all(map(_is_operand, args[:1])):
            found = self._operator(node["op"], args)
            if found is not None:
                return found
        return self.call(node), _ATOM

    def _operator(self, op: str, args: list[Any]) -> tuple[str, int] | None:
        """The text of what is written with an operator."""
        first = args[0] if args else None
        if op == "getitem" and len(args) > 1 and not is_number(first):
            return f"{self.arg(first, _ATOM)}[{', '.join(map(self._key, args[1:]))}]", _ATOM
        if op in SIGNS and len(args) == 1 and not is_number(first) and _is_op(op):
            return f"{SIGNS[op]}{self.arg(first, SIGNED)}", SIGNED
        if len(args) != 2 or not _is_operand(args[1]):
            return None
        left, right = args
        if op == "rsub" and is_number(right) and not is_number(left):
            op, left, right = "sub", right, left
        elif op not in SYMBOLS or (is_number(left) and (is_number(right) or op in ("sub", "div"))):
            return None
        if not _is_op(op):
            return None
        symbol, level = SYMBOLS[op]
        around = (level + 1, level + 1) if level == 1 else (level, level + 1)
        around = (_ATOM, SIGNED) if level == _POWER else around
        return f"{self.arg(left, around[0])} {symbol} {self.arg(right, around[1])}", level

    def _key(self, key: Any) -> str:
        """A position of an index."""
        if type(key) is dict and "slice" in key:
            start, stop, step = ("" if each is None else number(each) for each in key["slice"])
            return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"
        return self.arg(key)

    def call(self, node: dict[str, Any]) -> str:
        """A node as a call of its op."""
        if not node.keys() <= _WRITTEN:
            raise GraphError("a statement with a field that has no text")
        name, attrs = node["op"], dict(node.get("attrs") or {})
        op, first = _op(name), []
        if op is not None and op.params[:1] and op.params[0].kind == "str":
            leading = attrs.get(op.params[0].name)
            if type(leading) is str:
                first = [string(attrs.pop(op.params[0].name))]
        kinds = {} if op is None else {param.name: param.kind for param in op.params}
        named = [
            f"{self._attr_name(key)}={self.setting(each, kinds.get(key))}" for key, each in attrs.items()
        ]
        return f"{self.path(name)}({', '.join([*first, *self.args(node.get('in', [])), *named])})"

    def path(self, name: Any) -> str:
        """The name of an op, where a value may be called like its first part."""
        parts = name.split(".") if isinstance(name, str) else [""]
        if not all(part.isascii() and part.isidentifier() for part in parts):
            raise GraphError("an op of such a name has no text")
        if name in TAKEN:
            return f"torch.ops.{name}"
        dotted = len(parts) > 1 and parts[0] in self.used
        return f"torch.{name}" if dotted else str(name)

    def _attr_name(self, name: Any) -> str:
        if (
            not isinstance(name, str)
            or not name.isascii()
            or not name.isidentifier()
            or keyword.iskeyword(name)
        ):
            raise GraphError("an attribute of such a name has no text")
        return name

    def setting(self, value: Any, kind: str | None = None) -> str:
        """The value of an attribute."""
        if type(value) is str:
            plain = kind == "DType" and value in DTYPES and value not in self.used
            return value if plain else string(value)
        if type(value) is list:
            return f"[{', '.join(self.setting(each) for each in value)}]"
        if type(value) is dict and "op" in value:
            raise GraphError("an attribute is no op node: give the node an id and refer to it")
        return self.arg(value)

    def names(self, value: Any) -> str:
        """An attribute that holds ids."""
        if value is None:
            return "None"
        return f"[{', '.join(map(self.name, [value] if isinstance(value, str) else value))}]"


def number(value: Any) -> str:
    """A number, True, False or None; a number that is not finite as attributes have it."""
    if type(value) not in (int, float, bool, type(None)):
        raise GraphError("an argument that has no text")
    if type(value) is float and not math.isfinite(value):
        return string(str(finite_or_name(value)))
    return repr(value)


def string(text: str) -> str:
    """A text constant in quotation marks, in ASCII."""
    plain = text.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + "".join(each if " " <= each <= "~" else _escaped(ord(each)) for each in plain) + "'"


def _escaped(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


def tensor(raw: Any, requires_grad: object = False) -> str:
    """A tensor that is part of a program."""
    said = [] if not requires_grad else ["requires_grad=True"]
    if type(raw) is dict and raw.keys() == {"data", "dtype"} and raw["dtype"] in DTYPES:
        return f"tensor({', '.join([_json(raw['data']), 'dtype=' + string(raw['dtype']), *said])})"
    return f"tensor({', '.join([_json(raw), *said])})"


def _json(value: Any) -> str:
    """JSON, written in Python."""
    if type(value) is str:
        return string(value)
    if type(value) is list:
        return f"[{', '.join(map(_json, value))}]"
    if type(value) is dict:
        return "{" + ", ".join(f"{string(key)}: {_json(each)}" for key, each in value.items()) + "}"
    return number(value)


def _is_operand(arg: Any) -> bool:
    """Whether an argument may stand beside an operator."""
    if type(arg) is dict:
        return not arg.keys() & _SPECIAL
    return type(arg) in (str, int, float, bool)


def _op(name: Any) -> Op | None:
    try:
        return lookup(name)
    except (EngineError, TypeError):
        return None


def _is_op(name: str) -> bool:
    return _op(name) is not None
