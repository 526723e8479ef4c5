"""Python's operators and the ops that they are."""

from __future__ import annotations

import ast
from typing import Any

from engine.errors import EngineError
from engine.registry import lookup

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.FloorDiv: "floor_divide",
    ast.Mod: "remainder",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.BitAnd: "bitwise_and",
    ast.BitOr: "bitwise_or",
    ast.BitXor: "bitwise_xor",
    ast.LShift: "bitwise_left_shift",
    ast.RShift: "bitwise_right_shift",
}
UNARY: dict[type[ast.unaryop], str] = {ast.USub: "neg", ast.UAdd: "positive", ast.Invert: "bitwise_not"}
COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Eq: "eq",
    ast.NotEq: "ne",
}
# (symbol, how tightly it binds), for what is written with an operator
SYMBOLS = {
    "bitwise_or": ("|", 2), "bitwise_xor": ("^", 3), "bitwise_and": ("&", 4),
    "bitwise_left_shift": ("<<", 5), "bitwise_right_shift": (">>", 5),
    "add": ("+", 6), "sub": ("-", 6),
    "mul": ("*", 7), "div": ("/", 7), "floor_divide": ("//", 7), "remainder": ("%", 7), "matmul": ("@", 7),
    "pow": ("**", 9),
    "lt": ("<", 1), "le": ("<=", 1), "gt": (">", 1), "ge": (">=", 1), "eq": ("==", 1), "ne": ("!=", 1),
}  # fmt: skip
SIGNS = {"neg": "-", "positive": "+", "bitwise_not": "~"}
TAKEN = frozenset(
    {"tensor", "slice", "while_loop"}
)  # names that mean something else: the ops are torch.ops.…
SIGNED = 8  # how tightly a sign binds


def is_number(arg: Any) -> bool:
    """Whether an argument is a Python scalar."""
    if type(arg) is dict:
        return list(arg) == ["complex"]
    return isinstance(arg, (int, float))


def binary(op: str, left: Any, right: Any) -> dict[str, Any]:
    """The node of `left op right`, that of a number and a tensor as torch has it."""
    if is_number(left) and not is_number(right):
        if op == "sub":
            return {"op": "rsub", "in": [right, left]}
        if op == "div":
            return {"op": "mul", "in": [{"op": "reciprocal", "in": [right]}, left]}
    return {"op": op, "in": [left, right]}


def known(op: str) -> str:
    """`op`, or the logical op where there is none on bits."""
    if op.startswith("bitwise_"):
        try:
            lookup(op)
        except EngineError:
            return op.replace("bitwise_", "logical_")
    return op
