"""One shape for every error, its own list of codes, and nothing of the request in it."""

import json
import pickle
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import engine
from app.codes import CODES
from app.errors import Problem, ProblemDocument, document, from_engine, from_validation, pointer
from app.handlers import FRAMEWORK
from tests.app.harness import INLINE, serve

pytestmark = pytest.mark.anyio
SHAPE = {"type", "title", "status", "detail", "code"}


def engine_errors(above: type[Exception] = engine.errors.EngineError) -> Iterator[type[Exception]]:
    yield above
    for below in above.__subclasses__():
        yield from engine_errors(below)


def made(kind: type[Exception]) -> Exception:
    if issubclass(kind, engine.errors.LimitExceeded):
        return kind("elements", 11, 10)
    return kind() if kind is engine.errors.GraphFreed else kind("torch's sentence")


def check(answer: httpx.Response, code: str) -> dict[str, Any]:
    """The one shape; gives the document."""
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    ProblemDocument.model_validate(found, extra="forbid")
    assert found.keys() >= SHAPE
    assert found["code"] == code
    assert found["status"] == answer.status_code == CODES[code].status
    assert found["title"] == CODES[code].title
    assert answer.headers["x-request-id"]
    return found


def raising(error: Exception) -> Route:
    async def endpoint(request: Request) -> Response:
        raise error

    return Route("/raise", endpoint, methods=["GET", "POST"])


@pytest.mark.parametrize("code", CODES)
async def test_every_code_has_the_shape_and_a_type_that_resolves(code: str) -> None:
    async with serve(routes=[raising(Problem(code, "The detail."))]) as client:
        answer = await client.get("/raise")
        found = check(answer, code)
        described = await client.get(found["type"])
    assert found["detail"] == "The detail."
    assert "errors" not in found
    assert described.json()["name"] == code
    assert described.json()["status"] == answer.status_code
    assert ("retry-after" in answer.headers) == (answer.status_code == 503)


@pytest.mark.parametrize("kind", list(engine_errors()), ids=lambda kind: kind.__name__)
async def test_every_engine_error_has_a_code_of_the_list(kind: type[Exception]) -> None:
    error = made(kind)
    async with serve(routes=[raising(error)]) as client:
        found = check(await client.get("/raise"), kind.code)  # type: ignore[attr-defined]
    assert found["detail"] == str(error)
    assert 400 <= found["status"] < 500


@pytest.mark.parametrize("status", FRAMEWORK)
async def test_what_the_framework_raises_loses_its_own_text(status: int) -> None:
    async with serve(
        routes=[raising(HTTPException(status, "their own text", headers={"X-Theirs": "1"}))]
    ) as client:
        answer = await client.get("/raise")
    found = check(answer, FRAMEWORK[status][0])
    assert "their own text" not in answer.text
    assert found["detail"] == FRAMEWORK[status][1]
    assert answer.headers["x-theirs"] == "1"


async def test_unknown_paths_are_404_and_not_repeated(client: httpx.AsyncClient) -> None:
    for path in ("/nope-3141", "/backward/", "/docs/nope-3141", "/%00nope-3141"):
        answer = await client.get(path)
        check(answer, "not-found")
        assert "3141" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/backward", "POST"),
        ("POST", "/health/live", "GET, HEAD"),
        ("OPTIONS", "/ops/add", "GET, HEAD"),
        ("DELETE", "/docs", "GET, HEAD"),
    ],
)
async def test_405_lists_the_methods(method: str, path: str, allow: str, client: httpx.AsyncClient) -> None:
    answer = await client.request(method, path)
    check(answer, "method-not-allowed")
    assert answer.headers["allow"] == allow


async def test_a_refused_parameter_is_named_and_not_repeated() -> None:
    async def counted(count: int) -> int:
        return count

    async with serve(counted=counted) as client:
        answer = await client.get("/counted", params={"count": "three-3141"})
        missing = await client.get("/counted")
    found = check(answer, "invalid-argument")
    assert found["detail"].startswith("query parameter count: expected a valid integer")
    assert found["errors"][0]["actual"] == "string"
    assert "3141" not in answer.text
    assert (
        check(missing, "invalid-argument")["detail"]
        == "query parameter count: expected a value, found nothing"
    )


async def test_a_bug_is_a_500_of_fixed_text_and_the_next_request_works() -> None:
    async with serve(routes=[raising(ZeroDivisionError("secret-3141"))]) as client:
        answer = await client.get("/raise", headers={"X-Request-ID": "abc-1"})
        after = await client.get("/health/live")
    found = check(answer, "internal")
    assert found["detail"] == "This is a bug of the service. Quote the request id abc-1 to report it."
    assert found["request_id"] == "abc-1"
    assert "3141" not in answer.text
    assert after.status_code == 200


