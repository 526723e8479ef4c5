"""Each limit, just under and just over: 200, and 422 with the limit, what was asked and what is allowed."""

import json
from typing import Any

import httpx
import pytest

from app.compute.call import Call
from app.compute.service import Service
from app.compute.warm import REQUEST
from app.settings import Settings
from tests.app.harness import serve
from tests.app.refusing import checked

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/json"}


async def answer_under(body: Any, route: str = "/forward", **limits: int) -> httpx.Response:
    """The answer to a request under these limits."""
    content = body if isinstance(body, bytes) else json.dumps(body)
    async with serve(Settings(compute="inline", **limits)) as client:  # type: ignore[arg-type]  # names from a table
        return await client.post(route, content=content, headers=JSON)


def chain(length: int) -> list[Any]:
    """y1 = x + 1, y2 = y1 + 1 …"""
    return [{"id": f"y{i + 1}", "op": "add", "in": [f"y{i}" if i else "x", 1]} for i in range(length)]


def nested(depth: int) -> Any:
    """One statement whose first argument is a node whose first argument is a node …"""
    found: Any = "x"
    for _ in range(depth):
        found = {"op": "add", "in": [found, 1]}
    return [{"id": "y", **found}]


def loop(count: int, **fields: int) -> list[Any]:
    """Adds 1 to 0 until it is `count`."""
    return [
        {
            "id": "y",
            "op": "while",
            "carry": {"v": {"tensor": 0.0}},
            "cond": {"do": [], "yield": {"op": "lt", "in": ["v", count]}},
            "body": {"do": [], "yield": {"v": {"op": "add", "in": ["v", 1]}}},
            **fields,
        }
    ]


def over_x(graph: Any, x: Any = 1.5) -> dict[str, Any]:
    return {"inputs": {"x": x}, "graph": graph}


STACK = {"id": "y", "op": "stack"}
UNSQUEEZE = {"id": "y", "op": "unsqueeze", "in": ["x", 0]}
OUTER = {"id": "y", "op": "mul", "in": ["x", {"op": "unsqueeze", "in": ["x", 1]}]}
LIMITS = [
    # limit, value, just under, just over, asked, the error's words
    ("max_statements", 3, over_x(chain(3)), over_x(chain(4)), 4, "statements"),
    ("max_statements", 3, over_x(nested(3)), over_x(nested(4)), 4, "statements"),
    (
        "max_arity",
        4,
        over_x([{**STACK, "in": [["x"] * 4]}]),
        over_x([{**STACK, "in": [["x"] * 5]}]),
        5,
        "arity",
    ),
    ("max_nodes", 3, over_x(chain(3)), over_x(chain(4)), 4, "nodes"),
    ("max_rank", 3, over_x(chain(1), [[[1]]]), over_x(chain(1), [[[[1]]]]), 4, "rank"),
    ("max_rank", 3, over_x([UNSQUEEZE], [[1]]), over_x([UNSQUEEZE], [[[1]]]), 4, "rank"),
    ("max_elements", 4, over_x(chain(1), [1, 2, 3, 4]), over_x(chain(1), [1, 2, 3, 4, 5]), 5, "elements"),
    ("max_elements", 4, over_x([OUTER], [1, 2]), over_x([OUTER], [1, 2, 3]), 9, "elements"),
]


@pytest.mark.parametrize(
    ("name", "allowed", "under", "over", "asked", "words"),
    LIMITS,
    ids=[f"{each[0]}-{i}" for i, each in enumerate(LIMITS)],
)
async def test_limits_of_graphs_and_tensors(
    name: str, allowed: int, under: Any, over: Any, asked: int, words: str
) -> None:
    fine = await answer_under(under, **{name: allowed})
    assert fine.status_code == 200, fine.text
    found = checked(await answer_under(over, **{name: allowed}), 422, "limit-exceeded")
    assert f"{words}: {asked} asked, {allowed} allowed" in found["detail"]
    assert (found["errors"][0]["expected"], found["errors"][0]["actual"]) == (allowed, asked)


async def test_the_predicted_peak() -> None:
    body = json.dumps(over_x([OUTER], list(range(100)))).encode()
    predicted = Service(Settings()).prepare(Call("forward", body)).prepared.peak_bytes
    assert predicted >= 100 * 100 * 8
    assert (await answer_under(body, max_peak_bytes=predicted)).status_code == 200
    found = checked(await answer_under(body, max_peak_bytes=predicted - 1), 422, "limit-exceeded")
    assert f"{predicted} asked, {predicted - 1} allowed" in found["detail"]


