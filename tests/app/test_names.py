"""Registered graphs in the store: versions, limits, defaults as bytes and back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from app.graphs import names as registered
from app.graphs import versions
from app.graphs.conditions import Conditions, etag
from app.graphs.names import Names
from app.graphs.versions import Version
from tests.app.storing import A, anything, refused, store_in, version

DTYPES = [engine.dtype(name) for name in engine.dtypes.DTYPES]


@pytest.fixture
def names(tmp_path: Path) -> Names:
    return store_in(tmp_path).names


def over(limit: str, asked: int, allowed: int) -> Any:
    """The block is refused by this limit."""
    return pytest.raises(engine.errors.LimitExceeded, match=f"{limit}: {asked} asked, {allowed} allowed")


def test_a_graph_is_put_replaced_and_put_back(names: Names) -> None:
    first = names.put("m", version("a"), anything)
    assert (first.id, first.created) == (A, True)
    second = names.put("m", version("b"), anything)
    assert not second.created
    assert names.history("m") == [second.id, A]
    assert names.get("m").version.text == b"b" * 100
    assert names.get("m", A).version.text == b"a" * 100
    assert names.put("m", version("b"), anything) == second
    names.put("m", version("a"), anything)
    assert names.history("m") == [A, second.id]
    assert names.get("m").id == A


def test_other_processes_see_it_at_once(tmp_path: Path) -> None:
    here, there = store_in(tmp_path).names, store_in(tmp_path).names
    for letter in "abc":
        here.put("m", version(letter), anything)
        assert there.get("m").version.text == letter.encode() * 100
    here.delete("m", anything)
    with refused("unknown-graph"):
        there.get("m")


def test_what_is_unknown_is_said_to_be(names: Names) -> None:
    names.put("m", version("a"), anything)
    with refused("unknown-graph") as caught:
        names.get("n")
    assert "'n'; PUT it to /graphs/n first" in caught.value.detail
    with refused("unknown-graph") as caught:
        names.get("m", "sha256:" + "b" * 64)
    assert "'m' has no version sha256:bb" in caught.value.detail
    with refused("unknown-graph"):
        names.delete("n", anything)


def test_a_version_is_a_hash_of_all_of_it() -> None:
    def identity(made: Version) -> str:
        return versions.version_id(made, versions.stored(made.inputs))

    def with_w(data: Any, **more: Any) -> Version:
        return Version(A, b"[]", {"w": engine.tensor(data, **more)})

    assert identity(Version(A, b"[]")) == A == identity(Version(A, b"[ ]"))
    different = [
        Version(A, b"[]"),
        Version(A, b"[]", outputs=["y"]),
        Version(A, b"[]", outputs=[]),
        Version(A, b"[]", default_dtype="float64"),
        with_w([1.0, 2.0]),
        with_w([1.0, 3.0]),
        with_w([[1.0, 2.0]]),
        with_w([1.0, 2.0], dtype="float64"),
        with_w([1.0, 2.0], requires_grad=True),
        Version(A, b"[]", {"v": engine.tensor([1.0, 2.0])}),
        Version("sha256:" + "b" * 64, b"[]", {"w": engine.tensor([1.0, 2.0])}),
    ]
    assert len(set(map(identity, different))) == len(different)
    assert identity(with_w([1.0, 2.0])) == identity(with_w([1.0, 2.0]))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (2, 3), (2, 0, 3)])
def test_defaults_come_back_as_they_were(tmp_path: Path, dtype: Any, shape: tuple[int, ...]) -> None:
    numbers = np.arange(np.prod(shape)).reshape(shape).astype(dtype.numpy)
    given = engine.tensor(numbers, requires_grad=dtype.differentiable)
    store_in(tmp_path).names.put("m", Version(A, b"[]", {"w": given, "v": given}), anything)
    found = store_in(tmp_path).names.get("m").version.inputs
    assert list(found) == ["w", "v"]
    for each in found.values():
        assert (each.dtype, tuple(each.shape), each.requires_grad) == (dtype, shape, dtype.differentiable)
        np.testing.assert_array_equal(each.detach().numpy(), numbers)
        assert not each.detach().numpy().flags.writeable


def test_a_tensor_out_of_order_comes_back_in_order(tmp_path: Path) -> None:
    given = engine.tensor(np.arange(6.0).reshape(2, 3)).t()
    store_in(tmp_path).names.put("m", Version(A, b"[]", {"w": given}), anything)
    found = store_in(tmp_path).names.get("m").version.inputs["w"]
    np.testing.assert_array_equal(found.numpy(), [[0, 3], [1, 4], [2, 5]])


def test_defaults_are_decoded_once_in_a_process(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    names.put("m", version("a", w=[1.0]), anything)
    first = names.get("m").version
    assert names.get("m").version is first
    assert names.get("m", names.history("m")[0]).version is first
    names.put("copy", version("a", w=[1.0]), anything)
    assert names.get("copy").version is first
    monkeypatch.setattr(registered, "CACHE_BYTES", 250)
    for name in ("n", "o"):
        names.put(name, version(name, w=[1.0]), anything)
    kept = names.get("o").version, names.get("n").version
    assert names.get("n").version is kept[1]
    assert names.get("o").version is kept[0]
    assert names.size == 208
    assert names.get("m").version is not first


def test_another_file_in_its_place_is_another_store(names: Names) -> None:
    names.put("m", version("a", w=[1.0]), anything)
    assert names.get("m").version.text == b"a" * 100
    names.database.close()
    for path in Path(names.database.given).parent.iterdir():
        path.unlink()
    names.put("m", version("b", w=[2.0]), anything)
    assert names.get("m").version.text == b"b" * 100


def test_one_versions_size(tmp_path: Path) -> None:
    names = store_in(tmp_path, max_stored_graph_bytes=108).names
    names.put("m", version("a", w=[1.0, 2.0]), anything)
    with over("stored_graph_bytes", 112, 108):
        names.put("m", version("a", w=[1.0, 2.0, 3.0]), anything)


def test_the_number_of_names(tmp_path: Path) -> None:
    names = store_in(tmp_path, max_stored_graphs=2).names
    for name in ("a", "b", "a"):
        names.put(name, version(name), anything)
    with over("stored_graphs", 3, 2):
        names.put("c", version("c"), anything)
    with refused("unknown-graph"):
        names.get("c")
    names.put("a", version("c"), anything)
    names.delete("b", anything)
    assert names.put("c", version("c"), anything).created
    fewer = store_in(tmp_path, max_stored_graphs=1).names
    assert not fewer.put("c", version("d"), anything).created
    with over("stored_graphs", 3, 1):
        fewer.put("d", version("d"), anything)


def test_all_bytes(tmp_path: Path) -> None:
    names = store_in(tmp_path, max_stored_bytes=300).names
    for name in ("a", "b", "c"):
        names.put(name, version(name), anything)
    with over("stored_bytes", 301, 300):
        names.put("d", version("d", size=1), anything)
    with over("stored_bytes", 301, 300):
        names.put("c", version("d", size=1), anything)
    assert names.history("c") == ["sha256:" + "c" * 64]
    names.delete("a", anything)
    names.put("d", version("d"), anything)


def test_the_oldest_version_goes(tmp_path: Path) -> None:
    names = store_in(tmp_path, max_stored_versions=2, max_stored_bytes=200).names
    for letter in "abc":
        names.put("m", version(letter), anything)
    assert names.history("m") == ["sha256:" + letter * 64 for letter in "cb"]
    with refused("unknown-graph"):
        names.get("m", A)


def test_what_is_deleted_leaves_nothing(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    for letter in "ab":
        store.names.put("m", version(letter, w=[1.0]), anything)
    store.names.delete("m", anything)
    with store.database.reading() as connection:
        for table in ("versions", "defaults"):
            assert connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,)
    with refused("unknown-graph"):
        store.find(A)


def test_a_registered_graph_is_known_by_its_graph_id(tmp_path: Path) -> None:
    store = store_in(tmp_path, max_seen_graphs=1)
    store.names.put("m", version("a", w=[1.0]), anything)
    for letter in "bcd":
        store.keep(f"sha256:{letter * 64}", b"[]")
    assert store.find(A) == b"a" * 100


CONDITIONS = [
    # If-Match, If-None-Match, the current version, whether it is allowed
    (None, None, None, True),
    (None, None, A, True),
    ("*", None, None, False),
    ("*", None, A, True),
    (etag(A), None, A, True),
    (f'"x", {etag(A)}', None, A, True),
    ('"x"', None, A, False),
    (f"W/{etag(A)}", None, A, False),
    (etag(A), None, None, False),
    (None, "*", None, True),
    (None, "*", A, False),
    (None, etag(A), A, False),
    (None, f'W/{etag(A)}, "x"', A, False),
    (None, '"x",,"y" ,', A, True),
    (None, etag(A), None, True),
    (etag(A), "*", A, False),
]


@pytest.mark.parametrize(("match", "none_match", "current", "allowed"), CONDITIONS)
def test_conditions(match: str | None, none_match: str | None, current: str | None, allowed: bool) -> None:
    conditions = Conditions(match, none_match)
    if allowed:
        conditions.allow(current)
        return
    with refused("precondition-failed") as caught:
        conditions.allow(current)
    assert caught.value.headers == ({} if current is None else {"ETag": etag(A)})


@pytest.mark.parametrize("header", ["", A, '"x" "y"', '"x', "*, *", " , "])
def test_headers_that_are_no_etags(header: str) -> None:
    with refused("invalid-argument"):
        Conditions(header)
    with refused("invalid-argument"):
        Conditions(None, header)
