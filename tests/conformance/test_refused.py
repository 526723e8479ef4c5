"""The calls that torch's own OpInfo says are refused, through HTTP: its sentence, with the node named."""

from __future__ import annotations

import httpx
import pytest

from tests.app.harness import serve
from tests.conformance.cases import Json, is_registered, refused
from tests.conformance.deviations import REFUSALS, REFUSED_REASONS
from tests.conformance.refusing import bodies, verdict

pytestmark = pytest.mark.anyio
SHARE = 0.95


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


async def posted(client: httpx.AsyncClient, case: Json) -> str | None:
    found = None
    for body in bodies(case):
        answer = await client.post("/forward", json=body)
        text = verdict(case, answer.status_code, answer.json().get("detail", ""))
        if text is None:
            return None
        found = found or text
    return found


async def test_refusals_have_the_text_of_torch() -> None:
    sent = {
        (op, at): case
        for op, cases in refused().items()
        for at, case in enumerate(cases)
        if is_registered(op) and at not in REFUSALS.get(op, {})
    }
    async with serve() as client:
        found = {place: text for place, case in sent.items() if (text := await posted(client, case))}
    share = 1 - len(found) / len(sent)
    print(f"{len(sent) - len(found)} of {len(sent)} refusals are as torch's: {share:.1%}")
    assert share >= SHARE, found


async def test_what_is_left_out_is_not_refused_alike() -> None:
    async with serve() as client:
        for op, places in REFUSALS.items():
            for at, reason in places.items():
                assert reason in REFUSED_REASONS
                assert await posted(client, refused()[op][at]), (op, at)
