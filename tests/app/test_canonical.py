"""graph_id: the canonical JSON of a graph, and its digest."""

import hashlib
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
def test_canonical_json_is_rfc_8785(value: Any) -> None:
    assert canonical.canonical(value) == rfc8785.dumps(value)


def test_graph_id_is_the_digest_of_the_canonical_json() -> None:
    digest = hashlib.sha256(b'[{"a":2,"b":1}]').hexdigest()
    assert canonical.graph_id([{"b": 1.0, "a": 2}]) == f"sha256:{digest}"
    assert canonical.canonical([2**53 + 1, -(2**70)]) == b'["9007199254740993","-1180591620717411303424"]'
