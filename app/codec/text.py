"""JSON text, read strictly: no duplicate keys, no NaN, no numbers beyond float64, no lone surrogates.

msgspec refuses most of it and keeps integers exact at any size. What it lets pass is refused here: nesting
that would exhaust the stack, keys that stand twice in one object, and text that is no UTF-8 but in a place
nobody reads. Objects are split into members without looking into them, so a tensor's numbers go straight
from the body to an array, and the graph's own bytes can be hashed.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np

from app.errors import MAX_NAME, Problem, pointer

Path = tuple[str | int, ...]

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_VALUE = msgspec.json.Decoder()

_CHUNK = 1 << 18  # fits the cache, and a hostile body is refused after its first one
_STEP = np.zeros(256, np.int64)
_STEP[[ord("["), ord("{")]] = 1
_STEP[[ord("]"), ord("}")]] = -1


def check_depth(body: bytes, limit: int) -> None:
    """Refuse nesting beyond `limit` before a parser sees it; about a millisecond per 4 MB."""
    if not _has_more(body, limit):
        return
    if b"\\" in body:  # an escaped quote ends no string
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    depth, inside = 0, 0
    data = np.frombuffer(body, np.uint8)
    for start in range(0, len(data), _CHUNK):
        chunk = data[start : start + _CHUNK]
        mask = (chunk | 0x26) == 0x7F  # [ ] { } and a few letters, which step by 0
        mask |= chunk == ord('"')
        places = np.flatnonzero(mask)
        if not len(places):
            continue
        marks = chunk[places]
        strings = (np.cumsum(marks == ord('"')) + inside) & 1
        depths = np.cumsum(_STEP[marks] * (1 - strings)) + depth
        if depths.max() > limit:
            raise Problem(
                "json-too-deep",
                f"The body's JSON is nested more than {limit} deep.",
                errors=[{"expected": limit}],
            )
        depth, inside = int(depths[-1]), int(strings[-1])


def _has_more(body: bytes, limit: int) -> bool:
    """Whether more than `limit` brackets are opened; they are looked for one by one, as there may be few."""
    for bracket in (b"[", b"{"):
        at = body.find(bracket)
        while at >= 0:
            limit -= 1
            if limit < 0:
                return True
            at = body.find(bracket, at + 1)
    return False


def members(raw: bytes, at: Path = ()) -> dict[str, bytes]:
    """The object's members, each as its own JSON text. The text must begin with `{`."""
    try:
        parts = _MEMBERS.decode(raw)
    except (ValueError, RecursionError) as error:
        raise invalid(error, at) from None
    found = {key: bytes(value) for key, value in parts.items()}
    colons = raw.count(b":") - sum([value.count(b":") for value in found.values()])
    if colons != len(found) or ":" in "".join(found):
        _refuse_duplicates(raw, at)
    return found


def items(raw: bytes, at: Path = ()) -> list[bytes]:
    """The array's elements, each as its own JSON text. The text must begin with `[`."""
    try:
        return [bytes(each) for each in _ITEMS.decode(raw)]
    except (ValueError, RecursionError) as error:
        raise invalid(error, at) from None


def value(raw: bytes, at: Path = ()) -> Any:
    """The text's Python value: dict, list, str, int (of any size), float, bool, None."""
    try:
        found = _VALUE.decode(raw)
    except (ValueError, RecursionError) as error:
        raise invalid(error, at) from None
    # Written again, it has as many colons as before, unless keys were dropped or a colon had been escaped.
    if b":" in raw and (b"\\u" in raw or msgspec.json.encode(found).count(b":") != raw.count(b":")):
        _refuse_duplicates(raw, at)
    return found


def invalid(error: Exception, at: Path = ()) -> Problem:
    """The parser's complaint as a problem; its texts name a byte, never the input."""
    where = f"{pointer(at)}: " if at else ""
    if isinstance(error, UnicodeDecodeError):
        text = "not valid UTF-8"
    elif "out of range" in str(error):
        text = "a number is out of range"
    else:
        text = str(error).split(" - at ")[0]
    return Problem("invalid-json", f"{where}{text}", errors=[{"pointer": pointer(at)}] if at else [])


def _refuse_duplicates(raw: bytes, at: Path) -> None:
    """Slow and exact, for the texts that looked as if they had some."""

    def unique(pairs: list[tuple[str, Any]]) -> None:
        seen = set()
        for key, _ in pairs:
            if key in seen:
                name = key if len(key) <= MAX_NAME else key[:MAX_NAME] + "…"
                text = f"{pointer(at) or 'the body'}: key '{name}' stands twice in one object"
                raise Problem("invalid-json", text, errors=[{"pointer": pointer(at)}] if at else [])
            seen.add(key)

    try:
        json.loads(raw, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise invalid(error, at) from None
