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
from app.compute import kinds
from app.compute.call import JSON, PLAIN, Call, Cost
from app.compute.kinds import Split
from app.compute.outlines import Outline, outline
from app.compute.programs import CacheInfo

MAX_KINDS = 4096
MAX_BYTES = 32 << 20  # of what is kept for all kinds
LATEST = 4  # kinds that a body is compared with before it is split
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

    def __init__(self, inputs: list[Declared], split: Split) -> None:
        self.inputs, self.colons, self.size = inputs, split.colons, split.size
        self.outline: Outline | None = None
        self.used = False  # since it was last passed over
        self.variants: dict[Types, _Variant] = {}

    def request(self, call: Call, texts: list[bytes], seed: int) -> Known | None:
        """The request with these numbers, if they are of types that were answered before."""
        arrays = _arrays(texts, self.inputs)
        variant = None if arrays is None else self.variants.get(_types(arrays))
        if arrays is None or variant is None:
            return None
        if variant.others:
            others = _arrays(texts[len(self.inputs) :], variant.others)
            if others is None or _types(others) != variant.types:
                return None
            arrays += others
        self.used = True
        return Known(call, variant.plan, arrays, seed)


class Kinds:
    """The kinds seen lately: first come, first gone, but one that was used meanwhile is passed over once."""

    def __init__(self, limits: engine.Limits) -> None:
        self.limits = (limits.rank, limits.elements)
        self.size = 0
        self._hits = self._misses = 0
        self._kept: OrderedDict[Hashable, _Requests] = OrderedDict()
        self._latest: list[_Requests] = []  # whose outlines are tried

    @property
    def info(self) -> CacheInfo:
        """Counts since the service was made."""
        return CacheInfo(self._hits, self._misses, len(self._kept), self.size)

    def find(self, call: Call) -> Known | None:
        """The request, if one of its kind is known and its numbers are of the same types."""
        found = None
        if call.sent.media == JSON and call.sent.coding == "identity" and call.named is None:
            found = self._alike(call) or self._split(call)
        if found is None:
            self._misses += 1
        else:
            self._hits += 1
        return found

    def _alike(self, call: Call) -> Known | None:
        """The same if it is written as one of the latest."""
        body = call.body
        if type(body) is bytes:
            for known in self._latest:
                outline = known.outline
                if outline is not None and outline.route == call.route and (texts := outline.numbers(body)):
                    return known.request(call, texts, outline.seed)
        return None

    def _split(self, call: Call) -> Known | None:
        split = kinds.split(call)
        known = None if split is None else self._kept.get(split.kind)
        if split is None or known is None or split.colons != known.colons:  # more of them: a key stands twice
            return None
        found = known.request(call, [each.numbers for each in split.texts], split.seed)
        if found is not None and known not in self._latest:
            self._latest = [known, *self._latest[: LATEST - 1]]
        return found

    def learn(self, call: Call, plan: Plan, floats: engine.DType) -> None:
        """Remember how a request was answered, in which floats without a dtype are `floats`."""
        split = kinds.split(call) if call.sent == PLAIN and call.named is None else None
        if split is None:
            return
        known = self._kept.get(split.kind)
        if known is None:
            inputs = [Declared.of(each.said, floats, self.limits) for each in split.inputs]
            known = self._kept[split.kind] = _Requests(inputs, split)
            known.outline = outline(call.route, bytes(call.body), split)
            self.size += known.size
        own, types = len(split.inputs), plan.repeat.types
        others = [
            Declared.of(each.said, floats, self.limits).exactly(engine.dtype(dtype))
            for each, (_, dtype) in zip(split.texts[own:], types[own:], strict=True)
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
        self._latest = []
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
                self._latest = [each for each in self._latest if each is not oldest]


def _arrays(texts: Sequence[bytes], declared: Sequence[Declared]) -> list[Array] | None:
    """The arrays of the first of these numbers, which are declared so; None where one of them is odd."""
    found = []
    for text, each in zip(texts, declared, strict=False):
        array = each.array(text)
        if array is None:
            return None
        found.append(array)
    return found


def _types(arrays: Sequence[Array]) -> Types:
    return tuple([(each.shape, each.dtype) for each in arrays])
