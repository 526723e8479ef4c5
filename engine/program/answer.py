"""From the registers of a plan to an answer: flags of the outputs, grads, the trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.bounded import Sizes, resolve
from engine.control.loop import is_primal
from engine.eager.tensor import Tensor
from engine.graph import Value
from engine.program.batch import Batch
from engine.program.derivation import Derivative
from engine.program.lowering import Lowering
from engine.program.rendering import render
from engine.program.result import Flags, Result, output_tensor, owned
from engine.program.trace import Records, Trace
from engine.seeds import no_history
from engine.transforms.reverse import Sweep
from engine.types import Type


class Answers:
    """What the answers to requests of one kind have in common. `wanted` are the values that a plan must give,
    `nbytes` the size of what is sent back, `outputs` as they are answered: with the axis of a batch. `roots`
    are the values that a trace starts from, `own` is how many nodes the statements made."""

    def __init__(
        self,
        lowering: Lowering,
        outputs: dict[str, Value],
        roots: dict[str, Value],
        mode: bool | str,
        batch: Batch,
        derivative: Derivative | None,
        own: int,
    ) -> None:
        self._lowering, self._roots, self._mode, self._derivative = lowering, roots, mode, derivative
        slots, builder = lowering.slots, lowering.builder
        # a derivative is no part of the trace; a sweep of the request is: it may have made a graph
        self._nodes = nodes = lowering.graph.nodes[: own if derivative else None]
        self.outputs = {name: batch.every(builder, value) for name, value in outputs.items()}
        named = [] if derivative else slots.targets()
        self._targets = {value.name: value for value in named if value.name}
        found = {name: (slots.grads.get(value), value) for name, value in self._targets.items()}
        grads = {name: grad and batch.derivative(builder, grad, by) for name, (grad, by) in found.items()}
        derivatives = _flat(derivative or {})
        self._loops = [node.outputs[-1] for node in nodes if node.op.is_control and is_primal(node.op.run)]
        self._traced = self._traced_values() if mode == "values" else []
        returned = [*self.outputs.values(), *grads.values(), *derivatives, *self._traced]
        self.wanted = [*self.outputs.values(), *grads.values(), *derivatives, *self._loops, *self._traced]
        self.nbytes = sum(each.nbytes for each in returned if each is not None)
        # what varies from run to run: flags, grads and trace with control flow, the values in a trace
        self.varies = bool(self._loops) or mode == "values"
        self._kinds = [(name, value.meta, self._known_flags(name)) for name, value in self.outputs.items()]
        self._grad_kinds = [
            (name, None if each is None else Type(each.meta.shape, each.meta.dtype))
            for name, each in grads.items()
        ]
        self._rendered = self._render(Trace(nodes, {}), None) if mode is True and not self._loops else None

    def _traced_values(self) -> list[Value]:
        """The values that a trace with values shows: results, saved values and cotangents of its nodes."""
        sweep = self._lowering.slots.last_sweep
        cotangents = list(sweep.cotangents.values()) if sweep else []
        nodes = [node for node in self._nodes if node.recorded]
        shown: list[Any] = list(self._roots.values())
        for node in nodes:  # of control flow, the nodes of its bodies stand in the trace, not its own
            shown += node.operands if is_primal(node.op.run) else (*node.operands, *node.outputs)
        shown = [each for each in shown if isinstance(each, Value)]
        return [each for each in dict.fromkeys([*shown, *cotangents]) if each not in self._loops]

    def _known_flags(self, name: str) -> Flags:
        """An output's flags as they were when its statement ran, where no loop leaves them to the run."""
        if self._loops:
            return Flags(False)
        value, required = self._lowering.names[name], self._lowering.required[name]
        maker = value.maker if required else None
        grad_fn = maker.op.node_name(maker.operands, maker.given) if maker else None
        return Flags(required, grad_fn, value.index)

    def _render(self, made: Trace, values: Values | None) -> dict[str, Any]:
        return render(made, self._roots, values)

    def result(self, values: Sequence[Any], taken: set[int] | None, sizes: Sizes) -> Result:
        """The answer made of the values of `wanted`. `taken` are the identities of arrays that must not be
        given away; None if all were made for this answer."""
        kinds, leaves, rendered, derivatives = self._kinds, self._grad_kinds, self._rendered, None
        if self.varies or self._derivative or sizes:
            split = len(kinds)
            end = split + len(leaves)
            remaining = iter(values[end:])
            derivatives = _tensors(_fill(self._derivative, remaining), taken)
            if self.varies:
                flags, grads, rendered = self._as_run(values[split:end], remaining)
                kinds = [(name, meta, flags[name]) for name, meta, _ in kinds]
                values = [*values[:split], *grads]
            if sizes:
                kinds = [(name, resolve(meta, sizes), shown) for name, meta, shown in kinds]
                leaves = [(name, None) for name, _ in leaves]
                rendered = resolve(rendered, sizes)
        found, remaining = Result({}, {}, rendered, derivatives), iter(values)
        for name, meta, shown in kinds:  # nothing but loops: small programs run in microseconds
            found.outputs[name] = output_tensor(owned(next(remaining), taken), meta, shown)
        for name, known in leaves:
            each = next(remaining)
            found.grads[name] = None if each is None else Tensor(owned(each, taken), known)
        return found

    def _as_run(
        self, grads: Sequence[Any], remaining: Iterator[Any]
    ) -> tuple[dict[str, Flags], Sequence[Any], dict[str, Any] | None]:
        """Flags, grads and the trace where a run makes them what they are."""
        records: Records = dict(zip(self._loops, remaining, strict=False))
        slots, rendered = self._lowering.slots, self._rendered
        flags = {name: flags for name, _, flags in self._kinds}
        made = Trace(self._nodes, records, self._lowering.limits.trace if self._mode else None)
        if records:
            flags = {name: self._run_flags(name, made) for name in self.outputs}
            for tensors, _ in slots.swept:
                _check_history(made, tensors)
            reached = slots.given.union(*(made.reached(*each) for each in slots.swept))
            found = zip(self._targets.values(), grads, strict=True)
            grads = [each if value in reached else None for value, each in found]
        if self._mode:
            shown = dict(zip(self._traced, remaining, strict=True))
            values = Values(shown, slots.last_sweep) if self._mode == "values" else None
            rendered = self._render(made, values)
        return flags, grads, rendered

    def _run_flags(self, name: str, made: Trace) -> Flags:
        edge = made.edge(self._lowering.names[name])
        if edge and not edge[0].is_leaf:
            return Flags(True, edge[0].name, edge[1])
        return Flags(self._lowering.required[name] and edge is not None)


