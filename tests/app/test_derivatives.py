"""POST /vjp, /jvp, /jacobian, /hessian and /hvp answer what the contract says."""

import json
from typing import Any

import httpx
import pytest

from app.endpoints import ENDPOINTS
from tests.app.computing import call, computing
from tests.app.refusing import checked, still_works

pytestmark = pytest.mark.anyio


def leaf(data: Any, dtype: str = "float64") -> dict[str, Any]:
    return {"data": data, "dtype": dtype, "requires_grad": True}


X, W = leaf([1.0, 2.0, 3.0]), leaf([4.0, 5.0, 6.0])
SQUARES = [{"id": "y", "op": "mul", "in": ["x", "x"]}]
CUBES = [{"id": "s", "op": "sum", "in": [{"op": "mul", "in": [{"op": "pow", "in": ["x", 3]}, "w"]}]}]
REQUESTS: dict[str, dict[str, Any]] = {
    "vjp": {"inputs": {"x": X}, "graph": SQUARES, "gradient": [1, 2, 3]},
    "jvp": {"inputs": {"x": X}, "graph": SQUARES, "tangents": {"x": [1, 2, 3]}},
    "jacobian": {"inputs": {"x": X}, "graph": SQUARES},
    "hessian": {"inputs": {"x": X, "w": W}, "graph": CUBES},
    "hvp": {"inputs": {"x": X, "w": W}, "graph": CUBES, "v": {"x": [1, 0, 0], "w": [0, 1, 0]}},
}
DERIVATIVES = {
    "vjp": {"x": [2.0, 8.0, 18.0]},
    "jvp": {"y": [2.0, 8.0, 18.0]},
    "jacobian": {"y": {"x": [[2.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 6.0]]}},
    "hessian": {
        "x": {
            "x": [[24.0, 0.0, 0.0], [0.0, 60.0, 0.0], [0.0, 0.0, 108.0]],
            "w": [[3.0, 0.0, 0.0], [0.0, 12.0, 0.0], [0.0, 0.0, 27.0]],
        },
        "w": {
            "x": [[3.0, 0.0, 0.0], [0.0, 12.0, 0.0], [0.0, 0.0, 27.0]],
            "w": [[0.0] * 3] * 3,
        },
    },
    "hvp": {"x": [24.0, 12.0, 0.0], "w": [3.0, 0.0, 0.0]},
}


