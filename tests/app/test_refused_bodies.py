"""Bodies that are no request: no JSON, no envelope, too much of either."""

import json

import httpx
import pytest

from app.compute.warm import REQUEST
from tests.app.refusing import X, Y, checked, still_works

pytestmark = pytest.mark.anyio


async def test_a_loop_that_never_ends(client: httpx.AsyncClient) -> None:
    loop = {
        "id": "y", "op": "while", "carry": {"v": "x"}, "max_iters": 1000,
        "cond": {"do": [], "yield": {"op": "gt", "in": [{"op": "sum", "in": ["v"]}, 0]}},
        "body": {"do": [], "yield": {"v": {"op": "mul", "in": ["v", 1]}}},
    }  # fmt: skip
    answer = await client.post("/forward", json={"inputs": {"x": X}, "graph": [loop]})
    assert "1000" in checked(answer, 422, "iteration-limit")["detail"]
    await still_works(client)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid-json"),
        (b"y = x + 2", "invalid-json"),
        (b'{"inputs": {"x": NaN}, "graph": []}', "invalid-json"),
        (b'{"inputs": {"x": [1e999]}, "graph": []}', "invalid-json"),
        (b'{"inputs": {"x": 1, "x": 2}, "graph": []}', "invalid-json"),
        (b'{"inputs": {}, "graph": [{"id": "y", "op": "exp", "in": [1], "op": "log"}]}', "invalid-json"),
        (b'{"graph": [], "graph": []}', "invalid-json"),
        (b'{"inputs": {"\\ud800": 1}, "graph": []}', "invalid-json"),
        (b"\xef\xbb\xbf{}", "invalid-json"),
        (REQUEST + b"}", "invalid-json"),
        (b"[" * 100_000, "json-too-deep"),
        (b"[" * 100_000 + b"]" * 100_000, "json-too-deep"),
        (b'{"graph":' * 100_000, "json-too-deep"),
    ],
    ids=lambda value: str(value[:40]),
)
async def test_no_json(client: httpx.AsyncClient, body: bytes, code: str) -> None:
    answer = await client.post("/backward", content=body, headers={"content-type": "application/json"})
    checked(answer, 400, code)
    await still_works(client)


@pytest.mark.parametrize("body", [b"[]", b"5", b'"a"', b"null", b"{}"])
async def test_json_that_is_no_request(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/backward", content=body, headers={"content-type": "application/json"})
    checked(answer, 422, "invalid-argument")
    await still_works(client)


async def test_fields_of_backward_are_unknown_to_forward(client: httpx.AsyncClient) -> None:
    for name, value in (("gradient", [1, 1, 1]), ("backward", [{"tensor": "y"}])):
        answer = await client.post("/forward", json={"inputs": {"x": X}, "graph": Y, name: value})
        assert checked(answer, 422, "unknown-field")["errors"][0]["pointer"] == f"/{name}"


async def test_the_input_is_never_repeated(client: httpx.AsyncClient) -> None:
    secret = "hunter2" * 20
    for fields in (
        {"inputs": {"x": secret}, "graph": Y}, {"inputs": {"x": [secret]}, "graph": Y}, {"graph": [secret]},
        {"graph": [{"id": secret, "op": "exp"}]}, {"graph": [{"id": "y", "op": secret}]},
        {"graph": Y, secret: 1}, {"graph": [{"id": "y", "op": "exp", "in": [secret]}]},
        {"graph": Y, "encoding": secret}, {"graph": Y, "inputs": {secret: 1}},
        {"graph": Y, "inputs": {"x": {"data": 1, "dtype": secret}}},
    ):  # fmt: skip
        answer = await client.post("/backward", json=fields)
        assert answer.status_code == 422
        assert secret not in answer.text, fields


async def test_a_thousand_errors_make_a_small_answer(client: httpx.AsyncClient) -> None:
    answer = await client.post("/backward", json={"graph": Y, **{f"field_{i}": 1 for i in range(1000)}})
    assert len(checked(answer, 422, "unknown-field")["errors"]) <= 20
    answer = await client.post("/backward", json={"graph": [5] * 1000})
    checked(answer, 422, "invalid-argument")
    bad = json.dumps({"graph": Y, "inputs": {"x": ["a"] * 10_000}})
    answer = await client.post("/backward", content=bad, headers={"content-type": "application/json"})
    assert len(checked(answer, 422, "invalid-argument")["errors"]) == 1
