"""Broken requests: recorded ones with bytes changed are answered, never with a 5xx, never at length."""

import json
import random
from typing import Any

import pytest

from app.compute.call import Call
from app.compute.service import Service
from app.compute.warm import REQUEST
from app.endpoints import ENDPOINTS
from app.openapi import examples
from app.settings import Settings

SETTINGS = Settings.model_validate(
    {
        "max_elements": 10_000,
        "max_peak_bytes": 10_000_000,
        "max_output_bytes": 1_000_000,
        "max_iterations": 1000,
    }
)
TOKENS = (
    b"NaN", b"1e999", b"-1", b"9223372036854775808", b"1e308", b"null", b"true", b'"x"',
    b"[[", b"]", b"{", b"}",
    b'"', b"\\", b":", b",", b"[]", b"{}", b"\xff", b"\x00", b'"\\ud800"', b"1" * 400, b'"data"', b'"dtype"',
    b'"float64"', b'"in"', b'"op"', b'"while"', b'"grad"', b'"ref"', b'"tensor"', b'"shape"', b"0",
    b'"complex64"',
)  # fmt: skip


X = {"data": [[1.5, 2.0, -1.0], [0.0, 1.0, 3.0]], "requires_grad": True}
VARIED: tuple[Any, ...] = (
    {  # a loop, and a gradient through it
        "inputs": {"x": {"data": [1.0, 2.0], "requires_grad": True}},
        "graph": [
            {"id": "y", "op": "while", "carry": {"v": "x"}, "max_iters": 50,
             "cond": {"do": [{"id": "n", "op": "norm", "in": ["v"]}],
                      "yield": {"op": "lt", "in": ["n", 100]}},
             "body": {"do": [], "yield": {"v": {"op": "mul", "in": ["v", 2]}}}},
        ],
        "gradient": [0.1, 1.0],
    },
    {  # derivatives as statements, blocks, leaves, state
        "inputs": {"x": X},
        "graph": [
            {"id": "w", "tensor": {"data": [1, 2, 3], "dtype": "float64"}, "requires_grad": True},
            {"id": "s", "op": "sum", "in": [{"op": "pow", "in": ["x", 3]}]},
            {"id": "g", "op": "grad", "in": ["s"], "attrs": {"wrt": ["x"], "create_graph": True}},
            {"with": "no_grad", "do": [{"id": "d", "op": "mul", "in": ["g", "w"]}]},
            {"op": "backward", "in": [{"op": "sum", "in": ["g"]}], "attrs": {"retain_graph": True}},
            {"id": "read", "op": "read_grad", "in": ["x"]},
            {"op": "zero_grad", "in": ["x"]},
        ],
        "outputs": ["g", "d", "read"],
        "backward": [{"tensor": "s", "retain_graph": True}, {"tensor": "s"}],
        "trace": "values",
        "encoding": "base64",
    },
    {  # indices, several outputs, encodings, every kind of literal
        "inputs": {
            "x": X, "i": [1, 0], "c": {"data": [[1, 2]], "dtype": "complex64"}, "m": [True, False],
            "b": {"data": {"buffer": "AAAAAAAA8D8=", "encoding": "base64"}, "dtype": "float64", "shape": [1]},
        },
        "graph": [
            {"id": "a", "op": "getitem", "in": ["x", {"slice": [0, None, 1]}, None, {"ellipsis": True}]},
            {"out": ["v", "k"], "op": "max", "in": ["x"], "attrs": {"dim": 1}},
            {"id": "t", "op": "mul",
             "in": [{"op": "getitem", "in": ["x", "i"]}, {"tensor": [[1.0], ["NaN"]]}]},
            {"id": "z", "op": "mul", "in": ["c", {"complex": [0, 1]}]},
        ],
        "outputs": ["a", "v", "k", "t", "z"],
        "gradient": {"v": [1, 1]},
        "seed": 5,
        "default_dtype": "float64",
    },
    {  # a batch, directions and cotangents of every route
        "inputs": {"x": X, "w": {"data": [0.5, 1.0, 2.0], "requires_grad": True}, "m": [True, False]},
        "graph": [
            {"id": "h", "op": "tanh", "in": [{"op": "mul", "in": ["x", "w"]}]},
            {"id": "r", "op": "mul", "in": ["h", {"op": "rand", "in": [[3]]}]},
            {"id": "s", "op": "sum", "in": ["r"]},
        ],
        "batch": {"inputs": ["x", "m"], "grads": "sum", "randomness": "same"},
        "detect_anomaly": True,
        "explain": False,
        "trace": "values",
    },
)  # fmt: skip
ODD = (None, True, -1, 1.5, 2**63, 10**30, "", "x", "é" * 70, [], {}, [[]], {"data": 1}, [1, "NaN"])


def bodies() -> list[bytes]:
    """The first request, those above, and the examples'."""
    recorded = [each["request"].get("body") for each in examples().values()]
    return [REQUEST, *(json.dumps(body).encode() for body in (*VARIED, *recorded) if isinstance(body, dict))]


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to every value inside a JSON value."""
    pairs: Any = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path, *(spot for key, each in pairs for spot in spots(each, (*path, key)))]


def broken_text(body: bytes, dice: random.Random) -> bytes:
    """The body with a few bytes changed, cut, doubled or replaced by a token."""
    data = bytearray(body)
    for _ in range(dice.randint(1, 3)):
        start = dice.randrange(len(data) or 1)
        end = min(len(data), start + dice.choice((0, 1, 1, 2, 5, 20)))
        piece = dice.choice(
            (dice.choice(TOKENS), bytes(data[start:end]) * 2, b"", bytes([dice.randrange(256)]))
        )
        data[start:end] = piece
    return bytes(data)


def broken_value(body: bytes, dice: random.Random) -> bytes:
    """The body with one or two values replaced by others, some from elsewhere in it; still JSON."""
    found = json.loads(body)
    for _ in range(dice.randint(1, 2)):
        paths = spots(found)
        path, other = dice.choice(paths[1:]), dice.choice(paths)
        holder, value = found, found
        for key in path[:-1]:
            holder = holder[key]
        for key in other:
            value = value[key]
        holder[path[-1]] = json.loads(json.dumps(dice.choice((value, dice.choice(ODD)))))
    return json.dumps(found).encode()


OWN: dict[str, dict[str, Any]] = {
    "vjp": {"is_grads_batched": False},
    "jvp": {"tangents": {"x": 1.0}},
    "jacobian": {"mode": "forward"},
    "hvp": {"v": {"x": 1.0}},
}


def routed(body: bytes, dice: random.Random) -> tuple[str, bytes]:
    """A route, and the body with what that route needs, if there is a way to put it in."""
    route = dice.choice(("backward", "forward", *ENDPOINTS))
    own = json.dumps(OWN.get(route, {}))[1:-1].encode()
    if own and body[:1] == b"{" and dice.random() < 0.9:
        body = b"{" + own + b"," + body[1:]
    return route, body


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mutate", [broken_text, broken_value])
def test_broken_requests_are_answered(mutate: Any, seed: int) -> None:
    dice = random.Random(seed)
    service = Service(SETTINGS)
    recorded = bodies()
    seen = set()
    for _ in range(400):
        body = mutate(dice.choice(recorded), dice)
        answer = service.answer(Call(*routed(body, dice)))
        assert answer.status < 500, (body, answer.body)
        assert json.loads(answer.body, parse_constant=pytest.fail) is not None
        assert answer.status == 200 or len(answer.body) <= SETTINGS.max_error_bytes
        seen.add(answer.status)
    assert {200, 422} <= seen