async def test_the_answers_size() -> None:
    body = json.dumps(over_x(chain(1), [i / 7 for i in range(100)])).encode()
    size = len((await answer_under(body)).content)
    assert (await answer_under(body, max_output_bytes=size)).status_code == 200
    found = checked(await answer_under(body, max_output_bytes=size - 1), 422, "limit-exceeded")
    assert f"output_bytes: {size} asked, {size - 1} allowed" in found["detail"]


async def test_an_answer_that_must_be_too_large_is_refused_before_it_is_computed() -> None:
    body = json.dumps(over_x([OUTER], list(range(1000)))).encode()
    service = Service(Settings(max_output_bytes=100_000))  # type: ignore[arg-type]  # bytes
    with pytest.raises(Exception, match=r"output_bytes: \d+ asked, 100000 allowed"):
        service.prepare(Call("forward", body))


async def test_iterations() -> None:
    fine = await answer_under({"graph": loop(5)}, max_iterations=5)
    assert fine.json()["outputs"]["y"]["data"] == 5.0
    checked(await answer_under({"graph": loop(6)}, max_iterations=5), 422, "iteration-limit")
    checked(await answer_under({"graph": loop(3, max_iters=2)}), 422, "iteration-limit")
    checked(await answer_under({"graph": loop(1, max_iters=6)}, max_iterations=5), 422, "limit-exceeded")


@pytest.mark.parametrize("limit", [10, 40])
async def test_depth(limit: int) -> None:
    def body(depth: int) -> bytes:
        return b'{"inputs": {"x": ' + b"[" * (depth - 2) + b"1" + b"]" * (depth - 2) + b'}, "graph": []}'

    under = await answer_under(body(limit), max_json_depth=limit)
    assert under.json().get("code") != "json-too-deep"
    checked(await answer_under(body(limit + 1), max_json_depth=limit), 400, "json-too-deep")


async def test_the_size_of_the_body() -> None:
    async with serve(Settings(compute="inline", max_body_bytes=len(REQUEST))) as client:  # type: ignore[arg-type]
        fine = await client.post("/backward", content=REQUEST, headers=JSON)
        assert fine.status_code == 200
        checked(await client.post("/backward", content=REQUEST + b" ", headers=JSON), 413, "body-too-large")


async def test_errors_are_few_and_their_document_is_small() -> None:
    body = {"graph": chain(1), **{f"field_{i}": 1 for i in range(300)}}
    found = checked(await answer_under(body, max_errors=3), 422, "unknown-field")
    assert len(found["errors"]) == 3
    small = await answer_under(body, max_errors=300, max_error_bytes=1024)
    assert len(small.content) <= 1024
    assert small.json()["code"] == "unknown-field"


async def test_nodes_count_what_derivatives_add() -> None:
    inputs = {"x": {"data": 1.5, "requires_grad": True}}
    plain = [{"id": "y", "op": "exp", "in": ["x"]}]
    derived = [*plain, {"id": "g", "op": "grad", "in": ["y"], "attrs": {"wrt": ["x"]}}]
    assert (await answer_under({"inputs": inputs, "graph": plain}, max_nodes=1)).status_code == 200
    checked(await answer_under({"inputs": inputs, "graph": derived}, max_nodes=1), 422, "limit-exceeded")


async def test_the_trace_of_a_loop() -> None:
    start = {"data": 0.0, "requires_grad": True}
    body = {"inputs": {"x": start}, "graph": [{**loop(3)[0], "carry": {"v": "x"}}]}
    nodes = (await answer_under(body)).json()["trace"]["nodes"]
    assert [each["name"] for each in nodes] == ["AddBackward0"] * 3 + ["AccumulateGrad"]
    assert (await answer_under(body, max_trace=len(nodes))).status_code == 200
    checked(await answer_under(body, max_trace=2), 422, "limit-exceeded")


async def test_checkpoints_bound_what_a_long_loop_keeps() -> None:
    wave = {"op": "sin", "in": ["v"]}
    loop = {
        "id": "y", "op": "while", "carry": {"v": "x"}, "cond": {"yield": {"op": "lt", "in": ["n", 0]}},
        "body": {"yield": {"v": wave}}, "max_iters": 100_000,
    }  # fmt: skip
    body = {
        "inputs": {"x": {"data": [0.5] * 1000, "requires_grad": True}, "n": 1},
        "graph": [loop, {"id": "s", "op": "sum", "in": ["y"]}],
    }
    bound = {"max_peak_bytes": 64 << 20}
    assert (await answer_under(body, "/backward", **bound)).status_code == 200
    refused = await answer_under(body, "/backward", **bound, history_bytes=0)
    assert "peak_bytes" in checked(refused, 422, "limit-exceeded")["detail"]
