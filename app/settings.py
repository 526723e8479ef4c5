"""Everything an operator can set: one field each, read from `GRADWIRE_<NAME>`.

The tables in README.md and openapi/settings.md are generated from these fields.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, ValidationError, field_validator

PREFIX = "GRADWIRE_"
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
TIME_LIMITS = ("deadline_seconds", "head_timeout_seconds", "body_timeout_seconds")

# A Kubernetes service called `gradwire` puts these into every pod of its namespace; none of them is ours.
_SERVICE_LINK = re.compile(r"GRADWIRE_(SERVICE_(HOST|PORT\w*)|PORT_\d+_(TCP|UDP|SCTP)\w*)")
_SERVICE_LINK_VALUE = re.compile(r"(tcp|udp|sctp)://")
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/\s,?#]+")


class SettingsError(ValueError):
    """The environment asks for something impossible; the text names every variable concerned."""


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part for part in (each.strip() for each in value.split(",")) if part)
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]


class Settings(BaseModel):
    """The service's settings; immutable, and each checked when it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(
        8000,
        ge=0,
        le=65535,
        description="Port to listen on; 0 takes a free one. `PORT` is read too, after it.",
    )
    log_level: Literal["critical", "error", "warning", "info", "debug", "trace"] = Field(
        "info", description="What the server logs, on standard error."
    )
    access_log: bool = Field(True, description="Log a line per request.")
    cors_origins: Names = Field(
        (),
        description="Web origins that may call from a browser, separated by commas; `*` for all.",
    )
    forwarded_allow_ips: Names = Field(
        ("127.0.0.1", "::1"),
        description="Proxies whose `X-Forwarded-*` headers are believed, separated by commas.",
    )

    compute: Literal["process", "thread", "inline"] = Field(
        "process",
        description="Where graphs run. Only processes end at their deadline; the others are for tests.",
    )
    processes: int = Field(0, ge=0, le=1024, description="Compute processes; 0: one per processor.")
    threads: int = Field(
        0,
        ge=0,
        le=1024,
        description="Threads of each compute process; 0: its share of the processors.",
    )
    queue_length: int = Field(
        16,
        ge=0,
        le=100_000,
        description="Requests that may wait for a compute process; one more is answered 503.",
    )
    inline_body_bytes: ByteSize = Field(
        ByteSize(16 * KIB), ge=0, description="A larger body always goes to a compute process."
    )
    inline_flops: int = Field(
        100_000,
        ge=0,
        description="A plan predicted to cost more goes to a compute process; 0: every plan does.",
    )

    deadline_seconds: float = Field(
        30, gt=0, le=86_400, description="Time for one request, its wait included."
    )
    body_timeout_seconds: float = Field(
        10, gt=0, le=86_400, description="Time for a request's body to arrive."
    )
    head_timeout_seconds: float = Field(
        5, gt=0, le=86_400, description="Time for a request's headers to arrive."
    )
    keep_alive_seconds: int = Field(5, ge=1, le=86_400, description="How long an idle connection stays open.")
    shutdown_seconds: int = Field(20, ge=0, le=86_400, description="Time for running requests after SIGTERM.")
    max_connections: int = Field(2000, ge=1, description="Open connections; further ones are answered 503.")
    backlog: int = Field(512, ge=1, le=65535, description="Connections that the system holds until accepted.")

    max_head_bytes: ByteSize = Field(
        ByteSize(32 * KIB), ge=KIB, le=MIB, description="A request's path and headers."
    )
    max_body_bytes: ByteSize = Field(ByteSize(64 * MIB), ge=1, description="A request's body.")
    min_compressed_bytes: ByteSize = Field(
        ByteSize(KIB),
        ge=0,
        description="A smaller answer is not compressed for clients whose `Accept-Encoding` asks for it.",
    )
    max_json_depth: int = Field(100, ge=3, le=500, description="Nesting of a request's JSON.")
    max_statements: int = Field(100_000, ge=1, description="Statements of a graph, nested ones included.")
    max_arity: int = Field(64, ge=1, description="Arguments of one statement.")
    max_rank: int = Field(32, ge=1, le=32, description="Dimensions of a tensor.")
    max_elements: int = Field(2**27, ge=1, le=2**40, description="Elements of one tensor.")
    max_peak_bytes: ByteSize = Field(
        ByteSize(2 * GIB), ge=1, description="Predicted peak memory of a request."
    )
    max_output_bytes: ByteSize = Field(ByteSize(64 * MIB), ge=1, description="An answer.")
    max_iterations: int = Field(1_000_000, ge=1, description="Iterations of one loop.")
    history_bytes: ByteSize = Field(
        ByteSize(16 * MIB),
        ge=0,
        description="What a loop may keep of its iterations for its derivative; beyond it checkpoints are "
        "kept, and the rest is computed again. 0 keeps everything.",
    )
    max_nodes: int = Field(
        1_000_000, ge=1, description="Operations that a graph becomes, its backward passes included."
    )
    max_trace: int = Field(100_000, ge=1, description="Nodes of a trace, the iterations of loops included.")
    max_errors: int = Field(20, ge=1, le=1000, description="Errors listed in one answer.")
    max_error_bytes: ByteSize = Field(ByteSize(8 * KIB), ge=KIB, description="An error document.")

    store: str = Field(
        "~/.local/state/gradwire/graphs.sqlite3",
        min_length=1,
        description="SQLite file of the graphs that are kept: registered ones, and those seen lately. Workers"
        " share it; a network file system will not do.",
    )
    max_seen_graphs: int = Field(
        4096, ge=1, le=1_000_000, description="Graphs seen lately that a `graph_id` can name."
    )
    max_seen_bytes: ByteSize = Field(
        ByteSize(32 * MIB),
        ge=0,
        description="Their JSON, all together; a graph of more than an eighth of it is not kept. 0: none is.",
    )
    max_stored_graphs: int = Field(1000, ge=0, le=1_000_000, description="Registered graphs.")
    max_stored_versions: int = Field(
        16, ge=1, le=10_000, description="Versions of a registered graph; the oldest goes for one more."
    )
    max_stored_graph_bytes: ByteSize = Field(
        ByteSize(64 * MIB),
        ge=1,
        le=GIB // 2,
        description="One version of a registered graph: its JSON and its default inputs.",
    )
    max_stored_bytes: ByteSize = Field(
        ByteSize(GIB), ge=0, description="All versions of all registered graphs."
    )

    @property
    def limits(self) -> dict[str, int | float]:
        """What bounds a request, by setting."""
        bounds = (name for name in type(self).model_fields if name.startswith("max_") or name in TIME_LIMITS)
        return {name: getattr(self, name) for name in bounds}

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError("an origin is scheme://host[:port] without a path, or *")
        return value

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """The settings that the environment asks for; an empty variable counts as unset.

        Raises SettingsError for unknown names as for bad values.
        """
        environ = os.environ if environ is None else environ
        given = {name: value for name, value in environ.items() if value.strip() and _is_ours(name, value)}
        if "GRADWIRE_PORT" not in given and environ.get("PORT", "").strip():
            given["PORT"] = environ["PORT"]
        complaints, values = [], {}
        for variable, value in given.items():
            name = variable.removeprefix(PREFIX).lower()
            if name in cls.model_fields:
                values[name] = value
            else:
                complaints.append(f"{variable}: no such setting{_nearest(name, cls.model_fields)}")
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            for each in error.errors(include_url=False):
                name = str(each["loc"][0])
                variable = PREFIX + name.upper()
                complaints.append(
                    f"{variable if variable in given else name.upper()}={each['input']!r}: {each['msg']}"
                )
        if complaints:
            raise SettingsError("\n".join(complaints))
        return settings


def _is_ours(name: str, value: str) -> bool:
    if not name.startswith(PREFIX) or _SERVICE_LINK.fullmatch(name):
        return False
    return not (name == "GRADWIRE_PORT" and _SERVICE_LINK_VALUE.match(value))


def _nearest(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {PREFIX}{close[0].upper()}?" if close else ""
