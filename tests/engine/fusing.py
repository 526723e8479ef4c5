"""Fusion of arrays of any size, by tiles of a few rows: what else only large arrays get."""

import pytest

from engine.plan import bound, grouping, tiles


def fuse_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans made from here on fuse all that can be fused, in tiles of one row or two."""
    monkeypatch.setattr(grouping, "MIN_ELEMENTS", 1)
    monkeypatch.setattr(tiles, "MIN_TILE", 1)
    monkeypatch.setattr(tiles, "MAX_BYTES", 64)
    monkeypatch.setattr(bound, "LONG", 2)


def fuse_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans made from here on fuse nothing."""
    monkeypatch.setattr(grouping, "MIN_ELEMENTS", 2**40)
