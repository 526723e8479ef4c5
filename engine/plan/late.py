"""Calls whose types or settings hold sizes of the run: bound when made, not when planned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.batched import compile_call
from engine.bounded import Sizes, is_bounded, learn, resolve
from engine.dtypes import default_dtype, get_default_dtype, int64
from engine.errors import DimError, EngineError, ShapeError
from engine.flow import ControlKernel
from engine.graph import Value
from engine.levels import Levels
from engine.op import Op
from engine.plan.instruction import Instruction
from engine.subscript import selects
from engine.types import Type


class Sized(NamedTuple):
    """An operand of a run: its type with the sizes that it has there."""

    meta: Type
    levels: Levels


def is_late(each: Instruction) -> bool:
    """Whether a size that an instruction reads or makes is known only at run time."""
    metas = [getattr(x, "meta", x) for x in (*each.operands, *each.outputs)]
    return is_bounded(metas) or is_bounded(each.attrs)


def late_call(each: Instruction) -> Callable[..., Any]:
    """A function of the run's sizes and the operands; it enters the sizes of its results."""
    operands = [getattr(x, "meta", x) for x in each.operands]
    levels = [getattr(x, "levels", None) for x in each.operands]
    outputs = [y.meta for y in each.outputs]
    # a scalar operand that is a size of the run replaces what stands in its register
    scalars = [at for at, x in enumerate(each.operands) if not isinstance(x, Value) and is_bounded(x)]

    default = get_default_dtype()  # of the integers that become floats

    def call(sizes: Sizes, *arrays: Any) -> Any:
        with default_dtype(default):
            return computed(sizes, *arrays)

    def computed(sizes: Sizes, *arrays: Any) -> Any:
        metas, attrs = resolve(operands, sizes), resolve(each.attrs, sizes)
        if each.op.infer is not None:
            each.op.infer_types(metas, attrs)  # what does not fit is refused in torch's words
        values = list(arrays)
        lead = len(values) - len(operands)  # the generator, where the op takes one
        for at in scalars:
            values[lead + at] = metas[at]
        known = [meta if _is_new(meta, sizes) else resolve(meta, sizes) for meta in outputs]
        try:
            now = [x if held is None else Sized(x, held) for x, held in zip(metas, levels, strict=True)]
            if each.levels and "Indices" in each.op.kinds and is_bounded(known):
                now, values = _counted(each.op, now, values)
                known = list(each.op.infer_types(now, attrs))
            found = compile_call(each.op, now, tuple(known), attrs, each.levels)(*values)
        except (ValueError, IndexError) as error:
            if isinstance(error, EngineError) or isinstance(each.op.run, ControlKernel):
                raise
            kind = DimError if isinstance(error, IndexError) else ShapeError
            raise kind(f"{each.op.short}: {error}") from error
        learn(each.outputs, (found,) if each.op.single else found, sizes)
        return found

    return call


def _counted(op: Op, operands: Sequence[Any], arrays: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Operands and their arrays with the places where a mask is true instead of the mask, which has no batch
    axis: as many for every sample."""
    found: list[Any] = []
    values: list[Any] = []
    for each, array, kind in zip(operands, arrays, op.operand_kinds(len(operands)), strict=True):
        if kind == "Indices" and each is not None and selects(each.meta.dtype):
            places = np.nonzero(array)
            found += [Sized(Type(at.shape, int64), ()) for at in places]
            values += places
        else:
            found.append(each)
            values.append(array)
    return found, values


def _is_new(meta: Any, sizes: Sizes) -> bool:
    """Whether a result has a size that only its kernel will tell."""
    return any(is_bounded(size) and size.evaluate is None and id(size) not in sizes for size in meta.shape)
