"""The binary body: what the `safetensors` package writes is read, and it reads what is answered."""

import json
from pathlib import Path
from typing import Any

import httpx
import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from app import openapi
from app.codec import binary
from app.compute.call import BINARY, JSON, Call, Form
from app.compute.service import Service
from app.settings import Settings
from tests.app.binaries import HEADERS, as_binary, filled, packed, paired, unpacked
from tests.app.harness import INLINE, serve

pytestmark = pytest.mark.anyio

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
LIMITS = (32, 2**27)
SERVICE = Service(Settings())

EXAMPLES = {
    name: each
    for name, each in openapi.examples().items()
    if each["response"]["status"] == 200 and each["request"]["method"] == "POST"
}
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
ARRAYS = st.sampled_from(DTYPES + COMPLEX).flatmap(lambda name: arrays.arrays(name, SHAPES))


def sent(request: Any, tensors: dict[str, Any], route: str = "backward", answer: str = JSON) -> Any:
    """What the service answers to a binary request."""
    found = SERVICE.answer(Call(route, packed(request, tensors), sent=Form(BINARY), wanted=Form(answer)))
    assert found.status == 200, found.body
    assert dict(found.headers)["content-type"] == answer
    return filled(found.body) if answer == BINARY else json.loads(found.body)


@given(st.dictionaries(st.text("abc_", min_size=1, max_size=5), ARRAYS, max_size=5))
def test_what_the_package_writes_is_read(found: dict[str, Any]) -> None:
    raw, tensors = binary.split(packed({"a": "é"}, {name: paired(each) for name, each in found.items()}))
    assert json.loads(raw) == {"a": "é"}
    assert tensors.keys() == found.keys()
    for name, array in found.items():
        read = binary.from_stored(tensors[name], engine.dtype(array.dtype.name), array.shape, LIMITS)
        assert (read.dtype, read.shape) == (array.dtype, array.shape)
        assert read.tobytes() == array.tobytes()
        assert not read.flags.writeable
        assert read.flags.aligned


@given(st.dictionaries(st.text("abc_", min_size=1, max_size=5), ARRAYS, max_size=5))
def test_what_is_written_the_package_reads(found: dict[str, Any]) -> None:
    writer = binary.Writer()
    document = writer.lift({name: engine.tensor(array) for name, array in found.items()}, ())
    body = b"".join(writer.pieces({"é": document}))
    read, tensors = unpacked(body)
    for name, array in found.items():
        assert read["é"][name] == {"dtype": array.dtype.name, "shape": list(array.shape)}
        assert tensors[name].tobytes() == array.tobytes()
    assert (int.from_bytes(body[:8], "little") % 8, len(tensors)) == (0, len(found))


@given(ARRAYS)
def test_what_is_sent_comes_back(array: Any) -> None:
    request = {
        "inputs": {"x": {"dtype": array.dtype.name}},
        "graph": [{"id": "y", "op": "clone", "in": ["x"]}],
    }
    call = Call(
        "forward", packed(request, {"inputs/x": paired(array)}), sent=Form(BINARY), wanted=Form(BINARY)
    )
    answer = SERVICE.answer(call)
    document, tensors = unpacked(answer.body)
    assert document["outputs"]["y"]["dtype"] == array.dtype.name
    assert document["outputs"]["y"]["shape"] == list(array.shape)
    assert tensors["outputs/y"].tobytes() == array.tobytes()


@given(st.integers(0, 20), st.sampled_from(DTYPES))
def test_tensors_that_are_not_aligned_are_copied(padding: int, dtype: str) -> None:
    array = np.arange(5).astype(dtype)
    stored = binary.Stored(engine.dtype(dtype), (5,), memoryview(bytes(padding) + array.tobytes())[padding:])
    read = binary.from_stored(stored, None, None, LIMITS)
    assert read.flags.aligned
    assert read.tolist() == array.tolist()


