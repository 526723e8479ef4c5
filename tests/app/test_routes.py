"""The GET routes answer what they say they do."""

import httpx
import pytest

import engine
from app import __version__
from app.codes import CODES
from app.main import create_app
from tests.app.harness import INLINE, serve

pytestmark = pytest.mark.anyio


async def test_live_and_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/live")).json() == {"status": "live"}
    assert (await client.get("/health/ready")).json() == {"status": "ready"}


async def test_ready_only_while_compute_runs() -> None:
    app = create_app(INLINE)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gradwire.test") as client:
        before = await client.get("/health/ready")
        assert (await client.get("/health/live")).status_code == 200
        async with app.router.lifespan_context(app):
            assert (await client.get("/health/ready")).status_code == 200
        after = await client.get("/health/ready")
    for answer in (before, after):
        assert answer.status_code == 503
        assert answer.json()["code"] == "not-ready"
        assert answer.headers["retry-after"] == "1"


async def test_info_shows_what_is_in_force() -> None:
    settings = INLINE.model_copy(update={"max_rank": 7})
    async with serve(settings) as client:
        found = (await client.get("/info")).json()
    assert found["limits"] == settings.limits
    assert found["limits"]["max_rank"] == 7
    assert found["versions"]["gradwire"] == __version__
    assert found["encodings"] == ["list", "flat", "base64"]
    assert {engine.dtype(name).name for name in found["dtypes"]} == set(found["dtypes"])
    assert found["ops"] == len(engine.catalogue())


async def test_ops_lists_every_record(client: httpx.AsyncClient) -> None:
    found = (await client.get("/ops")).json()["ops"]
    assert [op["name"] for op in found] == [op.name for op in engine.catalogue()]
    assert all(op["signature"] and op["summary"] for op in found)


async def test_an_op_is_found_by_its_name_and_by_its_aliases(client: httpx.AsyncClient) -> None:
    for op in engine.catalogue():
        found = (await client.get(f"/ops/{op.name}")).json()
        assert found["name"] == op.name
        assert found["grad_fns"] == list(op.grad_fns)
    relu = (await client.get("/ops/nn.functional.relu")).json()
    assert (await client.get("/ops/F.relu")).json() == relu


async def test_an_unknown_op_is_a_404_with_names_near_it(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ops/addd")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not-found"
    assert "add" in answer.json()["detail"]
    far = await client.get("/ops/3141592653")
    assert far.json()["detail"] == "No op of this name; GET /ops lists them."
    assert "3141592653" not in far.text


async def test_errors_lists_the_codes(client: httpx.AsyncClient) -> None:
    found = (await client.get("/errors")).json()["errors"]
    assert [(error["name"], error["status"]) for error in found] == [
        (c.name, c.status) for c in CODES.values()
    ]
    assert (await client.get("/errors/no-such-code")).json()["code"] == "not-found"


async def test_every_ops_example_is_a_request_that_works(client: httpx.AsyncClient) -> None:
    without = []
    for op in engine.catalogue():
        example = (await client.get(f"/ops/{op.name}")).json()["example"]
        if example is None:
            without.append(op.name)
            continue
        answer = await client.post("/forward", json=example)
        assert answer.status_code == 200, f"{op.name}: {answer.text}"
    assert not without
