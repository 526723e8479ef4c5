"""One program for one kind of input: lowered, differentiated and planned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine import dtypes, trace
from engine.bounded import Sizes, resolve
from engine.control import LoopKernel
from engine.errors import ArgumentError, EngineError, GradError, GraphError, Pointer, UnknownId
from engine.graph import Value
from engine.limits import Limits
from engine.lowering import Lowering
from engine.op import reset_builder, set_builder
from engine.plan import Plan
from engine.result import Result, output_tensor, owned
from engine.statements import Block, Statement
from engine.tensor import Tensor

_BACKWARD_FIELDS = frozenset({"tensor", "gradient", "inputs", "retain_graph", "create_graph"})


class Request:
    """What is asked of a program. `key` tells requests that one plan can serve; `arrays` are its inputs."""

    def __init__(
        self,
        inputs: dict[str, Tensor],
        *,
        route: str = "backward",
        outputs: Sequence[str] | None = None,
        gradient: Tensor | dict[str, Tensor | None] | None = None,
        backward: Sequence[dict[str, Any]] | None = None,
        grads: dict[str, Tensor] | None = None,
        trace: bool | str = True,
        seed: int = 0,
        default_dtype: str = "float32",
    ) -> None:
        self.inputs, self.grads = inputs, grads or {}
        self.route, self.trace, self.seed = route, trace, seed
        self.outputs = None if outputs is None else tuple(outputs)
        self.gradient, self.backward = gradient, backward
        self.default_dtype = dtypes.dtype(default_dtype)
        self.arrays = [each.array for each in (*inputs.values(), *self.grads.values())]
        self.key = (
            route,
            self.outputs,
            trace,
            self.default_dtype.name,
            tuple((name, each.meta, each.requires_grad) for name, each in inputs.items()),
            tuple((name, each.meta) for name, each in self.grads.items()),
            self._take(gradient),
            None if backward is None else tuple(self._take(each) for each in backward),
        )

    def _take(self, given: Any) -> Any:
        """The part of the key that `given` is, its tensors' arrays added to the inputs."""
        if isinstance(given, Tensor):
            self.arrays.append(given.array)
            return given.meta
        if isinstance(given, dict):
            return tuple((name, self._take(each)) for name, each in given.items())
        return tuple(given) if isinstance(given, list) else given


