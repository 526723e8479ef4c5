"""graph_id: the canonical JSON of a graph, and its digest."""

import hashlib
import json
from typing import Any

import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from app.codec import canonical

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
    | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text("abcxyz_", max_size=4), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(value=JSON)
def test_canonical_json_is_rfc_8785_but_for_whole_floats(value: Any) -> None:
    assert canonical.canonical(fractions(value)) == rfc8785.dumps(fractions(value))
    assert json.loads(canonical.canonical(value)) == value


def fractions(value: Any) -> Any:
    """The value without whole floats."""
    if isinstance(value, dict):
        return {key: fractions(each) for key, each in value.items()}
    if isinstance(value, list):
        return [fractions(each) for each in value]
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e21
    return value + 0.5 if whole and abs(value) < 2**51 else "whole" if whole else value


def test_a_whole_float_is_no_integer() -> None:
    found = canonical.canonical([2, 2.0, 0.0, -0.0, 1e15, -1e20, 1e21])
    assert found == b"[2,2.0,0.0,-0.0,1000000000000000.0,-100000000000000000000.0,1e+21]"


def test_graph_id_is_the_digest_of_the_canonical_json() -> None:
    digest = hashlib.sha256(b'[{"a":2,"b":1.0}]').hexdigest()
    assert canonical.graph_id([{"b": 1.0, "a": 2}]) == f"sha256:{digest}"
    assert canonical.canonical([2**53 + 1, -(2**70)]) == b'["9007199254740993","-1180591620717411303424"]'
