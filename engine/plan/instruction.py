"""What a plan is made of before it is scheduled."""

from __future__ import annotations

from typing import Any, NamedTuple

from engine.bounded import Bounded
from engine.graph import Value
from engine.levels import Levels
from engine.op import Op

_COMMUTING = frozenset({"mul", "add"})


class Instruction(NamedTuple):
    """One call that a plan makes, over `levels`; operands are values or Python scalars."""

    op: Op
    operands: tuple[Any, ...]
    attrs: dict[str, Any]
    outputs: tuple[Value, ...]
    levels: Levels = ()

    @property
    def key(self) -> Any:
        """Something hashable that is the same for calls that give the same, bit for bit."""
        operands = tuple([x if type(x) is Value else plain_key(x) for x in self.operands])
        if self.op.name in _COMMUTING and self.attrs.get("alpha", 1) == 1:
            operands = tuple(sorted(operands, key=id))
        return self.op, operands, plain_key(self.attrs) if self.attrs else None


def plain_key(each: Any) -> Any:
    """Something hashable that tells operands and settings apart, 1 from 1.0 and True among them."""
    if isinstance(each, Value):
        return each
    if isinstance(each, dict):
        return tuple((name, plain_key(value)) for name, value in each.items())
    if isinstance(each, (tuple, list)):
        return tuple(map(plain_key, each))
    if type(each) is Bounded:
        return id(each)
    return (type(each), repr(each)) if isinstance(each, (bool, int, float, complex)) else each
