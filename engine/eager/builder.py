"""Define-by-run: the builder that runs each op on arrays now, and records it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import random
from engine.bounded import is_bounded
from engine.builder import Functions, register_eager
from engine.dtypes import DType, get_default_dtype
from engine.eager.active import active_levels
from engine.eager.node import node_class
from engine.eager.tensor import Tensor
from engine.errors import RuntimeArgumentError
from engine.grad_mode import grad_enabled
from engine.levels import INTO, Levels, levels_of, union
from engine.op import Op
from engine.strides import laid_out
from engine.subscript import selects
from engine.types import Type
from engine.variants import Sized, Variant, Variants

_DYNAMIC = (
    "vmap: We do not support batching operators that can support dynamic shape. Attempting to batch over"
)


class Eager:
    """Define-by-run: each op runs now, and is recorded if an operand requires grad."""

    def apply(self, op: Op, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Run one call of `op`."""
        if op.kind == "composite":
            return op.expand(F, args, kwargs)
        variants = _variants(get_default_dtype())
        key, table = variants.find(op, args, kwargs)
        known = table.get(key)
        if known is None:
            bound = op.bind(args, kwargs)
            operands, variant = _variant(op, *bound)
            if key is not None and variant.shared and not variant.levels:
                variants.keep(key, table, args, bound.operands, variant)
        else:
            variant, operands = known.variant, known.operands(args)
        arrays = [x.array if isinstance(x, Tensor) else x for x in operands]
        if op.kind == "random":
            arrays.insert(0, random.default_generator())
        with np.errstate(all="ignore"):
            found = variant.call(*arrays)
        results = _results(variant, operands, (found,) if op.single else found)
        if op.vjp is not None and grad_enabled():
            _record(variant, operands, results)
        return results[0] if op.single else tuple(results)


@functools.cache
def _variants(default: DType) -> Variants:
    """The variants of calls made now, while `default` is the default dtype."""
    return Variants(Tensor, default)


def _variant(
    op: Op, operands: Sequence[Any], attrs: dict[str, Any], given: dict[str, Any]
) -> tuple[Sequence[Any], Variant]:
    """What is known of a call before it runs, and its operands."""
    out = op.infer_types(operands, attrs)
    levels = _levels_of(op, operands, attrs)
    if levels and is_bounded(out):
        operands = _counted(op, operands)
        out = op.infer_types(operands, attrs)
        if is_bounded(out):
            raise RuntimeArgumentError(f"{_DYNAMIC} {op.name}.")
    return operands, Variant(op, operands, (attrs, given), [Sized(meta, levels) for meta in out], levels)


def _results(variant: Variant, operands: Sequence[Any], found: Sequence[Any]) -> list[Tensor]:
    levels, op = variant.levels, variant.op
    pairs = zip(found, variant.results, strict=True)
    if op.kind == "view" or op is INTO:
        results = [Tensor(array, out.meta, base=operands[0], levels=levels) for array, out in pairs]
        if op.vjp is None:
            results[0].base = None  # detach: the same memory, but what changes it changes no history
        return results
    return [_owned(np.asarray(array), out.meta, levels) for array, out in pairs]


def _levels_of(op: Op, operands: Sequence[Any], attrs: dict[str, Any]) -> Levels:
    """The batch levels of what `op` gives. What is created like a batched tensor is batched as well, so that
    it can be changed in place."""
    if op.kind in ("level", "random"):
        return levels_of(op, operands, attrs, active_levels())
    return union(operands)


def _counted(op: Op, operands: Sequence[Any]) -> tuple[Any, ...]:
    """The operands with the places where a mask is true instead of the mask: as many for every sample."""
    found: list[Any] = []
    for each, kind in zip(operands, op.operand_kinds(len(operands)), strict=True):
        if kind != "Indices" or each is None or not selects(each.dtype):
            found.append(each)
        elif each.levels:
            raise RuntimeArgumentError(f"{_DYNAMIC} indexing with a boolean mask.")
        else:
            found += [Tensor(places) for places in np.nonzero(each.array)]
    return tuple(found)


def _owned(array: np.ndarray[Any, Any], meta: Type, levels: Levels) -> Tensor:
    """A result with memory of its own, in the order that its type promises, of the size found."""
    if levels:
        return Tensor(array, meta, levels=levels)
    if is_bounded(meta):
        meta = Type(array.shape, meta.dtype)
    return Tensor(laid_out(array, meta), meta)


def _record(variant: Variant, operands: Sequence[Any], results: list[Tensor]) -> None:
    """Give the results a grad_fn if an operand in a differentiable slot requires grad."""
    if variant.differentiable:
        needs = variant.needs(tuple([operands[at].requires_grad for at in variant.tensors]))
        if needs:
            node = node_class(variant.named(operands))(variant, operands, results, needs)
            for at in variant.differentiable:
                results[at].attach(node, at)


EAGER = Eager()
F = Functions(EAGER)
register_eager(EAGER)