def test_aligned_tensors_are_not_copied() -> None:
    body = packed({}, {"x": np.ones(1000)})
    read = binary.from_stored(binary.split(body)[1]["x"], None, None, LIMITS)
    assert np.shares_memory(read, np.frombuffer(body, np.uint8))


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(("media", "answer"), [(JSON, BINARY), (BINARY, JSON), (BINARY, BINARY)])
async def test_every_example_is_answered_alike(name: str, media: str, answer: str, tmp_path: Path) -> None:
    async with serve(INLINE.model_copy(update={"store": f"{tmp_path}/graphs.sqlite3"})) as client:

        async def ask(request: Any, media: str, answer: str) -> Any:
            body = {**request["body"], "encoding": "list"} if request["method"] == "POST" else request["body"]
            content = as_binary(body) if media == BINARY else json.dumps(body).encode()
            headers = {"content-type": media, "accept": answer}
            found = await client.request(request["method"], request["path"], content=content, headers=headers)
            assert found.is_success, found.text
            if request["method"] == "POST":
                assert found.headers["content-type"] == answer
            return filled(found.content) if answer == BINARY else found.json()

        for each in EXAMPLES[name].get("before", ()):
            await ask(each, media, JSON)
        request = EXAMPLES[name]["request"]
        assert await ask(request, media, answer) == await ask(request, JSON, JSON)


async def test_errors_are_problems_all_the_same(client: httpx.AsyncClient) -> None:
    body = packed({"graph": [{"id": "y", "op": "mul", "in": ["x", "z"]}]}, {"inputs/x": np.ones(3)})
    found = await client.post("/backward", content=body, headers={**HEADERS, "accept": BINARY})
    assert (found.status_code, found.headers["content-type"]) == (422, "application/problem+json")
    assert found.json()["code"] == "unknown-id"


SQUARE = [{"id": "y", "op": "mul", "in": ["x", "x"]}]


def test_an_input_may_stand_as_a_tensor_alone() -> None:
    found = sent({"graph": SQUARE}, {"inputs/x": np.array([1.0, 3.0])}, "forward")
    assert found["outputs"]["y"]["data"] == [1.0, 9.0]
    assert (found["outputs"]["y"]["dtype"], found["outputs"]["y"]["requires_grad"]) == ("float64", False)


def test_the_json_says_what_a_tensor_does_not() -> None:
    request = {"inputs": {"x": {"requires_grad": True, "shape": [2], "dtype": "float32"}}, "graph": SQUARE}
    tensors = {
        "inputs/x": np.array([1, 3], np.float32),
        "inputs/x/grad": np.array([10, 20], np.float32),
        "gradient": np.array([1, 2], np.float32),
    }
    assert sent(request, tensors)["grads"]["x"]["data"] == [12.0, 32.0]


def test_the_places_of_tensors() -> None:
    x, twos = np.array([1.0, 3.0]), np.array([2.0, 2.0])
    request = {"inputs": {"x": {"requires_grad": True}}, "graph": SQUARE}
    assert sent({**request, "gradient": {}}, {"inputs/x": x, "gradient/y": twos})["grads"]["x"]["data"] == [
        4,
        12,
    ]
    calls = {**request, "backward": [{"tensor": "y", "retain_graph": True}, {"tensor": "y"}]}
    both = {"backward/0/gradient": twos, "backward/1/gradient": x}
    assert sent(calls, {"inputs/x": x, **both})["grads"]["x"]["data"] == [6.0, 30.0]
    assert sent(request, {"inputs/x": x, "tangents/x": twos}, "jvp")["tangents"]["y"]["data"] == [4.0, 12.0]
    summed = {**request, "graph": [*SQUARE, {"id": "s", "op": "sum", "in": ["y"]}]}
    assert sent(summed, {"inputs/x": x, "v/x": twos}, "hvp", BINARY)["hvp"]["x"]["data"] == [4.0, 4.0]


