"""The parts of the benchmarks that compute: ratios, verdicts, tables, comparisons. Nothing is timed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench import checking, report, tensorfile
from bench.case import Aim, Case, Match, Side, at_least, at_most

ROOT = Path(__file__).parents[2]
HALF, TWICE = [[1.0, 1.0], [2.0, 2.0], [3.0, 9.0]], [[2.0], [4.0], [12.0]]


def row(aim: Aim | None, unit: str = "seconds", *, best: bool = False) -> report.Row:
    case = Case("a", {"b": aim}, lambda _: Match({}, list), unit)
    (found,) = report.rows(case, {"gradwire": HALF, "b": TWICE}, best=best)
    return found


def test_a_ratio_is_of_the_medians_of_rounds_theirs_over_ours() -> None:
    found = row(at_least(2))
    assert (found.ours, found.theirs, found.ratio, found.verdict) == ("2 s", "4 s", "2", "met")
    assert row(at_least(2.01)).verdict == "missed"


def test_quartiles_are_of_the_ratios_of_rounds() -> None:
    assert row(at_least(2)).spread == "2–2"  # 2/1, 4/2, 12/6


def test_an_upper_bound_is_of_ours_over_theirs() -> None:
    assert row(at_most(0.5)).ratio == "0.5"
    assert [row(at_most(bound)).verdict for bound in (0.5, 0.49)] == ["met", "missed"]
    assert str(at_most(0.5)) == "≤ 0.5"


def test_the_best_figures_are_the_least() -> None:
    assert row(at_least(2), best=True)[2:5] == ("1 s", "2 s", "2")


def test_a_row_without_an_aim_has_no_verdict() -> None:
    assert row(None)[-2:] == ("–", "–")


@pytest.mark.parametrize(
    ("figure", "unit", "text"),
    [
        (6.42e-9, "seconds", "6.42 ns"),
        (9.1e-6, "seconds", "9.1 µs"),
        (0.1234, "seconds", "123 ms"),
        (2.5, "seconds", "2.5 s"),
        (1 / 27_000, "rate", "27,000/s"),
        (204.1e6, "bytes", "204.1 MB"),
    ],
)
def test_figures_have_units(figure: float, unit: str, text: str) -> None:
    assert report.shown(figure, unit) == text


def test_an_answer_that_is_not_torchs_is_refused_before_anything_is_timed() -> None:
    def side(*arrays: object) -> Side:
        return Side(lambda _: [1.0], lambda: list(arrays))

    right = np.array([1.0, 2.0])
    checking.check(Match({"gradwire": side(right), "b": side(right + 1e-12)}, lambda: [right]))
    for wrong in (right + 1e-6, right[:1], np.array([1.0, np.nan])):
        with pytest.raises(checking.Wrong, match="b: array 0"):
            checking.check(Match({"gradwire": side(right), "b": side(wrong)}, lambda: [right]))
    with pytest.raises(checking.Wrong, match="2 arrays, torch has 1"):
        checking.check(Match({"gradwire": side(right, right)}, lambda: [right]))


def test_what_is_written_below_the_results_stays(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    page.write_text(report.page(page, ["a fact"], "the table", "costs"), encoding="utf-8")
    page.write_text(page.read_text(encoding="utf-8") + "\nwhy a row misses\n", encoding="utf-8")
    again = report.page(page, ["another"], "a new table", "costs")
    assert "a new table" in again and "the table" not in again
    assert again.endswith(f"{report.NOTES}\n\nwhy a row misses\n")


def test_a_binary_body_is_read_as_it_was_written() -> None:
    arrays = {"inputs/x": np.arange(3.0), "inputs/y": np.ones((2, 2), np.float32)}
    found = tensorfile.read(tensorfile.write({"graph": []}, arrays))
    assert all(np.array_equal(found[name], each) for name, each in arrays.items())


def test_the_rows_are_listed_without_any_peer() -> None:
    command = [sys.executable, "-m", "bench", "--list", "tutorial"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert "tutorial graph 2×2, known program · torch eager · ≥ 5" in found.stdout.splitlines()
