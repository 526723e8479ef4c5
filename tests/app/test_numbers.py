"""The way of long lists of numbers gives what the way of short ones gives."""

import itertools
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import engine
from app.codec import numbers, read
from app.codec.read import Rules
from tests.app.wire import array_of, refused


def trees(shape: tuple[int, ...], leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    found = leaves
    for size in reversed(shape):
        found = st.lists(found, min_size=size, max_size=size)
    return found


@settings(max_examples=200, deadline=None)
@given(
    shape=hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4),
    floating=st.booleans(),
    separators=st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", ":")]),
    data=st.data(),
)
def test_long_lists_are_read_as_short_ones(
    shape: tuple[int, ...], floating: bool, separators: tuple[str, str], data: st.DataObject
) -> None:
    leaves = (
        st.floats(allow_nan=False, allow_infinity=False) if floating else st.integers(-(2**63), 2**63 - 1)
    )
    tree = data.draw(trees(shape, leaves))
    raw = json.dumps(tree, separators=separators).encode()
    fast = numbers.array_of(raw, None, 2**27)
    slow = array_of(read.literal(tree, Rules(32, 2**27, engine.dtype("float64"))))
    if fast is None:
        assert slow.size == 0
    else:
        assert fast.dtype == slow.dtype
        np.testing.assert_array_equal(fast, slow)


@settings(max_examples=200, deadline=None)
@given(tree=st.recursive(st.integers(0, 9), lambda inner: st.lists(inner, max_size=3), max_leaves=12))
def test_a_long_ragged_list_is_never_taken_for_a_regular_one(tree: Any) -> None:
    fast = numbers.array_of(json.dumps([tree]).encode(), None, 2**27)
    if fast is not None:
        assert fast.tolist() == [tree]


@pytest.mark.parametrize(
    "raw", [b"[1,]", b"[,1]", b"[1 2]", b"[[1],]", b"[1]]", b"[[1]", b"[1][2]", b"[]", b"[-]", b"[1.]"]
)
def test_the_way_of_long_lists_gives_up_on_what_is_no_json(raw: bytes) -> None:
    assert numbers.array_of(raw, None, 100) is None


@pytest.mark.parametrize("size", [19, 20, 25, 400])
def test_integers_beyond_64_bits_are_left_to_the_way_of_short_lists(size: int) -> None:
    """simdjson has an exception of its own for some of them."""
    assert numbers.array_of(b"[" + b"1," * 300 + b"9" * size + b"]", None, 1000) is None
    assert "Overflow" in str(refused([1] * 300 + [10**size]))


def test_every_element_of_a_long_list_is_looked_at() -> None:
    values = [0.5] * 500
    for position, (odd, text) in itertools.product(
        (0, 250, 499), (("1.5", "a string"), (True, "a boolean"), (None, "null"))
    ):
        broken = [*values[:position], odd, *values[position + 1 :]]
        error = refused(broken)
        assert (str(error), error.pointer) == (f"a number is expected, not {text}", (position,))
