"""Headers of the POST routes: what is sent, what is wanted, until when."""

import httpx
import pytest

from app.compute.warm import REQUEST
from tests.app.harness import serve

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/json"}


async def status_and_code(client: httpx.AsyncClient, headers: dict[str, str]) -> tuple[int, str]:
    answer = await client.post("/backward", content=REQUEST, headers=headers)
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/json; v=1",
    ],
)
async def test_json_in_utf_8_is_read(client: httpx.AsyncClient, kind: str) -> None:
    assert await status_and_code(client, {"content-type": kind}) == (200, "")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/problem+json"},
        {"content-type": "application/octet-stream"},
        {**JSON, "content-encoding": "br"},
        {**JSON, "content-encoding": "gzip, gzip"},
    ],
)
async def test_anything_else_is_415(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert await status_and_code(client, headers) == (415, "unsupported-media-type")


ACCEPTED = (
    "*/*",
    "application/json",
    "application/*",
    "text/html, */*;q=0.1",
    "text/html,application/json;q=0.5",
)
REFUSED = (
    "text/html",
    "application/xml, text/*",
    "application/json;q=0",
    "application/vnd.gradwire.safetensors;q=0, */*, application/json; q=0.0",
    "application/*;q=0, */*",
)


@pytest.mark.parametrize("accept", ACCEPTED)
async def test_clients_that_take_json_are_answered(client: httpx.AsyncClient, accept: str) -> None:
    assert await status_and_code(client, {**JSON, "accept": accept}) == (200, "")


@pytest.mark.parametrize("accept", REFUSED)
async def test_clients_that_do_not_are_told_so(client: httpx.AsyncClient, accept: str) -> None:
    assert await status_and_code(client, {**JSON, "accept": accept}) == (406, "not-acceptable")


@pytest.mark.parametrize("given", ["", "0", "-5", "1.5", "soon", "9" * 20])
async def test_a_deadline_is_a_whole_number(client: httpx.AsyncClient, given: str) -> None:
    assert await status_and_code(client, {**JSON, "x-request-deadline-ms": given}) == (
        422,
        "invalid-argument",
    )


async def test_a_generous_deadline_changes_nothing() -> None:
    async with serve() as client:
        assert await status_and_code(client, {**JSON, "x-request-deadline-ms": "60000"}) == (200, "")


@pytest.mark.parametrize("path", ["/backward", "/forward"])
async def test_only_post(client: httpx.AsyncClient, path: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = await client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
        assert answer.headers["allow"] == "POST"
