"""Memory of large results: used again when nobody holds it, never before, and bounded."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from engine.plan import arena

SHAPE, DTYPE = (300, 1000), np.dtype(np.float64)


@pytest.fixture(autouse=True)
def _nothing_waits() -> None:
    gc.collect()
    arena.forget()


def address(array: np.ndarray) -> int:  # type: ignore[type-arg]
    return int(array.__array_interface__["data"][0])


def test_memory_is_used_again_when_the_last_view_has_gone() -> None:
    first = arena.empty(SHAPE, DTYPE)
    where, row = address(first), first[7]
    row[:] = 5
    del first
    assert arena.waiting_bytes() == 0
    other = arena.empty(SHAPE, DTYPE)
    other[:] = 0
    assert address(other) != where and (row == 5).all()
    del row
    assert arena.waiting_bytes() >= other.nbytes
    assert address(arena.empty(SHAPE, DTYPE)) == where


def test_an_array_is_like_any_other() -> None:
    found = arena.empty(SHAPE, DTYPE)
    assert (found.shape, found.dtype, found.flags.carray) == (SHAPE, DTYPE, True)
    assert arena.lease_of(found) is not None
    assert arena.lease_of(found[:10]) is None  # the rest would be held for a part
    assert arena.lease_of(np.empty(SHAPE)) is None
    small = arena.empty((3,), DTYPE)
    assert small.base is None


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arena, "MOST", 3 << 20)
    held = [arena.empty((1 << 20,), np.dtype(np.uint8)) for _ in range(5)]
    held.clear()
    assert arena.waiting_bytes() == 3 << 20
    large = arena.empty((2 << 20,), np.dtype(np.uint8))
    del large  # what is of other sizes makes room
    assert arena.waiting_bytes() == 2 << 20
    huge = arena.empty((4 << 20,), np.dtype(np.uint8))
    del huge
    assert arena.waiting_bytes() <= 3 << 20
