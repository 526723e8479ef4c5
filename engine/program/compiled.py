"""One program for one kind of input: lowered, differentiated and planned."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from engine import dtypes, grad_checks
from engine.bounded import Sizes, is_bounded
from engine.builder import reset_builder, set_builder
from engine.collector import collecting_later
from engine.eager.tensor import Tensor
from engine.errors import EngineError, GradError, GraphError, Pointer, Site, UnknownId
from engine.graph import Value, locate
from engine.language.statements import Statement, last_names
from engine.limits import Limits
from engine.plan import Plan
from engine.plan.first import First, first_plan
from engine.program.answer import Answers
from engine.program.batch import Batch
from engine.program.derivation import derivative
from engine.program.lowering import Lowering
from engine.program.request import Request
from engine.program.result import Result
from engine.program.seeding import seeded

_NODE_BYTES = 1000  # what a node takes, in the graph and in the plan
FIRST_RUNS = 8  # on the plan of a first sight; a better one costs some thirty of them, and saves half of each


class Compiled:
    """The plan of a program for requests of one key, and how its registers become an answer."""

    def __init__(self, statements: Sequence[Statement], request: Request, limits: Limits) -> None:
        with dtypes.default_dtype(request.default_dtype):
            self.lowering = lowering = Lowering(limits, watch=request.detect_anomaly)
        self.request = request
        self.batch = Batch(request.batch, request.inputs)
        if self.batch.level is not None:
            lowering.builder.active = (self.batch.level,)
        self._inputs: list[Value] = []
        token = set_builder(lowering.builder)
        try:
            with dtypes.default_dtype(request.default_dtype):
                self._enter(request)
                lowering.run(statements)
                names = last_names(statements) if request.outputs is None else request.outputs
                self.outputs = self._named(names, ("outputs",))
                own = len(lowering.graph.nodes)
                found = derivative(self)
                swept = {} if found else self._sweep(request, list(names) or last_names(statements))
                roots = self.outputs | swept
                self._answers = Answers(lowering, self.outputs, roots, request.trace, self.batch, found, own)
                self.output_bytes = self._answers.nbytes  # the answer may be copies
                self._first = self._first_plan(limits)
        finally:
            reset_builder(token)
        self._default_dtype, self._runs = request.default_dtype, 0
        self._shared: set[int] = set()
        del self.request  # the plan outlives it
        self.used = False  # since the cache of plans looked last
        self.draws = self._first is None and any(
            each.op.kind in ("random", "control") for each in lowering.graph.nodes
        )
        self.nodes = lowering.builder.ledger.spent
        self.nbytes = _NODE_BYTES * self.nodes
        self._note_constants(self.best)
        limits.check("peak_bytes", self.peak_bytes)
        limits.check("output_bytes", self.output_bytes)

    def __del__(self) -> None:
        if "lowering" in vars(self):  # else the builder, and so the graph, would wait for the collector
            self.lowering.builder.F.forget()

    # -- building

    def _enter(self, request: Request) -> None:
        lowering = self.lowering
        for name, given in request.inputs.items():
            value = self.enter(given, Site(("inputs", name), name, None))
            if name in self.batch.names:
                value = self.batch.sample(lowering.builder, value, name)
            value.name = name
            value.requires_grad = given.requires_grad
            lowering.define(name, value)
        for name, given in request.grads.items():
            leaf = lowering.names.get(name)
            if leaf is None:
                raise UnknownId(f"unknown id '{name}'", pointer=("grads", name))
            site = Site(("inputs", name, "grad"), name, None)
            value = self.batch.given(lowering.builder, self.enter(given, site), leaf.shape)
            try:
                grad_checks.check_assigned(leaf, value)
            except EngineError as error:
                raise locate(error, site) from None
            lowering.slots.grads[leaf] = value
            lowering.slots.given.add(leaf)

    def enter(self, given: Tensor, site: Site) -> Value:
        """A tensor of the request as a value that a run is given."""
        try:
            self.lowering.limits.check_type(given.meta)
        except EngineError as error:
            raise locate(error, site) from None
        value = self.lowering.graph.input(given.meta)
        self._inputs.append(value)
        return value

    def _named(self, names: Sequence[str], pointer: Pointer) -> dict[str, Value]:
        found = {}
        for at, name in enumerate(names):
            if name not in self.lowering.names:
                raise UnknownId(f"unknown id '{name}'", pointer=(*pointer, at))
            found[name] = self.lowering.value(name)
        return found

    def _sweep(self, request: Request, outputs: Sequence[str]) -> dict[str, Value]:
        """Append the backward passes that the request asks for; the tensors they start from."""
        for name in request.grads:
            if not self.lowering.value(name).requires_grad:
                text = f"input '{name}' has a grad and does not require grad"
                raise GradError(text, pointer=("inputs", name, "grad"))
        if request.backward is not None:
            roots: dict[str, Value] = {}
            for at, entry in enumerate(request.backward):
                roots |= self._entry(entry, ("backward", at))
            return roots
        if request.route != "backward" or (request.gradient is None and self.lowering.swept):
            return {}
        if isinstance(request.gradient, dict):
            given: dict[str, tuple[Tensor | None, Pointer]] = {
                name: (each, ("gradient", name)) for name, each in request.gradient.items()
            }
            return self._backward(given, ("gradient",), ("gradient",))
        if not outputs:
            raise GraphError("there is nothing to return: the graph defines no id", pointer=("outputs",))
        return self._backward({outputs[-1]: (request.gradient, ("gradient",))}, ("outputs",), ("gradient",))

    def _entry(self, entry: dict[str, Any], pointer: Pointer) -> dict[str, Value]:
        settings = {
            name: entry[name] for name in ("retain_graph", "create_graph") if entry.get(name) is not None
        }
        if entry.get("inputs") is not None:
            settings["inputs"] = list(self._named(entry["inputs"], (*pointer, "inputs")).values())
        given = {entry["tensor"]: (entry.get("gradient"), (*pointer, "gradient"))}
        return self._backward(given, (*pointer, "tensor"), pointer, **settings)

    def _backward(
        self, given: dict[str, tuple[Tensor | None, Pointer]], names: Pointer, whole: Pointer, **settings: Any
    ) -> dict[str, Value]:
        """Sweep from the named tensors with the gradients given for them. An unknown name is refused at
        `names`, a gradient at its own pointer, anything else at `whole`."""
        targets: dict[str, Value] = {}
        gradients: list[Value | None] = []
        sites = []
        for name, (each, pointer) in given.items():
            if name not in self.lowering.names:
                place = pointer if names == whole else names
                raise UnknownId(f"unknown id '{name}'", pointer=place)
            targets[name] = self.lowering.value(name)
            sites.append(Site(pointer, name, None))
            value = None if each is None else self.enter(each, sites[-1])
            if value is not None:
                value = self.batch.given(self.lowering.builder, value, targets[name].shape)
            gradients.append(value)
        try:
            if targets:
                self.lowering.slots.backward(list(targets.values()), gradients, sites=sites, **settings)
        except EngineError as error:
            placed = error.pointer[:1] == whole[:1]
            raise locate(error, Site(() if placed else whole, sites[-1].id, None)) from None
        return targets

    # -- plans

    def _first_plan(self, limits: Limits) -> First | None:
        """A plan that is made at once; None where it pays, or is needed to keep the limits, to make a good
        one."""
        if self.lowering.builder.ledger.watched is not None:
            return None
        found = first_plan(self.lowering.graph.nodes, self._inputs, self._answers.wanted)
        kept = found is not None and found.peak_bytes + self.output_bytes <= limits.peak_bytes
        return found if kept else None

    @functools.cached_property
    def plan(self) -> Plan:
        """The plan for a graph that comes back."""
        watched = self.lowering.builder.ledger.watched
        with dtypes.default_dtype(self._default_dtype), collecting_later():
            found = Plan(self.lowering.graph.nodes, self._inputs, self._answers.wanted, watched=watched)
        self._note_constants(found)
        self._first = None
        return found

    def _note_constants(self, plan: Plan | First) -> None:
        """Every run of a plan reads its constants: they are kept with it, and never given away."""
        constants = {id(each): each.nbytes for each in plan.constants}
        self.nbytes += sum([constants[each] for each in constants.keys() - self._shared])
        self._shared = self._shared.union(constants)

    @property
    def best(self) -> Plan | First:
        """The best plan that is known so far."""
        known: Plan | None = self.__dict__.get("plan")
        return known or self._first or self.plan

    @property
    def peak_bytes(self) -> int:
        """Bytes at the peak of a run and its answer, as far as is known so far."""
        return self.best.peak_bytes + self.output_bytes

    def _computed(self, arrays: Sequence[Any], seed: int, sizes: Sizes) -> tuple[list[Any], bool]:
        """The values of a run, and whether they are copies, nobody else's."""
        self._runs += 1
        plan = self.best if self._runs <= FIRST_RUNS else self.plan
        generator = seeded(seed) if self.draws or seed != 0 else None
        return plan.run(generator, arrays, sizes), plan.copies

    @property
    def answered(self) -> dict[str, Value]:
        """The outputs with the axis of a batch, as they are answered."""
        return self._answers.outputs

    @property
    def varies(self) -> bool:
        """Whether more than numbers may differ in the answers to requests of this kind."""
        return self._answers.varies or is_bounded([each.meta for each in self._answers.wanted if each])

    def numbers(self, arrays: Sequence[Any], seed: int) -> list[Any]:
        """The numbers of the answer to a request with these arrays."""
        return [each for each in self._computed(arrays, seed, {})[0] if each is not None]

    def run(self, arrays: Sequence[Any], seed: int) -> Result:
        """The answer to a request of this kind with these arrays."""
        sizes: Sizes = {}
        values, copies = self._computed(arrays, seed, sizes)
        taken = None if copies else self._shared.union(map(id, arrays))
        return self._answers.result(values, taken, sizes)
