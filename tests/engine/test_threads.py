"""One budget of threads: tiles and BLAS, one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import threadpoolctl

import engine
from engine.threads import spread


@pytest.fixture(autouse=True)
def _same_after() -> Iterator[None]:
    before = engine.get_num_threads()
    yield
    engine.set_num_threads(before)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_everything_is_done_once_by_so_many_threads_at_most(count: int) -> None:
    engine.set_num_threads(count)
    seen: list[tuple[int, str]] = []

    def work(number: int) -> None:
        seen.append((number, threading.current_thread().name))
        time.sleep(0.001)

    spread(work, 50)
    assert sorted(number for number, _ in seen) == list(range(50))
    assert len({name for _, name in seen}) == count


@pytest.mark.parametrize("count", [1, 2])
def test_blas_has_the_same_number(count: int) -> None:
    np.ones((4, 4)) @ np.ones((4, 4))
    engine.set_num_threads(count)
    blas = [each["num_threads"] for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"]
    assert blas
    assert set(blas) == {count}


def test_a_second_computation_has_its_own_thread_alone() -> None:
    engine.set_num_threads(2)
    inner: set[str] = set()

    def work(number: int) -> None:
        spread(lambda _: inner.add(threading.current_thread().name), 4)
        time.sleep(0.001)

    names: set[str] = set()
    spread(lambda number: (names.add(threading.current_thread().name), work(number))[0], 8)
    assert inner <= names
    assert len(names) == 2


def test_what_a_thread_raises_is_raised() -> None:
    engine.set_num_threads(2)
    done: list[int] = []

    def work(number: int) -> None:
        time.sleep(0.001)
        done.append(number)
        if number == 3:
            raise ZeroDivisionError("in a tile")

    with pytest.raises(ZeroDivisionError, match="in a tile"):
        spread(work, 1000)
    assert len(done) < 100  # the other thread stops soon
    spread(done.append, 3)  # the threads are free again


@pytest.mark.parametrize("count", [0, -1, 1.0, True, "2"])
def test_what_is_no_number_of_threads(count: object) -> None:
    with pytest.raises(RuntimeError, match="set_num_threads expects a positive integer"):
        engine.set_num_threads(count)  # type: ignore[arg-type]
