"""Tiny registered graphs run on the event loop too, always at the version that their name has now."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.compute import Answer, Call, Compute
from app.graphs.learned import Learned, NotLearnedError
from app.graphs.named import Named
from app.settings import Settings
from tests.app.computing import call, computing
from tests.app.storing import anything, version

pytestmark = pytest.mark.anyio

GRAPH = [{"id": "y", "op": "mul", "in": ["x", "w"]}]
BODY = {"inputs": {"x": {"data": 3.0, "requires_grad": True}}}
NAMED = Named("m")


def named(route: str, body: Any, **fields: Any) -> Call:
    return call(json.dumps(body).encode(), route=route)._replace(named=NAMED._replace(**fields))


async def put(compute: Compute, w: Any) -> str:
    """Register a version elsewhere; its id."""
    answer = await compute(named("PUT", {"graph": GRAPH, "inputs": {"w": w}}))
    assert answer.status < 300, answer.body
    found: str = json.loads(answer.body)["version"]
    return found


def y(answer: Answer | None) -> Any:
    """y, or None where the event loop has no answer."""
    return None if answer is None else json.loads(answer.body)["outputs"]["y"]["data"]


async def test_what_runs_at_once_is_the_current_version(tmp_path: Path) -> None:
    async with computing(compute="thread", store=str(tmp_path / "g.sqlite3")) as compute:
        first = await put(compute, 2.0)
        assert compute.at_once(named("backward", BODY)) is None
        elsewhere = await compute(named("backward", BODY))
        here = compute.at_once(named("backward", BODY))
        assert here is not None
        assert (here.status, here.body) == (200, elsewhere.body)
        await put(compute, 5.0)
        assert y(compute.at_once(named("backward", BODY))) == 15.0
        assert y(compute.at_once(named("backward", BODY, version=first))) == 6.0
        await compute(named("DELETE", {}))
        assert compute.at_once(named("backward", BODY)) is None
        assert (await compute(named("backward", BODY))).status == 404


async def test_what_may_take_long_does_not(tmp_path: Path) -> None:
    store = {"store": str(tmp_path / "g.sqlite3")}
    async with computing(compute="thread", **store) as compute:
        await put(compute, 2.0)
        for route, body, here in (
            ("backward", BODY, True),
            ("jacobian", BODY, False),
            ("backward", {**BODY, "backward": [{"tensor": "y", "retain_graph": True}] * 3}, False),
        ):
            assert (await compute(named(route, body))).status == 200
            assert (compute.at_once(named(route, body)) is not None) == here
        await put(compute, [1.0] * 5000)  # more than a body on the event loop may have
        body = {**BODY, "outputs": ["y"]}
        assert (await compute(named("forward", body))).status == 200
        assert compute.at_once(named("forward", body)) is None


async def test_without_its_file_the_event_loop_knows_nothing_and_waits_for_nobody(tmp_path: Path) -> None:
    known = Learned(Settings(store=str(tmp_path / "g.sqlite3")))
    known.store.names.put("m", version("a"), anything)
    with pytest.raises(NotLearnedError):  # nobody has opened it
        known.version(NAMED)
    await known.start()
    assert known.version(NAMED).text == b"a" * 100
    with known.store.database.writing() as writing:
        writing.execute("DELETE FROM versions")
        assert known.version(NAMED).text == b"a" * 100
    with pytest.raises(NotLearnedError):
        known.version(NAMED)
    known.reader.close()
    known.store.names.put("m", version("b"), anything)
    with pytest.raises(NotLearnedError):
        known.version(NAMED)
    await known.stop()
