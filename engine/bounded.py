"""Sizes known only when a program runs: `x[mask]` has as many rows as the mask has true elements.

A `Bounded` is an int, the largest the size can be, so that inference, limits and predictions hold; what is
computed from it remembers how, and is computed again with the sizes of a run. Division into a float would
forget that, and is refused.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from engine.errors import NotImplementedYet
from engine.types import Shape, Type

_KNOWN = frozenset((int,))
Sizes = dict[int, int]  # id of a Bounded → its size in this run


class Bounded(int):
    """A size of at most `bound`; `evaluate` computes it from those in `of`, None for one that a kernel
    decides. As an int it is its bound: two that are equal so may differ in a run."""

    evaluate: Callable[[Sizes], int] | None
    of: tuple[Any, ...]

    def __new__(
        cls, bound: int, evaluate: Callable[[Sizes], int] | None = None, of: tuple[Any, ...] = ()
    ) -> Bounded:
        """A new size."""
        self = super().__new__(cls, bound)
        self.evaluate, self.of = evaluate, of
        return self

    def now(self, sizes: Sizes) -> int:
        """The size in a run, entered into `sizes` with those that it is computed from."""
        stack = [self]
        while stack:
            size = stack[-1]
            unknown = [each for each in size.of if isinstance(each, Bounded) and id(each) not in sizes]
            if id(size) in sizes:
                stack.pop()
            elif unknown:
                stack += unknown
            elif size.evaluate is None:
                self.refuse()
            else:
                sizes[id(size)] = size.evaluate(sizes)
        return sizes[id(self)]

    def broadcast(self, other: int) -> Bounded:
        """The size that this one and `other` broadcast to."""

        def common(sizes: Sizes) -> int:
            mine = self.now(sizes)
            return int(resolve(other, sizes)) if mine == 1 else mine

        return Bounded(max(int(self), int(other)), common, (self, other))

    def _combine(self, other: Any, function: Callable[[Any, Any], int], *, swap: bool = False) -> Any:
        if not isinstance(other, int):
            return self.refuse() if isinstance(other, float) else NotImplemented
        left, right = (other, self) if swap else (self, other)
        return Bounded(
            function(int(left), int(right)),
            lambda sizes: function(resolve(left, sizes), resolve(right, sizes)),
            (left, right),
        )

    def refuse(self, *_: Any) -> Any:
        """NotImplementedYet: this size cannot be used so before it is known."""
        raise NotImplementedYet("this op needs a size that is known only when the program runs")

    def __add__(self, other: Any) -> Any:
        return self._combine(other, operator.add)

    def __radd__(self, other: Any) -> Any:
        return self._combine(other, operator.add, swap=True)

    def __sub__(self, other: Any) -> Any:
        return self._combine(other, operator.sub)

    def __rsub__(self, other: Any) -> Any:
        return self._combine(other, operator.sub, swap=True)

    def __mul__(self, other: Any) -> Any:
        return self._combine(other, operator.mul)

    def __rmul__(self, other: Any) -> Any:
        return self._combine(other, operator.mul, swap=True)

    def __floordiv__(self, other: Any) -> Any:
        return self._combine(other, operator.floordiv)

    def __neg__(self) -> Any:
        return self._combine(-1, operator.mul)

    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __float__ = refuse


def resolve(value: Any, sizes: Sizes) -> Any:
    """`value` (an int, a Type, or a structure of them) with the sizes of a run."""
    if isinstance(value, Bounded):
        return value.now(sizes)
    if isinstance(value, (tuple, list)):
        return type(value)(resolve(each, sizes) for each in value)
    if isinstance(value, dict):
        return {name: resolve(each, sizes) for name, each in value.items()}
    if isinstance(value, Type):
        strides = None if value.strides is None else resolve(value.strides, sizes)
        return Type(resolve(value.shape, sizes), value.dtype, strides)
    return value


def is_bounded(value: Any) -> bool:
    """Whether a size in `value` is known only at run time."""
    if isinstance(value, Type):
        value = value.shape
    if isinstance(value, (tuple, list)):
        return any(type(each) is not int and is_bounded(each) for each in value)
    if isinstance(value, dict):
        return any(is_bounded(each) for each in value.values())
    return type(value) is Bounded


def bounded_in(value: Any) -> Iterator[Bounded]:
    """The sizes of a run that `value`, a structure as `resolve` takes it, has in it."""
    if type(value) is Bounded:
        yield value
    elif isinstance(value, Type):
        yield from bounded_in(value.shape)
    elif isinstance(value, (tuple, list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            if type(each) is not int:
                yield from bounded_in(each)


def same(left: Shape, right: Shape) -> bool:
    """Whether two shapes are the same in every run."""
    if left is right or left != right:
        return left is right
    return _KNOWN.issuperset(map(type, left + right)) or all(map(operator.is_, left, right))


def agree(left: Shape, right: Shape) -> bool:
    """Whether two shapes are the same as far as is known before the run."""
    return left == right or (
        len(left) == len(right)
        and all(a == b or type(a) is Bounded or type(b) is Bounded for a, b in zip(left, right, strict=True))
    )


def refuse_new(metas: Iterable[Type], *of: Any) -> None:
    """NotImplementedYet if types have a size that a kernel decides and that is none of those they are `of`:
    the samples of a batch may each have their own."""
    made = [size for size in bounded_in(list(metas)) if size.evaluate is None]
    if made and not {id(size) for size in made} <= {id(size) for size in bounded_in(of)}:
        raise NotImplementedYet("a size that is known only when the program runs, in a batch")


def learn(values: Iterable[Any], arrays: Iterable[Any], sizes: Sizes) -> None:
    """Enter the sizes that the arrays of values (with `.meta` and `.levels`) turned out to have."""
    for value, array in zip(values, arrays, strict=True):
        actual = getattr(array, "shape", ())[len(value.levels) :]
        for size, found in zip(value.meta.shape, actual, strict=False):
            if type(size) is Bounded:
                sizes[id(size)] = found
