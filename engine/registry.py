"""The registry of ops: every record under its name, its aliases and the short forms that torch has."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from engine.errors import UnknownOp, shown

if TYPE_CHECKING:
    from engine.op import Op

REGISTRY: dict[str, Op] = {}
MODULES: dict[str, str] = {}  # where each op is defined
_NAMES: dict[str, Op] = {}
_DEFINING = {"engine.registry", "engine.define"}


def register(op: Op) -> Op:
    """Enter `op` under its name, its aliases and the short forms that torch has."""
    if op.name in REGISTRY:
        raise ValueError(f"op {op.name} is defined twice")
    REGISTRY[op.name] = op
    MODULES[op.name] = _caller()
    _NAMES[op.name] = op
    names = list(op.aliases)
    if op.name.startswith("nn.functional."):
        names += [f"F.{op.short}", op.short]
    for alias in names:
        if _NAMES.setdefault(alias, op) is not op and alias in op.aliases:
            raise ValueError(f"alias {alias} of {op.name} is taken by {_NAMES[alias].name}")
    return op


def _caller() -> str:
    """The module whose definition is being entered."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals["__name__"] in _DEFINING:
        frame = frame.f_back
    return str(frame.f_globals["__name__"])


def names_of(op: Op) -> list[str]:
    """Every other name that finds `op`."""
    return sorted(name for name, found in _NAMES.items() if found is op and name != op.name)


def known_names() -> list[str]:
    """Every name that finds an op."""
    return list(_NAMES)


def lookup(name: str) -> Op:
    """The op called `name`: torch's path without `torch.`, a short name or an alias; else UnknownOp."""
    found = _NAMES.get(name)
    if found is None:
        raise UnknownOp(f"unknown op '{shown(name)}'")
    return found
