"""`python -m bench`: every case against its peers, side by side."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from bench import machine

machine.confine()  # before numpy counts processors

from bench import chains, report  # noqa: E402
from bench.case import Case, NotBuilt  # noqa: E402
from bench.cases import CASES  # noqa: E402
from bench.checking import check  # noqa: E402
from bench.timing import in_turns, median  # noqa: E402

RESULTS = Path(__file__).parent / "RESULTS.md"


class Effort(NamedTuple):
    """How much is measured: rounds of each case, seconds of each side in each, and when to stop a case."""

    rounds: int
    seconds: float
    most: float


FULL = Effort(9, 0.4, 60)
QUICK = Effort(3, 0.1, 4)


def main() -> None:
    arguments = _parser().parse_args()
    wanted = [each for each in CASES if _matches(each, arguments.rows)]
    if arguments.list:
        print(
            "\n".join(
                f"{case.name} · {peer} · {aim or 'shown'}"
                for case in wanted
                for peer, aim in case.aims.items()
            )
        )
        return
    effort = QUICK if arguments.quick else FULL
    usage = machine.Usage()
    print(report.line(report.HEADER, wanted))
    found: list[report.Row] = []
    for case in wanted:
        for row in measure(case, effort, best=arguments.best):
            found.append(row)
            print(report.line(row, wanted), flush=True)
    print(f"\n{report.summary(found)} {usage.others()}")
    if any(row.verdict.startswith("failed") for row in found):
        sys.exit("a case failed; nothing is written")
    if arguments.quick or arguments.best or arguments.rows:
        return
    costs = report.costs([(length, chains.costs(length, median)) for length in chains.LENGTHS])
    print(f"\n{costs}")
    facts = [*machine.facts(), f"up to {effort.rounds} rounds of {effort.seconds:g} s a side", usage.others()]
    RESULTS.write_text(report.page(RESULTS, facts, report.markdown(found), costs), encoding="utf-8")


def measure(case: Case, effort: Effort, *, best: bool) -> list[report.Row]:
    """The rows of a case, all of its sides checked before."""
    with ExitStack() as stack:
        try:
            match = case.setup(stack)
            check(match)
            return report.rows(case, in_turns(match.sides, *effort), best=best)
        except NotBuilt as reason:
            return report.refused(case, f"not built yet: {reason}")
        except ImportError as reason:
            return report.refused(case, f"not installed: {reason.name}")
        except Exception as error:  # noqa: BLE001  # one case must not cost the others
            return report.refused(case, f"failed: {type(error).__name__}: {error}")


def _matches(case: Case, words: list[str]) -> bool:
    texts = [f"{case.name} {peer}".lower() for peer in case.aims]
    return not words or any(word.lower() in text for word in words for text in texts)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", help="only cases whose name or peer contains one of these words")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument(
        "--best", action="store_true", help="compare best figures, not medians (busy machines)"
    )
    parser.add_argument("--list", action="store_true", help="name the rows and their aims")
    return parser


if __name__ == "__main__":
    main()
