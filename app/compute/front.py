"""Where a call is computed: a small body with a graph known to be tiny here and now, all else elsewhere.

Handing a call to a process takes longer than the tutorial's graph does. A graph is known on a route once it
was computed there elsewhere: a Hessian's plan takes many times the nodes of its graph. It is tiny if its plan
was predicted to take fewer than `inline_flops`. The prediction depends on the inputs' shapes too, so it is
made again before a plan runs on the event loop.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from app.codec import text
from app.compute.attaching import parts
from app.compute.call import Answer, Call, Cost, Place
from app.compute.pool import Pool
from app.compute.service import Service, Task
from app.compute.threads import Thread
from app.compute.warm import warm
from app.errors import Problem
from app.graphs.learned import Learned, NotLearnedError
from app.graphs.store import Store
from app.settings import Settings

MAX_KNOWN = 4096
MAX_NODES = 300  # of a plan: planning for new shapes takes some 60 µs each
MAX_CALLS = 2  # of `backward`: each may double the nodes
MAX_ROWS = 3  # of a Jacobian or a Hessian, by outputs and inputs: each may take as many nodes as the first
ONE_ROW = ("backward", "forward", "vjp", "jvp", "hvp")  # however many outputs and inputs there are


class Inline:
    """Computes on the event loop whatever it is given; for tests."""

    def __init__(self, settings: Settings) -> None:
        self.service = Service(settings, Store(settings))
        self.ready = False

    async def start(self) -> None:
        warm()
        self.ready = True

    async def stop(self) -> None:
        self.ready = False

    async def __call__(self, call: Call) -> Answer:
        return self.service.answer(call)


PLACES: dict[str, type[Pool | Thread | Inline]] = {"process": Pool, "thread": Thread, "inline": Inline}


class Compute:
    """The service's compute: its place, and the shortcut for tiny graphs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.place: Place = PLACES[settings.compute](settings)
        self.learned = Learned(settings)
        self.service = Service(settings, self.learned)
        self._tiny: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    @property
    def ready(self) -> bool:
        """Whether a call would be computed now."""
        return self.place.ready

    async def start(self) -> None:
        """Begin to get ready; calls may come at once, and wait."""
        await self.learned.start()
        await self.place.start()

    async def stop(self) -> None:
        """End all of it."""
        await self.place.stop()
        await self.learned.stop()

    async def __call__(self, call: Call) -> Answer:
        """The answer, errors of the request included. Raises Problem where the service is at fault."""
        answer = await self.place(call)
        if answer.cost is not None and self._is_tiny(answer.cost):
            self._tiny[call.route, answer.cost.graph] = None
            if len(self._tiny) > MAX_KNOWN:
                self._tiny.popitem(last=False)
        return answer

    def at_once(self, call: Call) -> Answer | None:
        """The answer, if the call's graph is known to be tiny and proves so again; else None."""
        if len(call.body) > self.settings.inline_body_bytes or not self._tiny:
            return None
        if call.sent.coding != "identity":
            return None
        try:
            task = self.service.recall(call) or self._prepared(call)
            if task is None:
                return None
            answer = self.service.finish(task)
            if call.named is None:
                self.learned.keep(*task.graph)
            return answer
        except NotLearnedError:
            return None
        except Exception as error:  # noqa: BLE001  # whatever happened becomes an answer
            return self.service.failed(error, call.request_id)

    def _prepared(self, call: Call) -> Task | None:
        """The request of a graph that is known to be tiny, if its plan is."""
        key = call.route, self._graph(call)
        if key not in self._tiny:
            return None
        task = self.service.prepare(call)
        if not self._is_tiny(task.cost):
            del self._tiny[key]
            return None
        self._tiny.move_to_end(key)
        return task

    def _graph(self, call: Call) -> bytes:
        """What the costs of the call's graph are told under; nothing if a plan of it may take much more."""
        if call.named is None:
            return _graph_digest(call)
        if call.route not in ONE_ROW or bytes(call.body).count(b"tensor") > MAX_CALLS:
            return b""
        return b'"%s"' % self.learned.version(call.named).graph_id.encode()

    def _is_tiny(self, cost: Cost) -> bool:
        return cost.flops < self.settings.inline_flops and cost.nodes <= MAX_NODES


def _graph_digest(call: Call) -> bytes:
    """The digest of the graph's text, or its quoted graph_id; nothing where there is neither, or where a plan
    may take many times the nodes that it took before: many calls of `backward`, or derivatives of many
    outputs by many inputs."""
    try:
        raw, _ = parts(call, len(call.body))
        members = text.members(raw) if raw[:1] == b"{" else {}
    except Problem:
        return b""
    if not members.keys() & {"graph", "graph_id"} or members.get("backward", b"").count(b"{") > MAX_CALLS:
        return b""
    rows = max(members.get("inputs", b"").count(b"true"), members.get("outputs", b"").count(b'"') // 2)
    if call.route not in ONE_ROW and rows > MAX_ROWS:
        return b""
    return hashlib.sha256(members["graph"]).digest() if "graph" in members else members["graph_id"]
