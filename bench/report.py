"""Figures to rows, rows to a table."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.case import OURS, Aim, Case

HEADER = ("case", "against", OURS, "peer", "ratio", "quartiles", "aim", "verdict")


class Row(NamedTuple):
    """A line of the table."""

    case: str
    peer: str
    ours: str = "–"
    theirs: str = "–"
    ratio: str = "–"
    spread: str = "–"
    aim: str = "–"
    verdict: str = "–"


def rows(case: Case, figures: Mapping[str, Sequence[float]]) -> list[Row]:
    """The lines of a case: ratios of medians, and the quartiles of the ratios of each round."""
    found = []
    ours = figures[OURS]
    for peer, aim in case.aims.items():
        theirs = figures[peer]
        measure = aim or Aim(1)
        ratio = measure.ratio(statistics.median(ours), statistics.median(theirs))
        low, high = quartiles([measure.ratio(a, b) for a, b in zip(ours, theirs, strict=True)])
        found.append(
            Row(
                case.name,
                peer,
                shown(statistics.median(ours), case.unit),
                shown(statistics.median(theirs), case.unit),
                number(ratio),
                f"{number(low)}–{number(high)}",
                "–" if aim is None else str(aim),
                "–" if aim is None else "met" if aim.met(ratio) else "missed",
            )
        )
    return found


def refused(case: Case, verdict: str) -> list[Row]:
    """The lines of a case that could not be run."""
    return [
        Row(case.name, peer, aim="–" if aim is None else str(aim), verdict=verdict)
        for peer, aim in case.aims.items()
    ]


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """The first and the third quartile."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def shown(figure: float, unit: str) -> str:
    """A figure with its unit."""
    if unit == "rate":
        return f"{1 / figure:,.0f}/s"
    if unit == "bytes":
        return f"{figure / 1e6:,.1f} MB"
    for scale, name in ((1e-6, "ns"), (1e-3, "µs"), (1.0, "ms")):
        if figure < scale:
            return f"{number(figure / scale * 1e3)} {name}"
    return f"{number(figure)} s"


def number(value: float) -> str:
    """Three significant digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def plain(lines: Sequence[Row]) -> str:
    """The table for a terminal."""
    cells = [HEADER, *lines]
    widths = [max(len(line[at]) for line in cells) for at in range(len(HEADER))]
    left = 2  # columns of words

    def text(line: Sequence[str]) -> str:
        return "  ".join(
            cell.ljust(width) if at < left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )

    return "\n".join(text(line).rstrip() for line in cells)


def markdown(lines: Sequence[Row]) -> str:
    """The table for a page."""
    head = f"| {' | '.join(HEADER)} |\n|---|---|{'---:|' * 5}---|"
    return "\n".join([head, *("| " + " | ".join(line) + " |" for line in lines)])