@pytest.mark.parametrize("stored", ["pairs", "C64"])
def test_complex_inputs(stored: str) -> None:
    x = np.array([1 + 2j, 3j], np.complex64)
    tensors = {"inputs/x": paired(x) if stored == "pairs" else x}
    request = {"inputs": {"x": {"dtype": "complex64", "requires_grad": True}}, "graph": SQUARE}
    found = sent(
        {**request, "gradient": {"data": [[1, 0], [0, 1]], "dtype": "complex64"}}, tensors, answer=BINARY
    )
    assert found["outputs"]["y"]["data"] == [[-3.0, 4.0], [-9.0, 0.0]]
    assert found["grads"]["x"]["dtype"] == "complex64"


def test_what_is_answered_can_be_sent_again() -> None:
    request = {"inputs": {"x": {"requires_grad": True}}, "graph": SQUARE, "gradient": [1.0, 1.0]}
    body = packed(request, {"inputs/x": np.array([1.0, 3.0])})
    answer = SERVICE.answer(Call("backward", body, sent=Form(BINARY), wanted=Form(BINARY)))
    _, tensors = unpacked(answer.body)
    again = {"inputs/x": tensors["outputs/y"], "inputs/x/grad": tensors["grads/x"]}
    assert sent(request, again)["grads"]["x"]["data"] == [4.0, 24.0]


def test_a_leaf_of_integers_is_torchs_error() -> None:
    body = packed({"inputs": {"x": {"requires_grad": True}}, "graph": SQUARE}, {"inputs/x": np.array([1])})
    found = json.loads(SERVICE.answer(Call("backward", body, sent=Form(BINARY))).body)
    assert "Only Tensors of floating point and complex dtype can require gradients" in found["detail"]
    assert found["errors"][0]["pointer"] == "/inputs/x"


def test_nothing_writes_into_a_request() -> None:
    for name in EXAMPLES.keys() - {name for name, each in EXAMPLES.items() if "before" in each}:
        request = EXAMPLES[name]["request"]
        body = as_binary(request["body"])
        before = bytes(bytearray(body))
        SERVICE.answer(Call(request["path"][1:], body, sent=Form(BINARY), wanted=Form(BINARY)))
        assert body == before, name


def test_not_finite_numbers_are_themselves() -> None:
    x = np.array([np.nan, np.inf, -np.inf, -0.0])
    found = sent({"graph": [{"id": "y", "op": "neg", "in": ["x"]}]}, {"inputs/x": x}, "forward", BINARY)
    assert found["outputs"]["y"]["data"] == ["NaN", "-Infinity", "Infinity", 0.0]


@pytest.mark.parametrize("count", [2, 300_000])
def test_arrays_of_one_request_do_not_show_in_the_next(count: int) -> None:
    outer = [{"id": "z", "op": "reshape", "in": ["x", [count]]}, {"id": "y", "op": "mul", "in": ["z", "z"]}]
    request = {"graph": outer, "outputs": ["z", "y"]}
    answers = []
    for number in (2.0, 3.0, 4.0):
        body = bytearray(packed(request, {"inputs/x": np.full(count, number)}))
        answers.append(SERVICE.answer(Call("forward", body, sent=Form(BINARY), wanted=Form(BINARY))))
        body[:] = bytes(len(body))  # as the next request does
    for number, answer in zip((2.0, 3.0, 4.0), answers, strict=True):
        tensors = unpacked(answer.body)[1]
        assert np.array_equal(tensors["outputs/z"], np.full(count, number))
        assert np.array_equal(tensors["outputs/y"], np.full(count, number * number))


def test_the_bound_on_answers_holds() -> None:
    body = packed({"graph": SQUARE}, {"inputs/x": np.ones(1000)})
    call = Call("forward", body, sent=Form(BINARY), wanted=Form(BINARY))
    size = SERVICE.answer(call).size
    for limit, status in ((size, 200), (size - 1, 422)):
        assert Service(Settings(max_output_bytes=limit)).answer(call).status == status  # type: ignore[arg-type]  # bytes
