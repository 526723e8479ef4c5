"""The fields of a request: which route has which, what is refused, what goes on to the engine."""

import json
from typing import Any

import httpx
import numpy as np
import pytest

import engine
from app.compute.call import Call
from app.compute.service import Service
from app.endpoints import ENDPOINTS
from app.schemas.request import Request
from app.settings import Settings
from tests.app.refusing import X, Y, checked, still_works

pytestmark = pytest.mark.anyio

OWN = {  # the fields that not every route has, with a value that is fine
    "gradient": [1, 1, 1],
    "backward": [{"tensor": "y", "gradient": [1, 1, 1]}],
    "is_grads_batched": False,
    "tangents": {"x": [1, 1, 1]},
    "mode": "forward",
    "v": {"x": [1, 1, 1]},
}
TAKES = {
    "backward": {"gradient", "backward"},
    "forward": set(),
    "vjp": {"gradient", "is_grads_batched"},
    "jvp": {"tangents"},
    "jacobian": {"mode"},
    "hessian": set(),
    "hvp": {"v"},
    "gradcheck": set(),
}


class AskedError(Exception):
    """Carries what the engine was asked."""


def asked(monkeypatch: pytest.MonkeyPatch, route: str, **fields: Any) -> dict[str, Any]:
    """What the engine is asked where a client sends `fields` beside x and the graph y = 2x."""

    def prepare(program: Any, inputs: Any, **settings: Any) -> Any:
        raise AskedError(settings)

    monkeypatch.setattr(engine.Program, "prepare", prepare)
    body = {"inputs": {"x": X}, "graph": Y, **fields}
    with pytest.raises(AskedError) as caught:
        Service(Settings()).prepare(Call(route, json.dumps(body).encode()))
    found: dict[str, Any] = caught.value.args[0]
    assert found.pop("route") == route
    return found


def test_the_table_says_which_route_takes_what() -> None:
    common = set(Request.model_fields)
    takes = {name: set(endpoint.request.model_fields) - common for name, endpoint in ENDPOINTS.items()}
    assert takes == TAKES


@pytest.mark.parametrize("route", ENDPOINTS)
async def test_a_field_of_another_route_is_unknown(client: httpx.AsyncClient, route: str) -> None:
    needed = {name: OWN[name] for name in TAKES[route]}
    for name in OWN.keys() - TAKES[route]:
        body = {"inputs": {"x": X}, "graph": Y, **needed, name: OWN[name]}
        found = checked(await client.post(f"/{route}", json=body), 422, "unknown-field")
        assert found["errors"][0]["pointer"] == f"/{name}"
    await still_works(client)


def refusal(
    name: str, value: Any, pointer: str, code: str = "invalid-argument", route: str = "forward"
) -> Any:
    return pytest.param(route, {name: value}, pointer, code, id=f"{route}-{name}-{json.dumps(value)[:30]}")


@pytest.mark.parametrize(
    ("route", "fields", "pointer", "code"),
    [
        refusal("batch", True, "/batch"),
        refusal("batch", ["x"], "/batch"),
        refusal("batch", {}, "/batch/inputs"),
        refusal("batch", {"inputs": []}, "/batch/inputs"),
        refusal("batch", {"inputs": "x"}, "/batch/inputs"),
        refusal("batch", {"inputs": [0]}, "/batch/inputs/0"),
        refusal("batch", {"inputs": ["a b"]}, "/batch/inputs/0"),
        refusal("batch", {"inputs": ["x"], "grads": "mean"}, "/batch/grads"),
        refusal("batch", {"inputs": ["x"], "grads": None}, "/batch/grads"),
        refusal("batch", {"inputs": ["x"], "randomness": "error"}, "/batch/randomness"),
        refusal("batch", {"inputs": ["x"], "size": 3}, "/batch/size", "unknown-field"),
        refusal("explain", 1, "/explain"),
        refusal("explain", "true", "/explain"),
        refusal("explain", None, "/explain"),
        refusal("detect_anomaly", 1, "/detect_anomaly"),
        refusal("detect_anomaly", "yes", "/detect_anomaly"),
        refusal("is_grads_batched", 1, "/is_grads_batched", route="vjp"),
        refusal("gradient", ["a"], "/gradient/0", route="vjp"),
        refusal("mode", "both", "/mode", route="jacobian"),
        refusal("mode", None, "/mode", route="jacobian"),
        refusal("seed", 1.5, "/seed", route="jvp"),
        refusal("tangents", [1, 1, 1], "/tangents", route="jvp"),
        refusal("tangents", None, "/tangents", route="jvp"),
        refusal("tangents", {"x": None}, "/tangents/x", route="jvp"),
        refusal("tangents", {"x": ["a"]}, "/tangents/x/0", route="jvp"),
        refusal("tangents", {"x": {"data": [1], "dtype": "f4"}}, "/tangents/x/dtype", route="jvp"),
        refusal("tangents", {"a b": [1]}, "/tangents/a b", route="jvp"),
        refusal("v", {"x": [[1], [2, 3]]}, "/v/x/1", "shape-mismatch", route="hvp"),
        refusal("v", 1, "/v", route="hvp"),
    ],
)
async def test_refused_by_place(
    client: httpx.AsyncClient, route: str, fields: dict[str, Any], pointer: str, code: str
) -> None:
    needed = {name: OWN[name] for name in TAKES[route] - {"backward"}}
    body = {"inputs": {"x": X}, "graph": Y, **needed, **fields}
    found = checked(await client.post(f"/{route}", json=body), 422, code)
    assert found["errors"][0]["pointer"] == pointer
    await still_works(client)


