"""The equations of einsum: which subscripts each operand has, and where each goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from engine.errors import RuntimeArgumentError, ShapeError

ELLIPSIS = "..."
_INVALID = (
    "einsum(): invalid subscript given at index {} in the equation string, subscripts must be in [a-zA-Z]"
)


class Layout(NamedTuple):
    """Where each label goes: output dims first. `ellipsis` is the place of the first dim "..." covers."""

    place: dict[str, int]
    ellipsis: int
    covered: int
    out: int
    rank: int


def _labels(text: str, offset: int, owner: str) -> list[str]:
    """The subscripts of one operand or of the output; `offset` is where `text` begins in the equation."""
    found: list[str] = []
    at = 0
    while at < len(text):
        if text[at] == ".":
            if ELLIPSIS in found:
                again = "but an ellipsis (...)" if owner == "output" else "for which an ellipsis"
                raise RuntimeArgumentError(f"einsum(): found '.' for {owner} {again} was already found")
            if text[at : at + 3] != ELLIPSIS:
                dots = " (...)" if owner == "output" else ""
                raise RuntimeArgumentError(
                    f"einsum(): found '.' for {owner} that is not part of any ellipsis{dots}"
                )
            found.append(ELLIPSIS)
            at += 2
        elif text[at].isascii() and text[at].isalpha():
            found.append(text[at])
        elif text[at] != " ":
            raise RuntimeArgumentError(_INVALID.format(offset + at))
        at += 1
    return found


def _inputs(left: str, ranks: Sequence[int]) -> tuple[list[list[str]], int]:
    """The subscripts of every operand, and how many dims "..." covers at most."""
    parts, offset = [], 0
    for number, text in enumerate(left.split(",")):
        if number >= len(ranks):
            raise RuntimeArgumentError(
                "einsum(): fewer operands were provided than specified in the equation"
            )
        parts.append(_labels(text, offset, f"operand {number}"))
        offset += len(text) + 1
    if len(parts) < len(ranks):
        raise RuntimeArgumentError("einsum(): more operands were provided than specified in the equation")
    covered = 0
    for number, (labels, rank) in enumerate(zip(parts, ranks, strict=True)):
        dotted = ELLIPSIS in labels
        named = len(labels) - dotted
        if named > rank or (named < rank and not dotted):
            relation = "is more than" if dotted else "does not match"
            hint = "" if dotted else " and no ellipsis was given"
            raise ShapeError(
                f"einsum(): the number of subscripts in the equation ({named}) {relation} the number of "
                f"dimensions ({rank}) for operand {number}{hint}",
                expected=named,
                actual=rank,
            )
        if dotted:
            covered = max(covered, rank - named)
    return parts, covered


def read_equation(equation: str, ranks: Sequence[int]) -> tuple[list[list[str]], Layout]:
    """The subscripts of every operand, and the layout that all of them are brought to."""
    left, arrow, right = equation.partition("->")
    parts, covered = _inputs(left, ranks)
    uses = Counter(label for labels in parts for label in labels if label != ELLIPSIS)
    output = [ELLIPSIS, *sorted(label for label in uses if uses[label] == 1)]
    if arrow:
        output = _labels(right, len(left) + 2, "output")
    place: dict[str, int] = {}
    ellipsis, rank = -1, 0
    for label in output:
        if label == ELLIPSIS:
            ellipsis, rank = rank, rank + covered
            continue
        if label in place or label not in uses:
            missing = "does not appear in the equation for any input operand"
            reason = "appears more than once in the output" if label in place else missing
            raise RuntimeArgumentError(f"einsum(): output subscript {label} {reason}")
        place[label] = rank
        rank += 1
    out = rank
    if ellipsis < 0:
        ellipsis, rank = rank, rank + covered
    for label in sorted(uses):
        if label not in place:
            place[label] = rank
            rank += 1
    return parts, Layout(place, ellipsis, covered, out, rank)