async def post(client: httpx.AsyncClient, route: str, **changes: Any) -> Any:
    """The answer of a route to its request above, with some fields changed."""
    answer = await client.post(f"/{route}", json=REQUESTS[route] | changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


def numbers(found: Any) -> Any:
    """Tensors as their numbers."""
    return found["data"] if "data" in found else {name: numbers(each) for name, each in found.items()}


@pytest.mark.parametrize("route", REQUESTS)
async def test_the_derivative_beside_the_outputs(client: httpx.AsyncClient, route: str) -> None:
    found = await post(client, route)
    answer = ENDPOINTS[route].answer
    assert set(found) == {"outputs", answer, "trace", "graph_id"}
    assert numbers(found[answer]) == DERIVATIVES[route]
    forward = await client.post("/forward", json={key: REQUESTS[route][key] for key in ("inputs", "graph")})
    assert {key: found[key] for key in ("outputs", "trace", "graph_id")} == forward.json()


LOOP = {
    "id": "y", "op": "while", "carry": {"v": "x"},
    "cond": {"yield": {"op": "lt", "in": [{"op": "sum", "in": ["v"]}, 100]}},
    "body": {"yield": {"v": {"op": "mul", "in": ["v", "x"]}}},
}  # fmt: skip


@pytest.mark.parametrize("route", REQUESTS)
async def test_a_trace_with_values_is_that_of_the_graph_alone(client: httpx.AsyncClient, route: str) -> None:
    graph = [LOOP, {"id": "s", "op": "sum", "in": ["y"]}]
    own = {"gradient": None} if route == "vjp" else {"v": {"x": [1, 0, 0]}} if route == "hvp" else {}
    request = {"inputs": {"x": X}, "graph": graph, "trace": "values"}
    found = await post(client, route, **request, **own)
    forward = (await client.post("/forward", json=request)).json()
    assert found["trace"] == forward["trace"]
    assert len(found["trace"]["nodes"]) > 3


@pytest.mark.parametrize("route", REQUESTS)
async def test_the_answer_has_the_shape_that_openapi_promises(client: httpx.AsyncClient, route: str) -> None:
    for changes in ({"trace": False}, {"trace": "values"}, {"encoding": "base64"}):
        found = await post(client, route, **changes)
        ENDPOINTS[route].response.model_validate_json(json.dumps(found), strict=True)
        assert ("trace" in found) == (changes.get("trace") is not False)


@pytest.mark.parametrize("route", REQUESTS)
async def test_encodings(client: httpx.AsyncClient, route: str) -> None:
    answer = ENDPOINTS[route].answer
    plain, flat = (await post(client, route), await post(client, route, encoding="flat"))
    coded = await post(client, route, encoding="base64")

    def compare(plain: Any, flat: Any, coded: Any) -> None:
        if "data" not in plain:
            for name in plain:
                compare(plain[name], flat[name], coded[name])
            return
        shape = {"dtype": plain["dtype"], "shape": plain["shape"]}
        assert flat.items() >= shape.items()
        assert coded.items() >= {"object_type": "array", **shape}.items()
        rows = plain["data"]
        while rows and isinstance(rows[0], list):
            rows = [each for row in rows for each in row]
        assert flat["data"] == rows

    compare(plain[answer], flat[answer], coded[answer])


async def test_many_cotangents_at_once(client: httpx.AsyncClient) -> None:
    gradient = [[1, 0, 0], [0, 1, 0]]
    found = await post(client, "vjp", gradient=gradient, is_grads_batched=True)
    assert found["vjp"]["x"] == {"data": [[2.0, 0, 0], [0, 4.0, 0]], "dtype": "float64", "shape": [2, 3]}
    named = await post(client, "vjp", gradient={"y": gradient}, is_grads_batched=True)
    assert named["vjp"] == found["vjp"]


async def test_forward_and_reverse_give_the_same_jacobian(client: httpx.AsyncClient) -> None:
    graph = [*SQUARES, {"id": "s", "op": "sum", "in": ["y"]}]
    changes = {"graph": graph, "outputs": ["y", "s"], "inputs": {"x": X, "w": W, "c": [1.0]}}
    reverse = await post(client, "jacobian", **changes, mode="reverse")
    forward = await post(client, "jacobian", **changes, mode="forward")
    assert reverse["jacobian"] == forward["jacobian"]
    assert numbers(reverse["jacobian"]["s"]) == {"x": [2.0, 4.0, 6.0], "w": [0.0, 0.0, 0.0]}


async def test_an_input_without_a_tangent_stays(client: httpx.AsyncClient) -> None:
    graph = [{"id": "y", "op": "mul", "in": ["x", "w"]}]
    found = await post(client, "jvp", inputs={"x": X, "w": W}, graph=graph, tangents={"w": [1, 1, 1]})
    assert numbers(found["tangents"]) == {"y": [1.0, 2.0, 3.0]}


BATCH = {"batch": {"inputs": ["x"]}}
BATCHED = leaf([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])


@pytest.mark.parametrize("route", REQUESTS)
async def test_a_batch_is_a_request_for_each_sample(client: httpx.AsyncClient, route: str) -> None:
    inputs = REQUESTS[route]["inputs"] | {"x": BATCHED}
    found = await post(client, route, inputs=inputs, trace=False, **BATCH)
    answer = ENDPOINTS[route].answer
    for at, row in enumerate(BATCHED["data"]):
        alone = await post(client, route, inputs=inputs | {"x": leaf(row)}, trace=False)
        for part in ("outputs", answer):
            same_as_sample(found[part], alone[part], at)


def same_as_sample(found: Any, alone: Any, at: int) -> None:
    """What is found for all samples is, at one of them, what that one alone gives."""
    if "data" in alone:
        assert found["shape"] == [2, *alone["shape"]]
        assert found["data"][at] == alone["data"]
        return
    assert found.keys() == alone.keys()
    for name in alone:
        same_as_sample(found[name], alone[name], at)


@pytest.mark.parametrize("route", REQUESTS)
async def test_explained_and_not_computed(client: httpx.AsyncClient, route: str) -> None:
    found = await post(client, route, explain=True)
    assert set(found) == {"explain", "graph_id"}
    assert found["explain"]["outputs"].keys() == (await post(client, route))["outputs"].keys()
    assert found["explain"]["calls"] == len(found["explain"]["steps"]) > 0


@pytest.mark.parametrize(
    ("route", "changes", "code"),
    [
        *((route, {"graph": []}, "invalid-argument") for route in REQUESTS),
        *((route, {"outputs": []}, "invalid-argument") for route in REQUESTS),
        ("vjp", {"gradient": [1, 2]}, "shape-mismatch"),
        ("vjp", {"gradient": {"q": [1, 2, 3]}}, "unknown-id"),
        ("vjp", {"inputs": {"x": [1.0, 2.0, 3.0]}}, "not-differentiable"),
        ("jvp", {"tangents": {"x": [1, 2]}}, "shape-mismatch"),
        ("jvp", {"tangents": {"q": [1]}}, "unknown-id"),
        ("jacobian", {"inputs": {"x": [1.0, 2.0, 3.0]}}, "not-differentiable"),
        ("jacobian", {"outputs": ["q"]}, "unknown-id"),
        ("hessian", {"graph": SQUARES, "inputs": {"x": X}}, "not-scalar"),
        ("hvp", {"v": {"x": [1, 2]}}, "shape-mismatch"),
        ("hvp", {"graph": SQUARES, "inputs": {"x": X}, "v": {"x": [1, 2, 3]}}, "not-scalar"),
    ],
)
async def test_refused(client: httpx.AsyncClient, route: str, changes: dict[str, Any], code: str) -> None:
    checked(await client.post(f"/{route}", json=REQUESTS[route] | changes), 422, code)
    await still_works(client)


@pytest.mark.parametrize("route", REQUESTS)
async def test_in_a_process_and_on_the_event_loop_alike(route: str) -> None:
    body = json.dumps(REQUESTS[route]).encode()
    async with computing() as compute:
        assert compute.at_once(call(body, route=route)) is None
        there = await compute(call(body, route=route))
        here = compute.at_once(call(body, route=route))
    assert here is not None
    assert there.body == here.body
    assert (there.status, there.cost) == (here.status, here.cost)


async def test_a_large_answer_is_refused_before_it_is_computed(client: httpx.AsyncClient) -> None:
    inputs = {"x": leaf([0.5] * 4000)}
    answer = await client.post("/jacobian", json={"inputs": inputs, "graph": SQUARES})
    found = checked(answer, 422, "limit-exceeded")
    assert "output_bytes" in found["detail"]
    vector = await client.post("/vjp", json={"inputs": inputs, "graph": SQUARES, "gradient": [1.0] * 4000})
    assert vector.status_code == 200
