"""JSON text: what parsers let pass and the service does not."""

import time
from typing import Any

import pytest

from app.codec import text
from app.errors import Problem


def code_of(raw: bytes, *, depth: int = 100) -> str:
    """The code that a JSON text is refused with, or `fine`."""
    try:
        text.check_depth(raw, depth)
        text.value(raw)
    except Problem as problem:
        return problem.code.name
    return "fine"


@pytest.mark.parametrize(
    "raw",
    [
        b"", b" ", b"{", b"[1,]", b'{"a":1,}', b"tru", b"NaN", b"[NaN]", b"Infinity", b"-Infinity", b"1e999",
        b"[-1e999]", b"01", b"1.", b".5", b"+1", b"'a'", b"[1] x", b"[1]\x00", b'"\\x"', b'"\x01"',
        b"9" * 5000, b"\xef\xbb\xbf{}", b'"\\ud800"', b'"\\udc00"', b'{"\\ud800": 1}', b'"\xff"',
        b'"\xed\xa0\x80"', b'{"\xff": 1}',
        b'{"a": 1, "a": 2}', b'{"a": {"b": 1, "b": 1}}', b'[{"a": 1, "\\u0061": 2}]', b'{1: 2}', b"/**/1",
        b'{"\\u003a": 1, "b": 2, "b": 3}', b'{"a:": 1, "a:": 2}', b'{"a": ":", "a": 1}',
    ],
)  # fmt: skip
def test_what_is_no_json(raw: bytes) -> None:
    assert code_of(raw) == "invalid-json"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a": ":", "b": [{"c": 1}, {"c": 1}]}', {"a": ":", "b": [{"c": 1}, {"c": 1}]}),
        (b'{"\\u003a": 1, ":a": 2}', {":": 1, ":a": 2}),
        (b'"\\ud83d\\ude00"', "😀"),
        (b"18446744073709551616", 2**64),
        (b"9007199254740993", 2**53 + 1),
        (b" [1e-400] ", [0.0]),
        (b"9" * 100, int("9" * 100)),
    ],
)
def test_what_is_json(raw: bytes, value: Any) -> None:
    found = text.value(raw)
    assert found == value
    assert type(found) is type(value)


def test_members_are_not_looked_into_but_counted() -> None:
    raw = b'{ "inputs": {"x:": 1},\n"graph" : [ {"id": "a"} ], "\\u003a": ":" }'
    assert text.members(raw) == {"inputs": b'{"x:": 1}', "graph": b'[ {"id": "a"} ]', ":": b'":"'}
    assert text.items(b'[ {"a": 1}, 2 ]') == [b'{"a": 1}', b"2"]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1}, "a": 2}',
        b'{"a:b": 1, "a:b": 2}',
        b'{"\\u003a": 1, "b": 2, "b": 3}',
    ],
)
def test_members_given_twice_are_refused(raw: bytes) -> None:
    with pytest.raises(Problem) as caught:
        text.members(raw, ("inputs",))
    assert caught.value.code.name == "invalid-json"
    assert caught.value.detail.startswith("/inputs: key '")
    assert caught.value.detail.endswith("' stands twice in one object")


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_just_under_and_just_over(opening: bytes, closing: bytes) -> None:
    assert code_of(opening * 100 + b"1" + closing * 100) == "fine"
    assert code_of(opening * 101 + b"1" + closing * 101) == "json-too-deep"


@pytest.mark.parametrize("width", [1, 70_000])  # the second goes over several chunks
def test_depth_counts_only_what_is_nested(width: int) -> None:
    flat = b"[" + b",".join([b"[[1],[2]]"] * width) + b"]"
    assert code_of(flat, depth=3) == "fine"
    assert code_of(flat, depth=2) == "json-too-deep"
    deep_last = b"[" + b"[1]," * width + b"[" * 5 + b"]" * 5 + b"]"
    assert code_of(deep_last, depth=5) == "json-too-deep"
    assert code_of(deep_last, depth=6) == "fine"


@pytest.mark.parametrize(
    "string", [b"[" * 200, b'\\"' + b"[" * 200, b"\\\\", b"\\\\\\" + b'"' + b"{" * 200, b"]" * 200]
)
def test_brackets_in_strings_do_not_count(string: bytes) -> None:
    assert code_of(b'["' + string + b'",[[1]],' + b"[1]," * 200 + b"1]", depth=3) == "fine"
    assert code_of(b'["' + string + b'",[[[1]]],' + b"[1]," * 200 + b"1]", depth=3) == "json-too-deep"


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 1_000_000 + b"]" * 1_000_000])
def test_deep_json_is_refused_at_once(raw: bytes) -> None:
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        assert code_of(raw) == "json-too-deep"
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.005


def test_the_depth_of_a_large_flat_body_costs_little() -> None:
    raw = b"[" + b",".join([b"[" + b",".join([b"0.123456789012345"] * 1000) + b"]"] * 1000) + b"]"
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        text.check_depth(raw, 100)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.1  # 18 MB; parsing takes as long or longer
