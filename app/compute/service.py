"""A request's body → an answer: parse, validate, prepare, admit, run, write."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

import engine
from app.codec import binary, read, text, write
from app.codec.binary import Stored
from app.codec.compression import deflated
from app.codec.cutting import cut, restored
from app.compute import reading, registry
from app.compute.attaching import parts
from app.compute.call import BINARY, JSON, Answer, Call, Cost, Form, Piece
from app.compute.known import Kinds, Known, Plan
from app.compute.programs import CacheInfo, Entry, Programs
from app.endpoints import ENDPOINTS, Prepared
from app.errors import MEDIA_TYPE, Problem, document, from_engine, internal
from app.graphs.shelf import Nowhere, Shelf
from app.graphs.versions import Version
from app.schemas.request import Request
from app.settings import Settings

Shown = Callable[[engine.Tensor, tuple[str, ...]], dict[str, Any]]  # a tensor, by its place
log = logging.getLogger("gradwire")

MAX_JOINED = 1 << 16  # bytes of an answer that are copied to be in one piece
_HEADERS = {media: (("content-type", media),) for media in (JSON, BINARY)}


class Task(NamedTuple):
    """A request that can run: nothing is computed yet, the cost is known."""

    call: Call
    request: Request
    entry: Entry
    prepared: Prepared

    @property
    def graph(self) -> tuple[str, bytes]:
        return self.entry.graph_id, self.entry.text

    @property
    def cost(self) -> Cost:
        graph_id = self.request.graph_id
        graph = self.entry.digest if graph_id is None else b'"%s"' % graph_id.encode()
        return Cost(graph, self.prepared.nodes, self.prepared.flops)


class Service:
    """Answers requests one at a time; each thread needs its own."""

    def __init__(self, settings: Settings, shelf: Shelf | None = None) -> None:
        self.settings = settings
        self.limits = engine.Limits(
            statements=settings.max_statements,
            arity=settings.max_arity,
            rank=settings.max_rank,
            elements=settings.max_elements,
            peak_bytes=settings.max_peak_bytes,
            iterations=settings.max_iterations,
            history_bytes=settings.history_bytes,
            nodes=settings.max_nodes,
            trace=settings.max_trace,
            output_bytes=settings.max_output_bytes,
        )
        self.shelf = shelf or Nowhere()
        self.programs = Programs(self.limits, self.shelf)
        self.kinds = Kinds(self.limits)

    def caches(self) -> dict[str, CacheInfo]:
        """What is kept of earlier requests, from the text to the plan, and how often it was of use."""
        return {"kinds": self.kinds.info, "graphs": self.programs.info, "plans": self.programs.plans}

    def answer(self, call: Call) -> Answer:
        """The answer to a request, whatever it is."""
        try:
            if call.route in registry.ROUTES:
                found = registry.answer(call, self.shelf.names, self.programs, self.settings)
                return _coded(found, call.wanted)
            task = self.recall(call) or self.prepare(call)
            answer = self.finish(task)
            if call.named is None:
                self.shelf.keep(*task.graph)
            return answer
        except Exception as error:  # noqa: BLE001  # whatever happened becomes an answer
            return self.failed(error, call.request_id)

    def recall(self, call: Call) -> Known | None:
        """The request, ready to run, if one of its kind was answered before."""
        return self.kinds.find(call) if call.wanted.media == JSON else None

    def prepare(self, call: Call) -> Task:
        """Everything up to the first arithmetic. Raises Problem and engine.errors.EngineError."""
        body, tensors = parts(call, self.settings.max_body_bytes)
        text.check_depth(body, self.settings.max_json_depth)
        short, lists = cut(body)
        if lists:
            with contextlib.suppress(
                Problem, engine.errors.EngineError
            ):  # the whole body tells what is wrong
                return self._prepare(call, short, lists, tensors)
        return self._prepare(call, body, {}, tensors)

    def _prepare(
        self, call: Call, body: bytes, lists: Mapping[bytes, bytes], tensors: Mapping[str, Stored]
    ) -> Task:
        route = call.route
        request = reading.envelope(route, body, tensors, named=call.named is not None)
        version = None
        if call.named is not None:
            version = self.shelf.version(call.named)
            request = _with_defaults(request, version)
        floats = engine.dtype(request.default_dtype)
        rules = read.Rules(self.limits.rank, self.limits.elements, floats, lists=lists)
        if request.graph_id is None:
            entry = self.programs.get(restored(request.graph, lists), rules)
        else:
            entry = self.programs.by_id(request.graph_id, rules, request.graph)
        inputs, grads = reading.inputs(request, rules)
        if version is not None:
            inputs = {**version.inputs, **inputs}
        asked = reading.asked(request, inputs, rules)
        misses = entry.program.cache_info().misses
        with np.errstate(all="ignore"):  # here the predicted peak and output are held against the limits
            prepared = ENDPOINTS[route].prepare(entry.program, inputs, grads, **asked)
        if entry.program.cache_info().misses != misses:
            self.programs.trim()
        return Task(call, request, entry, prepared)

    def finish(self, task: Task | Known) -> Answer:
        """Run a request that is ready, or only explain it, and write the answer."""
        wanted = task.call.wanted
        if isinstance(task, Known):
            arrays = task.plan.repeat.run(task.arrays, task.seed)
            if arrays is None:  # the plan is gone
                return self.finish(self.prepare(task.call))
            pieces = _joined(task.plan.template.pieces(arrays))
        else:
            pieces = _binary(task) if wanted.media == BINARY else _joined(self._json(task))
        found = Answer(200, _HEADERS[wanted.media], pieces, task.cost)
        if found.size > self.limits.output_bytes:
            raise engine.errors.LimitExceeded("output_bytes", found.size, self.limits.output_bytes)
        return _coded(found, wanted)

    def _json(self, task: Task) -> list[bytes]:
        """The answer, and another of its kind will be had at less."""
        writer = write.Writer(task.request.encoding)
        template = writer.template(_found(task, lambda value, place: writer.tensor(value)))
        repeat = None if task.request.explain else task.prepared.repeat()
        if repeat is not None:
            plan = Plan(task.graph, task.cost, repeat, template)
            self.kinds.learn(task.call, plan, engine.dtype(task.request.default_dtype))
        return template.pieces(writer.arrays)

    def failed(self, error: Exception, request_id: str) -> Answer:
        """The answer that says what went wrong."""
        if isinstance(error, engine.errors.EngineError):
            error = from_engine(error)
        elif isinstance(error, MemoryError):
            self.kinds.forget()
            self.programs.forget()  # so that the next request has it
            error = Problem("overloaded", "There is not enough memory for this request now.")
        quoted = None
        if not isinstance(error, Problem):
            log.error("request %s: unhandled exception", request_id, exc_info=error)
            error, quoted = internal(request_id), request_id
        body = document(
            error,
            max_errors=self.settings.max_errors,
            max_bytes=self.settings.max_error_bytes,
            request_id=quoted,
        )
        return Answer(error.code.status, (("content-type", MEDIA_TYPE), *error.headers.items()), (body,))


def _with_defaults(request: Request, version: Version) -> Request:
    """The request with the registered graph, and what that has for fields that the request leaves out."""
    found: dict[str, Any] = {"graph_id": version.graph_id, "graph": version.text}
    if request.outputs is None:
        found["outputs"] = version.outputs
    if "default_dtype" not in request.model_fields_set:
        found["default_dtype"] = version.default_dtype
    return request.model_copy(update=found)


def _coded(answer: Answer, wanted: Form) -> Answer:
    """The answer, compressed if that is wanted."""
    if wanted.coding == "identity" or answer.size < max(wanted.least, 1):
        return answer
    headers = (*answer.headers, ("content-encoding", wanted.coding))
    return answer._replace(headers=headers, pieces=deflated(answer.pieces, wanted.coding))


def _joined(pieces: list[bytes]) -> tuple[Piece, ...]:
    """In one piece, unless one of them is large."""
    return (b"".join(pieces),) if max(map(len, pieces)) <= MAX_JOINED else tuple(pieces)


def _binary(task: Task) -> tuple[Piece, ...]:
    writer = binary.Writer()
    found = _found(task, writer.tensor)
    return writer.pieces(writer.lift(found, ()))


def _found(task: Task, shown: Shown) -> dict[str, Any]:
    """The answer as a document; the tensors of its outputs as `shown`, others still tensors."""
    found = {"explain": task.prepared.explain()} if task.request.explain else _computed(task, shown)
    return {**found, "graph_id": task.entry.graph_id}


def _output(value: engine.Tensor, shown: dict[str, Any]) -> dict[str, Any]:
    """An output with its flags."""
    return {
        **shown,
        "requires_grad": value.requires_grad,
        "is_leaf": value.is_leaf,
        "grad_fn": None if value.grad_fn is None else value.grad_fn.name(),
    }


def _computed(task: Task, shown: Shown) -> dict[str, Any]:
    """What a prepared request comes to."""
    with np.errstate(all="ignore"):
        result = task.prepared.run()
    found: dict[str, Any] = {
        "outputs": {
            name: _output(value, shown(value, ("outputs", name))) for name, value in result.outputs.items()
        }
    }
    endpoint = ENDPOINTS[task.call.route]
    if endpoint.answer is not None:
        found[endpoint.answer] = endpoint.take(result)
    if result.trace is not None:
        found["trace"] = result.trace
    return found
