"""What a plan is made of before it is scheduled."""

from __future__ import annotations

from typing import Any, NamedTuple

from engine.graph import Value
from engine.levels import Levels
from engine.op import Op


class Instruction(NamedTuple):
    """One call that a plan makes, over `levels`; operands are values or Python scalars."""

    op: Op
    operands: tuple[Any, ...]
    attrs: dict[str, Any]
    outputs: tuple[Value, ...]
    levels: Levels = ()
