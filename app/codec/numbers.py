"""A list of numbers, from its JSON text to an array without a Python object per element.

simdjson fills a flat buffer and would take a ragged list for a flat one. So the text of a nested list with
everything but brackets and commas taken out (its skeleton) is compared with the skeleton that its shape must
have.
"""

from __future__ import annotations

import functools
import math
import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import simdjson

_IN_NUMBERS = b"0123456789.eE+- \t\r\n"
_SHORT = 1 << 10  # bytes of a skeleton whose shape is remembered
_LONG = 1 << 25  # bytes of text beyond which a parser is not kept: it takes some twice the text

_local = threading.local()


def array_of(raw: bytes, floating: bool | None, limit: int) -> npt.NDArray[Any] | None:
    """A float64 or int64 array, or None where only a closer look can tell what is wrong or meant.

    `floating` says what is wanted, None: floats if the text has one. Never wrong, merely None for: empty
    lists, strings, booleans, ragged lists, integers beyond 64 bits, more than `limit` elements, no JSON.
    """
    if not floating:
        has_float = b"." in raw or b"e" in raw or b"E" in raw
        if floating is False and has_float:
            return None
        floating = has_float
    shape: tuple[int, ...] | None = None
    if raw[:1] != b"[":
        if b"[" in raw:
            return None
        raw, shape = b"[%b]" % raw, ()
    elif raw.find(b"[", 1) > 0:
        skeleton = raw.translate(None, _IN_NUMBERS)
        shape = (_short_shape if len(skeleton) <= _SHORT else _shape)(skeleton)
        if shape is None:
            return None
    flat = _flat(raw, floating)
    if flat is None or not 0 < flat.size <= limit:
        return None
    if shape is None:
        return flat
    return flat.reshape(shape) if flat.size == math.prod(shape) else None


def _flat(raw: bytes, floating: bool) -> npt.NDArray[Any] | None:
    """The numbers in a list and in the lists in it, one after the other; None if there is anything else."""
    try:
        listed = _parser(len(raw)).parse(raw)
        assert isinstance(listed, simdjson.Array)  # the text begins with a bracket
        if floating:
            return np.frombuffer(listed.as_buffer(of_type="d"), np.float64)
        return np.frombuffer(listed.as_buffer(of_type="i"), np.int64)
    except (ValueError, TypeError, RuntimeError):  # the last for integers beyond 64 bits
        return None


def _parser(size: int) -> simdjson.Parser:
    """This thread's parser; another for a very long text, after which it would keep too much memory."""
    if size > _LONG:
        return simdjson.Parser()
    parser: simdjson.Parser | None = getattr(_local, "parser", None)
    if parser is None:
        parser = _local.parser = simdjson.Parser()
    return parser


def _shape(skeleton: bytes) -> tuple[int, ...] | None:
    """The shape whose skeleton this is: (2, 3) for `[[,,],[,,]]`; empty lists count as one element."""
    rank = len(skeleton) - len(skeleton.lstrip(b"["))
    if not 0 < rank <= 64:
        return None
    end = skeleton.find(b"]")
    block = skeleton[rank - 1 : end + 1]
    if end < 0 or block.count(b",") != len(block) - 2:
        return None
    shape = [len(block) - 1]
    for axis in range(rank - 2, -1, -1):
        # The list that opens at `axis` holds equal blocks: it ends where one is followed by a bracket.
        end = skeleton.find(block + b"]", axis + 1)
        if end < 0:
            return None
        length = end + len(block) - (axis + 1)
        count, rest = divmod(length + 1, len(block) + 1)
        if rest:
            return None
        block = b"[" + ((block + b",") * count)[:-1] + b"]"
        shape.insert(0, count)
    return tuple(shape) if block == skeleton else None


_short_shape = functools.lru_cache(1024)(_shape)