async def test_an_answer_that_breaks_its_own_schema_is_a_500() -> None:
    async def wrong() -> int:
        return "secret-3141"  # type: ignore[return-value]

    async with serve(wrong=wrong) as client:
        answer = await client.get("/wrong")
    check(answer, "internal")
    assert "3141" not in answer.text


async def test_a_framework_500_is_a_bug_too() -> None:
    async with serve(routes=[raising(HTTPException(502, "theirs"))]) as client:
        check(await client.get("/raise"), "internal")


def test_an_engine_error_says_where() -> None:
    error = engine.errors.ShapeError("sizes differ", expected=(2, 3), actual=(4,))
    found = read(from_engine(error.at(("in", 0), node="h", op="add"), ("graph", 1)))
    assert found["detail"] == "node 'h' (add): sizes differ"
    assert found["errors"] == [
        {"pointer": "/graph/1/in/0", "node": "h", "op": "add", "expected": [2, 3], "actual": [4]}
    ]
    assert read(from_engine(engine.errors.GradError("plain"))).keys() == SHAPE


def test_names_that_are_too_long_to_be_names_are_left_out() -> None:
    error = engine.errors.UnknownOp("unknown op").at((0, "op"), node="n" * 65, op="o" * 65)
    found = read(from_engine(error, ("graph",)))
    assert found["detail"] == "unknown op"
    assert found["errors"] == [{"pointer": "/graph/0/op"}]
    named = engine.errors.UnknownOp("unknown op").at((0, "op"), op="adD")
    assert read(from_engine(named))["detail"] == "(adD): unknown op"


def test_pydantic_errors_become_pointers_and_types() -> None:
    found = read(
        from_validation(
            [
                {
                    "type": "extra_forbidden",
                    "loc": ("a/b~c",),
                    "msg": "Extra inputs are not permitted",
                    "input": 1,
                },
                {
                    "type": "int_type",
                    "loc": ("x", 0),
                    "msg": "Input should be a valid integer",
                    "input": "3141",
                },
            ],
            ("inputs",),
        )
    )
    assert found["code"] == "unknown-field"
    assert found["detail"] == "/inputs/a~1b~0c: expected no field of this name, found number (and 1 more)"
    assert found["errors"] == [
        {"pointer": "/inputs/a~1b~0c", "expected": "no field of this name", "actual": "number"},
        {"pointer": "/inputs/x/0", "expected": "a valid integer", "actual": "string"},
    ]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "boolean"),
        (1.5, "number"),
        ("s", "string"),
        ([1], "array"),
        ({"a": 1}, "object"),
    ],
)
def test_the_input_is_told_by_its_json_type_only(value: Any, name: str) -> None:
    found = from_validation([{"type": "x", "loc": ("a",), "msg": "Input should be other", "input": value}])
    assert found.errors[0]["actual"] == name


def test_at_most_20_places_and_8_kib() -> None:
    small = read(Problem("invalid-argument", "many", errors=[{"pointer": f"/{n}"} for n in range(50)]))
    assert len(small["errors"]) == 20
    large = Problem(
        "invalid-argument", "é" * 5000, errors=[{"expected": ["x" * 5000] * 9} for _ in range(50)]
    )
    body = document(large, max_errors=20, max_bytes=8192)
    assert len(body) <= 8192
    assert 0 < len(json.loads(body)["errors"]) < 20
    assert json.loads(body)["detail"].endswith("…")
    assert len(document(large, max_errors=20, max_bytes=1024)) <= 1024


def test_what_json_cannot_say_is_text() -> None:
    found = read(Problem("invalid-argument", "\ud800", errors=[{"expected": float("nan"), "actual": 2**70}]))
    assert found["detail"] == "?"
    assert found["errors"] == [{"expected": "nan", "actual": str(2**70)}]
    assert (
        read(Problem("internal", "x", errors=[{"expected": int, "actual": 1.5}]))["errors"][0]["actual"]
        == 1.5
    )


def test_a_pointer_stops_above_what_is_no_name() -> None:
    assert pointer(["graph", 3, "a/b", "m~n"]) == "/graph/3/a~1b/m~0n"
    assert pointer(["inputs", "x" * 65, "data"]) == "/inputs"
    assert len(pointer(["abc"] * 500)) <= 300
    assert pointer([]) == ""


def test_a_problem_travels_between_processes() -> None:
    problem = Problem("overloaded", "busy", errors=[{"expected": 1}], headers={"Retry-After": "7"})
    twin = pickle.loads(pickle.dumps(problem))
    assert (twin.code, twin.detail, twin.errors, twin.headers) == (
        problem.code, problem.detail, problem.errors, problem.headers,
    )  # fmt: skip


def read(problem: Problem) -> dict[str, Any]:
    body = document(problem, max_errors=INLINE.max_errors, max_bytes=INLINE.max_error_bytes)
    found: dict[str, Any] = json.loads(body)
    return found
