"""What docs/ shows is what happens: requests are sent, sessions and programs are run."""

import doctest
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest

from tests.contract.examples import exchange
from tests.contract.printed import printed

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md"))
FENCE = re.compile(r"(?:<!-- route: ((?:[A-Z]+ )?\S+) -->\n)?```(\w+)\n(.*?)```", re.S)


class Shown(NamedTuple):
    """A request, and the part of its answer that the page shows."""

    id: str
    request: dict[str, Any]
    answer: dict[str, Any]
    before: list[dict[str, Any]]


def fenced(path: Path, language: str) -> list[tuple[str, str]]:
    """(route or "", text) of the blocks in a language."""
    blocks = FENCE.findall(path.read_text(encoding="utf-8"))
    return [(route, text) for route, found, text in blocks if found == language]


def requests() -> Iterator[Shown]:
    """Each request of the pages, with the answer in the block after it. A page with a PUT is a conversation:
    what stands above a request is sent before it."""
    for path in DOCS:
        blocks = [(route or "/backward", json.loads(text)) for route, text in fenced(path, "json")]
        pairs = zip(blocks[::2], blocks[1::2], strict=True)
        talks, before = any(route.startswith("PUT") for route, _ in blocks), []
        for number, ((route, body), (_, answer)) in enumerate(pairs):
            method, _, where = route.rpartition(" ")
            request = {"method": method or "POST", "path": where, "body": body}
            yield Shown(f"{path.stem}-{number}", request, answer, before)
            before = [*before, request] if talks else []


def contains(found: Any, shown: Any, where: str = "") -> None:
    """`found` has all that is shown; numbers agree to three digits."""
    if isinstance(shown, dict):
        for key, value in shown.items():
            assert key in found, f"{where}/{key}"
            contains(found[key], value, f"{where}/{key}")
    elif isinstance(shown, list):
        assert len(found) == len(shown), where
        for number, value in enumerate(shown):
            contains(found[number], value, f"{where}/{number}")
    elif isinstance(shown, float):
        assert found == pytest.approx(shown, rel=1e-3, abs=1e-6), where
    else:
        assert (type(found), found) == (type(shown), shown), where


@pytest.mark.parametrize("shown", list(requests()), ids=lambda shown: shown.id)
def test_a_request_is_answered_as_shown(shown: Shown) -> None:
    answer = anyio.run(exchange, shown.request, shown.before)
    assert answer.status_code in (shown.answer.get("status", 200), 201), answer.text
    contains(answer.json(), shown.answer)


@pytest.mark.parametrize("path", [path for path in DOCS if fenced(path, "pycon")], ids=lambda path: path.stem)
def test_a_session_prints_what_it_shows(path: Path) -> None:
    session = "".join(text for _, text in fenced(path, "pycon"))
    test = doctest.DocTestParser().get_doctest(session, {}, path.name, str(path), 0)
    said: list[str] = []
    failed, tried = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(
        test, out=said.append
    )
    assert tried
    assert not failed, "".join(said)


@pytest.mark.parametrize(
    "path", [path for path in DOCS if fenced(path, "python")], ids=lambda path: path.stem
)
def test_a_program_runs_and_prints_what_it_shows(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert page == printed(page), f"{path.name} is stale; run `make contract`"
