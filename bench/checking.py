"""Before anything is timed, every side has to give what torch gives."""

from __future__ import annotations

import numpy as np

from bench.case import Arrays, Match

TOLERANCES = {"float32": 1e-4, "float64": 1e-10}  # of the largest element


class Wrong(AssertionError):
    """A side answers something else than torch; the text says which and by how much."""


def check(match: Match) -> None:
    """Raises Wrong unless the answers of all sides are torch's, by dtype."""
    expected = [np.asarray(each) for each in match.reference()]
    for name, side in match.sides.items():
        compare(name, side.answer(), expected)


def compare(name: str, found: Arrays, expected: Arrays) -> None:
    """Raises Wrong unless the arrays are alike."""
    if len(found) != len(expected):
        raise Wrong(f"{name}: {len(found)} arrays, torch has {len(expected)}")
    for at, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        if ours.shape != theirs.shape:
            raise Wrong(f"{name}: array {at} has shape {ours.shape}, torch's {theirs.shape}")
        if not ours.size:
            continue
        apart = float(np.max(np.abs(ours.astype(np.float64) - theirs.astype(np.float64))))
        allowed = TOLERANCES[theirs.dtype.name] * max(float(np.max(np.abs(theirs))), 1e-30)
        if not apart <= allowed:  # a NaN is wrong too
            raise Wrong(f"{name}: array {at} is {apart:.3g} away from torch's, allowed {allowed:.3g}")
