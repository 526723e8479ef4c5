"""Long lists are cut out of a body, and nothing else is."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.codec import cutting
from app.codec.cutting import cut
from app.settings import Settings
from tests.app.test_fuzz import TOKENS
from tests.app.test_known import Cold, recorded

LIST = b"[" + b",".join([b"1.5"] * 3000) + b"]"


def test_a_long_list_is_cut_out() -> None:
    body = b'{"a": {"data": %s, "b": 1}, "c": %s, "d": [1, 2]}' % (LIST, LIST)
    short, lists = cut(body)
    assert list(lists.values()) == [LIST, LIST]
    marks = [mark.decode().strip('"') for mark in lists]
    assert json.loads(short) == {"a": {"data": marks[0], "b": 1}, "c": marks[1], "d": [1, 2]}


@pytest.mark.parametrize(
    "body",
    [
        LIST,
        b'{"a": {"data": %s}}' % LIST,
        b'{"a": {"data": [%s, %s]}, "b": 1}' % (LIST, LIST),
        b'{"a": [%s, %s, "x"]}' % (LIST, LIST),
    ],
)
def test_what_is_left_and_the_lists_make_the_body(body: bytes) -> None:
    short, lists = cut(body)
    assert len(lists) == 1
    for mark, each in lists.items():
        short = short.replace(mark, each)
    assert short == body


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": [1, 2]}',
        b'{"a": {"buffer": "%s"}}' % (b"A" * 20000),  # a long string
        b'{"a": "[%s]"}' % (b"1," * 9000),  # a list in a string
        b'{"a\\"": %s}' % LIST,  # an escaped quotation mark
        b'{"a": %s}' % (b" " * 9000 + b"1"),
        b"{" + b'"a": 1, ' * 5000 + b'"b": %s}' % LIST,
    ],
)
def test_nothing_is_cut_out_of_others(body: bytes) -> None:
    assert cut(body) == (body, {})


trees = st.recursive(
    st.one_of(st.integers(0, 10**6), st.floats(allow_nan=False), st.booleans(), st.text(max_size=9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=9), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
)


@settings(max_examples=300)
@given(tree=trees, spaced=st.booleans())
def test_any_body_is_put_together_again(tree: Any, spaced: bool) -> None:
    body = json.dumps(
        {"a": tree}, ensure_ascii=False, separators=(", ", ": ") if spaced else (",", ":")
    ).encode()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cutting, "LONG", 4)
        short, lists = cut(body)
    for mark, each in lists.items():
        assert each[:1] == b"[" and each[-1:] == b"]" and b'"' not in each
        short = short.replace(mark, each)
    assert short == body


@pytest.mark.parametrize("name", recorded())
def test_an_answer_is_the_same_whatever_was_cut_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    call, draw, service = recorded()[name], random.Random(name), Cold(Settings())
    calls = [call]
    for _ in range(20):
        start = draw.randrange(len(call.body))
        broken = (
            bytes(call.body[:start]) + draw.choice(TOKENS) + bytes(call.body[start + draw.randrange(9) :])
        )
        calls.append(call._replace(body=broken))
    whole = [service.answer(each) for each in calls]
    monkeypatch.setattr(cutting, "LONG", 2)
    parts = [service.answer(each) for each in calls]
    assert [(each.status, each.body) for each in parts] == [(each.status, each.body) for each in whole]
