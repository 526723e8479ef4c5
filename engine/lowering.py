"""Statements to graph: define-by-run, with nodes appended in place of arithmetic.

`requires_grad`, grad mode, `.grad` slots and freed nodes are followed statement by statement, as torch would
follow them, so what a program means does not depend on how it is run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from engine import seeds
from engine.control import LoopGraphs, check_carry, while_op
from engine.errors import ArgumentError, EngineError, GradError, Pointer, RuntimeArgumentError, UnknownId
from engine.grad_mode import set_grad_enabled
from engine.graph import Graph, GraphBuilder, GraphNode, Site, Value
from engine.limits import Limits
from engine.statements import Block, Body, GradCall, Leaf, Literal, OpCall, Ref, StateChange, Statement, While
from engine.transforms.grad import Sweep, grad
from engine.types import Type


class Entry(NamedTuple):
    """A defined id: its value, and its flags as they were when its statement ran."""

    value: Value
    requires_grad: bool
    is_leaf: bool


class Lowering:
    """One program being turned into one graph."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.graph = Graph()
        self.builder = GraphBuilder(self.graph, limits)
        self.names: dict[str, Entry] = {}
        self.grads: dict[Value, Value] = {}  # leaf (or retained value) → its .grad
        self.retained: dict[Value, None] = {}
        self.freed: set[GraphNode] = set()
        self.last_sweep: Sweep | None = None
        self.swept = False

    # -- names

    def define(self, name: str | None, value: Value) -> None:
        """Enter `value` under an id, with its flags of now."""
        if name is None:
            return
        if value.name is None and not name.startswith("$"):
            value.name = name
        self.names[name] = Entry(value, value.requires_grad, value.maker is None)

    def value(self, name: str) -> Value:
        """The value of an id."""
        entry = self.names.get(name)
        if entry is None:
            raise UnknownId(f"unknown id '{name}'")
        return entry.value

    def leaves(self) -> list[Value]:
        """The values that backward accumulates into: leaves that require grad, and retained ones."""
        found = dict.fromkeys(e.value for e in self.names.values() if e.value.requires_grad and e.value.maker is None)
        return [*found, *(value for value in self.retained if value not in found)]

    # -- statements

    def run(self, statements: Iterable[Statement]) -> None:
        """Lower statements in order; an error names the statement it happened in."""
        for each in statements:
            self.builder.site = Site(each.pointer, _id_of(each), _op_of(each))
            try:
                self._statement(each)
            except EngineError as error:
                if error.pointer[:1] != each.pointer[:1]:
                    error.pointer = each.pointer + error.pointer
                raise error.at((), node=_id_of(each), op=_op_of(each)) from None

    def _statement(self, each: Statement) -> None:
        match each:
            case OpCall():
                self._call(each)
            case Leaf():
                self.define(each.id, self._leaf(each.literal, each.requires_grad))
            case Block():
                with set_grad_enabled(each.mode == "enable_grad"):
                    self.run(each.body)
            case While():
                self._while(each)
            case GradCall():
                self._grad(each)
            case StateChange():
                getattr(self, f"_{each.kind.strip('_')}")(each)

    def _call(self, each: OpCall) -> None:
        args = [self.resolve(arg) for arg in each.args]
        attrs = {name: self.resolve(value) for name, value in each.attrs.items()}
        if each.op.name == "getitem":
            args = [args[0], tuple(args[1:])]
        found = self.builder.apply(each.op, args, attrs)
        several = isinstance(found, tuple)
        results = found if several else (found,)
        if several and not each.several:
            raise ArgumentError(f'{each.op.short}() gives {len(results)} values: name them with "out"', expected=len(results))
        if len(results) != len(each.out):
            raise ArgumentError(
                f"{each.op.short}() gives {len(results)} values, {len(each.out)} are named",
                expected=len(results), actual=len(each.out), pointer=("out",),
            )
        for name, value in zip(each.out, results, strict=True):
            self.define(name, value)

    def resolve(self, arg: Any) -> Any:
        """An argument with its references and literals as values."""
        if isinstance(arg, Ref):
            return self.value(arg.name)
        if isinstance(arg, Literal):
            return self._leaf(arg, arg.value.requires_grad)
        if isinstance(arg, list):
            return [self.resolve(each) for each in arg]
        if isinstance(arg, slice):
            return slice(self.resolve(arg.start), self.resolve(arg.stop), self.resolve(arg.step))
        return arg

    def _leaf(self, literal: Literal, requires_grad: bool) -> Value:
        meta: Type = literal.value.meta
        self.limits.check_type(meta)
        if requires_grad and not meta.dtype.differentiable:
            raise GradError("Only Tensors of floating point and complex dtype can require gradients")
        value = Value(meta)
        value.constant = literal.value.array
        value.requires_grad = requires_grad
        return value

    # -- state

    def _requires_grad(self, each: StateChange) -> None:
        value = self.resolve(each.targets[0])
        wanted = each.settings.get("requires_grad", True)
        if wanted and not value.meta.dtype.differentiable:
            raise GradError("only Tensors of floating point dtype can require gradients")
        if value.maker is not None:
            if not wanted:
                raise GradError(
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
                    "in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
                )
            return
        value.requires_grad = wanted

    def _retain_grad(self, each: StateChange) -> None:
        for target in each.targets:
            value = self.resolve(target)
            if not value.requires_grad:
                raise GradError("can't retain_grad on Tensor that has requires_grad=False")
            if value.maker is not None:
                self.retained[value] = None

    def _zero_grad(self, each: StateChange) -> None:
        for value in [self.resolve(target) for target in each.targets] or list(self.grads):
            self.grads.pop(value, None)

    def _read_grad(self, each: StateChange) -> None:
        value = self.resolve(each.targets[0])
        if value not in self.grads:
            raise GradError(f"'{each.targets[0].name}' has no grad yet: it is None", pointer=("in", 0))
        self.define(each.id, self.grads[value])

    def _backward(self, each: StateChange) -> None:
        given = each.targets[1] if len(each.targets) > 1 else each.settings.get("gradient")
        inputs = each.settings.get("inputs")
        self.backward(
            [self.resolve(each.targets[0])],
            [self.resolve(given)],
            inputs=None if inputs is None else [self.resolve(ref) for ref in inputs],
            retain_graph=each.settings.get("retain_graph"),
            create_graph=each.settings.get("create_graph", False),
        )

    def backward(
        self,
        tensors: list[Value],
        gradients: list[Value | None],
        *,
        inputs: list[Value] | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
    ) -> None:
        """Append a sweep from `tensors` and accumulate what it finds into the `.grad` slots."""
        if inputs is not None and not inputs:
            raise RuntimeArgumentError("`inputs` argument to `backward()` cannot be empty.")
        sweep = self._sweep(tensors, gradients, inputs, retain_graph, create_graph)
        targets = [*(self.leaves() if inputs is None else inputs), *self.retained]
        with set_grad_enabled(create_graph):
            for target in dict.fromkeys(targets):
                found = sweep.cotangents.get(target)
                if found is not None:
                    known = self.grads.get(target)
                    self.grads[target] = found if known is None else self.builder.F.add(known, found)
        self.last_sweep, self.swept = sweep, True

    def _sweep(
        self,
        tensors: list[Value],
        gradients: list[Value | None],
        wrt: list[Value] | None,
        retain_graph: bool | None,
        create_graph: bool,
    ) -> Sweep:
        for index, (tensor, gradient) in enumerate(zip(tensors, gradients, strict=True)):
            if gradient is None:
                seeds.check_output(tensor, index)
        with set_grad_enabled(create_graph):
            pairs = [
                (tensor, seeds.seed(self.builder.F, tensor, gradient, index))
                for index, (tensor, gradient) in enumerate(zip(tensors, gradients, strict=True))
            ]
        for index, tensor in enumerate(tensors):
            seeds.check_output(tensor, index)
        sweep = grad(self.builder, pairs, wrt=wrt, create_graph=create_graph, freed=self.freed)
        if not (create_graph if retain_graph is None else retain_graph):
            self.freed.update(sweep.visited)
        return sweep

    def _grad(self, each: GradCall) -> None:
        outputs = [self.resolve(arg) for arg in each.outputs]
        targets = [self.resolve(ref) for ref in each.wrt]
        settings = each.settings
        given = self.resolve(settings.get("grad_outputs"))
        given = [None] * len(outputs) if given is None else given if isinstance(given, list) else [given]
        seeds.check_count(len(outputs), len(given))
        if not targets:
            raise RuntimeArgumentError("`inputs` argument to `grad()` cannot be empty.")
        for index, target in enumerate(targets):
            if not target.requires_grad:
                raise seeds.missing_wrt(index)
        sweep = self._sweep(
            outputs, given, targets, settings.get("retain_graph"), settings.get("create_graph", False)
        )
        materialize = settings.get("materialize_grads", False)
        for index, (name, target) in enumerate(zip(each.out, targets, strict=True)):
            found = sweep.cotangents.get(target)
            if found is None:
                if not (settings.get("allow_unused") and name is None or materialize):
                    raise seeds.unused(index)
                found = self.builder.F.zeros_like(target)
            self.define(name, found)

    # -- loops

    def _while(self, each: While) -> None:
        initial = {name: self.resolve(arg) for name, arg in each.carry.items()}
        for name, value in initial.items():
            if not isinstance(value, Value):
                value = initial[name] = self._scalar(value)
        flags = [value.requires_grad for value in initial.values()]
        graphs, captured = self._loop_graphs(each, initial, flags)
        while flags != (now := [f or r.requires_grad for f, r in zip(flags, graphs.results, strict=True)]):
            flags = now
            graphs, captured = self._loop_graphs(each, initial, flags)
        random = any(node.op.kind == "random" for graph in (graphs.cond, graphs.body) for node in graph.nodes)
        op = while_op(graphs, random=random)
        results = self.builder.append(op, (*initial.values(), *captured), {}, {})[:-1]
        for name, value in zip(each.out, results, strict=True):
            self.define(name, value)

    def _scalar(self, number: Any) -> Value:
        from engine.ops.creation import full_type  # a Python scalar carried round a loop is a 0-dim tensor

        value = Value(full_type(number))
        value.constant = value.meta.dtype.numpy.type(number)
        return value

    def _loop_graphs(self, each: While, initial: dict[str, Value], flags: list[bool]) -> tuple[LoopGraphs, list[Value]]:
        inner = _BodyLowering(self, initial, flags)
        inner.run(each.cond.statements)
        cond_graph, cond_result = inner.graph, inner.resolve(each.cond.results)
        if not isinstance(cond_result, Value) or cond_result.meta.numel != 1:
            raise ArgumentError("while: cond yields one element", pointer=("cond", "yield"))
        body = _BodyLowering(self, initial, flags, inner)
        body.run(each.body.statements)
        results = []
        for name, arg in each.body.results.items():
            result = body.resolve(arg)
            result = self._scalar(result) if not isinstance(result, Value) else result
            check_carry(name, initial[name].meta, result.meta)
            results.append(result)
        limit = self.limits.iterations if each.max_iters is None else each.max_iters
        self.limits.check("iterations", limit)
        graphs = LoopGraphs(
            cond_graph, cond_result, body.graph, results, body.carried, list(body.captured.values()), flags, limit,
            limits=self.limits,
        )
        return graphs, list(body.captured)


