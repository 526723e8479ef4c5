"""One program for one kind of input: lowered, differentiated and planned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine import dtypes, grad_checks
from engine.bounded import Sizes, is_bounded
from engine.builder import reset_builder, set_builder
from engine.eager.tensor import Tensor
from engine.errors import EngineError, GradError, GraphError, Pointer, Site, UnknownId
from engine.graph import Value, locate
from engine.language.statements import Block, Statement
from engine.limits import Limits
from engine.plan import Plan
from engine.program.answer import Answers
from engine.program.batch import Batch
from engine.program.derivation import derivative
from engine.program.lowering import Lowering
from engine.program.request import Request
from engine.program.result import Result
from engine.program.seeding import seeded

_NODE_BYTES = 1000  # what a node takes, in the graph and in the plan


class Compiled:
    """The plan of a program for requests of one key, and how its registers become an answer."""

    def __init__(self, statements: Sequence[Statement], request: Request, limits: Limits) -> None:
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
                watched = lowering.builder.ledger.watched
                self.plan = Plan(lowering.graph.nodes, self._inputs, self._answers.wanted, watched=watched)
        finally:
            reset_builder(token)
        del self.request  # the plan outlives it
        self.used = False  # since the cache of plans looked last
        self.draws = any(each.op.kind in ("random", "control") for each in lowering.graph.nodes)
        self.nodes = lowering.builder.ledger.spent
        self._shared = [id(each) for each in self.plan.constants]  # every run reads them
        self.nbytes = _NODE_BYTES * self.nodes + sum(each.nbytes for each in self.plan.constants)
        self.output_bytes = self._answers.nbytes
        self.peak_bytes = self.plan.peak_bytes + self.output_bytes  # the answer may be copies
        limits.check("peak_bytes", self.peak_bytes)
        limits.check("output_bytes", self.output_bytes)

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
            value = self.batch.given(lowering.builder, self.enter(given, site), leaf.value.shape)
            try:
                grad_checks.check_assigned(leaf.value, value)
            except EngineError as error:
                raise locate(error, site) from None
            lowering.slots.grads[leaf.value] = value
            lowering.slots.given.add(leaf.value)

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
        generator = seeded(seed) if self.draws or seed != 0 else None
        found = self.plan.run(generator, arrays)
        return [each for each in found if each is not None]

    def run(self, arrays: Sequence[Any], seed: int) -> Result:
        """The answer to a request of this kind with these arrays."""
        sizes: Sizes = {}
        generator = seeded(seed) if self.draws or seed != 0 else None
        values = self.plan.run(generator, arrays, sizes)
        return self._answers.result(values, {*self._shared, *map(id, arrays)}, sizes)


def last_names(statements: Sequence[Statement]) -> list[str]:
    """The ids of the last statement that defines any."""
    for each in reversed(statements):
        if isinstance(each, Block):
            found = last_names(each.body)
        else:
            named = getattr(each, "out", None) or [getattr(each, "id", None)]
            found = [name for name in named if name and not name.startswith("$")]
        if found:
            return found
    return []
