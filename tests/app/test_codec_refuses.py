"""What is no tensor is refused: with its place, and a sentence that never repeats it."""

from typing import Any

import pytest

from app.errors import Problem
from tests.app.wire import refused, tensor

REFUSED = [
    # raw, code, pointer, the sentence
    (b'"1.5"', "invalid-argument", (), "a number is expected, not a string"),
    (b'{"data": [0.5, "1.5"]}', "invalid-argument", ("data", 1), "a number is expected, not a string"),
    (b'["nan"]', "invalid-argument", (0,), "a number is expected, not a string"),
    (b"[1.5, true]", "invalid-argument", (1,), "a number is expected, not a boolean"),
    (b"[true, 1]", "invalid-argument", (0,), "a number is expected, not a boolean"),
    (
        b'{"data": true, "dtype": "float32"}',
        "invalid-argument",
        ("data",),
        "a number is expected, not a boolean",
    ),
    (
        b'{"data": [1], "dtype": "bool"}',
        "invalid-argument",
        ("data", 0),
        "a boolean is expected, not a number",
    ),
    (
        b'{"data": [1.5], "dtype": "int64"}',
        "invalid-argument",
        ("data", 0),
        "an integer is expected, not a fraction",
    ),
    (
        b'{"data": ["1e3"], "dtype": "int64"}',
        "invalid-argument",
        ("data", 0),
        "an integer is expected, not a string",
    ),
    (b'["12"]', "invalid-argument", (0,), "a number is expected, not a string"),
    (b"[null]", "invalid-argument", (0,), "a number is expected, not null"),
    (b'[{"a": 1}]', "invalid-argument", (0,), "a number is expected, not an object"),
    (b"[[1, 2], [3]]", "shape-mismatch", (1,), "expected sequence of length 2 at dim 1 (got 1)"),
    (b"[[1, 2], 3]", "shape-mismatch", (1,), "a list of 2 is expected, not a number"),
    (b"[1, [2]]", "shape-mismatch", (1,), "a number is expected, not a list"),
    (
        b'{"data": [1, 2, 3], "shape": [2, 2]}',
        "shape-mismatch",
        ("data",),
        "shape '[2, 2]' is invalid for input of size 3",
    ),
    (
        b'{"data": [[1], [2]], "shape": [2]}',
        "shape-mismatch",
        ("data",),
        "data has shape [2, 1], declared is [2]",
    ),
    (b"9223372036854775808", "invalid-argument", (), "Overflow when unpacking long long"),
    (
        b'{"data": [["9223372036854775808"]], "dtype": "int64"}',
        "invalid-argument",
        ("data", 0, 0),
        "Overflow when unpacking long long",
    ),
    (
        b'{"data": [255, 256], "dtype": "uint8"}',
        "invalid-argument",
        ("data", 1),
        "value cannot be converted to type uint8 without overflow",
    ),
    (b'{"data": 1, "dtype": "bfloat16"}', "not-implemented", ("dtype",), "dtype 'bfloat16' is not supported"),
    (
        b'{"data": 1, "dtype": "complex32"}',
        "not-implemented",
        ("dtype",),
        "dtype 'complex32' is not supported",
    ),
    (b'{"data": 1, "dtype": 5}', "invalid-argument", ("dtype",), "a dtype is given by its name"),
    (
        b'{"data": [1], "dtype": "complex64"}',
        "shape-mismatch",
        ("data",),
        "a complex number is written [re, im]",
    ),
    (b'{"data": 1, "dtypes": "float32"}', "unknown-field", ("dtypes",), "a tensor has no such field"),
    (b'{"dtype": "float32"}', "invalid-argument", (), "a tensor needs data"),
    (b'{"data": 1, "requires_grad": 1}', "invalid-argument", ("requires_grad",), "true or false is expected"),
    (b'{"data": [], "shape": [-1]}', "invalid-argument", ("shape", 0), "a size is a whole number from 0"),
    (b'{"data": [], "shape": [true]}', "invalid-argument", ("shape", 0), "a size is a whole number from 0"),
    (
        b'{"data": 1, "object_type": "tensor"}',
        "invalid-argument",
        ("object_type",),
        "the object type is 'array'",
    ),
]


