"""Bodies as `Content-Encoding` has them: one layer of gzip (one member) or zstd (one frame).

What comes out is bounded while it comes out, and nothing may follow it.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from app.errors import Problem

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Buffer = bytes | bytearray | memoryview

_GZIP = 31  # zlib's window of 2^15 with gzip's header and trailer
_FAST = 1
_WINDOW: dict[int, int] = {
    zstd.DecompressionParameter.window_log_max: 23
}  # 8 MiB: what RFC 9659 allows a sender


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: Any, max_length: int, /) -> bytes: ...


class _Deflater(Protocol):
    def compress(self, data: Any, /) -> bytes: ...

    def flush(self) -> bytes: ...


INFLATERS: dict[str, Callable[[], _Inflater]] = {
    "gzip": lambda: zlib.decompressobj(_GZIP),
    "zstd": lambda: zstd.ZstdDecompressor(options=_WINDOW),
}
DEFLATERS: dict[str, Callable[[], _Deflater]] = {
    "gzip": lambda: zlib.compressobj(_FAST, zlib.DEFLATED, _GZIP),
    "zstd": lambda: zstd.ZstdCompressor(_FAST),
}


def inflated(body: Buffer, coding: str, limit: int) -> bytes:
    """The body without its coding. Raises Problem where it is corrupt, or has more than `limit` bytes."""
    inflater = INFLATERS[coding]()
    try:
        found = inflater.decompress(body, limit + 1)
    except (zlib.error, zstd.ZstdError):
        raise _invalid(coding, "corrupt") from None
    if len(found) > limit:
        raise Problem("body-too-large", f"The body, decompressed, is larger than the limit of {limit} bytes.")
    if not inflater.eof:
        raise _invalid(coding, "cut off")
    if inflater.unused_data:
        raise _invalid(coding, "followed by something else")
    return found


def _invalid(coding: str, what: str) -> Problem:
    return Problem("invalid-body", f"The body is no {coding}: {what}.", errors=[{"actual": what}])


def deflated(pieces: Iterable[Buffer], coding: str) -> tuple[bytes, ...]:
    """The body with that coding."""
    deflater = DEFLATERS[coding]()
    return tuple(each for each in (*map(deflater.compress, pieces), deflater.flush()) if each)
