"""A body's text around its numbers, to be laid upon the next body: the shortest way to that one's numbers.

A client writes its requests by the same lines of code, so they are alike byte for byte but for the numbers.
Where the text around the numbers is that of a body which was accepted, and valid numbers stand in their
places, the body means what that one meant: it is the same JSON with other lists.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from app.compute.kinds import Split

LONGEST = 1 << 16  # bytes of a body that one is made of


class Outline:
    """The texts around the numbers of a body that was for `route`, with `seed`."""

    __slots__ = ("_first", "_inner", "_last", "_order", "route", "seed")

    def __init__(self, route: str, body: bytes, split: Split) -> None:
        self.route, self.seed = route, split.seed
        base, around, done = _address(body), [], 0
        texts = split.texts
        places = [(_address(each.raw) - base, len(each.numbers)) for each in texts]
        order = sorted(range(len(texts)), key=places.__getitem__)
        for each in order:
            start, size = places[each]
            around.append(body[done:start])
            done = start + size
        self._first, *self._inner, self._last = *around, body[done:]
        self._order = [order.index(each) for each in range(len(texts))]

    def numbers(self, body: bytes) -> list[bytes] | None:
        """The texts where numbers stand in the body, in the order of a split; None if the text around them is
        another."""
        if not (body.startswith(self._first) and body.endswith(self._last)):
            return None
        start, end = len(self._first), len(body) - len(self._last)
        found = []
        for text in self._inner:
            stop = body.find(text, start, end)
            if stop < 0:
                return None
            found.append(body[start:stop])
            start = stop + len(text)
        if start >= end:
            return None
        found.append(body[start:end])
        return [found[each] for each in self._order]


def outline(route: str, body: bytes, split: Split) -> Outline | None:
    """The outline of a body, if it is a short one with numbers in it."""
    return Outline(route, body, split) if len(body) <= LONGEST and split.texts and not split.is_cut else None


def _address(raw: Any) -> int:
    """Where the bytes are that a text is made of."""
    return int(np.frombuffer(raw, np.uint8).__array_interface__["data"][0])