@pytest.mark.parametrize(("raw", "code", "pointer", "text"), REFUSED)
def test_what_is_no_tensor_is_refused(raw: bytes, code: str, pointer: tuple[Any, ...], text: str) -> None:
    error = refused(raw)
    assert (error.code, error.pointer, str(error)) == (code, pointer, text)


def test_an_integer_tensor_cannot_require_a_gradient() -> None:
    error = refused(b'{"data": 1, "dtype": "int64", "requires_grad": true}')
    assert str(error) == "Only Tensors of floating point and complex dtype can require gradients"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"[1e999]", "a number is out of range"),
        (b"[" + b"1" * 400 + b".0]", "a number is out of range"),
        (b"[NaN]", "invalid character"),
        (b"[-Infinity]", "invalid character"),
        (b'{"data": [1], "data": [2]}', "key 'data' stands twice in one object"),
        (b'{"data": {"buffer": "", "buffer": ""}}', "key 'buffer' stands twice in one object"),
    ],
)
@pytest.mark.parametrize("padding", [b"", b" " * 600])  # short and long texts go different ways
def test_what_is_no_json_is_refused_as_that(raw: bytes, text: str, padding: bytes) -> None:
    with pytest.raises(Problem) as caught:
        tensor(raw.replace(b"[", b"[" + padding, 1))
    assert caught.value.code.name == "invalid-json"
    assert text in caught.value.detail
    assert caught.value.detail.startswith("/inputs/x")


def test_an_integer_beyond_float64_is_refused() -> None:
    raw = b'{"data": [1.5, ' + b"1" * 400 + b"]}"
    assert str(refused(raw)) == "a number is out of the range of float64"
    assert str(refused(b"[" + b"1" * 400 + b"]")) == "Overflow when unpacking long long"


@pytest.mark.parametrize("shape", [[10**6, 10**6], [0, 10**18], [10**100]])
def test_a_huge_shape_is_refused_before_it_is_made(shape: list[int]) -> None:
    for data in (1, {"buffer": "", "encoding": "base64"}):
        error = refused({"data": data, "dtype": "float32", "shape": shape})
        assert (error.code, error.pointer) == ("limit-exceeded", ("shape",))


BUFFERS = [
    ({"buffer": "AAAAAAAA8D8", "encoding": "base64"}, ("data", "buffer"), "no valid base64"),
    ({"buffer": "AAAA AAAA8D8=", "encoding": "base64"}, ("data", "buffer"), "no valid base64"),
    ({"buffer": "é", "encoding": "base64"}, ("data", "buffer"), "no valid base64"),
    (
        {"buffer": "AAAAAAAA", "encoding": "base64"},
        ("data", "buffer"),
        "the buffer holds 6 bytes, float64 of shape [1] has 8",
    ),
    ({"buffer": 5, "encoding": "base64"}, ("data", "buffer"), "base64 text is expected"),
    ({"buffer": "", "encoding": "hex"}, ("data", "encoding"), "the encoding is 'base64'"),
    (
        {"buffer": "", "encoding": "base64", "path": "/etc"},
        ("data", "path"),
        "encoded data has no such field",
    ),
]


@pytest.mark.parametrize(("data", "pointer", "text"), BUFFERS)
def test_what_is_no_buffer_is_refused(data: dict[str, Any], pointer: tuple[str, ...], text: str) -> None:
    error = refused({"data": data, "dtype": "float64", "shape": [1]})
    assert (error.pointer, str(error)) == (pointer, text)


def test_a_buffer_needs_dtype_and_shape_and_booleans_in_it_are_0_or_1() -> None:
    data = {"buffer": "AgA=", "encoding": "base64"}
    assert str(refused({"data": data, "shape": [2]})) == "encoded data needs dtype and shape beside it"
    assert str(refused({"data": data, "dtype": "bool", "shape": [2]})) == "a boolean's byte is 0 or 1"