def _check_history(made: Trace, tensors: Sequence[Value]) -> None:
    """Refuse a backward from tensors that turned out to have no history, in torch's words."""
    for index, tensor in enumerate(tensors):
        if tensor.maker is not None and made.edge(tensor) is None:
            raise no_history(index).at((), node=tensor.name)


def _flat(derivative: Derivative) -> list[Value]:
    found: list[Value] = []
    for each in derivative.values():
        found.extend(each.values() if isinstance(each, dict) else [each])
    return found


def _fill(derivative: Any, arrays: Iterator[Any]) -> Any:
    """A derivative with its arrays in place of its values."""
    if isinstance(derivative, dict):
        return {name: _fill(each, arrays) for name, each in derivative.items()}
    return None if derivative is None else next(arrays)


def _tensors(arrays: Any, taken: set[int] | None) -> Any:
    if isinstance(arrays, dict):
        return {name: _tensors(each, taken) for name, each in arrays.items()}
    return None if arrays is None else Tensor(owned(arrays, taken))


class Values:
    """What a trace with values shows of each node."""

    def __init__(self, arrays: dict[Value, Any], sweep: Sweep | None) -> None:
        self._arrays = arrays
        self._cotangents = sweep.cotangents if sweep else {}

    def value(self, value: Value) -> Tensor | None:
        """The value itself."""
        found = value.constant if value.constant is not None else self._arrays.get(value)
        return None if found is None else Tensor(owned(found, {id(value.constant)}))

    def cotangent(self, value: Value) -> Tensor | None:
        """The cotangent that reached it in the last backward pass."""
        found = self._cotangents.get(value)
        return None if found is None else self.value(found)
