"""The store of graphs seen lately: bounded, shared, and what goes wrong with its file."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.graphs import schema
from app.graphs import store as stores
from app.graphs.database import Database
from app.graphs.store import Store
from app.settings import Settings
from tests.app.server import ROOT
from tests.app.storing import A, B, C, D, knows, refused, store_in


def test_what_is_kept_is_found_by_others_and_after_a_restart(tmp_path: Path) -> None:
    first, second = store_in(tmp_path), store_in(tmp_path)
    with refused("unknown-graph"):
        second.find(A)
    first.keep(A, b"[1]")
    assert second.find(A) == b"[1]"
    first.database.close()
    second.database.close()
    assert store_in(tmp_path).find(A) == b"[1]"


def test_the_404_says_how_to_send_the_graph(tmp_path: Path) -> None:
    with refused("unknown-graph") as caught:
        store_in(tmp_path).find(A)
    assert "send its statements as `graph`" in caught.value.detail
    assert "/graphs/{name}" in caught.value.detail
    assert caught.value.errors == ({"pointer": "/graph_id"},)


def test_the_least_used_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "FRESH", 0.0)
    store, other = (store_in(tmp_path, max_seen_graphs=3) for _ in range(2))
    for graph_id in (A, B, C):
        store.keep(graph_id, b"[]")
    other.keep(A, b"[]")  # used again, by another process
    store.keep(D, b"[]")
    assert knows(store, A, B, C, D) == [True, False, True, True]


def test_a_use_is_written_once_in_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_in(tmp_path, max_seen_graphs=1)
    other = store_in(tmp_path, max_seen_graphs=1)
    store.keep(A, b"[]")
    other.keep(B, b"[]")
    store.keep(A, b"[]")  # just now written, it thinks
    assert knows(store, A, B) == [False, True]
    monkeypatch.setattr(stores, "FRESH", 0.0)
    store.keep(A, b"[]")
    assert knows(store, A, B) == [True, False]


def test_bytes_are_bounded_just_so(tmp_path: Path) -> None:
    store = store_in(tmp_path, max_seen_bytes=8 * 100)
    for letter in "abcdefgh":
        store.keep(f"sha256:{letter * 64}", b"x" * 100)
    assert knows(store, A, D) == [True, True]
    store.keep(f"sha256:{'1' * 64}", b"x")
    assert knows(store, A, B) == [False, True]


def test_a_graph_that_takes_an_eighth_is_kept_and_a_larger_one_is_not(tmp_path: Path) -> None:
    store = store_in(tmp_path, max_seen_bytes=800)
    store.keep(A, b"x" * 100)
    store.keep(B, b"x" * 101)
    assert knows(store, A, B) == [True, False]


def test_the_store_may_keep_none(tmp_path: Path) -> None:
    store = store_in(tmp_path, max_seen_bytes=0)
    store.keep(A, b"[]")
    assert knows(store, A) == [False]


def test_what_is_counted_is_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "FRESH", 0.0)
    store = store_in(tmp_path, max_seen_graphs=5, max_seen_bytes=4000)
    for number in range(60):
        store.keep(f"sha256:{number % 17:064x}", b"x" * (number * 37 % 400))
    with store.database.reading() as connection:
        counted = connection.execute("SELECT graphs, bytes FROM held").fetchone()
        there = connection.execute("SELECT COUNT(*), SUM(LENGTH(text)) FROM graphs").fetchone()
    assert counted == there
    assert there[0] == 5


def test_only_its_user_may_read_the_file(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.keep(A, b"[]")
    path = Path(store.database.given)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}


def test_many_processes_make_the_file_and_fill_it_at_once(tmp_path: Path) -> None:
    script = """if True:
        import sys
        from app.graphs.store import Store
        from app.settings import Settings
        store = Store(Settings(store=sys.argv[1]))
        for number in range(30):
            store.keep(f"sha256:{sys.argv[2]}{number:063x}", b"[]")
    """
    path = str(tmp_path / "graphs.sqlite3")
    running = [
        subprocess.Popen([sys.executable, "-c", script, path, str(which)], cwd=ROOT, stderr=subprocess.PIPE)
        for which in range(4)
    ]
    for process in running:
        assert process.communicate(timeout=60) == (None, b"")
        assert process.returncode == 0
    with Database(path).reading() as connection:
        assert connection.execute("SELECT graphs FROM held").fetchone() == (120,)


def test_a_process_that_is_killed_while_it_writes_leaves_nothing(tmp_path: Path) -> None:
    script = """if True:
        import sys
        from app.graphs.database import Database
        with Database(sys.argv[1]).writing() as connection:
            connection.execute("DELETE FROM graphs")
            print("written", flush=True)
            sys.stdin.read()
    """
    store = store_in(tmp_path)
    store.keep(A, b"[]")
    command = [sys.executable, "-c", script, store.database.given]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"written\n"
        process.kill()
    store.keep(B, b"[]")
    assert knows(store, A, B) == [True, True]


def test_a_graph_is_used_while_another_process_writes(tmp_path: Path) -> None:
    store, other = store_in(tmp_path), store_in(tmp_path)
    store.keep(A, b"[]")
    with other.database.writing():
        assert store.find(A) == b"[]"
        store.keep(B, b"[]")  # waits in vain, not long, and says nothing
    assert knows(store, B) == [False]
    store.keep(B, b"[]")
    assert knows(store, B) == [True]


@pytest.mark.parametrize("content", [b"no database" * 1000, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_store(tmp_path: Path, content: bytes) -> None:
    store = store_in(tmp_path)
    path = Path(store.database.given)
    path.parent.mkdir()
    path.write_bytes(content)
    assert store.database.check()
    with refused("store-unavailable"):
        store.find(A)
    store.keep(A, b"[]")  # says nothing
    assert path.read_bytes() == content
    path.unlink()
    store.keep(A, b"[]")
    assert knows(store, A) == [True]


def test_a_file_that_is_damaged_while_it_is_open(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.keep(A, b"[]" * 2000)
    with store.database.reading() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = Path(store.database.given)
    path.write_bytes(path.read_bytes()[:4096] + os.urandom(path.stat().st_size - 4096))
    other = store_in(tmp_path)
    with refused("store-unavailable"):
        other.find(A)
    with refused("store-unavailable"), other.database.writing() as connection:
        connection.execute("DELETE FROM graphs")


def test_a_place_where_there_can_be_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kept").write_text("in the way")
    store = store_in(tmp_path)
    assert store.database.check()
    with refused("store-unavailable"):
        store.find(A)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # nobody knows where it is
    assert Database("~/graphs.sqlite3").check() == "Could not determine home directory."


def test_a_store_is_a_file_whatever_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "file:x?mode=memory"):
        Store(Settings(store=name)).keep(A, b"[]")
        assert knows(Store(Settings(store=name)), A) == [True]
        assert (tmp_path / name).stat().st_size


def test_a_file_of_a_newer_service_is_left_alone(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.keep(A, b"[]")
    with store.database.reading() as connection:
        connection.execute(f"PRAGMA user_version = {len(schema.STEPS) + 1}")
    assert "a newer version" in (store_in(tmp_path).database.check() or "")


def test_a_full_disk_undoes_what_was_begun(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.keep(A, b"[]")
    with store.database.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    store.keep(B, b"x" * 100_000)
    assert knows(store, A, B) == [True, False]
    store.keep(C, b"[]")
    assert knows(store, C) == [True]


def test_an_exception_undoes_a_transaction(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.keep(A, b"[]")
    with pytest.raises(KeyError), store.database.writing() as connection:
        delete_and_fail(connection)
    assert knows(store, A) == [True]


def delete_and_fail(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM graphs")
    raise KeyError


def test_every_table_has_its_tenant_and_a_format(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.keep(A, b"[]")
    with store.database.reading() as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.STEPS),)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        for table in ("graphs", "versions", "held"):
            assert "tenant" in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def test_sql_is_not_made_of_what_comes_in(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    odd = "x'; DROP TABLE graphs; --"
    store.keep(odd, b"[]")
    assert store.find(odd) == b"[]"
