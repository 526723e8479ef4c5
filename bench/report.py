"""Figures to rows, rows to a table."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.case import OURS, Aim, Case, Figures
from bench.chains import Costs

HEADER = ("case", "against", OURS, "peer", "ratio", "quartiles", "aim", "verdict")
NOTES = "<!-- below this line nothing is generated -->"
TEMPLATE = """# Results

Written by `make bench`; [README.md](README.md) says how to read them.

{facts}

{table}

What a statement costs, in chains of elementwise ops on four numbers: `read` is its share of reading the
graph, `plan` of planning it, `run` of running the plan, `again` of a whole call for a known graph, `eager`
of the same define-by-run.

{statements}

{notes}"""


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


def rows(case: Case, figures: Mapping[str, Figures], *, best: bool = False) -> list[Row]:
    """The lines of a case: ratios of medians, or with `best` of each side's best figure, which a busy machine
    disturbs least; and the quartiles of the ratios of each round's medians."""
    found = []
    ours = figures[OURS]
    for peer, aim in case.aims.items():
        theirs = figures[peer]
        measure = aim or Aim(1)
        pair = [least(each) if best else middle(each) for each in (ours, theirs)]
        ratio = measure.ratio(*pair)
        rounds = [
            measure.ratio(statistics.median(one), statistics.median(other))
            for one, other in zip(ours, theirs, strict=True)
        ]
        low, high = quartiles(rounds)
        found.append(
            Row(
                case.name,
                peer,
                *[shown(each, case.unit) for each in pair],
                number(ratio),
                f"{number(low)}–{number(high)}",
                "–" if aim is None else str(aim),
                "–" if aim is None else "met" if aim.met(ratio) else "missed",
            )
        )
    return found


def middle(figures: Figures) -> float:
    """The median of the rounds' medians."""
    return statistics.median(statistics.median(each) for each in figures)


def least(figures: Figures) -> float:
    """The least of all."""
    return min(min(each) for each in figures)


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


def line(row: Sequence[str], cases: Sequence[Case]) -> str:
    """A row for a terminal, or the header, in columns wide enough for all `cases`."""
    names = max((len(case.name) for case in cases), default=0)
    peers = max((len(peer) for case in cases for peer in case.aims), default=0)
    case, peer, *numbers, verdict = row
    return f"{case:<{names}}  {peer:<{peers}} {' '.join(f'{each:>11}' for each in numbers)}  {verdict}"


def markdown(lines: Sequence[Row]) -> str:
    """The table for a page."""
    head = f"| {' | '.join(HEADER)} |\n|---|---|{'---:|' * 5}---|"
    return "\n".join([head, *("| " + " | ".join(each) + " |" for each in lines)])


def summary(lines: Sequence[Row]) -> str:
    """How many aims are met."""
    aimed = [each for each in lines if each.aim != "–"]
    met = sum(each.verdict == "met" for each in aimed)
    missed = sum(each.verdict == "missed" for each in aimed)
    return f"{met} of {len(aimed)} aims met, {missed} missed, {len(aimed) - met - missed} not measured."


def costs(found: Sequence[tuple[int, Costs]]) -> str:
    """A table of what a statement costs in chains of several lengths."""
    head = f"| statements | {' | '.join(Costs._fields)} |\n|---:|{'---:|' * len(Costs._fields)}"
    rows = (
        f"| {length:,} | " + " | ".join(f"{number(each / length * 1e6)} µs" for each in seconds) + " |"
        for length, seconds in found
    )
    return "\n".join([head, *rows])


def page(old: Path, facts: Sequence[str], table: str, statements: str) -> str:
    """The page of results; what somebody wrote below `NOTES` stays."""
    written = old.read_text(encoding="utf-8") if old.exists() else ""
    notes = written.partition(NOTES)[2]
    listed = "\n".join(f"* {each}" for each in facts)
    return TEMPLATE.format(facts=listed, table=table, statements=statements, notes=NOTES) + (notes or "\n")
