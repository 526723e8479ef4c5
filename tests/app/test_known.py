"""A request of a known kind is answered, and refused, as if it were the first: with other numbers."""

import gc
import itertools
import json
import random
from typing import Any

import pytest

from app.codec import cutting
from app.compute import known
from app.compute.call import Answer, Call
from app.compute.service import Service
from app.endpoints import ENDPOINTS
from app.openapi import examples
from app.settings import Settings
from tests.app.test_fuzz import TOKENS

GRAPH = [
    {"id": "y", "op": "mul", "in": ["x", {"op": "exp", "in": ["w"]}]},
    {"id": "s", "op": "sum", "in": ["y"]},
]
BODY: dict[str, Any] = {
    "inputs": {"x": {"data": [[1, 2], [3, 4]], "requires_grad": True}, "w": [0.5, 0.25]},
    "graph": GRAPH,
    "seed": 3,
}
VARIES = {  # what more than numbers may vary in, what is no computation, and what is odd
    "feature-batch-loop", "feature-indexing", "feature-trace-values", "feature-while", "gradcheck",
    "tutorial-5-loop", "feature-not-finite", "feature-encoding-base64",
}  # fmt: skip


class Cold(Service):
    """A service for which every request is the first of its kind."""

    def recall(self, call: Call) -> known.Known | None:
        return None


def recorded() -> dict[str, Call]:
    """The requests of the examples."""
    found = {}
    for name, each in examples().items():
        request, route = each["request"], each["request"]["path"].strip("/")
        if route in ENDPOINTS and isinstance(request.get("body"), dict) and "explain" not in request["body"]:
            found[name] = Call(route, json.dumps(request["body"]).encode())
    return found


def told(answer: Answer) -> tuple[int, Any, bytes]:
    return answer.status, answer.headers, answer.body


@pytest.fixture(scope="module")
def warm() -> Service:
    return Service(Settings())


@pytest.fixture(scope="module")
def cold() -> Cold:
    return Cold(Settings())


@pytest.mark.parametrize("name", recorded())
def test_the_second_answer_is_the_first_one(name: str, cold: Cold) -> None:
    call, service = recorded()[name], Service(Settings())
    first = service.answer(call)
    hits = service.kinds.info.hits
    assert told(service.answer(call)) == told(first) == told(cold.answer(call))
    assert (service.kinds.info.hits > hits) == (name not in VARIES and first.status == 200)


