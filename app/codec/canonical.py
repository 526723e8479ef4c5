"""RFC 8785 (JSON Canonicalization Scheme) for graphs: what `graph_id` hashes.

orjson writes the same bytes, 80 times faster than the package, but for some floats: those are written by the
package, or as the integers that they are. Keys are ASCII here, so sorting by bytes is sorting by UTF-16.
Integers beyond 2^53, which RFC 8785 has no form for, are written as strings of digits, as the wire allows.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import rfc8785

_EXACT = 2**53


def graph_id(statements: list[Any]) -> str:
    """`sha256:` and the digest of the statements' canonical JSON."""
    return f"sha256:{hashlib.sha256(canonical(statements)).hexdigest()}"


def canonical(value: Any) -> bytes:
    """The value's canonical JSON."""
    return orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS)


def _plain(value: Any) -> Any:
    """The same value in terms that orjson writes canonically; as deep as the JSON was, which is bounded."""
    kind = type(value)
    if kind is float:
        if value.is_integer() and abs(value) < _EXACT:
            return int(value)
        return value if 1e-4 <= abs(value) < 1e15 else orjson.Fragment(rfc8785.dumps(value))
    if kind is int:
        return value if abs(value) < _EXACT else str(value)
    if kind is dict:
        return {key: each if type(each) is str else _plain(each) for key, each in value.items()}
    if kind is list or kind is tuple:
        return [each if type(each) is str else _plain(each) for each in value]
    return value
