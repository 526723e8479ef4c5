"""POST /backward and /forward answer what the contract says."""

import json
from typing import Any

import httpx
import pytest

import engine
from app.codec import canonical
from app.compute.warm import REQUEST
from app.endpoints import ENDPOINTS

pytestmark = pytest.mark.anyio

X = {"data": [[1, 1], [1, 1]], "requires_grad": True}


async def post(client: httpx.AsyncClient, path: str = "/backward", **fields: Any) -> Any:
    """The answer to a request that must be fine."""
    answer = await client.post(path, json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_first_request(client: httpx.AsyncClient) -> None:
    answer = await client.post("/backward", content=REQUEST, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    graph_id = found.pop("graph_id")
    flags = {"dtype": "float32", "requires_grad": True, "is_leaf": False}
    assert found["outputs"] == {
        "z": {"data": [[27.0, 27.0], [27.0, 27.0]], "shape": [2, 2], "grad_fn": "MulBackward0", **flags},
        "out": {"data": 27.0, "shape": [], "grad_fn": "MeanBackward0", **flags},
    }
    assert found["grads"] == {"x": {"data": [[4.5, 4.5], [4.5, 4.5]], "dtype": "float32", "shape": [2, 2]}}
    assert found["trace"]["roots"] == {"z": 1, "out": 0}
    nodes = found["trace"]["nodes"]
    assert [(node["name"], node["next_functions"]) for node in nodes] == [
        ("MeanBackward0", [[1, 0]]),
        ("MulBackward0", [[2, 0], None]),
        ("MulBackward0", [[3, 0], [3, 0]]),
        ("AddBackward0", [[4, 0], None]),
        ("AccumulateGrad", []),
    ]
    assert [nodes[0]["tensor"], nodes[1]["tensor"], nodes[3]["tensor"], nodes[4]["variable"]] == [
        "out",
        "z",
        "y",
        "x",
    ]
    statements = engine.Program(json.loads(REQUEST)["graph"]).statements
    assert graph_id == canonical.graph_id(statements)


async def test_forward_sweeps_nothing(client: httpx.AsyncClient) -> None:
    found = await post(client, "/forward", inputs={"x": X}, graph=[{"id": "y", "op": "mul", "in": ["x", 2]}])
    assert set(found) == {"outputs", "trace", "graph_id"}
    assert found["outputs"]["y"]["grad_fn"] == "MulBackward0"
    leaf = await post(
        client, "/forward", inputs={"x": X}, graph=[{"id": "y", "op": "exp", "in": ["x"]}], outputs=["x"]
    )
    assert leaf["outputs"]["x"]["is_leaf"] is True
    assert leaf["outputs"]["x"]["grad_fn"] is None


async def test_the_answer_has_the_shape_that_openapi_promises(client: httpx.AsyncClient) -> None:
    for route in ("backward", "forward"):
        for trace in (True, False, "values"):
            answer = await client.post(f"/{route}", json={**json.loads(REQUEST), "trace": trace})
            ENDPOINTS[route].response.model_validate_json(answer.content, strict=True)


@pytest.mark.parametrize("encoding", ["list", "flat", "base64"])
async def test_encodings(client: httpx.AsyncClient, encoding: str) -> None:
    graph = [{"id": "y", "op": "mul", "in": ["x", 2]}]
    found = await post(client, inputs={"x": X}, graph=graph, gradient=[[1, 2], [3, 4]], encoding=encoding)
    expected: dict[str, Any] = {
        "list": {"data": [[2.0, 4.0], [6.0, 8.0]]},
        "flat": {"data": [2.0, 4.0, 6.0, 8.0]},
        "base64": {
            "object_type": "array",
            "data": {"buffer": "AAAAQAAAgEAAAMBAAAAAQQ==", "encoding": "base64"},
        },
    }
    assert found["grads"]["x"] == {**expected[encoding], "dtype": "float32", "shape": [2, 2]}
    again = await post(
        client, inputs={"x": found["grads"]["x"]}, graph=graph[:1], trace=False, path="/forward"
    )
    assert again["outputs"]["y"]["data"] == [[4.0, 8.0], [12.0, 16.0]]


async def test_trace_is_off_on_or_with_values(client: httpx.AsyncClient) -> None:
    fields: dict[str, Any] = {"inputs": {"x": [1.0, 2.0]}, "graph": [{"id": "y", "op": "sum", "in": ["x"]}]}
    fields["inputs"]["x"] = {"data": [1.0, 2.0], "requires_grad": True}
    assert "trace" not in await post(client, **fields, trace=False)
    assert "value" not in json.dumps((await post(client, **fields, trace=True))["trace"])
    nodes = (await post(client, **fields, trace="values"))["trace"]["nodes"]
    assert nodes[0]["value"] == {"data": 3.0, "dtype": "float32", "shape": []}
    assert nodes[-1]["grad"]["data"] == [1.0, 1.0]


async def test_a_gradient_by_name_a_gradient_of_one_and_the_long_form_agree(
    client: httpx.AsyncClient,
) -> None:
    fields: dict[str, Any] = {"inputs": {"x": {"data": [1, 2, 3], "requires_grad": True}}, "trace": False}
    fields["graph"] = [{"id": "y", "op": "mul", "in": ["x", "x"]}]
    v = [0.1, 1.0, 0.0001]
    answers = [
        await post(client, **fields, gradient=v),
        await post(client, **fields, gradient={"y": v}),
        await post(client, **fields, gradient={"data": v, "dtype": "float64"}),
        await post(client, **fields, backward=[{"tensor": "y", "gradient": v}]),
    ]
    grads = [answer["grads"]["x"]["data"] for answer in answers]
    assert grads == [grads[0]] * 4
    assert grads[0] == pytest.approx([0.2, 4.0, 0.0006])


async def test_gradients_accumulate_over_calls_and_onto_an_earlier_grad(client: httpx.AsyncClient) -> None:
    x = {"data": [1.0, 2.0], "requires_grad": True, "grad": [10, 20]}
    graph = [{"id": "y", "op": "mul", "in": ["x", "x"]}]
    calls = [{"tensor": "y", "gradient": [1, 1], "retain_graph": True}, {"tensor": "y", "gradient": [1, 0]}]
    found = await post(client, inputs={"x": x}, graph=graph, backward=calls)
    assert found["grads"]["x"]["data"] == [14.0, 24.0]


async def test_a_float64_gradient_keeps_its_digits(client: httpx.AsyncClient) -> None:
    x = {"data": [1.0], "dtype": "float64", "requires_grad": True}
    graph = [{"id": "y", "op": "mul", "in": ["x", 1]}]
    found = await post(client, inputs={"x": x}, graph=graph, gradient=[0.1])
    assert found["grads"]["x"] == {"data": [0.1], "dtype": "float64", "shape": [1]}


async def test_nothing_flowed_is_null_and_never_zeros(client: httpx.AsyncClient) -> None:
    inputs = {name: {"data": 2.0, "requires_grad": True} for name in "ab"}
    found = await post(client, inputs=inputs, graph=[{"id": "y", "op": "mul", "in": ["a", 3]}])
    assert found["grads"] == {"a": {"data": 3.0, "dtype": "float32", "shape": []}, "b": None}


async def test_what_is_not_finite_comes_back_as_strings(client: httpx.AsyncClient) -> None:
    x = {"data": [0.0, -1.0, 1.0], "requires_grad": True}
    answer = await client.post("/backward", json={
        "inputs": {"x": x}, "graph": [{"id": "y", "op": "log", "in": ["x"]}], "gradient": [1, 1, 1],
    })  # fmt: skip
    assert answer.status_code == 200
    found = json.loads(answer.text, parse_constant=pytest.fail)
    assert found["outputs"]["y"]["data"] == ["-Infinity", "NaN", 0.0]
    assert found["grads"]["x"]["data"] == ["Infinity", -1.0, 1.0]


async def test_the_default_dtype_is_the_requests(client: httpx.AsyncClient) -> None:
    fields = {"inputs": {"x": 0.1}, "graph": [{"id": "y", "op": "mul", "in": ["x", {"tensor": [0.1]}]}]}
    single = await post(client, "/forward", **fields)
    double = await post(client, "/forward", **fields, default_dtype="float64")
    assert (single["outputs"]["y"]["dtype"], double["outputs"]["y"]["dtype"]) == ("float32", "float64")
    assert double["outputs"]["y"]["data"] == [0.1 * 0.1]
    assert single["graph_id"] == double["graph_id"]


async def test_the_same_request_gives_the_same_answer_but_for_its_id(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json", "x-request-id": "mine"}
    first = await client.post("/backward", content=REQUEST, headers=headers)
    second = await client.post("/backward", content=REQUEST, headers={"content-type": "application/json"})
    assert first.content == second.content
    assert first.headers["x-request-id"] == "mine"
    assert second.headers["x-request-id"] != "mine"


async def test_null_is_the_same_as_absent_where_torch_has_none(client: httpx.AsyncClient) -> None:
    found = await post(client, **{**json.loads(REQUEST), "gradient": None, "backward": None, "batch": None})
    assert found["grads"]["x"]["data"] == [[4.5, 4.5], [4.5, 4.5]]
