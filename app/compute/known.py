"""Kinds of requests that were answered before: their plan, and their answer without numbers, are at hand.

Nothing of the validation is left out for them. A request of a known kind differs in its numbers alone from
one that was validated by this same service; the numbers are read as strictly as ever, and their types must be
those of before. Whatever is odd goes the general way, which says what is wrong.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import engine
from app.codec.arrays import Array
from app.codec.declared import Declared
from app.codec.write import Template
from app.compute.call import Call, Cost
from app.compute.kinds import Split, Text

MAX_KINDS = 4096
MAX_BYTES = 32 << 20  # of what is kept for all kinds
MAX_VARIANTS = 8  # of a kind, by the shapes and dtypes of its inputs

Types = tuple[tuple[tuple[int, ...], Any], ...]  # shape and numpy dtype of each array


class Plan(NamedTuple):
    """How to answer requests of one kind whose inputs are of the same types; `graph` is its id and text."""

    graph: tuple[str, bytes]
    cost: Cost
    repeat: engine.Repeat
    template: Template


class Known(NamedTuple):
    """A request of a known kind, ready to run."""

    call: Call
    plan: Plan
    arrays: list[Array]
    seed: int

    @property
    def graph(self) -> tuple[str, bytes]:
        return self.plan.graph

    @property
    def cost(self) -> Cost:
        return self.plan.cost


class _Variant(NamedTuple):
    plan: Plan
    others: list[Declared]  # the tensors beside the inputs
    types: Types  # of those


class _Requests:
    """What requests of one kind have in common, and their variants by the types of the inputs."""

    def __init__(self, inputs: list[Declared], colons: int, size: int) -> None:
        self.inputs, self.colons, self.size = inputs, colons, size
        self.used = False  # since it was last passed over
        self.variants: dict[Types, _Variant] = {}


class CacheInfo(NamedTuple):
    """How often a request was of a known kind, and what is kept now."""

    hits: int
    misses: int
    kinds: int
    bytes: int


class Kinds:
    """The kinds seen lately: first come, first gone, but one that was used meanwhile is passed over once."""

    def __init__(self, limits: engine.Limits) -> None:
        self.limits = (limits.rank, limits.elements)
        self.size = 0
        self._hits = self._misses = 0
        self._kept: OrderedDict[Hashable, _Requests] = OrderedDict()

    @property
    def info(self) -> CacheInfo:
        """Counts since the service was made."""
        return CacheInfo(self._hits, self._misses, len(self._kept), self.size)

    def find(self, call: Call, split: Split) -> Known | None:
        """The request, if one of its kind is known and its numbers are of the same types."""
        found = self._find(call, split)
        if found is None:
            self._misses += 1
        else:
            self._hits += 1
        return found

    def _find(self, call: Call, split: Split) -> Known | None:
        known = self._kept.get(split.kind)
        if known is None or split.colons != known.colons:  # more of them: a key stands twice
            return None
        arrays = _arrays(split.inputs, known.inputs)
        variant = None if arrays is None else known.variants.get(_types(arrays))
        if arrays is None or variant is None:
            return None
        if variant.others:
            others = _arrays([*split.grads, *split.others], variant.others)
            if others is None or _types(others) != variant.types:
                return None
            arrays += others
        known.used = True
        return Known(call, variant.plan, arrays, split.seed)

    def learn(self, split: Split, plan: Plan, floats: engine.DType) -> None:
        """Remember how a request was answered, in which floats without a dtype are `floats`."""
        known = self._kept.get(split.kind)
        if known is None:
            inputs = [Declared.of(said, floats, self.limits) for _, said in split.inputs]
            known = self._kept[split.kind] = _Requests(inputs, split.colons, split.size)
            self.size += known.size
        own, types = len(split.inputs), plan.repeat.types
        others = [
            Declared.of(said, floats, self.limits).exactly(engine.dtype(dtype))
            for (_, said), (_, dtype) in zip([*split.grads, *split.others], types[own:], strict=True)
        ]
        if len(known.variants) == MAX_VARIANTS:
            self._forget(known, next(iter(known.variants)))
        self._forget(known, types[:own])
        known.variants[types[:own]] = _Variant(plan, others, types[own:])
        known.size += plan.template.size
        self.size += plan.template.size
        known.used = True  # or it might be the one that goes
        self._trim()
        known.used = False

    def forget(self) -> None:
        """Drop all of it."""
        self._kept.clear()
        self.size = 0

    def _forget(self, known: _Requests, types: Types) -> None:
        variant = known.variants.pop(types, None)
        if variant is not None:
            known.size -= variant.plan.template.size
            self.size -= variant.plan.template.size

    def _trim(self) -> None:
        while len(self._kept) > MAX_KINDS or (self.size > MAX_BYTES and len(self._kept) > 1):
            kind, oldest = self._kept.popitem(last=False)
            if oldest.used:
                oldest.used = False
                self._kept[kind] = oldest
            else:
                self.size -= oldest.size


def _arrays(texts: Sequence[Text], declared: Sequence[Declared]) -> list[Array] | None:
    """The arrays of these numbers; None where one of them is odd."""
    found = []
    for (text, _), each in zip(texts, declared, strict=True):
        array = each.array(text)
        if array is None:
            return None
        found.append(array)
    return found


def _types(arrays: Sequence[Array]) -> Types:
    return tuple([(each.shape, each.dtype) for each in arrays])
