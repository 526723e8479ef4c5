"""Long lists of numbers, cut out of a body before a parser looks at it: what is left is short.

Between the end of one string and the begin of the next there is much text only where a long list stands. So
the quotation marks are looked for, which takes no time, and each such list is replaced by a mark.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import numpy as np

LONG = 1 << 13  # bytes between two strings
_SHORT = 1 << 20  # bytes of a body through which all strings are looked for at once
MAX_STRINGS = 4000  # that are looked at; a body with more of them has long lists nowhere or late
_MARK = f'"{secrets.token_hex(16)}%d"'  # no client can write it


def cut(body: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """The body with marks in place of its long lists, and the lists by their marks.

    Whether they are lists, and of what, is not looked at: with any list in its place, or with the mark there,
    the rest is JSON or it is not.
    """
    if len(body) < LONG or b"\\" in body:  # an escaped quotation mark ends no string
        return body, {}
    if len(body) <= _SHORT and not _has_room(body):
        return body, {}
    left: list[bytes] = []
    lists: dict[bytes, bytes] = {}
    done, end = 0, -1
    for _ in range(MAX_STRINGS):
        start = body.find(b'"', end + 1)
        stop = start if start >= 0 else len(body)
        if stop - end > LONG and (found := _list(body, end + 1, stop)) is not None:
            mark = (_MARK % len(lists)).encode()
            lists[mark] = body[found[0] : found[1]]
            left += (body[done : found[0]], mark)
            done = found[1]
        end = body.find(b'"', start + 1) if start >= 0 else -1
        if end < 0:
            break
    return b"".join([*left, body[done:]]), lists


def _has_room(body: bytes) -> bool:
    """Whether there is a stretch for a long list between two strings."""
    marks = np.flatnonzero(np.frombuffer(body, np.uint8) == ord('"'))
    return bool(np.diff(marks, prepend=-1, append=len(body)).max() > LONG)


def restored(text: bytes, lists: Mapping[bytes, bytes]) -> bytes:
    """A part of a body, its lists where they were."""
    for mark, each in lists.items():
        text = text.replace(mark, each)
    return text


def _list(body: bytes, start: int, stop: int) -> tuple[int, int] | None:
    """Where the one list between two strings stands, if it is one."""
    begin = body.find(b"[", start, stop)
    closed = body.find(b"}", begin, stop)
    end = body.rfind(b"]", begin, closed if closed >= 0 else stop) + 1
    return (begin, end) if 0 <= begin < end else None