class _BodyLowering(Lowering):
    """A loop's condition or body: names of its own, and outer values captured as inputs. The condition and the
    body share their inputs."""

    def __init__(
        self, outer: Lowering, carry: dict[str, Value], flags: list[bool], shared: _BodyLowering | None = None
    ) -> None:
        super().__init__(outer.limits)
        self.outer = outer
        self.captured: dict[Value, Value] = shared.captured if shared else {}
        self.carried = shared.carried if shared else []
        if not shared:
            for value, flag in zip(carry.values(), flags, strict=True):
                self.carried.append(self.graph.input(value.meta, requires_grad=flag))
        for name, placeholder in zip(carry, self.carried, strict=True):
            self.define(name, placeholder)

    def value(self, name: str) -> Value:
        if name in self.names:
            return self.names[name].value
        outside = self.outer.value(name)
        if outside.constant is not None and not outside.requires_grad:
            return outside
        placeholder = self.captured.get(outside)
        if placeholder is None:
            placeholder = self.graph.input(outside.meta, requires_grad=outside.requires_grad, name=outside.name)
            self.captured[outside] = placeholder
        return placeholder


def _id_of(each: Statement) -> str | None:
    name = getattr(each, "id", None) or next((n for n in getattr(each, "out", ()) if n), None)
    return None if name is None or name.startswith("$") else name


def _op_of(each: Statement) -> str | None:
    match each:
        case OpCall(op=op):
            return op.name
        case StateChange(kind=kind):
            return kind
        case While():
            return "while"
        case GradCall():
            return "grad"
    return None
