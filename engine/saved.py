"""What a grad_fn keeps: the `saves` of a record read once, and answered for one call.

An entry is a name as torch prints it: an operand ("other"; "self" is the first), an output ("result",
"indices"), a setting ("dim"), or a size ("self_sym_sizes", "self_sym_numel", "mat2_sym_strides",
"weight_sym_argsize_0"). "self for other" keeps self only if the gradient of other is needed;
"ord=p" shows the setting p as ord.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from engine.op import Op
from engine.signature import LISTS
from engine.types import Type


class Field(NamedTuple):
    """One saved name: where it comes from ("operand", "operands", "output", "setting", "size"), which one,
    the operands whose gradient needs it (empty: any), and for sizes how to read it off a Type."""

    name: str
    source: str
    ref: Any
    needed_for: tuple[int, ...]
    read: Callable[[Type], Any] | None = None


_SIZES: dict[str, Callable[[Type], Any]] = {
    "_sym_sizes_opt": lambda meta: list(meta.shape),
    "_sym_sizes": lambda meta: list(meta.shape),
    "_sym_numel": lambda meta: meta.numel,
    "_sym_strides": lambda meta: list(meta.stride()),
    "_sym_argsize_0": lambda meta: meta.shape[0],
    "_dim": lambda meta: meta.ndim,
}


@functools.cache
def fields(op: Op) -> tuple[Field, ...]:
    """The saved names of `op`, in the order of its record."""
    return tuple(_field(op, entry) for entry in op.saves)


def _operand_position(op: Op, name: str) -> int | None:
    operands = [p.name for p in op.params if p.is_operand]
    if name in operands:
        return operands.index(name)
    return 0 if name == "self" and operands else None


def _field(op: Op, entry: str) -> Field:
    entry, _, needed = entry.partition(" for ")
    name, _, source = entry.partition("=")
    source = source or name
    needed_for = tuple(at for each in needed.split() if (at := _operand_position(op, each)) is not None)
    settings = [p.name for p in op.params if not p.is_operand]
    if source in op.outputs:
        return Field(name, "output", op.outputs.index(source), needed_for)
    if source in settings:
        return Field(name, "setting", source, needed_for)
    position = _operand_position(op, source)
    if position is not None:
        listed = [p for p in op.params if p.is_operand][position].kind in LISTS
        return Field(name, "operands" if listed else "operand", position, needed_for)
    for suffix, read in _SIZES.items():
        position = _operand_position(op, source.removesuffix(suffix))
        if source.endswith(suffix) and position is not None:
            return Field(name, "size", position, needed_for, read)
    raise ValueError(f"op {op.name} saves {source!r}, which it does not have")


def kept(op: Op, needs: Sequence[bool]) -> tuple[set[int], set[int]]:
    """Positions of the operands and of the outputs that the rule may read, where `needs` tells the operands
    whose gradient is wanted."""
    operands: set[int] = set()
    outputs: set[int] = set()
    for field in fields(op):
        if field.needed_for and not any(needs[at] for at in field.needed_for):
            continue
        if field.source == "operand":
            operands.add(field.ref)
        elif field.source == "operands":
            operands.update(range(field.ref, len(needs)))
        elif field.source == "output":
            outputs.add(field.ref)
    return operands, outputs


def describe(
    op: Op, operands: Sequence[Any], outputs: Sequence[Any], given: dict[str, Any], needs: Sequence[bool]
) -> dict[str, Any]:
    """Saved names with their values; a tensor that is not kept is None, a size is a list or an int."""
    found: dict[str, Any] = {}
    for field in fields(op):
        value: Any
        if field.source == "setting":
            value = given[field.ref]
        elif field.source == "size":
            assert field.read is not None
            meta = getattr(operands[field.ref], "meta", None)
            value = None if meta is None else field.read(meta)
        elif field.needed_for and not any(needs[at] for at in field.needed_for):
            value = None
        elif field.source == "operands":
            value = list(operands[field.ref :])
        else:
            value = (operands if field.source == "operand" else outputs)[field.ref]
        found[field.name] = value
    return found
