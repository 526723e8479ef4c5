"""A request's body → an answer: parse, validate, prepare, admit, run, write."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

import numpy as np

import engine
from app.codec import read, text, write
from app.compute import reading
from app.compute.call import JSON, Answer, Call, Cost, Form
from app.compute.programs import Entry, Programs
from app.endpoints import ENDPOINTS, Prepared
from app.errors import MEDIA_TYPE, Problem, document, from_engine, internal
from app.graphs.shelf import Shelf
from app.schemas.request import Request
from app.settings import Settings

log = logging.getLogger("gradwire")


class Task(NamedTuple):
    """A request that can run: nothing is computed yet, the cost is known."""

    route: str
    wanted: Form
    request: Request
    entry: Entry
    prepared: Prepared

    @property
    def cost(self) -> Cost:
        return Cost(self.entry.digest, self.prepared.nodes, self.prepared.flops)


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
        self.programs = Programs(self.limits, shelf)

    def answer(self, call: Call) -> Answer:
        """The answer to a request, whatever it is."""
        try:
            return self.finish(self.prepare(call))
        except Exception as error:  # noqa: BLE001  # whatever happened becomes an answer
            return self.failed(error, call.request_id)

    def prepare(self, call: Call) -> Task:
        """Everything up to the first arithmetic. Raises Problem and engine.errors.EngineError."""
        route, body = call.route, call.body
        text.check_depth(body, self.settings.max_json_depth)
        request = reading.envelope(route, body)
        rules = read.Rules(self.limits.rank, self.limits.elements, engine.dtype(request.default_dtype))
        if request.graph_id is None:
            entry = self.programs.get(request.graph, rules)
        else:
            entry = self.programs.by_id(request.graph_id, rules)
        inputs, grads = reading.inputs(request, rules)
        asked = reading.asked(request, inputs, rules)
        kept = entry.program.nodes
        with np.errstate(all="ignore"):  # here the predicted peak and output are held against the limits
            prepared = ENDPOINTS[route].prepare(entry.program, inputs, grads, **asked)
        if entry.program.nodes != kept:
            self.programs.trim()
        return Task(route, call.wanted, request, entry, prepared)

    def finish(self, task: Task) -> Answer:
        """Run a prepared request, or only explain it, and write the answer."""
        encoding = task.request.encoding
        found = {"explain": task.prepared.explain()} if task.request.explain else _computed(task)
        body = write.dumps({**found, "graph_id": task.entry.graph_id}, encoding)
        if len(body) > self.limits.output_bytes:
            raise engine.errors.LimitExceeded("output_bytes", len(body), self.limits.output_bytes)
        return Answer(200, (("content-type", JSON),), (body,), task.cost)

    def failed(self, error: Exception, request_id: str) -> Answer:
        """The answer that says what went wrong."""
        if isinstance(error, engine.errors.EngineError):
            error = from_engine(error)
        elif isinstance(error, MemoryError):
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


def _output(value: engine.Tensor, encoding: str) -> dict[str, Any]:
    """An output with its flags."""
    return {
        **write.tensor(value, encoding),
        "requires_grad": value.requires_grad,
        "is_leaf": value.is_leaf,
        "grad_fn": None if value.grad_fn is None else value.grad_fn.name(),
    }


def _computed(task: Task) -> dict[str, Any]:
    """What a prepared request comes to."""
    with np.errstate(all="ignore"):
        result = task.prepared.run()
    encoding = task.request.encoding
    found: dict[str, Any] = {
        "outputs": {name: _output(value, encoding) for name, value in result.outputs.items()}
    }
    endpoint = ENDPOINTS[task.route]
    if endpoint.answer is not None:
        found[endpoint.answer] = endpoint.take(result)
    if result.trace is not None:
        found["trace"] = result.trace
    return found
