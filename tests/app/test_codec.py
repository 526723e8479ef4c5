"""Tensors on the wire: every dtype in every encoding, and everything that is no tensor."""

import json
import math

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import engine
from app.codec import read, write
from app.codec.read import Rules
from tests.app.wire import RULES, array_of, refused, tensor

DTYPES = list(engine.dtypes.DTYPES)


@pytest.mark.parametrize("encoding", write.ENCODINGS)
@pytest.mark.parametrize("name", DTYPES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_round_trip_is_exact(name: str, encoding: str, data: st.DataObject) -> None:
    dtype = np.dtype(name)
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    array = data.draw(hnp.arrays(dtype, shape))
    text = write.dumps(engine.tensor(array), encoding)
    again = array_of(tensor(text))
    assert again.dtype == dtype
    assert again.shape == shape
    if encoding == "base64":
        assert again.tobytes() == array.tobytes()
    elif dtype.kind in "fc":
        np.testing.assert_array_equal(again, array)
        signs = [np.signbit(np.nan_to_num(part, nan=0.0)) for part in (again.real, array.real)]
        np.testing.assert_array_equal(*signs)  # of zeros too
    else:
        np.testing.assert_array_equal(again, array)


def test_numbers_are_written_with_their_own_digits() -> None:
    array = np.array([0.1, 1 / 3, 1e-45, 16777216.0, -0.0], np.float32)
    found = orjson.loads(write.dumps(engine.tensor(array), "list"))
    assert found == {"data": [0.1, 0.33333334, 1e-45, 16777216.0, -0.0], "dtype": "float32", "shape": [5]}
    assert write.dumps(engine.tensor(np.array(2**62 + 1)), "list").startswith(b'{"data":4611686018427387905,')


@pytest.mark.parametrize("encoding", ["list", "flat"])
def test_non_finite_numbers_are_strings(encoding: str) -> None:
    array = np.array([[math.nan, 1], [math.inf, -math.inf]], np.float32)
    flat = ["NaN", 1.0, "Infinity", "-Infinity"]
    found = json.loads(write.dumps(engine.tensor(array), encoding), parse_constant=pytest.fail)
    assert found["data"] == (flat if encoding == "flat" else [flat[:2], flat[2:]])
    assert b"null" not in write.dumps(engine.tensor(array), encoding)
    assert json.loads(write.dumps(engine.tensor(np.array(math.nan)), "list"))["data"] == "NaN"
    pair = json.loads(write.dumps(engine.tensor(np.array(complex(math.inf, 1))), "list"))["data"]
    assert pair == ["Infinity", 1.0]


def test_a_tensor_that_is_a_view_is_written_in_order() -> None:
    base = np.arange(6, dtype=np.int64).reshape(2, 3)
    for encoding in write.ENCODINGS:
        again = array_of(tensor(write.dumps(engine.tensor(np.ascontiguousarray(base.T)), encoding)))
        np.testing.assert_array_equal(again, base.T)


DEFAULTS = [
    (b"1.5", "float32", ()), (b"1", "int64", ()), (b"true", "bool", ()), (b"[1, 2.5]", "float32", (2,)),
    (b"[]", "float32", (0,)), (b"[[], []]", "float32", (2, 0)), (b'["NaN", 1]', "float32", (2,)),
    (b'{"data": [[1, 2]], "requires_grad": true}', "float32", (1, 2)),
    (b'{"data": [1, 2], "dtype": "complex64"}', "complex64", ()),
    (b'{"data": [[1, 2], [3, "NaN"]], "dtype": "complex128", "shape": [2]}', "complex128", (2,)),
    (b'{"data": [1, 2, 3, 4], "shape": [2, 2]}', "int64", (2, 2)),
    (b'{"data": [], "shape": [0, 3]}', "float32", (0, 3)),
    (b'{"data": [1.0, 2e0], "dtype": "int32"}', "int32", (2,)),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "dtype", "shape"), DEFAULTS)
def test_defaults_are_torchs(raw: bytes, dtype: str, shape: tuple[int, ...]) -> None:
    found = tensor(raw)
    assert (found.dtype.name, tuple(found.shape)) == (dtype, shape)


def test_the_request_chooses_the_dtype_of_floats() -> None:
    double = Rules(32, 100, engine.dtype("float64"))
    assert tensor(b"0.1", double).dtype.name == "float64"
    assert tensor(b'{"data": 1, "requires_grad": true}', double).dtype.name == "float64"
    assert tensor(b"1", double).dtype.name == "int64"


def test_large_integers_stay_exact() -> None:
    texts = ['"9007199254740993"', "9007199254740993", '"-9223372036854775808"', "9223372036854775807"]
    found = tensor(('{"dtype": "int64", "data": [' + ",".join(texts) + "]}").encode())
    assert array_of(found).tolist() == [2**53 + 1, 2**53 + 1, -(2**63), 2**63 - 1]
    long = array_of(tensor(b"[" + b",".join([b"9007199254740993"] * 100) + b"]"))
    assert set(long.tolist()) == {2**53 + 1}


def test_a_float_that_a_browser_writes_as_an_integer_is_a_float() -> None:
    assert array_of(tensor(b"[100000000000000000000, 0.5]")).tolist() == [np.float32(1e20), 0.5]


@pytest.mark.parametrize("pad", [b"", b" " * 600])
def test_rank_and_elements_have_limits(pad: bytes) -> None:
    rules = Rules(rank=3, elements=6, floats=engine.dtype("float32"))
    assert tuple(tensor(b"[[[1]" + pad + b"]]", rules).shape) == (1, 1, 1)
    error = refused(b"[[[[1]" + pad + b"]]]", rules)
    assert (error.code, str(error)) == ("limit-exceeded", "rank: 4 asked, 3 allowed")
    assert tensor(b"[1,2,3,4,5," + pad + b"6]", rules).shape == (6,)
    error = refused(b"[1,2,3,4,5,6," + pad + b"7]", rules)
    assert (error.code, str(error)) == ("limit-exceeded", "elements: 7 asked, 6 allowed")
    assert tuple(tensor({"data": [[[[1, 2]]]], "dtype": "complex64"}, rules).shape) == (1, 1, 1)
    assert str(refused({"data": [[[[[1, 2]]]]], "dtype": "complex64"}, rules)) == "rank: 4 asked, 3 allowed"


def test_an_input_carries_its_grad() -> None:
    raw = b'{"data": [1, 2], "dtype": "float64", "requires_grad": true, "grad": [0.1, 1]}'
    _, grad = read.tensor_and_grad(raw, RULES, ())
    assert grad is not None
    assert (grad.dtype.name, grad.numpy().tolist()) == ("float64", [0.1, 1.0])
    assert read.tensor_and_grad(b'{"data": 1, "grad": null}', RULES, ())[1] is None
    with pytest.raises(engine.errors.EngineError) as caught:
        read.tensor_and_grad(b'{"data": 1.5, "grad": {"data": ["a"]}}', RULES, ())
    assert caught.value.pointer == ("grad", "data", 0)
