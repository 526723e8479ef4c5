"""ETags: a version's id in quotes, and what `If-Match` and `If-None-Match` ask of it (RFC 9110, 13)."""

from __future__ import annotations

import re

from app.errors import Problem

_TAG = re.compile(r'\s*(W/)?"([^"]*)"\s*')


def etag(identity: str) -> str:
    """The version as the header has it."""
    return f'"{identity}"'


class Conditions:
    """The two headers of one request; without them everything is allowed."""

    def __init__(self, if_match: str | None = None, if_none_match: str | None = None) -> None:
        self.wanted = _tags("If-Match", if_match, weak=False)
        self.unwanted = _tags("If-None-Match", if_none_match, weak=True)

    def allow(self, current: str | None) -> None:
        """Raises Problem `precondition-failed` if the current version, None for none, is not as they ask."""
        if self.wanted is not None and not _matches(self.wanted, current):
            raise _failed("If-Match", current)
        if self.is_known(current):
            raise _failed("If-None-Match", current)

    def is_known(self, current: str | None) -> bool:
        """Whether the client has this version already, or wants no version."""
        return self.unwanted is not None and _matches(self.unwanted, current)


def _matches(tags: set[str], current: str | None) -> bool:
    return current is not None and ("*" in tags or current in tags)


def _failed(header: str, current: str | None) -> Problem:
    there = "there is none" if current is None else f"the current version is {current}"
    headers = {} if current is None else {"ETag": etag(current)}
    return Problem("precondition-failed", f"{header}: {there}.", headers=headers)


def _tags(header: str, value: str | None, *, weak: bool) -> set[str] | None:
    """The tags of a header, `*` for any; a weak one stands for nothing where a strong one is asked for."""
    if value is None:
        return None
    if value.strip() == "*":
        return {"*"}
    found, parts = set(), [part for part in value.split(",") if part.strip()]
    for part in parts or [value]:
        tag = _TAG.fullmatch(part)
        if tag is None:
            raise Problem("invalid-argument", f'{header}: ETags in double quotes are expected, or "*" bare.')
        if weak or not tag[1]:
            found.add(tag[2])
    return found - {"*"}
