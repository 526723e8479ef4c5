"""Binary bodies that are wrong: each is refused by what is wrong with it, and none costs anything."""

import json
import random
import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest

from app.compute.call import BINARY, Call, Form
from app.compute.service import Service
from app.settings import Settings
from tests.app.binaries import packed

SERVICE = Service(Settings())
GRAPH = [{"id": "y", "op": "mul", "in": ["x", 2]}]
REQUEST = json.dumps({"graph": GRAPH})
METADATA = {"gradwire": REQUEST}
DATA = np.arange(4.0).tobytes()
HUGE = 10**30


def answered(body: bytes, service: Service = SERVICE) -> tuple[int, Any]:
    answer = service.answer(Call("forward", body, sent=Form(BINARY), wanted=Form(BINARY)))
    return answer.status, {} if answer.status == 200 else json.loads(answer.body)


def framed(header: Any, data: bytes = DATA) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: Any = "F64", shape: Any = (4,), offsets: Any = (0, 32), **more: Any) -> Any:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


def with_x(*args: Any, **more: Any) -> bytes:
    return framed({"__metadata__": METADATA, "inputs/x": entry(*args, **more)})


def with_two(first: Any, second: Any, data: bytes = DATA) -> bytes:
    return framed({"__metadata__": METADATA, "inputs/x": first, "inputs/w": second}, data)


def with_bytes(dtype: str, shape: Any, data: bytes) -> bytes:
    return framed({"__metadata__": METADATA, "inputs/x": entry(dtype, shape, [0, len(data)])}, data)


GOOD = with_x()
TWICE = GOOD[8:].partition(DATA)[0]

