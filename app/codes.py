"""The closed list of error codes; a code decides its status, so whoever raises names a code and no status.

GET /errors, openapi/errors.md and every problem's `type` are read from it. The engine's errors carry their
code themselves; a test holds that each of them stands here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """One kind of error; `retry_after`: seconds, where no better number is known."""

    name: str
    status: int
    title: str
    description: str
    retry_after: int | None = None

    @property
    def type(self) -> str:
        return f"/errors/{self.name}"


CODES: dict[str, Code] = {code.name: code for code in (
    Code("invalid-http", 400, "Not HTTP",
         "The request is not well-formed HTTP/1.1."),
    Code("invalid-json", 400, "Not JSON",
         "The body is empty or no JSON: bare NaN and Infinity, numbers beyond float64 (1e999), invalid "
         "UTF-8 and trailing text count as that."),
    Code("invalid-body", 400, "Not what its headers say",
         "The body is not in the form that `Content-Type` or `Content-Encoding` names: cut off, corrupt, "
         "followed by something else, or a binary body whose header does not fit it."),
    Code("json-too-deep", 400, "JSON nested too deeply",
         "Arrays and objects are nested beyond `max_json_depth`."),
    Code("unauthorized", 401, "Not authorized",
         "The request needs a key, or a different one."),
    Code("not-found", 404, "Not found",
         "No such path, op or error code."),
    Code("unknown-graph", 404, "Unknown graph",
         "No graph of that `graph_id` is known, or not any more: send its statements as `graph`. Or no graph "
         "of that name or version is registered: PUT it to /graphs/{name}."),
    Code("method-not-allowed", 405, "Method not allowed",
         "The path exists; `Allow` lists its methods."),
    Code("not-acceptable", 406, "Not acceptable",
         "No representation fits `Accept`."),
    Code("body-timeout", 408, "Body too slow",
         "The body did not arrive within `body_timeout_seconds`."),
    Code("precondition-failed", 412, "Precondition failed",
         "The registered graph is not, or is, at the version that `If-Match` or `If-None-Match` names."),
    Code("body-too-large", 413, "Body too large",
         "The body, or what it decodes to, is over `max_body_bytes`."),
    Code("unsupported-media-type", 415, "Unsupported media type",
         "`Content-Type` or `Content-Encoding` is none that the path reads."),
    Code("unknown-field", 422, "Unknown field",
         "A field, an attribute or a parameter that does not exist here."),
    Code("unknown-op", 422, "Unknown op",
         "No op of that name; GET /ops lists them."),
    Code("unknown-id", 422, "Unknown id",
         "A reference to an id that is not defined, or not yet: a graph is read from first to last."),
    Code("duplicate-id", 422, "Duplicate id",
         "An id that is given twice."),
    Code("invalid-argument", 422, "Invalid argument",
         "A value that is missing, of the wrong type, or impossible."),
    Code("shape-mismatch", 422, "Shapes do not fit",
         "Shapes that do not fit each other or the op; ragged lists."),
    Code("dtype-mismatch", 422, "Dtypes do not fit",
         "Dtypes that do not fit each other or the op."),
    Code("not-differentiable", 422, "Not differentiable",
         "No gradient exists: nothing requires one, the dtype is an integer, or the op has no derivative."),
    Code("not-scalar", 422, "Gradient needed",
         "The output has more than one element, so `gradient` is needed; a Hessian is of one element."),
    Code("nan-found", 422, "A nan was made",
         "With `detect_anomaly`: the first op that made a nan, forward or backward."),
    Code("graph-freed", 422, "Graph freed",
         "A second backward through a graph without `retain_graph`."),
    Code("limit-exceeded", 422, "Limit exceeded",
         "More than a limit allows; `expected` is what is allowed, `actual` what was asked. GET /info "
         "lists the limits."),
    Code("iteration-limit", 422, "Iteration limit",
         "A loop reached its `max_iters`."),
    Code("not-implemented", 422, "Not implemented",
         "Known by name and not built; refused rather than ignored."),
    Code("head-too-large", 431, "Headers too large",
         "Path and headers are over `max_head_bytes`."),
    Code("internal", 500, "Internal error",
         "A bug of the service. The document names the request's id."),
    Code("not-ready", 503, "Not ready",
         "The service is starting or stopping.", retry_after=1),
    Code("overloaded", 503, "Overloaded",
         "All compute is busy and the queue is full.", retry_after=1),
    Code("store-unavailable", 503, "Store unavailable",
         "The file of registered graphs and of graphs seen lately cannot be read or written. Requests that "
         "send `graph` need none.", retry_after=5),
    Code("worker-lost", 503, "Worker lost",
         "The process that computed this ended; the request may be sent again.", retry_after=1),
    Code("deadline-exceeded", 504, "Deadline exceeded",
         "The request took longer than `deadline_seconds`."),
)}  # fmt: skip
