"""What all calls of an op with the same types and settings have in common.

A program calls few ops on few types, many times. What is known of a call before any arithmetic (the types of
its results, which operands have a slot, the compiled kernel, what its rule appends) is found once for each
`Variant` and shared by its calls. `Variants` knows those that there are.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from engine import saved
from engine.batched import compile_call
from engine.bounded import is_bounded
from engine.dtypes import DType
from engine.levels import Levels
from engine.op import Op
from engine.types import Type

Table = dict[Any, "Call"]
_MOST, _LONGEST = 8, 64  # numbers in a list, letters in a text that calls are still told apart by
_MOST_CALLS, _MOST_TABLES, _MOST_TYPES = 2048, 16, 65_536  # that are known at a time
_PLAIN = frozenset({int, bool, str, DType, type(None)})


class Sized(NamedTuple):
    """What is known of a tensor: the type of a sample, and the levels."""

    meta: Type
    levels: Levels


class Cost(NamedTuple):
    """What a call takes: bytes of its results, bytes that it needs besides, flops."""

    made: int
    workspace: int
    flops: int


class Kept(NamedTuple):
    """The places of the operands and of the results that a rule may read, and whether one is a tensor."""

    operands: set[int]
    outputs: set[int]
    tensors: bool


class Variant:
    """An op for operands of certain types, with certain settings. `results` has a Sized for each output,
    `tensors` the places of the operands that may want a cotangent, `differentiable` those of the outputs that
    may have one, `slots` those of the operands with a place in next_functions; `given` are the settings as
    the caller wrote them. If it is `shared`, more calls may be of it: it is never changed."""

    __slots__ = (
        "_call", "_keeps", "_needs", "attrs", "cost", "differentiable", "given", "levels", "meta", "op",
        "operands", "results", "rules", "shared", "single", "slots", "taped", "tensors", "title",
    )  # fmt: skip

    def __init__(
        self,
        op: Op,
        operands: Sequence[Any],
        settings: tuple[dict[str, Any], dict[str, Any]],
        results: Iterable[Sized],
        levels: Levels,
    ) -> None:
        self.op = op
        self.operands = [Sized(x.meta, x.levels) if hasattr(x, "meta") else x for x in operands]
        self.attrs, self.given = settings
        self.results = tuple(results)
        self.levels = levels
        self.single = op.single and not op.is_control  # one result, with the levels of the call
        self.meta: Any = self.results[0].meta if self.single else None
        self.taped = op.vjp is not None
        self.slots = op.slots(operands)
        self.title: str | None = None  # what torch calls the grad_fn, once it was asked for
        self.tensors = [at for at in self.slots if hasattr(operands[at], "meta")]
        self.differentiable = [at for at, y in enumerate(self.results) if y.meta.dtype.differentiable]
        self.shared = op.kind != "random" and not op.is_control and not self._has_sizes()
        self.rules: dict[Any, Any] = {}  # what its rule appends, kept by transforms.rules
        self.cost: Cost | None = None  # kept by plan.first
        self._keeps: dict[tuple[bool, ...], Kept] = {}
        self._needs: dict[tuple[bool, ...], tuple[bool, ...]] = {}
        self._call: Callable[..., Any] | None = None

    def _has_sizes(self) -> bool:
        """Whether sizes of the run come up in it: those that a kernel decides are each call's own."""
        metas: list[Type] = [x.meta for x in (*self.operands, *self.results) if isinstance(x, Sized)]
        return is_bounded(metas) or is_bounded(self.attrs)

    def named(self, operands: Sequence[Any]) -> str:
        """The name torch gives the grad_fn of a call with these operands."""
        if self.title is None:
            self.title = self.op.node_name(operands, self.given)
        return self.title

    def keeps(self, needs: tuple[bool, ...]) -> Kept:
        """What a grad_fn keeps of the operands and results, where `needs` tells who wants a cotangent."""
        found = self._keeps.get(needs)
        if found is None:
            places = saved.kept(self.op, needs)
            found = self._keeps[needs] = Kept(*places, saved.saves_tensors(self.op, self.operands, needs))
        return found

    @property
    def call(self) -> Callable[..., Any]:
        """The kernel: a function of the operands' arrays (a random op's takes the generator first)."""
        if self._call is None:
            out = tuple([y.meta for y in self.results])
            self._call = compile_call(self.op, self.operands, out, self.attrs, self.levels)
        return self._call

    def needs(self, wanted: tuple[bool, ...]) -> tuple[bool, ...]:
        """Which operands want a cotangent, if those of `tensors` that are `wanted` do; () if none does."""
        found = self._needs.get(wanted)
        if found is None:
            places = {at for at, flag in zip(self.tensors, wanted, strict=True) if flag}
            found = tuple([at in places for at in range(len(self.operands))]) if places else ()
            self._needs[wanted] = found
        return found