def others(value: Any, draw: random.Random, inside: bool = False) -> Any:
    """The request with other numbers in its tensors."""
    if isinstance(value, dict):
        return {
            name: others(each, draw, inside or name in ("data", "gradient", "tangents", "v"))
            if name not in ("dtype", "shape", "graph", "backward")
            else each
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [others(each, draw, inside) for each in value]
    if inside and type(value) is float:
        return draw.choice([0.0, -1.5, 1e-30, 3.0e38, 0.1, draw.uniform(-3, 3)])
    return draw.randrange(4) if inside and type(value) is int else value


@pytest.mark.parametrize("long", [4, cutting.LONG])
@pytest.mark.parametrize("name", recorded())
def test_other_numbers_are_answered_as_in_a_first_request(
    name: str, long: int, warm: Service, cold: Cold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "LONG", long)
    call, draw = recorded()[name], random.Random(name)
    for _ in range(2):
        warm.answer(call)
    for _ in range(3):
        body = json.dumps(others(json.loads(call.body), draw)).encode()
        again = call._replace(body=body)
        assert told(warm.answer(again)) == told(cold.answer(again))


def change(**fields: Any) -> bytes:
    return json.dumps({**BODY, **fields}).encode()


def inputs(x: Any, **more: Any) -> bytes:
    return change(inputs={**BODY["inputs"], "x": x, **more})


TEXT = json.dumps(BODY).encode()
REFUSED: dict[str, bytes] = {
    "a number in a string": inputs({"data": [["1", 2], [3, 4]], "requires_grad": True}),
    "a boolean for a number": inputs({"data": [[True, 2], [3, 4]], "requires_grad": True}),
    "null for a number": inputs({"data": [[None, 2], [3, 4]], "requires_grad": True}),
    "a ragged list": inputs({"data": [[1, 2], [3]], "requires_grad": True}),
    "a shape that does not fit": inputs({"data": [[1, 2, 3], [3, 4, 5]], "requires_grad": True}),
    "a deeper one": inputs({"data": [[[1], [2]], [[3], [4]]], "requires_grad": True}),
    "NaN": inputs({"data": [[float("nan"), 2], [3, 4]], "requires_grad": True}),
    "out of range": TEXT.replace(b"[[1, 2]", b"[[1e999, 2]"),
    "no JSON number": TEXT.replace(b"[[1, 2]", b"[[01, 2]"),
    "an unknown field": change(inptus={}),
    "an unknown field of a tensor": inputs({"data": [[1, 2], [3, 4]], "requires_grad": True, "typ": "bool"}),
    "a flag that is none": inputs({"data": [[1, 2], [3, 4]], "requires_grad": 1}),
    "an unknown dtype": inputs({"data": [[1, 2], [3, 4]], "requires_grad": True, "dtype": "floaty"}),
    "integers that require grad": inputs({"data": [[1, 2], [3, 4]], "requires_grad": True, "dtype": "int64"}),
    "one input more, with a defined name": inputs({"data": [[1, 2], [3, 4]], "requires_grad": True}, y=1),
    "an input too few": change(inputs={"x": BODY["inputs"]["x"]}),
    "a key twice": TEXT.replace(b'"seed"', b'"seed": 4, "seed"'),
    "inputs twice": TEXT.replace(b'{"inputs"', b'{"inputs": {}, "inputs"'),
    "data twice": TEXT.replace(b'"data"', b'"data": [1], "data"', 1),
    "the graph twice": TEXT.replace(b'"graph"', b'"graph": [], "graph"', 1),
    "an input twice": TEXT.replace(b'"w"', b'"w": [1], "w"', 1),
    "a seed that is none": change(seed=1.5),
    "a seed out of range": change(seed=2**64),
    "a seed of a leading zero": TEXT.replace(b'"seed": 3', b'"seed": 03'),
    "something behind it": TEXT + b"{}",
    "no end": TEXT[:-1],
    "no UTF-8": TEXT.replace(b'"seed"', b'"\xff": 1, "seed"'),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_known_graph_refuses_what_it_always_did(name: str, warm: Service, cold: Cold) -> None:
    for _ in range(2):
        assert warm.answer(Call("backward", TEXT)).status == 200
    assert warm.recall(Call("backward", TEXT)) is not None
    call = Call("backward", REFUSED[name])
    assert told(warm.answer(call)) == told(cold.answer(call))
    assert warm.answer(call).status in ((200,) if name == "a deeper one" else (400, 422))


@pytest.mark.parametrize("long", [4, cutting.LONG])
@pytest.mark.parametrize("seed", range(3))
def test_broken_requests_of_known_kinds_are_answered_as_first_ones(
    seed: int, long: int, warm: Service, cold: Cold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "LONG", long)
    draw, calls = random.Random(seed), [*recorded().values(), Call("backward", TEXT)]
    for call in calls:
        for _ in range(2):
            warm.answer(call)
        for _ in range(6):
            start = draw.randrange(len(call.body))
            end = draw.choice([start, start + 1, min(start + draw.randrange(9), len(call.body))])
            body = bytes(call.body[:start]) + draw.choice(TOKENS) + bytes(call.body[end:])
            broken = call._replace(body=body)
            first, again = cold.answer(broken), warm.answer(broken)
            assert (first.status, first.body) == (again.status, again.body), body


def test_the_seed_is_a_number_too(warm: Service, cold: Cold) -> None:
    graph = [{"id": "y", "op": "mul", "in": ["x", {"op": "randn", "in": [[2]]}]}]
    bodies = [
        json.dumps({"inputs": {"x": 1.5}, "graph": graph, "seed": seed}).encode() for seed in (0, 1, -1)
    ]
    answers = [told(warm.answer(Call("forward", body))) for body in bodies]
    assert answers == [told(cold.answer(Call("forward", body))) for body in bodies]
    assert len({body for _, _, body in answers}) == 3
    assert warm.recall(Call("forward", bodies[2])) is not None


@pytest.mark.parametrize("encoding", ["list", "flat", "base64"])
def test_numbers_of_any_kind_are_written_alike(encoding: str, warm: Service, cold: Cold) -> None:
    graph = [
        {"id": "b", "op": "gt", "in": ["x", 1]},
        {"id": "i", "op": "to", "in": ["x"], "attrs": {"dtype": "int32"}},
        {"id": "h", "op": "to", "in": ["x"], "attrs": {"dtype": "float16"}},
        {"id": "c", "op": "complex", "in": ["x", "x"]},
        {"id": "none", "op": "getitem", "in": ["x", {"slice": [0, 0, None]}]},
        {"id": "t", "op": "transpose", "in": ["x", 0, 1]},
        {"id": "q", "op": "div", "in": ["x", 0]},
        {"id": "s", "op": "sum", "in": ["x"]},
    ]
    outputs = [each["id"] for each in graph]
    hits = warm.kinds.info.hits
    for x in ([[1, 2.5]], [[0, -1.5]], [[1e300, 1]], [[0.1, 3e-46]]):
        asked = {"inputs": {"x": x}, "graph": graph, "outputs": outputs, "encoding": encoding}
        call = Call("forward", json.dumps(asked).encode())
        assert told(warm.answer(call)) == told(cold.answer(call))
        assert warm.answer(call).status == 200
    assert warm.kinds.info.hits > hits + 5


def test_integers_and_floats_are_two_kinds_of_numbers(warm: Service, cold: Cold) -> None:
    graph = [{"id": "y", "op": "mul", "in": ["x", 2]}]
    for data in ([1, 2], [1.0, 2], [3, 4], [2**53 + 1, 1], [0.1, 16777217]):
        call = Call("forward", json.dumps({"inputs": {"x": data}, "graph": graph}).encode())
        assert told(warm.answer(call)) == told(cold.answer(call))


@pytest.mark.parametrize("gradient", [[0.5, 2], [1, 2], [1.5, 2, 3], 1.5, {"y": [3, 4]}, [["1", 2]], None])
def test_other_gradients_of_a_known_kind(gradient: Any, warm: Service, cold: Cold) -> None:
    body = {
        "inputs": {"x": {"data": [1, 2], "requires_grad": True}},
        "graph": [{"id": "y", "op": "exp", "in": ["x"]}],
    }
    for given in ([1.5, 2.5], {"y": [1, 2]}, gradient, [2.5, 1.5]):
        call = Call("backward", json.dumps({**body, "gradient": given}).encode())
        assert told(warm.answer(call)) == told(cold.answer(call))
    assert warm.recall(call) is not None


@pytest.mark.parametrize("order", [*itertools.permutations(("inputs", "graph", "gradient", "outputs"))])
def test_numbers_are_found_wherever_they_stand(order: tuple[str, ...], cold: Cold) -> None:
    service = Service(Settings())
    for number in (2, 3, 0.5, 4):
        leaf = {"data": [2, number], "requires_grad": True, "grad": [number, 1], "dtype": "float64"}
        fields = {
            "inputs": {"b": number, "x": leaf, "a": [2]},
            "graph": [
                {
                    "id": "y",
                    "op": "mul",
                    "in": ["x", {"op": "mul", "in": ["a", {"op": "mul", "in": ["b", 2]}]}],
                }
            ],
            "gradient": [2, number],
            "outputs": ["y"],
        }
        for separators in ((",", ":"), (", ", ": ")):
            text = json.dumps({name: fields[name] for name in order}, separators=separators)
            call = Call("backward", text.encode())
            assert told(service.answer(call)) == told(cold.answer(call))
    assert service.kinds.info.hits > 2


def test_a_plan_that_is_gone_is_made_again() -> None:
    service, call = Service(Settings()), Call("backward", TEXT)
    first = service.answer(call)
    service.programs.forget()
    gc.collect()
    assert service.recall(call) is not None
    assert told(service.answer(call)) == told(first)
    assert len(service.programs) == 1
