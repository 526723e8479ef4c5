"""What the names of a text stand for, and the ids that they get.

A statement's id is given once; a name of a text may be bound again, as in Python. So every binding is an id
of its own: the last one in its body gets the name itself, if that is free there, and those before it get the
name with a number (`y_1`). They are settled when the whole text is read.
"""

from __future__ import annotations

import ast
import itertools
from typing import Any, NamedTuple

from engine.dtypes import ALIASES

_LONGEST = 64
DTYPES = frozenset("bool uint8 int8 int16 int32 int64 float16 float32 float64 complex64 complex128".split())


class Slot:
    """An id that is not settled yet: for the name `base`, or only `like` it; the `order`-th of the text."""

    __slots__ = ("base", "like", "name", "order")

    def __init__(self, base: str, order: int, *, like: bool = False) -> None:
        self.base, self.order, self.like, self.name = base, order, like, ""


class Quoted(str):
    """A text constant: a plain string is a reference."""


class Constant(NamedTuple):
    """A name for a number, or for a list of `size` things."""

    value: Any
    size: int


class Function(NamedTuple):
    """A `def`, and the names that were around it."""

    node: ast.FunctionDef
    scope: Scope


class Gone(NamedTuple):
    """A name that was bound in a body alone."""

    where: str


class Scope:
    """The names of the text, or of one `def`."""

    def __init__(self, parent: Scope | None = None) -> None:
        self.parent = parent
        self.names: dict[str, Any] = {}

    def find(self, name: str) -> Any:
        """What a name stands for; None if it comes from outside."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None


class Region:
    """The ids of a body; `order` tells what was there before it."""

    def __init__(self, order: int, parent: Region | None = None) -> None:
        self.order, self.parent = order, parent
        self.slots: list[Slot] = []
        self.inner: list[Region] = []
        self.last: dict[str, Slot] = {}
        if parent is not None:
            parent.inner.append(self)

    def sees(self, name: str) -> bool:
        """Whether a body around this one has an id called `name` before it."""
        around = self.parent
        while around is not None:
            found = around.last.get(name)
            if found is not None and found.name == name and found.order < self.order:
                return True
            around = around.parent
        return False


class Ids:
    """The ids of a text."""

    def __init__(self) -> None:
        self._orders = itertools.count()
        self.region = self.top = Region(next(self._orders))
        self.free: dict[str, Any] = {}  # what comes from outside, and where it was first used

    def new(self, base: str, *, like: bool = False) -> Slot:
        """An id in the body that is being read; one that is only `like` a name never is that name."""
        slot = Slot(base, next(self._orders), like=like)
        self.region.slots.append(slot)
        return slot

    def inside(self) -> Region:
        """A body in the one that is being read."""
        return Region(next(self._orders), self.region)

    def settle(self) -> None:
        """Give every slot its name; those around a body have theirs before those in it."""
        regions = [self.top]
        for region in regions:
            regions += region.inner
            region.last = {slot.base: slot for slot in region.slots if not slot.like}
        taken = {*self.free, *(base for region in regions for base in region.last)}
        counts: dict[str, int] = {}
        for region in regions:
            for slot in region.slots:
                base = slot.base
                plain = slot is region.last.get(base) and (region is self.top or base not in self.free)
                plain = plain and not region.sees(base)
                slot.name = base if plain else _numbered(base, taken, counts)


def _numbered(base: str, taken: set[str], counts: dict[str, int]) -> str:
    """`base` with the next number that is free."""
    while True:
        number = counts[base] = counts.get(base, 0) + 1
        found = f"{base[: _LONGEST - len(str(number)) - 1]}_{number}"
        if found not in taken:
            taken.add(found)
            return found


def settled(statements: list[Any]) -> list[Any]:
    """`statements` with names in place of their slots, in the same lists and objects."""
    pending: list[Any] = [statements]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            items = [(_name(key), _name(value)) for key, value in each.items()]
            each.clear()
            each.update(items)
            pending += [value for _, value in items if isinstance(value, (dict, list))]
        else:
            each[:] = [_name(value) for value in each]
            pending += [value for value in each if isinstance(value, (dict, list))]
    return statements


def _name(value: Any) -> Any:
    if isinstance(value, Slot):
        return value.name
    return str(value) if type(value) is Quoted else value


def dtype_name(node: ast.expr, scope: Scope) -> str | None:
    """The dtype that `float64` or `torch.float64` names, where no value is called so."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
    if isinstance(node, ast.Attribute) and getattr(node.value, "id", None) != "torch":
        return None
    plain = isinstance(name, str) and (name in DTYPES or name in ALIASES)
    return name if plain and (isinstance(node, ast.Attribute) or scope.find(str(name)) is None) else None