class Call(NamedTuple):
    """How arguments become a call: the first `taken` (None: all) are operands, `rest` stands after them."""

    variant: Variant
    taken: int | None
    rest: tuple[Any, ...]

    def operands(self, args: Sequence[Any]) -> tuple[Any, ...]:
        """Those of a call with these arguments."""
        return tuple(args) if self.taken is None else (*args[: self.taken], *self.rest)


class Variants:
    """The variants that are shared where all in `common` is the same, by the arguments that they are called
    with; and those of one program, for its batch levels. Tensors are what is of the class `tensors`."""

    def __init__(self, tensors: type, *common: Any) -> None:
        if len(_tables) >= _MOST_TABLES and common not in _tables:
            _tables.clear()
        self._tensors: Any = tensors
        self._shared: Table = _tables.setdefault(common, {})
        self._own: Table = {}
        self._rules: dict[Variant, dict[Any, Any]] = {}

    def find(self, op: Op, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Any, Table]:
        """What tells a call from others (None if none is like it), and the table where it may be."""
        found: list[Any] = [op]
        table = self._shared
        try:
            for each in args:
                if not isinstance(each, self._tensors):
                    found.append(_key(each))
                elif each.levels:
                    table = self._own
                    found.append((each.meta.number or _number(each.meta), each.levels))
                else:
                    found.append(each.meta.number or _number(each.meta))
            for name, value in kwargs.items():
                found += name, _key(value)
        except _Unshared:
            return None, self._own
        return tuple(found), table

    def keep(
        self, key: Any, table: Table, args: Sequence[Any], operands: Sequence[Any], variant: Variant
    ) -> None:
        """Remember the variant of a call if the next can be bound without looking: the first arguments are
        the operands, and no tensor stands behind them."""
        taken = 0
        while taken < min(len(args), len(operands)) and args[taken] is operands[taken]:
            taken += 1
        rest = tuple(operands[taken:])
        if not any(hasattr(each, "meta") for each in (*args[taken:], *rest)):
            if len(table) >= _MOST_CALLS:
                table.clear()
            table[key] = Call(variant, None if taken == len(args) and not rest else taken, rest)

    def rules(self, variant: Variant, g: Sequence[Any]) -> tuple[Any, dict[Any, Any]]:
        """What tells the cotangents of a variant's results apart, and where it is kept what its rule makes of
        them."""
        first = g[0]
        if len(g) == 1 and first is not None and first.meta.number and not first.levels:
            return (first.meta.number,), variant.rules
        found: list[Any] = []
        table = variant.rules
        try:
            for each in g:
                found.append(None if each is None else each.meta.number or _number(each.meta))
                if each is not None and each.levels:
                    found.append(each.levels)
                    table = self._rules.setdefault(variant, {})
        except _Unshared:
            return None, {}
        return tuple(found), table


class _Unshared(Exception):
    """An argument that no two calls have in common."""


def _key(arg: Any) -> Any:
    """Something hashable that tells arguments apart, 1 from 1.0 and True, and 0.0 from -0.0 among them."""
    kind = type(arg)
    if kind is tuple or kind is list:
        if len(arg) > _MOST:
            raise _Unshared
        return kind, *map(_scalar, arg)
    return _scalar(arg)


def _scalar(arg: Any) -> Any:
    kind = type(arg)
    if kind is float:
        return kind, arg or repr(arg)
    if kind in _PLAIN and (kind is not str or len(arg) <= _LONGEST):
        return kind, arg
    if kind is complex:
        return kind, repr(arg)
    raise _Unshared


_tables: dict[tuple[Any, ...], Table] = {}
_types: dict[Any, int] = {}
_numbers = itertools.count(1)


def _number(meta: Type) -> int:
    """A number that equal types share."""
    if is_bounded(meta):
        raise _Unshared  # equal sizes may differ in a run
    key = (meta.shape, meta.dtype, meta.strides)
    if len(_types) >= _MOST_TYPES:
        _types.clear()
    meta.number = _types.get(key) or _types.setdefault(key, next(_numbers))
    return meta.number
