"""What a row of the table is: a case, its sides, and what each of them shall reach.

    Case("sum of squares, n=1e6", {"torch eager": at_least(2)}, setup)

`setup` makes the problem and gives a `Match`: the sides by name (gradwire's own first), each with a figure to
be compared (seconds, bytes) and an answer to be right, and what torch answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

Arrays = Sequence[Any]  # values and gradients, in an order that all sides share
Figures = list[Sequence[float]]  # of one side, by round
OURS = "gradwire"


class NotBuilt(Exception):
    """The service or the engine refuses what a case needs; the text says what."""


class Side(NamedTuple):
    """`samples(seconds)` are figures of one round, for which it may take about so long; `answer()` is what is
    computed there."""

    samples: Callable[[float], Sequence[float]]
    answer: Callable[[], Arrays]


class Match(NamedTuple):
    """The sides by name, gradwire's own first, and torch's answer."""

    sides: Mapping[str, Side]
    reference: Callable[[], Arrays]


class Aim(NamedTuple):
    """A bound of a ratio: of theirs over ours, or with `most` of ours over theirs."""

    bound: float
    most: bool = False

    def ratio(self, ours: float, theirs: float) -> float:
        """The ratio that the aim is about."""
        return ours / theirs if self.most else theirs / ours

    def met(self, ratio: float) -> bool:
        """Whether a ratio is within it."""
        return ratio <= self.bound if self.most else ratio >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.most else '≥'} {self.bound:g}"


def at_least(bound: float) -> Aim:
    """Their figure is at least so many times ours."""
    return Aim(bound)


def at_most(bound: float) -> Aim:
    """Our figure is at most so much of theirs."""
    return Aim(bound, most=True)


class Case(NamedTuple):
    """One problem, and what is aimed at against each peer (None: shown for information)."""

    name: str
    aims: Mapping[str, Aim | None]
    setup: Callable[[ExitStack], Match]  # what it enters into the stack ends with the case
    unit: str = "seconds"  # or "rate" (seconds, shown as their inverse), "bytes"