@pytest.mark.parametrize(("route", "name"), [("jvp", "tangents"), ("hvp", "v")])
async def test_a_direction_is_needed(client: httpx.AsyncClient, route: str, name: str) -> None:
    found = checked(
        await client.post(f"/{route}", json={"inputs": {"x": X}, "graph": Y}), 422, "invalid-argument"
    )
    assert found["detail"] == f"/{name}: expected a value, found nothing"


def test_what_is_sent_is_what_the_engine_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = {"inputs": ["x"], "grads": "sum"}
    common = {"outputs": ["y"], "seed": 3, "trace": False, "detect_anomaly": True, "default_dtype": "float64"}
    found = asked(monkeypatch, "jacobian", batch=batch, mode="forward", encoding="flat", **common)
    assert found == {"grads": {}, "mode": "forward", "batch": {**batch, "randomness": "different"}, **common}
    defaults = {"grads": {}, "seed": 0, "trace": True, "detect_anomaly": False, "default_dtype": "float32"}
    assert asked(monkeypatch, "hessian", explain=True, batch=None) == defaults
    assert asked(monkeypatch, "jacobian") == {**defaults, "mode": "reverse"}
    assert asked(monkeypatch, "vjp", is_grads_batched=True) == {**defaults, "is_grads_batched": True}


def test_a_direction_has_its_inputs_dtype_unless_it_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {
        "x": {"data": [1, 2], "dtype": "float64", "requires_grad": True},
        "h": {"data": [1], "dtype": "float16", "requires_grad": True},
        "n": [1, 2],
    }
    given = {"x": [0.1, 1], "h": [2], "n": [0.5, 0.5], "q": [1]}
    found = asked(monkeypatch, "hvp", inputs=inputs, v=given)["v"]
    dtypes = {name: each.dtype.name for name, each in found.items()}
    assert dtypes == {"x": "float64", "h": "float16", "n": "float64", "q": "float64"}
    np.testing.assert_array_equal(found["x"].array, [0.1, 1])
    said = {"x": {"data": [0.1], "dtype": "float32"}}
    assert asked(monkeypatch, "jvp", inputs=inputs, tangents=said)["tangents"]["x"].dtype.name == "float32"


@pytest.mark.parametrize("route", ["backward", "forward"])
@pytest.mark.parametrize("encoding", ["list", "base64"])
async def test_explained_and_not_computed(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, route: str, encoding: str
) -> None:
    def run(prepared: Any) -> Any:
        raise AssertionError("computed")

    monkeypatch.setattr(engine.Prepared, "run", run)
    graph = [{"id": "h", "op": "exp", "in": ["x"]}, {"id": "s", "op": "sum", "in": ["h"]}]
    body = {"inputs": {"x": X}, "graph": graph, "outputs": ["h", "s"], "explain": True, "encoding": encoding}
    answer = await client.post(f"/{route}", json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert set(found) == {"explain", "graph_id"}
    explained = found["explain"]
    assert explained["outputs"] == {
        "h": {"shape": [3], "dtype": "float32"},
        "s": {"shape": [], "dtype": "float32"},
    }
    assert explained["peak_bytes"] > 24
    assert explained["output_bytes"] == (28 if route == "backward" else 16)
    assert explained["flops"] > 0
    assert [step["op"] for step in explained["steps"]][:2] == ["exp", "_sum_all"]
    assert len(explained["steps"]) == explained["calls"] <= explained["nodes"]


async def test_explain_refuses_what_a_run_would_refuse_before_it_runs(client: httpx.AsyncClient) -> None:
    large = [{"id": "y", "op": "ones", "in": [[10**6, 10**6]]}]
    checked(await client.post("/forward", json={"graph": large, "explain": True}), 422, "limit-exceeded")
    shapes = [{"id": "y", "op": "mul", "in": ["x", {"tensor": [1.0, 2.0]}]}]
    body = {"inputs": {"x": X}, "graph": shapes, "explain": True}
    checked(await client.post("/backward", json=body), 422, "shape-mismatch")
    scalar = {"inputs": {"x": X}, "graph": Y, "explain": True}
    checked(await client.post("/backward", json=scalar), 422, "not-scalar")


async def test_explain_false_computes(client: httpx.AsyncClient) -> None:
    answer = await client.post("/forward", json={"inputs": {"x": X}, "graph": Y, "explain": False})
    assert answer.json()["outputs"]["y"]["data"] == [2.0, 4.0, 6.0]
