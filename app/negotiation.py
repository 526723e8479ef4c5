"""What a client sends and what it reads: media types and content codings, by its headers (RFC 9110, §12)."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.compute.call import BINARY, JSON, Form
from app.errors import Problem

MEDIA = (JSON, BINARY)
CODINGS = ("zstd", "gzip")  # the better one first
KNOWN = 256  # headers that are read once; clients have few
VARY = "Accept, Accept-Encoding"

_QUALITY = re.compile(r"q\s*=\s*([01](?:\.\d*)?)")
_ALIASES = {"x-gzip": "gzip"}
_LAST_RESORT = 0.0001  # how welcome a plain answer is to those who do not speak of it


def sent(headers: Mapping[bytes, bytes]) -> Form:
    """The form of the body. Raises Problem for one that is not read here."""
    return _sent(headers.get(b"content-type", b""), headers.get(b"content-encoding", b""))


@functools.lru_cache(KNOWN)
def _sent(content_type: bytes, content_encoding: bytes) -> Form:
    kind, *parameters = _text(content_type).split(";")
    media = kind.strip()
    charsets = [each.strip() for each in parameters if each.strip().startswith("charset")]
    if media not in MEDIA or charsets not in ([], ["charset=utf-8"], ['charset="utf-8"']):
        raise Problem(
            "unsupported-media-type",
            f"Content-Type: {JSON} in UTF-8, or {BINARY}, is expected.",
            headers={"Accept-Post": ", ".join(MEDIA)},
        )
    coding = _text(content_encoding).strip() or "identity"
    coding = _ALIASES.get(coding, coding)
    if coding not in ("identity", *CODINGS):
        raise Problem(
            "unsupported-media-type",
            f"Content-Encoding: one of {', '.join(CODINGS)} is expected, and only one.",
            headers={"Accept-Encoding": ", ".join(CODINGS)},
        )
    return Form(media, coding)


def wanted(headers: Mapping[bytes, bytes], least: int) -> Form:
    """The form of the answer; JSON of fewer than `least` bytes is not compressed. Raises Problem where the
    client takes none of them."""
    return _wanted(headers.get(b"accept"), headers.get(b"accept-encoding"), least)


@functools.lru_cache(KNOWN)
def _wanted(accept: bytes | None, accept_encoding: bytes | None, least: int) -> Form:
    media = JSON
    if accept is not None:
        ranges = _ranges(_text(accept))
        ranks = {each: _rank(each, ranges) for each in MEDIA}
        media = max(MEDIA, key=ranks.__getitem__)  # the first of equal ones
        if not ranks[media].quality:
            raise Problem(
                "not-acceptable", f"Accept: the answer is {JSON} or {BINARY}.", headers={"Vary": VARY}
            )
    if accept_encoding is None:
        return Form(media)
    return _coded(media, dict(reversed(_ranges(_text(accept_encoding)))), least)


def _coded(media: str, accepted: dict[str, float], least: int) -> Form:
    """The form with its coding. Binary answers are compressed for those alone who take no others: what it
    saves there is little, and takes many times as long as the answer."""
    accepted = {_ALIASES.get(name, name): quality for name, quality in accepted.items()}
    plain = accepted.get("identity", accepted.get("*", _LAST_RESORT))
    best = max(CODINGS, key=lambda name: accepted.get(name, 0.0))
    if plain:
        coded = media == JSON and accepted.get(best, 0.0) >= plain
        return Form(media, best, least) if coded else Form(media)
    others = accepted.get("*", 0.0)
    best = max(reversed(CODINGS), key=lambda name: accepted.get(name, others))
    if not accepted.get(best, others):
        raise Problem(
            "not-acceptable",
            f"Accept-Encoding: the answer is plain, or one of {', '.join(CODINGS)}.",
            headers={"Vary": VARY},
        )
    return Form(media, best)


class _Rank(NamedTuple):
    """How welcome something is: by quality, by how exactly it is named, by what is named first."""

    quality: float
    exactness: int
    position: int


def _rank(media: str, ranges: Sequence[tuple[str, float]]) -> _Rank:
    """Of the ranges that hold the type, the most specific one decides."""
    names = ("*/*", media.partition("/")[0] + "/*", media)
    found = [(names.index(name), -at, quality) for at, (name, quality) in enumerate(ranges) if name in names]
    exactness, position, quality = max(found, default=(0, 0, 0.0))
    return _Rank(quality, exactness, position)


def _ranges(header: str) -> list[tuple[str, float]]:
    """The names in a header with their qualities, in order; parameters but the quality are left out."""
    found = []
    for each in header.split(","):
        name, *parameters = (part.strip() for part in each.split(";"))
        qualities = [match for match in map(_QUALITY.fullmatch, parameters) if match]
        found.append((name, min(float(qualities[0][1]), 1.0) if qualities else 1.0))
    return found


def _text(header: bytes) -> str:
    return header.decode("latin-1").lower()
