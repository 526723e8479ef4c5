"""Lowering of transforms of functions: vmap, vjp, jvp, jacobian, hessian, hvp with a body.

The body is lowered where it stands, so that transforms compose as they nest. Its parameters are values of
their own (aliases of what they are given), so that a derivative by one of them is no derivative by whatever
else of the outer value the body reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from engine.bounded import Bounded, agree
from engine.errors import ArgumentError, GradError, ShapeError, ValueArgumentError
from engine.grad_mode import is_grad_enabled, set_grad_enabled
from engine.graph import Value
from engine.language.statements import Transform
from engine.levels import Level, into, out_of
from engine.program.scope import as_value
from engine.transforms.derivatives import hessian, hvp, jacobian, or_zeros
from engine.transforms.forward import jvp
from engine.transforms.reverse import vjp

if TYPE_CHECKING:
    from engine.program.lowering import Lowering


def lower_transform(outer: Lowering, each: Transform) -> list[Value]:
    """Append a transform of a function; what it gives."""
    args = [as_value(outer.resolve(arg), each.kind) for arg in each.args]
    if each.kind == "vmap":
        return _vmap(outer, each, args)
    with set_grad_enabled(True):
        found = Function(outer, each, args).results()
    return found if is_grad_enabled() else [outer.builder.F.detach(value) for value in found]


class Function:
    """A function as it was lowered: `inputs` its parameters, `outputs` what it gives."""

    def __init__(self, outer: Lowering, each: Transform, args: Sequence[Value]) -> None:
        self.outer, self.each, self.builder = outer, each, outer.builder
        count = len(each.body.params)
        self.since = len(self.builder.graph.nodes)
        self.more = list(args[count:])  # cotangents or tangents
        self.inputs = [self.builder.F._alias(arg) for arg in args[:count]]
        if len(self.inputs) < count:
            raise _arity(each, count, len(args))
        self.outputs = outer.inline(each.body, self.inputs)

    def results(self) -> list[Value]:
        """What the transform gives; the outputs first, where the statement names them too."""
        found: list[Value] = _KINDS[self.each.kind](self)
        named = len(self.each.out)
        return [*self.outputs, *found] if named == len(self.outputs) + len(found) else found

    def _vjp(self) -> list[Value]:
        _check_leaves(self.inputs)
        for each in self.outputs:
            if not each.dtype.differentiable:
                raise GradError(
                    "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor "
                    f"with dtype {each.dtype!r}",
                    pointer=("body", "yield"),
                )
        seeds = self._along(self.outputs, "cotangent", "output")
        roots = list(zip(self.outputs, seeds, strict=True))
        found = vjp(self.builder, roots, self.inputs, self.builder.graph.nodes[self.since :])
        return self._filled(found, self.inputs)

    def _jvp(self) -> list[Value]:
        _check_primals(self.inputs)
        along = dict(zip(self.inputs, self._along(self.inputs, "tangent", "input"), strict=True))
        nodes = self.builder.graph.nodes[self.since :]
        return self._filled(jvp(self.builder, along, self.outputs, nodes), self.outputs)

    def _jacobian(self) -> list[Value]:
        self._nothing_more()
        mode = self.each.settings.get("mode", "reverse")
        if mode not in ("reverse", "forward"):
            raise ArgumentError('jacobian: mode is "reverse" or "forward"', pointer=("attrs", "mode"))
        chosen = self._chosen()
        (_check_leaves if mode == "reverse" else _check_primals)(chosen)
        rows = jacobian(self.builder, self.outputs, chosen, mode=mode, since=self.since)
        return [value for row in rows for value in row]

    def _hessian(self) -> list[Value]:
        self._nothing_more()
        chosen = self._chosen()
        _check_primals(chosen)
        rows = hessian(self.builder, self._scalar(), chosen, since=self.since)
        return [value for row in rows for value in row]

    def _hvp(self) -> list[Value]:
        _check_primals(self.inputs)
        along = self._along(self.inputs, "v", "input")
        return hvp(self.builder, self._scalar(), self.inputs, along, since=self.since)

    def _filled(self, found: Sequence[Value | None], like: Sequence[Value]) -> list[Value]:
        F = self.builder.F
        return [or_zeros(F, each, value.meta) for each, value in zip(found, like, strict=True)]

    def _along(self, values: Sequence[Value], name: str, of: str) -> list[Value]:
        """The cotangents or tangents given behind the arguments; one element needs none."""
        if not self.more and len(values) == 1 and values[0].meta.numel == 1:
            return [self.builder.F.ones_like(values[0])]
        if len(self.more) != len(values):
            raise _arity(self.each, len(self.inputs) + len(values), len(self.inputs) + len(self.more))
        for number, (value, given) in enumerate(zip(values, self.more, strict=True)):
            if not agree(value.shape, given.shape):
                raise ShapeError(
                    f"{self.each.kind}: {name} {number} has shape {list(given.shape)}, {of} {number} has "
                    f"{list(value.shape)}",
                    expected=list(value.shape),
                    actual=list(given.shape),
                    pointer=("in", len(self.inputs) + number),
                )
        pairs = zip(self.more, values, strict=True)
        return [each if each.dtype is v.dtype else self.builder.F.to(each, v.dtype) for each, v in pairs]

    def _nothing_more(self) -> None:
        if self.more:
            raise _arity(self.each, len(self.inputs), len(self.inputs) + len(self.more))

    def _chosen(self) -> list[Value]:
        """The parameters to differentiate by."""
        given = self.each.settings.get("argnums")
        if given is None:
            return self.inputs
        numbers = given if isinstance(given, list) else [given]
        if not all(type(n) is int and -len(self.inputs) <= n < len(self.inputs) for n in numbers):
            text = f"{self.each.kind}: argnums are positions of the {len(self.inputs)} parameters"
            raise ArgumentError(text, pointer=("attrs", "argnums"))
        return [self.inputs[n] for n in numbers]

    def _scalar(self) -> Value:
        if len(self.outputs) != 1 or self.outputs[0].meta.numel != 1:
            raise GradError(
                f"The Tensor returned by the function given to {self.each.kind} should contain a single "
                "element",
                pointer=("body", "yield"),
            )
        return self.outputs[0]


_KINDS: dict[str, Callable[[Function], list[Value]]] = {
    "vjp": Function._vjp,
    "jvp": Function._jvp,
    "jacobian": Function._jacobian,
    "hessian": Function._hessian,
    "hvp": Function._hvp,
}


def _check_leaves(values: Sequence[Value]) -> None:
    """Refuse to differentiate by what has no derivative, in torch's words for reverse mode."""
    if not all(value.dtype.differentiable for value in values):
        raise GradError("only Tensors of floating point dtype can require gradients", pointer=("in",))


