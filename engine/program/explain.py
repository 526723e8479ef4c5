"""What a plan would do, in plain terms: for those who want to know before they compute."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from engine.bounded import is_bounded
from engine.dtypes import DType
from engine.graph import Value
from engine.plan.instruction import Instruction

MAX_STEPS = 500  # that are listed; there is no bound on how many there are
_MAX_SETTING = 32  # numbers in a step's setting; longer ones are left out


def outline(plan: Any, outputs: Mapping[str, Value], nodes: int) -> dict[str, Any]:
    """What `plan` gives, takes and does: plain dicts, lists, numbers and strings, of bounded size.

    `nodes` is what the graph had before simplification. A value is named as its statement names it, else
    `%0`, `%1` … in the order of appearance; shapes are those of the arrays, batch axes included.
    """
    names = _Names()
    instructions: Sequence[Instruction] = plan.instructions
    return {
        "outputs": {name: _described(value) for name, value in outputs.items()},
        "nodes": nodes,
        "calls": len(instructions),
        "steps": [_step(each, names) for each in instructions[:MAX_STEPS]],
    }


class _Names(dict[Value, str]):
    """What values are called."""

    unnamed = 0

    def __missing__(self, value: Value) -> str:
        name = self[value] = value.name or f"%{self.unnamed}"
        self.unnamed += not value.name
        return name


def _step(each: Instruction, names: _Names) -> dict[str, Any]:
    """One call: its operands (numbers as they are), its settings, its results."""
    found: dict[str, Any] = {
        "op": each.op.name,
        "in": [_operand(operand, names) for operand in each.operands],
        "out": [{"id": names[value], **_described(value)} for value in each.outputs],
    }
    attrs = {name: _plain(value) for name, value in each.attrs.items() if value is not None}
    attrs = {name: plain for name, plain in attrs.items() if plain is not _UNSAID}
    return {**found, "attrs": attrs} if attrs else found


def _operand(operand: Any, names: _Names) -> Any:
    if isinstance(operand, Value):
        return {"id": names[operand], **_described(operand)}
    plain = _plain(operand)
    return None if plain is _UNSAID else plain


def _described(value: Value) -> dict[str, Any]:
    """Shape and dtype; `at_most` where only a run tells the sizes, and these are their bounds."""
    levels = getattr(value, "levels", ())
    shape = [*(level.size for level in levels), *map(int, value.shape)]
    found: dict[str, Any] = {"shape": shape, "dtype": value.dtype.name}
    return {**found, "at_most": True} if is_bounded(value.meta) else found


_UNSAID = object()  # a setting that has no plain form, or a long one
_SPECIAL = {math.inf: "Infinity", -math.inf: "-Infinity"}


def _plain(value: Any) -> Any:
    """A setting, as JSON could have it; `_UNSAID` for what it cannot have."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < 2**63 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else _SPECIAL.get(value, "NaN")
    if isinstance(value, complex):
        return {"complex": [_plain(value.real), _plain(value.imag)]}
    if isinstance(value, DType):
        return value.name
    if isinstance(value, (tuple, list)) and len(value) <= _MAX_SETTING:
        found = [_plain(each) if isinstance(each, (bool, int, float)) else _UNSAID for each in value]
        return _UNSAID if _UNSAID in found else found
    return _UNSAID
