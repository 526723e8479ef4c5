"""Sizes known only when a program runs: `x[mask]` has as many rows as the mask has true elements.

A `Bounded` is an int, the largest the size can be, so that inference, limits and predictions hold; what is
computed from it remembers how, and is computed again with the sizes of a run. Division into a float would
forget that, and is refused.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from engine.errors import NotImplementedYet
from engine.types import Shape, Type

Sizes = dict[int, int]  # id of a Bounded → its size in this run


class Bounded(int):
    """A size of at most `bound`; `evaluate` computes it from others, None for one that a kernel decides."""

    evaluate: Callable[[Sizes], int] | None

    def __new__(cls, bound: int, evaluate: Callable[[Sizes], int] | None = None) -> Bounded:
        """A new size, equal to no other but itself."""
        self = super().__new__(cls, bound)
        self.evaluate = evaluate
        return self

    def now(self, sizes: Sizes) -> int:
        """The size in a run."""
        return sizes[id(self)] if self.evaluate is None else self.evaluate(sizes)

    def _combine(self, other: Any, function: Callable[[Any, Any], int], *, swap: bool = False) -> Any:
        if not isinstance(other, int):
            return self._refuse() if isinstance(other, float) else NotImplemented
        left, right = (other, self) if swap else (self, other)
        return Bounded(
            function(int(left), int(right)),
            lambda sizes: function(resolve(left, sizes), resolve(right, sizes)),
        )

    def _refuse(self, *_: Any) -> Any:
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

    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __float__ = _refuse


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


def agree(left: Shape, right: Shape) -> bool:
    """Whether two shapes are the same as far as is known before the run."""
    return left == right or (
        len(left) == len(right)
        and all(a == b or type(a) is Bounded or type(b) is Bounded for a, b in zip(left, right, strict=True))
    )


def learn(metas: Iterable[Type], arrays: Iterable[Any], sizes: Sizes) -> None:
    """Enter the sizes that arrays turned out to have."""
    for meta, array in zip(metas, arrays, strict=True):
        for size, actual in zip(meta.shape, getattr(array, "shape", ()), strict=False):
            if type(size) is Bounded and size.evaluate is None:
                sizes[id(size)] = actual