MALFORMED = {
    "nothing": b"",
    "half a length": b"\x00\x00\x00",
    "no header": struct.pack("<Q", 0),
    "a header beyond the body": struct.pack("<Q", 10) + b"{}",
    "a header of 2^64 - 1 bytes": struct.pack("<Q", 2**64 - 1) + b"{}",
    "a header of 2^63 bytes": struct.pack("<Q", 2**63) + b"{}" + DATA,
    "a header that is a list": framed(b"[]"),
    "a header after a space": framed(b' {"__metadata__": {"gradwire": "{}"}}', b""),
    "no metadata": framed({"inputs/x": entry()}),
    "metadata that are a list": framed({"__metadata__": []}, b""),
    "metadata without ours": framed({"__metadata__": {"format": "pt"}}, b""),
    "metadata that are no string": framed({"__metadata__": {"gradwire": {"graph": GRAPH}}}, b""),
    "an entry that is a number": framed({"__metadata__": METADATA, "inputs/x": 5}),
    "an entry that is null": framed({"__metadata__": METADATA, "inputs/x": None}),
    "an entry without a dtype": framed({"__metadata__": METADATA, "inputs/x": {"shape": [4]}}),
    "an unknown field": with_x(requires_grad=True),
    "a key twice": framed(TWICE.replace(b'"dtype"', b'"shape": [], "dtype"')),
    "a dtype that is a number": with_x(64),
    "a shape that is a number": with_x(shape=4),
    "a shape of floats": with_x(shape=[4.5]),
    "a shape of booleans": with_x(shape=[True]),
    "a shape of strings": with_x(shape=["4"]),
    "a negative size": with_x(shape=[-4]),
    "two negative sizes": with_x(shape=[-2, -2]),
    "a size that is too small": with_x(shape=[3]),
    "a size that is too large": with_x(shape=[5]),
    "a shape that overflows 64 bits": with_x(shape=[2**63, 2, 4]),
    "a shape beyond any number": with_x(shape=[HUGE, HUGE]),
    "a rank of a hundred thousand": with_x(shape=[2**62] * 10**5),
    "one offset": with_x(offsets=[32]),
    "three offsets": with_x(offsets=[0, 16, 32]),
    "an offset that is a float": with_x(offsets=[0, 32.5]),
    "offsets that are negative": with_x(offsets=[-32, 0]),
    "an end before its start": with_x(offsets=[32, 0]),
    "an end beyond the body": with_x(shape=[5], offsets=[0, 40]),
    "an end beyond any number": with_x(shape=[HUGE], offsets=[0, 8 * HUGE]),
    "bytes before the first tensor": with_x(shape=[3], offsets=[8, 32]),
    "bytes behind the last tensor": with_x(shape=[3], offsets=[0, 24]),
    "a hole": with_two(entry(shape=[1], offsets=[0, 8]), entry(shape=[2], offsets=[16, 32])),
    "an overlap": with_two(entry(shape=[3], offsets=[0, 24]), entry(shape=[2], offsets=[16, 32])),
    "the same bytes twice": with_two(entry(), entry()),
    "a cut": GOOD[:-1],
    "more": GOOD + b"\x00",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    status, problem = answered(MALFORMED[name])
    assert (status, problem["code"]) == (400, "invalid-body"), problem
    assert problem["detail"].startswith("The body is no safetensors: ")


def test_the_good_one_is_good() -> None:
    assert answered(GOOD)[0] == 200


NO_JSON = {
    "no JSON at all": framed(b"{nonsense"),
    "a bare NaN": framed(TWICE.replace(b"[4]", b"[NaN]")),
    "a tensor twice": framed(TWICE[:-1] + b"," + TWICE[1:]),
    "a header of no UTF-8": framed(TWICE.replace(b"inputs/x", b"inputs/\xff")),
    "text behind the header's object": framed(TWICE + b"{}"),
    "a request that is no JSON": packed("{", {}),
    "an empty request": packed("", {}),
    "a request with NaN": packed('{"seed": NaN}', {}),
    "a request with a key twice": packed('{"graph": [], "graph": []}', {}),
}


@pytest.mark.parametrize("name", NO_JSON)
def test_no_json(name: str) -> None:
    status, problem = answered(NO_JSON[name])
    assert (status, problem["code"]) == (400, "invalid-json"), problem


def test_depth() -> None:
    for depth, status in ((98, 422), (101, 400)):
        found = answered(packed('{"outputs": ' + "[" * depth + "]" * depth + "}", {}))
        assert found[0] == status
    assert found[1]["code"] == "json-too-deep"
    deep = b'{"inputs/x": ' + b"[" * 10**6 + b"]" * 10**6 + b"}"
    assert answered(framed(deep))[0] == 400


X = np.ones(3)


def beside(given: Any, array: Any = X) -> bytes:
    """A request whose JSON says this of the input `x`, which is a tensor too."""
    return packed({"inputs": {"x": given}, "graph": GRAPH}, {"inputs/x": array})


def placed(name: str, **request: Any) -> bytes:
    """A request with a tensor of this name."""
    return packed({"graph": GRAPH, **request}, {"inputs/x": X, name: X})


REFUSED = {
    "no place": ("unknown-field", placed("x")),
    "no such field": ("unknown-field", placed("inputs/x/data")),
    "not on this route": ("unknown-field", placed("v/x")),
    "a place that is deep": ("unknown-field", placed("inputs/x" + "/" * 10**6)),
    "no calls": ("unknown-field", placed("backward/0/gradient")),
    "no such call": ("unknown-field", placed("backward/1/gradient", backward=[{}])),
    "a negative call": ("unknown-field", placed("backward/-1/gradient", backward=[{}])),
    "a call far away": ("unknown-field", placed(f"backward/{'9' * 5000}/gradient", backward=[{}])),
    "an id that is none": ("invalid-argument", placed("inputs/x-y")),
    "an id that is long": ("invalid-argument", placed("inputs/" + "x" * 10_000)),
    "inputs that are a number": ("invalid-argument", placed("inputs/x", inputs=5)),
    "twice": ("invalid-argument", beside({"data": [1.0]})),
    "beside a list": ("invalid-argument", beside([1.0])),
    "beside null": ("invalid-argument", beside(None)),
    "another dtype": ("dtype-mismatch", beside({"dtype": "float32"})),
    "no pairs": ("dtype-mismatch", beside({"dtype": "complex128"})),
    "another shape": ("shape-mismatch", beside({"shape": [1, 3]})),
    "a field that is none": ("unknown-field", beside({"name": "x"})),
    "bfloat16": ("not-implemented", with_x("BF16", shape=[16])),
    "U64": ("not-implemented", with_x("U64")),
    "a dtype of a later version": ("not-implemented", with_x("F8_E4M3", shape=[32])),
    "a dtype that is a secret": ("not-implemented", with_x("x" * 100)),
    "a boolean that is 2": ("invalid-argument", with_bytes("BOOL", [3], b"\x00\x01\x02")),
    "a rank of 33": ("limit-exceeded", with_x(shape=[1] * 32 + [4])),
    "an empty one beyond any size": ("limit-exceeded", with_bytes("F64", [0, HUGE], b"")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    code, body = REFUSED[name]
    status, problem = answered(body)
    assert (status, problem["code"]) == (422, code), problem
    assert "x" * 65 not in json.dumps(problem)


def test_gradients_by_name_beside_one() -> None:
    for tensors in ({"gradient": X, "gradient/y": X}, {"gradient/y": X, "gradient": X}):
        body = packed({"graph": GRAPH}, {"inputs/x": X, **tensors})
        answer = SERVICE.answer(Call("backward", body, sent=Form(BINARY)))
        assert answer.status == 422, answer.body


def test_elements() -> None:
    service = Service(Settings(max_elements=3))
    assert answered(packed({"graph": GRAPH}, {"inputs/x": X}), service)[0] == 200
    status, problem = answered(packed({"graph": GRAPH}, {"inputs/x": np.ones(4)}), service)
    assert (status, problem["code"], problem["errors"][0]["pointer"]) == (422, "limit-exceeded", "/inputs/x")


@pytest.mark.parametrize("seed", range(3))
def test_broken_bytes_are_answered(seed: int) -> None:
    dice = random.Random(seed)
    good = packed({"graph": GRAPH}, {"inputs/x": X, "inputs/w": np.arange(5)})
    for _ in range(400):
        body = bytearray(good)
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(len(body))
            match dice.randrange(4):
                case 0:
                    body[at] = dice.randrange(256)
                case 1:
                    del body[at : at + dice.randint(1, 9)]
                case 2:
                    body[at:at] = bytes(dice.choice(b'{}[],:"0129-.e\\') for _ in range(dice.randint(1, 4)))
                case _:
                    body[:8] = struct.pack("<Q", dice.choice((0, 1, len(body), 2**63, dice.randrange(400))))
        assert answered(bytes(body))[0] < 500, bytes(body)


def test_a_hostile_header_takes_little_memory() -> None:
    many = framed(
        {
            "__metadata__": METADATA,
            **{f"inputs/x{i}": entry(shape=[HUGE], offsets=[0, 0]) for i in range(9999)},
        }
    )
    bodies = [many, *(each for each in MALFORMED.values()), framed(b"{" + b" " * 10**6)]
    tracemalloc.start()
    for body in bodies:
        assert answered(body)[0] in (400, 422)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * len(many)
