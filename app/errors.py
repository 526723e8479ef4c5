"""The one shape of every error: an exception with a code, and the document it becomes (RFC 9457)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

import engine
from app.codes import CODES

MEDIA_TYPE = "application/problem+json"
MAX_DETAIL, MAX_FIELD, MAX_NAME = 2000, 300, 64  # characters
PARAMETERS = {("path",), ("query",), ("header",), ("cookie",)}  # locations that are no place in the body
JSON_TYPES = (
    (bool, "boolean"),
    ((int, float), "number"),
    (str, "string"),
    (Mapping, "object"),
    (Sequence, "array"),
)


class ErrorEntry(BaseModel):
    """One place in the request and what is wrong there."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    pointer: str = Field(default_factory=str, description="RFC 6901 pointer into the request.")
    line: int = Field(default_factory=int, ge=1, description="The line of a graph that is text.")
    column: int = Field(default_factory=int, ge=1, description="The column there, in characters.")
    node: str = Field(default_factory=str, description="The statement's id.")
    op: str = Field(default_factory=str, description="The statement's op.")
    expected: Any = Field(default_factory=str, description="What would have been right.")
    actual: Any = Field(
        default_factory=str, description="What was there: a shape, a dtype, a count or a JSON type."
    )


class ProblemDocument(BaseModel):
    """Every error of the service, its framework's errors too (RFC 9457)."""

    model_config = ConfigDict(title="Problem", json_schema_extra={"additionalProperties": False})

    type: str = Field(description="A path of this service that describes the code.")
    title: str
    status: int
    detail: str = Field(description="What went wrong; torch's own sentence where torch has one.")
    code: str = Field(json_schema_extra={"enum": list(CODES)})
    errors: list[ErrorEntry] = Field(default_factory=list, description="The places, where there are any.")
    request_id: str = Field(default_factory=str, description="Of a 500 only.")


class Problem(Exception):
    """An error with a code of `CODES`; raised anywhere under a route, answered in one shape."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Iterable[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code = CODES[code]
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        if self.code.retry_after is not None:
            self.headers.setdefault("Retry-After", str(self.code.retry_after))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.code.name, self.detail, self.errors, self.headers)


def _rebuild(
    code: str, detail: str, errors: tuple[Mapping[str, Any], ...], headers: dict[str, str]
) -> Problem:
    return Problem(code, detail, errors=errors, headers=headers)


def internal(request_id: str) -> Problem:
    """The 500: a fixed text, whatever happened."""
    return Problem(
        "internal", f"This is a bug of the service. Quote the request id {request_id} to report it."
    )


def from_engine(error: engine.errors.EngineError, prefix: Sequence[str | int] = ()) -> Problem:
    """The engine's refusal as an answer; `prefix` goes in front of its pointer."""
    at = next((part for part in error.pointer if isinstance(part, engine.errors.Place)), None)
    inside = error.pointer if at is None else error.pointer[: error.pointer.index(at)]
    node, op = (name if name and len(name) <= MAX_NAME else None for name in (error.node, error.op))
    place = {
        "pointer": pointer((*prefix, *inside)) if prefix or inside else None,
        "line": at and at.line,
        "column": at and at.column,
        "node": node,
        "op": op,
        "expected": error.expected,
        "actual": error.actual,
    }
    given = {name: value for name, value in place.items() if value is not None}
    where = " ".join([*([f"node '{node}'"] if node else []), *([f"({op})"] if op else [])])
    if at is not None:
        where = f"line {at.line}, column {at.column}" + (f", {where}" if where else "")
    return Problem(error.code, f"{where}: {error}" if where else str(error), errors=[given] if given else [])


def from_validation(errors: Sequence[Mapping[str, Any]], prefix: tuple[str | int, ...] = ()) -> Problem:
    """pydantic's errors as one problem: the first decides code and detail, the input is never repeated."""
    entries = []
    for each in errors:
        entry = {"expected": _expected(each), "actual": _json_type(each)}
        if each["loc"][:1] not in PARAMETERS:
            entry["pointer"] = pointer((*prefix, *each["loc"]))
        entries.append(entry)
    code = "unknown-field" if errors[0]["type"] == "extra_forbidden" else "invalid-argument"
    first, more = entries[0], len(entries) - 1
    where = first.get("pointer", " parameter ".join(map(str, errors[0]["loc"][:2]))) or "the request"
    detail = f"{where}: expected {first['expected']}, found {first['actual']}"
    return Problem(code, detail + (f" (and {more} more)" if more else ""), errors=entries)


def _expected(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "no field of this name"
    if error["type"] == "missing":
        return "a value"
    return str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")


def _json_type(error: Mapping[str, Any]) -> str:
    value = error.get("input")
    if error["type"] == "missing":
        return "nothing"
    if value is None:
        return "null"
    return next((name for kind, name in JSON_TYPES if isinstance(value, kind)), "value")


def pointer(parts: Iterable[str | int]) -> str:
    """The RFC 6901 pointer of a path; it stops above a part that is too long to be a name."""
    found = ""
    for part in map(str, parts):
        longer = found + "/" + part.replace("~", "~0").replace("/", "~1")
        if len(part) > MAX_NAME or len(longer) > MAX_FIELD:
            break
        found = longer
    return found


def document(problem: Problem, *, max_errors: int, max_bytes: int, request_id: str | None = None) -> bytes:
    """The problem as JSON with at most `max_errors` places, in at most `max_bytes`."""
    code = problem.code
    found: dict[str, Any] = {
        "type": code.type,
        "title": code.title,
        "status": code.status,
        "detail": _clip(problem.detail, MAX_DETAIL),
        "code": code.name,
    }
    if request_id is not None:
        found["request_id"] = request_id
    errors = [{name: _plain(value) for name, value in each.items()} for each in problem.errors[:max_errors]]
    if errors:
        found["errors"] = errors
    body = orjson.dumps(found)
    while len(body) > max_bytes:
        if errors:
            errors.pop()
        else:
            found.pop("errors", None)
            found["detail"] = _clip(found["detail"], len(found["detail"]) // 2)
        body = orjson.dumps(found)
    return body


def _plain(value: Any) -> Any:
    """Numbers, short strings and short lists of them; anything else as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else str(value)[:MAX_FIELD]
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value[:MAX_NAME]]
    return _clip(str(value), MAX_FIELD)


def _clip(text: str, limit: int) -> str:
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= limit else text[: limit - 1] + "…"
