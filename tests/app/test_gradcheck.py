"""POST /gradcheck: the verdict and what it rests on."""

import json
from typing import Any

import httpx
import numpy as np
import pytest

from app.codec import write
from app.endpoints import ENDPOINTS
from tests.app.computing import call, computing
from tests.app.refusing import checked, still_works

pytestmark = pytest.mark.anyio

X = {"data": [0.5, 1.0], "requires_grad": True}
CUBES = [{"id": "y", "op": "mul", "in": [{"op": "mul", "in": ["x", "x"]}, "x"]}]
FORGETFUL = [{"id": "y", "op": "mul", "in": [{"op": "detach", "in": ["x"]}, "x"]}]  # half of its gradient


async def post(client: httpx.AsyncClient, graph: Any = CUBES, x: Any = X, **fields: Any) -> Any:
    answer = await client.post("/gradcheck", json={"inputs": {"x": x}, "graph": graph, **fields})
    assert answer.status_code == 200, answer.text
    ENDPOINTS["gradcheck"].response.model_validate_json(answer.content, strict=True)
    return answer.json()


async def test_a_right_gradient(client: httpx.AsyncClient) -> None:
    found = await post(client)
    assert set(found) == {"outputs", "gradcheck", "trace", "graph_id"}
    assert found["outputs"]["y"]["data"] == [0.125, 1.0]
    assert [node["name"] for node in found["trace"]["nodes"]] == [*["MulBackward0"] * 2, "AccumulateGrad"]
    report = found["gradcheck"]
    assert (report["ok"], report["verdict"]) == (True, "right")
    for side in ("numerical", "analytical"):
        matrix = report[side]["y"]["x"]
        assert (matrix["dtype"], matrix["shape"]) == ("float64", [2, 2])
        np.testing.assert_allclose(matrix["data"], [[0.75, 0], [0, 3]], rtol=1e-7)
    assert report["convergence"]["order"] == pytest.approx(2, abs=0.1)
    assert report["convergence"]["direction"]["x"]["shape"] == [2]
    assert report["worst"].items() >= {"output": "y", "input": "x"}.items()


async def test_a_wrong_gradient_and_the_worst_element(client: httpx.AsyncClient) -> None:
    report = (await post(client, FORGETFUL))["gradcheck"]
    assert (report["ok"], report["verdict"]) == (False, "wrong")
    worst = report["worst"]
    assert worst["index"] == worst["input_index"]
    at = worst["index"][0]
    assert worst["analytical"] == X["data"][at]  # type: ignore[index]
    assert worst["numerical"] == pytest.approx(2 * X["data"][at])  # type: ignore[index]
    assert f"d y[{at}] / d x[{at}]" in report["detail"]
    assert report["convergence"]["order"] == pytest.approx(1, abs=0.1)


async def test_a_kink_and_a_line(client: httpx.AsyncClient) -> None:
    kink = await post(client, [{"id": "y", "op": "abs", "in": ["x"]}], {"data": 0.0, "requires_grad": True})
    assert kink["gradcheck"]["verdict"] == "kink"
    line = await post(client, [{"id": "y", "op": "mul", "in": ["x", 3]}])
    assert line["gradcheck"]["verdict"] == "right"
    assert line["gradcheck"]["convergence"]["order"] is None


async def test_what_is_not_finite_is_written_as_strings(client: httpx.AsyncClient) -> None:
    x = {"data": [-1.0], "requires_grad": True}
    body = {"inputs": {"x": x}, "graph": [{"id": "y", "op": "log", "in": ["x"]}]}
    answer = await client.post("/gradcheck", json=body)
    report = json.loads(answer.text, parse_constant=pytest.fail)["gradcheck"]
    assert report["verdict"] == "non-finite"
    assert (report["worst"]["numerical"], report["worst"]["error"]) == ("NaN", "Infinity")
    found = checked(await client.post("/gradcheck", json=body | {"detect_anomaly": True}), 422, "nan-found")
    assert found["errors"][0]["node"] == "y"


async def test_float32_is_checked_in_float64(client: httpx.AsyncClient) -> None:
    found = await post(client, x={"data": [0.5, 1.0], "dtype": "float32", "requires_grad": True})
    assert found["outputs"]["y"]["dtype"] == "float64"


async def test_trace_and_encoding_are_as_ever(client: httpx.AsyncClient) -> None:
    found = await post(client, trace=False, encoding="flat")
    assert "trace" not in found
    assert found["gradcheck"]["analytical"]["y"]["x"]["data"] == [0.75, 0.0, 0.0, 3.0]
    coded = await post(client, trace="values", encoding="base64")
    assert coded["gradcheck"]["numerical"]["y"]["x"]["object_type"] == "array"
    assert "value" in coded["trace"]["nodes"][0]


async def test_explained_and_not_computed(client: httpx.AsyncClient) -> None:
    body = {"inputs": {"x": X}, "graph": CUBES}
    jacobian = (await client.post("/jacobian", json={**body, "explain": True})).json()["explain"]
    found = (await client.post("/gradcheck", json={**body, "explain": True})).json()["explain"]
    assert found["calls"] == jacobian["calls"]
    assert found["outputs"] == {"y": {"shape": [2], "dtype": "float64"}}
    for name in ("peak_bytes", "flops", "output_bytes", "nodes"):
        assert found[name] > jacobian[name]


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"inputs": {"x": [1.0]}}, "invalid-argument", "/inputs"),
        ({"inputs": {"x": {"data": [[1, 0]], "dtype": "complex64", "requires_grad": True}}},
         "not-implemented", "/inputs/x"),
        ({"batch": {"inputs": ["x"]}}, "not-implemented", "/batch"),
        ({"outputs": []}, "invalid-argument", "/outputs"),
        ({"graph": []}, "invalid-argument", "/outputs"),
        ({"outputs": ["q"]}, "unknown-id", "/outputs/0"),
        ({"gradient": [1, 1]}, "unknown-field", "/gradient"),
    ],
)  # fmt: skip
async def test_refused(client: httpx.AsyncClient, fields: Any, code: str, pointer: str) -> None:
    body = {"inputs": {"x": X}, "graph": CUBES, **fields}
    found = checked(await client.post("/gradcheck", json=body), 422, code)
    assert found["errors"][0]["pointer"] == pointer
    await still_works(client)


async def test_a_check_that_is_too_large_is_refused_before_it_begins(client: httpx.AsyncClient) -> None:
    x = {"data": [0.5] * 3000, "requires_grad": True}
    answer = await client.post("/gradcheck", json={"inputs": {"x": x}, "graph": CUBES})
    assert "output_bytes" in checked(answer, 422, "limit-exceeded")["detail"]


async def test_in_a_process_and_on_the_event_loop_alike() -> None:
    body = json.dumps({"inputs": {"x": X}, "graph": CUBES}).encode()
    async with computing(inline_flops=10_000_000) as compute:
        there = await compute(call(body, route="gradcheck"))
        here = compute.at_once(call(body, route="gradcheck"))
    assert here is not None
    assert (there.status, there.body) == (200, here.body)
    async with computing() as compute:
        await compute(call(body, route="gradcheck"))
        assert compute.at_once(call(body, route="gradcheck")) is None  # a check costs more than that


def test_plain_goes_to_any_depth() -> None:
    value = {"a": [1, float("nan"), (float("inf"), -float("inf"))], "b": {"c": None, "d": "nan", "e": True}}
    assert write.plain(value) == {"a": [1, "NaN", ["Infinity", "-Infinity"]], "b": value["b"]}
