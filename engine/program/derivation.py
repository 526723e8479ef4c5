"""The derivative that a request asks for, on the routes that answer one in place of `.grad` values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from engine import seeds
from engine.eager.tensor import Tensor
from engine.errors import EngineError, GradError, GraphError, NotScalar, ShapeError, Site, UnknownId
from engine.graph import Value, locate
from engine.levels import Level, into, out_of
from engine.transforms.derivatives import hessian, hvp, jacobian, or_zeros
from engine.transforms.forward import jvp
from engine.transforms.reverse import summed, vjp

if TYPE_CHECKING:
    from engine.program.compiled import Compiled

Named = dict[str, Value]
Derivative = Named | dict[str, Named]


def derivative(compiled: Compiled) -> Derivative | None:
    """Append what the request's route answers; None on a route that answers no derivative."""
    route = _ROUTES.get(compiled.request.route)
    return None if route is None else route(_Derivation(compiled))


class _Derivation:
    """The inputs that require grad, the outputs that are asked for, and the graph between them."""

    def __init__(self, compiled: Compiled) -> None:
        self.request, self.batch = compiled.request, compiled.batch
        self.builder, self.enter = compiled.lowering.builder, compiled.enter
        self.F, self.outputs = self.builder.F, compiled.outputs
        names = compiled.lowering.names
        given = self.request.inputs
        self.inputs = {name: names[name] for name in given if given[name].requires_grad}
        if not self.inputs:
            raise GradError("none of the inputs requires grad", pointer=("inputs",))
        if not self.outputs:
            raise GraphError("there is nothing to differentiate: no output", pointer=("outputs",))

    def vjp(self) -> Named:
        """The cotangents of the inputs."""
        gradient = self.request.gradient
        several = isinstance(gradient, dict)
        given = gradient if isinstance(gradient, dict) else {list(self.outputs)[-1]: gradient}
        sites = [Site(("gradient", name) if several else ("gradient",), name, None) for name in given]
        values = [self._given(each, site) for each, site in zip(given.values(), sites, strict=True)]
        targets = [self.outputs[name] for name in given]
        level = self._level(targets, values, sites)
        if level is not None:
            values = [into(self.F, value, level) for value in values]
        roots = [self._root(*each) for each in zip(targets, values, range(len(sites)), sites, strict=True)]
        with self.builder.summing():
            found = vjp(self.builder, summed(self.builder, roots), list(self.inputs.values()), self._nodes)
        answer = self._filled(found)
        return answer if level is None else {n: out_of(self.F, v, level) for n, v in answer.items()}

    def _given(self, given: Tensor | None, site: Site) -> Value | None:
        """A gradient as a value; its axis of cotangents still there, that of the batch not."""
        if site.id not in self.outputs:
            raise UnknownId(f"'{site.id}' is no output", pointer=site.pointer)
        if given is None:
            return None
        value, shape, batch = self.enter(given, site), self.outputs[site.id].shape, self.batch
        if not self.request.is_grads_batched or not value.shape:
            return batch.given(self.builder, value, shape)
        return batch.given(self.builder, value, (value.shape[0], *shape), 1)

    def _level(self, targets: list[Value], values: list[Value | None], sites: Sequence[Site]) -> Level | None:
        """The level of many cotangents, where the request has them."""
        if not self.request.is_grads_batched:
            return None
        try:
            return Level(seeds.batch_size(self.F, targets, values))
        except EngineError as error:
            raise locate(error, sites[0]) from None

    def _root(self, output: Value, gradient: Value | None, index: int, site: Site) -> tuple[Value, Value]:
        try:
            return output, seeds.seed(self.F, output, gradient, index)
        except EngineError as error:
            raise locate(error, site) from None

    def jvp(self) -> Named:
        """The tangents of the outputs."""
        along = self._along(self.request.tangents or {}, "tangents")
        found = jvp(self.builder, along, list(self.outputs.values()), self._nodes)
        tangents = zip(self.outputs.items(), found, strict=True)
        return {n: self.batch.every(self.builder, or_zeros(self.F, t, v.meta)) for (n, v), t in tangents}

    def jacobian(self) -> dict[str, Named]:
        """Each output by each input, of shape output + input."""
        outputs, inputs, mode = list(self.outputs.values()), list(self.inputs.values()), self.request.mode
        apart = mode == "forward"  # tangents are of each sample, whatever a sum is of
        with nullcontext() if apart else self.builder.summing():
            rows = jacobian(self.builder, outputs, inputs, mode=mode)
        return {name: self._row(row, apart=apart) for name, row in zip(self.outputs, rows, strict=True)}

    def hessian(self) -> dict[str, Named]:
        """The last output's second derivatives by each pair of inputs."""
        rows = hessian(self.builder, self._scalar("hessian"), list(self.inputs.values()))
        named = zip(self.inputs.items(), rows, strict=True)
        # a row is of each sample where the input of either side has the axis
        return {name: self._row(row, value, apart=True) for (name, value), row in named}

    def hvp(self) -> Named:
        """The last output's Hessian times `v`."""
        along = self._along(self.request.v or {}, "v")
        v = [along.get(value) or or_zeros(self.F, None, value.meta) for value in self.inputs.values()]
        # an input that all samples share may go another way in each: then it is each one's own Hessian
        apart = any(set(each.levels).difference(value.levels) for value, each in along.items())
        with nullcontext() if apart else self.builder.summing():
            found = hvp(self.builder, self._scalar("hvp"), list(self.inputs.values()), v)
        return self._row(found, apart=apart)

    @property
    def _nodes(self) -> Sequence[Any]:
        return self.builder.graph.nodes[:]

    def _row(self, row: Sequence[Value], *by: Value, apart: bool = False) -> Named:
        """Derivatives by each input, and by what is in `by`, as they are answered."""
        return {
            name: self.batch.derivative(self.builder, each, value, *by, apart=apart)
            for (name, value), each in zip(self.inputs.items(), row, strict=True)
        }

    def _filled(self, found: Sequence[Value | None]) -> Named:
        metas = [value.meta for value in self.inputs.values()]
        return self._row([or_zeros(self.F, each, meta) for each, meta in zip(found, metas, strict=True)])

    def _along(self, given: dict[str, Tensor], field: str) -> dict[Value, Value]:
        """The directions that a request gives for its inputs."""
        found = {}
        for name, each in given.items():
            place = (field, name)
            if name not in self.inputs:
                raise UnknownId(f"'{name}' is no input that requires grad", pointer=place)
            value = self.inputs[name]
            tangent = self.batch.given(self.builder, self.enter(each, Site(place, name, None)), value.shape)
            if tangent.shape != value.shape:
                raise ShapeError(
                    f"{field}: '{name}' has shape {list(tangent.shape)}, the input has {list(value.shape)}",
                    expected=list(value.shape),
                    actual=list(tangent.shape),
                    pointer=place,
                )
            found[value] = tangent if tangent.dtype is value.dtype else self.F.to(tangent, value.dtype)
        return found

    def _scalar(self, route: str) -> Value:
        name, output = list(self.outputs.items())[-1]
        if output.meta.numel != 1:
            text = f"The Tensor returned by the function given to {route} should contain a single element"
            raise NotScalar(text, actual=list(output.shape), pointer=("outputs",)).at((), node=name)
        return output


_ROUTES: dict[str, Callable[[_Derivation], Derivative]] = {
    "vjp": _Derivation.vjp,
    "jvp": _Derivation.jvp,
    "jacobian": _Derivation.jacobian,
    "hessian": _Derivation.hessian,
    "hvp": _Derivation.hvp,
}
