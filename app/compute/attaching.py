"""A request's body → its JSON and, of a binary body, its tensors, put where their names say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.codec import text
from app.codec.binary import Attached, Stored, split
from app.codec.compression import inflated
from app.compute.call import BINARY, Call
from app.errors import MAX_NAME, Problem

PLACES = (
    "inputs/<name>", "inputs/<name>/grad", "gradient", "gradient/<name>", "backward/<number>/gradient",
    "tangents/<name>", "v/<name>",
)  # fmt: skip


def parts(call: Call, limit: int) -> tuple[bytes, Mapping[str, Stored]]:
    """The JSON and the tensors beside it; the body may have `limit` bytes when it is decompressed."""
    body = call.body if call.sent.coding == "identity" else inflated(call.body, call.sent.coding, limit)
    return split(body) if call.sent.media == BINARY else (bytes(body), {})


def attach(fields: dict[str, Any], tensors: Mapping[str, Stored]) -> None:
    """Put each tensor beside the JSON text at its place, which may be none. What is malformed in the JSON is
    left for validation to refuse; a tensor without a place is a Problem."""
    for name, stored in tensors.items():
        match name.split("/", 3):
            case ["inputs" | "tangents" | "v" as field, key]:
                _beside(_members(fields, field), key, name, data=stored)
            case ["inputs", key, "grad"]:
                _beside(_members(fields, "inputs"), key, name, grad=stored)
            case ["gradient"]:
                _beside(fields, "gradient", name, data=stored)
            case ["gradient", key]:
                _beside(_members(fields, "gradient"), key, name, data=stored)
            case ["backward", number, "gradient"]:
                _beside(_call(fields.get("backward"), number, name), "gradient", name, data=stored)
            case _:
                raise _refused(name, "no tensor has its place there", list(PLACES))


def _members(fields: dict[str, Any], field: str) -> Any:
    """The members of a field, which are still text."""
    found = fields.setdefault(field, {})
    if isinstance(found, bytes) and found[:1] == b"{":
        found = fields[field] = text.members(found, (field,))
    return found


def _call(calls: Any, number: str, name: str) -> Any:
    """One of the calls of `backward`."""
    short = isinstance(calls, list) and number.isdecimal() and len(number) < 10
    if not short or int(number) >= len(calls):
        raise _refused(name, "'backward' has no such entry", "an entry of 'backward'")
    return calls[int(number)]


def _beside(members: Any, key: str, name: str, **stored: Any) -> None:
    if not isinstance(members, dict):
        return
    held = members.get(key, Attached())
    if isinstance(held, bytes):
        held = Attached(held)
    if not isinstance(held, Attached):
        raise _refused(name, "there are tensors by name at its place", "a tensor, or tensors by name")
    members[key] = held._replace(**stored)


def _refused(name: str, why: str, expected: Any) -> Problem:
    name = name if len(name) <= MAX_NAME else name[:MAX_NAME] + "…"
    return Problem("unknown-field", f"tensor '{name}': {why}", errors=[{"expected": expected}])
