"""/graphs/{name} over HTTP: statuses, ETags, defaults and what goes before them, versions."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.codec import binary
from app.compute.call import BINARY
from app.endpoints import ENDPOINTS
from app.openapi import examples
from app.settings import Settings
from tests.app.harness import serve
from tests.app.refusing import checked

pytestmark = pytest.mark.anyio

LINE = [{"id": "y", "op": "add", "in": [{"op": "mul", "in": ["w", "x"]}, "b"]}]
WEIGHTS = {"w": {"data": 2.0, "requires_grad": True}, "b": {"data": 1.0, "requires_grad": True}}
BODY = {"graph": LINE, "inputs": WEIGHTS}
OTHER = "sha256:" + "0" * 64
OWN: dict[str, dict[str, Any]] = {"jvp": {"tangents": {"w": 1.0}}, "hvp": {"v": {"w": 1.0}}}


def stored(folder: Path, **settings: Any) -> Settings:
    return Settings(**{"compute": "inline", "store": str(folder / "graphs.sqlite3"), **settings})


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(stored(tmp_path)) as found:
        yield found


async def put(client: httpx.AsyncClient, body: Any = BODY, name: str = "line", **headers: str) -> Any:
    """What PUT answers where it goes well."""
    answer = await client.put(f"/graphs/{name}", json=body, headers=headers)
    assert answer.status_code in (200, 201), answer.text
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
    return answer.json()


async def y(client: httpx.AsyncClient, query: str = "", **body: Any) -> Any:
    """y of a registered line, at x = 3 unless the body has another."""
    answer = await client.post(f"/graphs/line/forward{query}", json={"inputs": {"x": 3.0}, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()["outputs"]["y"]["data"]


async def test_put_get_delete(client: httpx.AsyncClient) -> None:
    first = await client.put("/graphs/line", json=BODY)
    again = await client.put("/graphs/line", json=BODY)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    shown = await client.get("/graphs/line")
    assert (shown.status_code, shown.headers["etag"]) == (200, first.headers["etag"])
    found = shown.json()
    assert found["graph"] == LINE
    assert found["inputs"]["w"] == {"data": 2.0, "dtype": "float32", "shape": [], "requires_grad": True}
    assert (found["outputs"], found["default_dtype"]) == (None, "float32")
    assert found["versions"] == [found["version"]] == [first.json()["version"]]
    gone = await client.delete("/graphs/line")
    assert (gone.status_code, gone.content) == (204, b"")
    assert "content-length" not in gone.headers
    for method in ("GET", "DELETE"):
        checked(await client.request(method, "/graphs/line"), 404, "unknown-graph")
    checked(await client.post("/graphs/line/forward", json={}), 404, "unknown-graph")
    assert (await client.put("/graphs/line", json=BODY)).status_code == 201


async def test_what_get_shows_can_be_put(client: httpx.AsyncClient) -> None:
    body = {**BODY, "outputs": ["y"], "default_dtype": "float64"}
    version = (await put(client, body))["version"]
    for encoding in ("list", "flat", "base64"):
        shown = (await client.get(f"/graphs/line?encoding={encoding}")).json()
        again = {name: shown[name] for name in ("graph", "inputs", "outputs", "default_dtype")}
        assert (await put(client, again, f"copy_{encoding}"))["version"] == version


@pytest.mark.parametrize("route", ENDPOINTS)
async def test_every_route_answers_as_with_all_of_it(client: httpx.AsyncClient, route: str) -> None:
    await put(client)
    own = OWN.get(route, {})
    named = await client.post(f"/graphs/line/{route}", json={"inputs": {"x": 3.0}, **own})
    plain = await client.post(f"/{route}", json={"graph": LINE, "inputs": {**WEIGHTS, "x": 3.0}, **own})
    assert plain.status_code == 200, plain.text
    assert named.json() == plain.json()


async def test_an_input_of_the_request_goes_before_the_default(client: httpx.AsyncClient) -> None:
    await put(client)
    assert await y(client) == 7.0
    assert await y(client, inputs={"x": 3.0, "w": -1.0}) == -2.0
    body = {"inputs": {"x": 3.0, "w": -1.0}}
    answer = (await client.post("/graphs/line/backward", json=body)).json()
    assert set(answer["grads"]) == {"b"}  # the flag went with the default
    assert await y(client) == 7.0


async def test_fields_of_the_request_go_before_those_that_are_kept(client: httpx.AsyncClient) -> None:
    graph = [{"id": "a", "op": "mul", "in": ["x", 2]}, {"id": "b", "op": "add", "in": ["a", 1.5]}]
    await put(client, {"graph": graph, "outputs": ["a"], "default_dtype": "float64"})
    for body, outputs, dtype in (
        ({}, {"a"}, "float64"),
        ({"outputs": ["b"]}, {"b"}, "float64"),
        ({"default_dtype": "float32"}, {"a"}, "float32"),
    ):
        answer = await client.post("/graphs/line/forward", json={"inputs": {"x": 0.1}, **body})
        found = answer.json()["outputs"]
        assert set(found) == outputs
        assert {each["dtype"] for each in found.values()} == {dtype}


async def test_defaults_are_of_the_default_dtype(client: httpx.AsyncClient) -> None:
    await put(client, {"graph": LINE, "inputs": {"w": 0.1, "b": 0}, "default_dtype": "float64"})
    assert await y(client, inputs={"x": 1.0}) == 0.1


async def test_what_a_graph_does_to_its_inputs_is_not_kept(client: httpx.AsyncClient) -> None:
    graph = [
        {"op": "requires_grad_", "in": ["w"]},
        {"id": "y", "op": "mul", "in": ["w", "x"]},
        {"op": "backward", "in": ["y"]},
    ]
    await put(client, {"graph": graph, "inputs": {"w": 2.0}})
    answers = [(await client.post("/graphs/line/forward", json={"inputs": {"x": 3.0}})).json() for _ in "abc"]
    assert answers[0] == answers[1] == answers[2]
    assert not (await client.get("/graphs/line")).json()["inputs"]["w"]["requires_grad"]


async def test_a_version_stays_addressable(client: httpx.AsyncClient) -> None:
    first = await put(client)
    second = await put(client, {"graph": LINE, "inputs": {"w": 5.0, "b": 0.0}})
    assert first["graph_id"] == second["graph_id"]
    assert first["version"] != second["version"]
    assert await y(client) == 15.0
    assert await y(client, f"?version={first['version']}") == 7.0
    shown = await client.get(f"/graphs/line?version={first['version']}")
    assert shown.json()["version"] == first["version"]
    assert shown.json()["versions"] == [second["version"], first["version"]]
    checked(await client.post(f"/graphs/line/forward?version={OTHER}", json={}), 404, "unknown-graph")
    await put(client)
    assert await y(client) == 7.0


async def test_the_version_of_a_bare_graph_is_its_graph_id(client: httpx.AsyncClient) -> None:
    found = await put(client, {"graph": LINE})
    assert found["version"] == found["graph_id"]
    body = {"graph_id": found["graph_id"], "inputs": {**WEIGHTS, "x": 3.0}}
    assert (await client.post("/forward", json=body)).json()["outputs"]["y"]["data"] == 7.0


async def test_conditions(client: httpx.AsyncClient) -> None:
    async def status(method: str, body: Any = None, **headers: str) -> int:
        given = {} if body is None else {"json": body}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await client.request(method, "/graphs/line", headers=named, **given)
        if answer.status_code == 412:
            checked(answer, 412, "precondition-failed")
        return answer.status_code

    assert await status("PUT", BODY, if_match="*") == 412
    assert await status("PUT", BODY, if_none_match="*") == 201
    assert await status("PUT", BODY, if_none_match="*") == 412
    tag = (await client.get("/graphs/line")).headers["etag"]
    assert await status("GET", if_none_match=tag) == 304
    assert await status("GET", if_none_match=f'W/{tag}, "x"') == 304
    assert await status("GET", if_none_match='"x"') == 200
    assert await status("GET", if_match='"x"') == 412
    assert await status("PUT", {"graph": LINE}, if_match='"x"') == 412
    assert await status("DELETE", if_match='"x"') == 412
    assert await status("PUT", {"graph": LINE}, if_match=tag) == 200
    assert await status("PUT", BODY, if_match=tag) == 412
    assert await status("DELETE", if_match=tag) == 412
    assert await status("DELETE", if_match="*") == 204
    assert await status("DELETE", if_match="*") == 412
    assert await status("DELETE") == 404


async def test_an_answer_of_304_has_an_etag_and_no_body(client: httpx.AsyncClient) -> None:
    await put(client)
    tag = (await client.get("/graphs/line")).headers["etag"]
    answer = await client.get("/graphs/line", headers={"if-none-match": tag, "accept-encoding": "gzip"})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert not {"content-length", "content-encoding"} & set(answer.headers)


async def test_head_is_answered_as_get(client: httpx.AsyncClient) -> None:
    await put(client)
    assert (await client.head("/graphs/line")).status_code == 200
    answer = await client.post("/graphs/line", json={})
    checked(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, PUT"


async def test_weights_come_and_go_as_bytes(client: httpx.AsyncClient) -> None:
    weights = np.arange(1000.0).reshape(10, 100)
    content = weights.tobytes()
    document = json.dumps({"graph": [{"id": "y", "op": "mv", "in": ["w", "x"]}]})
    header = {
        "__metadata__": {"gradwire": document},
        "inputs/w": {"dtype": "F64", "shape": [10, 100], "data_offsets": [0, len(content)]},
    }
    head = json.dumps(header).encode()
    body = len(head).to_bytes(8, "little") + head + content
    answer = await client.put("/graphs/line", content=body, headers={"content-type": BINARY})
    assert answer.status_code == 201, answer.text
    assert await y(client, inputs={"x": {"data": [1.0] * 100, "dtype": "float64"}}) == weights.sum(1).tolist()
    shown = await client.get("/graphs/line", headers={"accept": BINARY})
    assert shown.headers["content-type"] == BINARY
    found, tensors = binary.split(shown.content)
    assert json.loads(found)["version"] == answer.json()["version"]
    assert bytes(tensors["inputs/w"].content) == content


async def test_it_outlives_a_restart(tmp_path: Path) -> None:
    async with serve(stored(tmp_path)) as client:
        version = (await put(client))["version"]
    async with serve(stored(tmp_path)) as client:
        assert await y(client) == 7.0
        assert (await client.get("/graphs/line")).json()["version"] == version


async def test_names_have_nothing_to_do_with_each_other(client: httpx.AsyncClient) -> None:
    await put(client)
    await put(client, {"graph": LINE, "inputs": {"w": 9.0}}, "Line")
    await put(client, BODY, "line_")
    await client.delete("/graphs/line_")
    assert await y(client) == 7.0


async def test_a_web_page_may_do_it_all_where_it_may_call_at_all(tmp_path: Path) -> None:
    preflight = {
        "origin": "https://a.example",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "content-type, if-match, if-none-match",
    }
    async with serve(stored(tmp_path, cors_origins=("https://a.example",))) as client:
        asked = await client.options("/graphs/line", headers=preflight)
        answer = await client.put("/graphs/line", json=BODY, headers={"origin": "https://a.example"})
    assert asked.status_code == 200, asked.text
    assert {"PUT", "DELETE"} <= set(asked.headers["access-control-allow-methods"].split(", "))
    assert "ETag" in answer.headers["access-control-expose-headers"]


FIELDS = ("graph", "inputs", "outputs", "default_dtype")
SENT = {name: each["request"] for name, each in examples().items() if each["response"]["status"] == 200}
PLAIN = {
    name: each for name, each in SENT.items() if "graph" in each.get("body", {}) and each["method"] == "POST"
}


@pytest.mark.parametrize("name", PLAIN)
async def test_what_is_kept_means_what_it_would_if_it_were_sent(client: httpx.AsyncClient, name: str) -> None:
    path, body = PLAIN[name]["path"], PLAIN[name]["body"]
    if any("grad" in each for each in body.get("inputs", {}).values() if isinstance(each, dict)):
        return  # an earlier grad is of the request
    await put(client, {field: body[field] for field in FIELDS if field in body})
    rest = {field: value for field, value in body.items() if field not in FIELDS}
    plain = (await client.post(path, json=body)).json()
    for _ in range(3):
        assert (await client.post(f"/graphs/line{path}", json=rest)).json() == plain