class Compiled:
    """The plan of a program for requests of one key, and how its registers become an answer."""

    def __init__(self, statements: Sequence[Statement], request: Request, limits: Limits) -> None:
        self._lowering = lowering = Lowering(limits)
        self._inputs: list[Value] = []
        token = set_builder(lowering.builder)
        try:
            with dtypes.default_dtype(request.default_dtype):
                self._enter(request)
                lowering.run(statements)
                self._outputs = self._named(request.outputs or _last_names(statements), "outputs")
                targets = self._sweep(request)
        finally:
            reset_builder(token)
        self._roots = {**self._outputs, **targets}
        self._grads = {value.name: lowering.grads.get(value) for value in lowering.leaves() if value.name}
        self._loops = [node.outputs[-1] for node in lowering.graph.nodes if isinstance(node.op.run, LoopKernel)]
        self._mode = request.trace
        self._traced = self._traced_values() if request.trace == "values" else []
        wanted = [*self._outputs.values(), *self._grads.values(), *self._loops, *self._traced]
        self.plan = Plan(lowering.graph.nodes, self._inputs, wanted)
        returned = [*self._outputs.values(), *self._grads.values(), *self._traced]
        self.output_bytes = sum(each.meta.nbytes for each in returned if each is not None)
        limits.check("peak_bytes", self.plan.peak_bytes + self.output_bytes)
        limits.check("output_bytes", self.output_bytes)
        self._static = None if self._loops or self.plan.is_late else self._describe({})

    # -- building

    def _enter(self, request: Request) -> None:
        lowering = self._lowering
        for name, given in request.inputs.items():
            value = self._input(given, ("inputs", name), name)
            value.requires_grad = given.requires_grad
            lowering.define(name, value)
        for name, given in request.grads.items():
            leaf = lowering.names.get(name)
            if leaf is None:
                raise UnknownId(f"unknown id '{name}'", pointer=("grads", name))
            _check_grad(leaf.value, given, name)
            lowering.grads[leaf.value] = self._input(given, ("grads", name), None)

    def _input(self, given: Tensor, pointer: Pointer, name: str | None) -> Value:
        lowering = self._lowering
        try:
            lowering.limits.check_type(given.meta)
        except EngineError as error:
            raise error.at(pointer, node=name) from None
        value = lowering.graph.input(given.meta, name=name)
        self._inputs.append(value)
        return value

    def _named(self, names: Sequence[str], field: str) -> dict[str, Value]:
        if not names:
            raise GraphError("there is nothing to return: the graph defines no id", pointer=(field,))
        found = {}
        for at, name in enumerate(names):
            if name not in self._lowering.names:
                raise UnknownId(f"unknown id '{name}'", pointer=(field, at))
            found[name] = self._lowering.value(name)
        return found

    def _sweep(self, request: Request) -> dict[str, Value]:
        """Append the backward passes that the request asks for; the tensors they start from."""
        if request.backward is not None:
            if request.gradient is not None:
                raise ArgumentError('"gradient" and "backward" are two forms of the same', pointer=("gradient",))
            return {k: v for at, each in enumerate(request.backward) for k, v in self._one(each, ("backward", at)).items()}
        if request.route == "forward" or (request.gradient is None and self._lowering.swept):
            if request.gradient is not None:
                raise ArgumentError("forward takes no gradient", pointer=("gradient",))
            return {}
        if isinstance(request.gradient, dict):
            targets = self._targets(list(request.gradient), ("gradient",))
            given = [self._gradient(each, ("gradient", name)) for name, each in request.gradient.items()]
        else:
            name = list(self._outputs)[-1]
            targets = {name: self._outputs[name]}
            given = [self._gradient(request.gradient, ("gradient",))]
        self._placed(("gradient",), list(targets)[-1], list(targets.values()), given)
        return targets

    def _targets(self, names: Sequence[str], pointer: Pointer) -> dict[str, Value]:
        for name in names:
            if name not in self._lowering.names:
                raise UnknownId(f"unknown id '{name}'", pointer=(*pointer, name))
        return {name: self._lowering.value(name) for name in names}

    def _gradient(self, given: Tensor | None, pointer: Pointer) -> Value | None:
        return None if given is None else self._input(given, pointer, None)

    def _one(self, entry: dict[str, Any], pointer: Pointer) -> dict[str, Value]:
        settings = {k: v for k, v in entry.items() if k in ("retain_graph", "create_graph")}
        targets = self._targets([entry["tensor"]], (*pointer, "tensor"))
        given = [self._gradient(entry.get("gradient"), (*pointer, "gradient"))]
        inputs = entry.get("inputs")
        if inputs is not None:
            settings["inputs"] = list(self._targets(inputs, (*pointer, "inputs")).values())
        self._placed(pointer, entry["tensor"], list(targets.values()), given, **settings)
        return targets

    def _placed(self, pointer: Pointer, name: str, tensors: list[Value], given: list[Value | None], **settings: Any) -> None:
        try:
            self._lowering.backward(tensors, given, **settings)
        except EngineError as error:
            raise (error if error.pointer[:1] == ("graph",) else error.at(pointer, node=name)) from None

    def _traced_values(self) -> list[Value]:
        """The values that a trace with values shows: results, saved values and cotangents of its nodes."""
        sweep = self._lowering.last_sweep
        cotangents = list(sweep.cotangents.values()) if sweep else []
        nodes = [node for node in self._lowering.graph.nodes if node.recorded]
        shown = [each for node in nodes for each in (*node.operands, *node.outputs) if isinstance(each, Value)]
        return [each for each in dict.fromkeys([*shown, *cotangents]) if each not in self._loops]

    # -- running

    def run(self, request: Request, generator: Any) -> Result:
        """The answer to a request of this key."""
        sizes: Sizes = {}
        values = iter(self.plan.run(generator, request.arrays, sizes))
        outputs = {name: next(values) for name in self._outputs}
        grads = {name: next(values) for name in self._grads}
        records = {loop: next(values) for loop in self._loops}
        shown = dict(zip(self._traced, values, strict=True))
        flags, rendered = self._static or self._describe(records)
        if self._mode == "values":
            rendered = self._render(records, _Values(shown, self._lowering.last_sweep))
        metas = {name: resolve(value.meta, sizes) for name, value in self._outputs.items()}
        rendered = resolve(rendered, sizes) if sizes else rendered
        return Result(
            {name: output_tensor(array, metas[name], *flags[name]) for name, array in outputs.items()},
            {name: None if array is None else Tensor(owned(array)) for name, array in grads.items()},
            rendered,
        )

    def _describe(self, records: dict[Value, Any]) -> tuple[dict[str, tuple[bool, str | None]], Any]:
        """Each output's flags as they were when its statement ran, and the trace."""
        made = trace.Trace(self._lowering.graph.nodes, records) if self._loops else None
        flags: dict[str, tuple[bool, str | None]] = {}
        for name, value in self._outputs.items():
            entry = self._lowering.names[name]
            edge = made.edge(value) if made else None
            if edge and edge[0].node is not None:
                flags[name] = (True, edge[0].name)
            elif made:
                flags[name] = (entry.requires_grad and value.node is None, None)
            else:
                maker = value.maker if entry.requires_grad else None
                flags[name] = (entry.requires_grad, maker.op.node_name(maker.operands, maker.given) if maker else None)
        return flags, self._render(records, None) if self._mode else None

    def _render(self, records: dict[Value, Any], values: Any) -> dict[str, Any]:
        return trace.render(trace.Trace(self._lowering.graph.nodes, records), self._roots, values)


class _Values:
    """What a trace with values shows of each node."""

    def __init__(self, arrays: dict[Value, Any], sweep: Any) -> None:
        self._arrays = arrays
        self._cotangents = sweep.cotangents if sweep else {}

    def value(self, value: Value) -> Tensor | None:
        """The value itself."""
        found = value.constant if value.constant is not None else self._arrays.get(value)
        return None if found is None else Tensor(owned(found))

    def cotangent(self, value: Value) -> Tensor | None:
        """The cotangent that reached it in the last backward pass."""
        found = self._cotangents.get(value)
        return None if found is None else self.value(found)


def _check_grad(leaf: Value, given: Tensor, name: str) -> None:
    if not leaf.requires_grad:
        raise GradError(f"input '{name}' has a grad and does not require grad", pointer=("inputs", name, "grad"))
    if given.meta.shape != leaf.meta.shape or given.meta.dtype is not leaf.meta.dtype:
        raise GradError(
            f"attempting to assign a gradient of size '{list(given.meta.shape)}' to a tensor of size "
            f"'{list(leaf.meta.shape)}'. Please ensure that the gradient and the tensor are the same size",
            pointer=("inputs", name, "grad"),
        )


def _last_names(statements: Sequence[Statement]) -> list[str]:
    """The ids of the last statement that defines any."""
    for each in reversed(statements):
        if isinstance(each, Block):
            found = _last_names(each.body)
        else:
            named = getattr(each, "out", None) or [getattr(each, "id", None)]
            found = [name for name in named if name and not name.startswith("$")]
        if found:
            return found
    return []