def _check_primals(values: Sequence[Value]) -> None:
    """The same in those for forward mode."""
    for number, value in enumerate(values):
        if not value.dtype.differentiable:
            text = f"Expected primal to be floating point or complex, but got: {value.dtype!r}"
            raise ValueArgumentError(text, actual=value.dtype.name, pointer=("in", number))


def _arity(each: Transform, expected: int, actual: int) -> ArgumentError:
    text = f"{each.kind}: {expected} values in in, {actual} are given"
    return ArgumentError(text, expected=expected, actual=actual, pointer=("in",))


def _vmap(outer: Lowering, each: Transform, args: Sequence[Value]) -> list[Value]:
    builder, F = outer.builder, outer.builder.F
    if len(args) != len(each.body.params):
        raise _arity(each, len(each.body.params), len(args))
    dims = _dims(each, "in_dims", len(args))
    randomness = each.settings.get("randomness", "error")
    if randomness not in ("error", "same", "different"):
        raise ArgumentError(
            'vmap: randomness is "error", "same" or "different"', pointer=("attrs", "randomness")
        )
    level = Level(_size(args, dims), randomness)
    inputs = [
        F._alias(arg) if dim is None else into(F, arg, level, dim)
        for arg, dim in zip(args, dims, strict=True)
    ]
    before, builder.active = builder.active, (*builder.active, level)
    try:
        outputs = outer.inline(each.body, inputs)
    finally:
        builder.active = before
    return [
        out_of(F, output, level, 0 if dim is None else dim)
        for output, dim in zip(outputs, _dims(each, "out_dims", len(outputs)), strict=True)
    ]


def _dims(each: Transform, name: str, count: int) -> list[int | None]:
    given = each.settings.get(name, 0)
    dims = given if isinstance(given, list) else [given] * count
    if len(dims) != count:
        text = f"vmap: {name} has {len(dims)} entries for {count} values"
        raise ArgumentError(text, expected=count, actual=len(dims), pointer=("attrs", name))
    for number, dim in enumerate(dims):
        if type(dim) is not int and (dim is not None or name == "out_dims"):
            raise ArgumentError(f"vmap: {name} are dimensions", pointer=("attrs", name, number))
    return dims


def _size(args: Sequence[Value], dims: Sequence[int | None]) -> int:
    sizes = []
    for number, (arg, dim) in enumerate(zip(args, dims, strict=True)):
        if dim is not None:
            if not -len(arg.shape) <= dim < len(arg.shape):
                text = f"vmap: in_dim {dim} for an input of dimensionality {len(arg.shape)}"
                raise ValueArgumentError(text, pointer=("attrs", "in_dims", number))
            sizes.append(arg.shape[dim])
    if not sizes:
        raise ValueArgumentError(
            "vmap: at least one input must be being vmapped over", pointer=("attrs", "in_dims")
        )
    if len(set(sizes)) > 1:
        raise ValueArgumentError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension",
            pointer=("in",),
        )
    if isinstance(sizes[0], Bounded):
        sizes[0].refuse()
    return sizes[0]
