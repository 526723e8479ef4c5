"""The closed list of error codes, and the one document that every error is answered with (RFC 9457).

`CODES` decides a code's status: whoever raises names a code, never a status. The engine's errors carry
their code (`engine.errors`); a test holds that every one of them stands here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import engine
import orjson
from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE = "application/problem+json"
MAX_DETAIL, MAX_FIELD, MAX_NAME = 2000, 300, 64  # characters


@dataclass(frozen=True)
class Code:
    """One kind of error; `retry_after` is the default of its header, in seconds."""

    name: str
    status: int
    title: str
    description: str
    retry_after: int | None = None

    @property
    def type(self) -> str:
        return f"/errors/{self.name}"


CODES: dict[str, Code] = {code.name: code for code in (
    Code("invalid-json", 400, "Not JSON", "The body is empty or no JSON: bare NaN and Infinity, numbers beyond "
         "float64 (1e999), invalid UTF-8 and trailing text count as that."),
    Code("json-too-deep", 400, "JSON nested too deeply", "Arrays and objects are nested beyond `max_json_depth`."),
    Code("unauthorized", 401, "Not authorized", "The request needs a key, or a different one."),
    Code("not-found", 404, "Not found", "No such path, op, error code or graph."),
    Code("method-not-allowed", 405, "Method not allowed", "The path exists; `Allow` lists its methods."),
    Code("not-acceptable", 406, "Not acceptable", "No representation fits `Accept`."),
    Code("body-timeout", 408, "Body too slow", "The body did not arrive within `body_timeout_seconds`."),
    Code("body-too-large", 413, "Body too large", "The body, or what it decodes to, is over `max_body_bytes`."),
    Code("unsupported-media-type", 415, "Unsupported media type", "`Content-Type` or `Content-Encoding` is none "
         "that the path reads."),
    Code("unknown-field", 422, "Unknown field", "A field, an attribute or a parameter that does not exist here."),
    Code("unknown-op", 422, "Unknown op", "No op of that name; GET /ops lists them."),
    Code("unknown-id", 422, "Unknown id", "A reference to an id that is not defined, or not yet: a graph is read "
         "from first to last."),
    Code("duplicate-id", 422, "Duplicate id", "An id that is given twice."),
    Code("invalid-argument", 422, "Invalid argument", "A value that is missing, of the wrong type, or impossible."),
    Code("shape-mismatch", 422, "Shapes do not fit", "Shapes that do not fit each other or the op; ragged lists."),
    Code("dtype-mismatch", 422, "Dtypes do not fit", "Dtypes that do not fit each other or the op."),
    Code("not-differentiable", 422, "Not differentiable", "No gradient exists: nothing requires one, the dtype is "
         "an integer, or the op has no derivative."),
    Code("not-scalar", 422, "Gradient needed", "The output has more than one element, so `gradient` is needed."),
    Code("graph-freed", 422, "Graph freed", "A second backward through a graph without `retain_graph`."),
    Code("limit-exceeded", 422, "Limit exceeded", "More than a limit allows; `expected` is what is allowed, "
         "`actual` what was asked. GET /info lists the limits."),
    Code("iteration-limit", 422, "Iteration limit", "A loop reached its `max_iters`."),
    Code("not-implemented", 422, "Not implemented", "Known by name and not built; refused rather than ignored."),
    Code("internal", 500, "Internal error", "A bug of the service. The document names the request's id."),
    Code("not-ready", 503, "Not ready", "The service is starting or stopping.", retry_after=1),
    Code("overloaded", 503, "Overloaded", "All compute is busy and the queue is full.", retry_after=1),
    Code("worker-lost", 503, "Worker lost", "The process that computed this ended; the request may be sent again.",
         retry_after=1),
    Code("deadline-exceeded", 504, "Deadline exceeded", "The request took longer than `deadline_seconds`."),
)}  # fmt: skip


class ErrorEntry(BaseModel):
    """One place in the request and what is wrong there."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    pointer: str | None = Field(None, description="RFC 6901 pointer into the request.")
    node: str | None = Field(None, description="The statement's id.")
    op: str | None = Field(None, description="The statement's op.")
    expected: Any = Field(None, description="What would have been right.")
    actual: Any = Field(None, description="What was there: a shape, a dtype, a count or a JSON type.")


class ProblemDocument(BaseModel):
    """Every error of the service, its framework's errors too (RFC 9457)."""

    model_config = ConfigDict(title="Problem", json_schema_extra={"additionalProperties": False})

    type: str = Field(description="A path of this service that describes the code.")
    title: str
    status: int
    detail: str = Field(description="What went wrong; torch's own sentence where torch has one.")
    code: str = Field(json_schema_extra={"enum": list(CODES)})
    errors: list[ErrorEntry] | None = Field(None, description="The places, where there are any.")
    request_id: str | None = Field(None, description="Of a 500 only.")


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


def _rebuild(code: str, detail: str, errors: tuple[Mapping[str, Any], ...], headers: dict[str, str]) -> Problem:
    return Problem(code, detail, errors=errors, headers=headers)


def internal(request_id: str) -> Problem:
    """The 500: a fixed text, whatever happened."""
    return Problem("internal", f"This is a bug of the service. Quote the request id {request_id} to report it.")


def from_engine(error: engine.errors.EngineError, prefix: Sequence[str | int] = ()) -> Problem:
    """The engine's refusal as an answer; `prefix` goes in front of its pointer."""
    place = {
        "pointer": pointer((*prefix, *error.pointer)) if prefix or error.pointer else None,
        "node": error.node,
        "op": error.op,
        "expected": error.expected,
        "actual": error.actual,
    }
    given = {name: value for name, value in place.items() if value is not None}
    where = f"node '{error.node}'" if error.node else ""
    where += (" " if where else "") + f"({error.op})" if error.op else ""
    return Problem(error.code, f"{where}: {error}" if where else str(error), errors=[given] if given else [])


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
    """The problem as JSON: at most `max_errors` places, at most `max_bytes` long, nothing longer than it need be."""
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
