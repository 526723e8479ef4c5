"""Every stored case through the service; what is not as torch has it stands in a table, with its reason."""

from __future__ import annotations

import json

import pytest

from tests.conformance.cases import DATA, by_op, is_registered
from tests.conformance.deviations import REASONS, TABLE, listed
from tests.conformance.running import difference

NOT_YET: list[str] = json.loads((DATA / "not_yet.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("op", [op for op in by_op() if op not in NOT_YET])
def test_op_answers_as_torch_does(op: str) -> None:
    cases = by_op()[op]
    found = {case["at"]: text for case in cases if (text := difference(case))}
    wrong = {at: text for at, text in found.items() if at not in listed(op)}
    assert not wrong, f"{len(wrong)} of {len(cases)} cases; {next(iter(wrong.items()))}"
    assert found.keys() == listed(op), "a deviation that is none"


def test_what_is_not_there_yet_is_not_there() -> None:
    assert not [op for op in NOT_YET if is_registered(op)]
    assert set(NOT_YET) <= by_op().keys()
    assert sorted(set(NOT_YET)) == NOT_YET


def test_deviations_have_reasons_and_cases() -> None:
    for each in TABLE:
        assert each.why in REASONS
        assert len(each.reason) > 20
        assert each.cases == tuple(sorted(set(each.cases)))
        assert set(each.cases) <= set(range(len(by_op()[each.op])))
