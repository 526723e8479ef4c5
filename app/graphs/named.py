"""What a request to /graphs/{name} says beside its body."""

from __future__ import annotations

from typing import NamedTuple


class Named(NamedTuple):
    """The graph that a path names, and a version of it; how defaults are written, and two headers."""

    name: str
    version: str | None = None
    encoding: str = "list"
    if_match: str | None = None
    if_none_match: str | None = None
