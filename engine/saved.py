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

from engine.dtypes import DType, bool_, complex128, float64, int64
from engine.op import Op
from engine.signature import LISTS, is_number
from engine.types import Type


class Field(NamedTuple):
    """One saved name: where it comes from ("operand", "operands", "output", "setting", "size" of an operand,
    "output size"), which one, the operands whose gradient needs it (empty: any), and for sizes how to read
    it off a Type."""

    name: str
    source: str
    ref: Any
    needed_for: tuple[int, ...]
    read: Callable[[Type], Any] | None = None


class Wrapped(NamedTuple):
    """A Python scalar in a tensor's slot, shown as torch shows it: a 0-dim tensor of the widest dtype."""

    value: Any
    meta: Type

    @property
    def dtype(self) -> DType:
        return self.meta.dtype


def _wrapped(value: Any) -> Wrapped:
    kinds = ((bool, bool_), (int, int64), (float, float64), (complex, complex128))
    return Wrapped(value, Type((), next(dtype for kind, dtype in kinds if isinstance(value, kind))))


_SIZES: dict[str, Callable[[Type], Any]] = {
    "_sym_sizes_opt": lambda meta: list(meta.shape),
    "_sym_sizes": lambda meta: list(meta.shape),
    "_sym_numel": lambda meta: meta.numel,
    "_sym_strides": lambda meta: list(meta.stride()),
    "_sym_argsize_0": lambda meta: meta.shape[0],
    "_sym_argsize_minus_1": lambda meta: meta.shape[-1],
    "_sym_argsize_minus_2": lambda meta: meta.shape[-2],
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
        owner = source.removesuffix(suffix)
        position = _operand_position(op, owner)
        if source.endswith(suffix) and position is not None:
            return Field(name, "size", position, needed_for, read)
        if source.endswith(suffix) and owner in op.outputs:
            return Field(name, "output size", op.outputs.index(owner), needed_for, read)
    raise ValueError(f"op {op.name} saves {source!r}, which it does not have")


def _places(op: Op, field: Field, count: int) -> range:
    """Where an operand, or a list of them, is among the `count` flat operands of a call."""
    kinds = [p.kind for p in op.params if p.is_operand]
    extra = count - len(kinds) if op.has_lists else 0
    start = field.ref + (extra if any(kind in LISTS for kind in kinds[: field.ref]) else 0)
    return range(start, start + 1 + (extra if field.source == "operands" else 0))


def kept(op: Op, needs: Sequence[bool]) -> tuple[set[int], set[int]]:
    """Positions of the operands and of the outputs that the rule may read, where `needs` tells the operands
    whose gradient is wanted."""
    operands: set[int] = set()
    outputs: set[int] = set()
    for field in fields(op):
        if field.needed_for and not any(needs[at] for at in field.needed_for):
            continue
        if field.source in ("operand", "operands"):
            operands.update(_places(op, field, len(needs)))
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
        elif field.source == "output size":
            assert field.read is not None
            value = field.read(outputs[field.ref].meta)
        elif field.source == "size":
            assert field.read is not None
            meta = getattr(operands[_places(op, field, len(operands))[0]], "meta", None)
            unused = field.needed_for and not any(needs[at] for at in field.needed_for)
            value = [] if unused else None if meta is None else field.read(meta)
        elif field.needed_for and not any(needs[at] for at in field.needed_for):
            value = None
        elif field.source == "operands":
            value = [operands[at] for at in _places(op, field, len(operands))]
        elif field.source == "output":
            value = outputs[field.ref]
        else:
            at = _places(op, field, len(operands))[0]
            value = operands[at]
            if is_number(value) and op.operand_kinds(len(operands))[at] == "Tensor":
                value = _wrapped(value)
        found[field.name] = value
    return found


def is_number_setting(op: Op, name: str) -> bool:
    """Whether the saved `name` is a Number of the caller, which has a sign; other ints are dims and sizes."""
    source = {field.name: field for field in fields(op)}[name.removeprefix("_saved_")]
    numbers = [p.name for p in op.params if p.kind == "Number"]
    return source.source == "operand" or source.ref in numbers


def saves_tensors(op: Op, operands: Sequence[Any], needs: Sequence[bool]) -> bool:
    """Whether the call keeps a tensor (a wrapped Python scalar counts), so that its graph can be freed."""
    kept_operands, kept_outputs = kept(op, needs)
    kinds = op.operand_kinds(len(operands))
    return bool(kept_outputs) or any(
        hasattr(operands[at], "meta") or (kinds[at] == "Tensor" and operands[at] is not None)
        for at in kept_operands
    )
