"""A sample of an op as a program: its tensors are inputs, its call the one statement, or the body of one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import engine
from engine.op import Op
from tests.engine import harness
from tests.engine.building import Json
from tests.engine.harness import Array, Sampled
from tests.engine.transforming import floating_outputs


class Programmed(NamedTuple):
    """A sample as statements; `leaves` are the names of the inputs that are its floating arrays, in order."""

    id: str
    op: Op
    graph: list[Json]
    inputs: dict[str, Array]
    leaves: list[str]
    outputs: list[str]

    def tensors(self, **changed: Array) -> dict[str, engine.Tensor]:
        """The inputs, some of them `changed`; leaves require grad."""
        given = {**self.inputs, **changed}
        return {name: engine.tensor(each, requires_grad=name in self.leaves) for name, each in given.items()}


def programmed(sampled: Sampled) -> Programmed:
    """`sampled` as a program."""
    inputs: dict[str, Array] = {}
    op, call = sampled.op, sampled.call

    def value(given: Any, *, setting: bool = False) -> Any:
        if isinstance(given, np.ndarray):
            name = f"x{len(inputs)}"
            inputs[name] = given
            return {"ref": name} if setting else name
        if isinstance(given, slice):
            return {"slice": [given.start, given.stop, given.step]}
        if isinstance(given, complex):
            return {"complex": [given.real, given.imag]}
        if isinstance(given, (list, tuple)):
            return [value(each, setting=setting) for each in given]
        return {"ellipsis": True} if given is Ellipsis else given

    names = [param.name for param in op.params]
    args, attrs = list(call.args), {}
    if args and isinstance(args[0], str):  # an equation: it is an attribute, and the operands follow
        attrs[names[0]] = args.pop(0)
    texts = [at for at, each in enumerate(args) if isinstance(each, str) or _infinite(each)]
    if texts:
        attrs |= dict(zip(names[texts[0] :], args[texts[0] :], strict=False))
        args = args[: texts[0]]
    statement: Json = {"op": op.name, "in": [value(each) for each in args]}
    attrs |= call.kwargs
    if attrs:
        statement["attrs"] = {name: value(each, setting=True) for name, each in attrs.items()}
    found = harness.evaluate(op, call, harness.leaves_of(call))
    outputs = [f"y{at}" for at in range(len(found))]
    statement = {"id": "y0", **statement} if op.single and len(found) == 1 else {"out": outputs, **statement}
    leaves = [name for name, each in inputs.items() if harness.is_floating(each)]
    return Programmed(sampled.id, op, [statement], inputs, leaves, outputs)


def _infinite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


class Programs:
    """Statements with a body."""

    def __init__(self, sampled: Sampled) -> None:
        self._made = programmed(sampled)
        self._yields = [self._made.outputs[at] for at in floating_outputs(sampled)]
        self._params = [f"p{at}" for at in range(len(self._made.leaves))]

    @property
    def _function(self) -> Json:
        """The sample as a body with a parameter for each point."""
        renamed = dict(zip(self._made.leaves, self._params, strict=True))
        return {
            "params": self._params,
            "do": [_renamed(each, renamed) for each in self._made.graph],
            "yield": self._yields,
        }

    def _run(self, statements: list[Json], outputs: list[str], **arrays: Array) -> list[Array]:
        inputs = {name: engine.tensor(each) for name, each in {**self._made.inputs, **arrays}.items()}
        found = engine.Program(statements).forward(inputs, outputs, trace=False).outputs
        return [found[name].detach().numpy() for name in outputs]

    def _named(self, points: Sequence[Array]) -> dict[str, Array]:
        return dict(zip(self._made.leaves, points, strict=True))

    def _applied(self, op: str, more: list[str], count: int, **attrs: Any) -> tuple[Json, list[str]]:
        """A statement of a transform of the sample, and the names of its results."""
        out = [f"r{at}" for at in range(count)]
        return _applied(op, [*self._made.leaves, *more], self._function, out, **attrs), out

    def outputs(self, points: Sequence[Array]) -> list[Array]:
        return self._run(self._made.graph, self._yields, **self._named(points))

    def jvp(self, points: Sequence[Array], tangents: Sequence[Array]) -> list[Array]:
        more = _numbered("t", tangents)
        statement, out = self._applied("jvp", list(more), len(self._yields))
        return self._run([statement], out, **self._named(points), **more)

    def vjp(self, points: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        more = _numbered("v", cotangents)
        statement, out = self._applied("vjp", list(more), len(points))
        return self._run([statement], out, **self._named(points), **more)

    def _gradient(self, more: list[str]) -> Json:
        """The vjp of the sample as a body with a parameter for each point; `more` are the cotangents."""
        params = [f"q{at}" for at in range(len(self._params))]
        out = [f"g{at}" for at in range(len(self._params))]
        inner = _applied("vjp", [*params, *more], self._function, out)
        return {"params": params, "do": [inner], "yield": out}

    def second(self, points: Sequence[Array], v: Sequence[Array], w: Sequence[Array]) -> list[Array]:
        v_, w_ = _numbered("v", v), _numbered("w", w)
        out = [f"r{at}" for at in range(len(points))]
        statement = _applied("vjp", [*self._made.leaves, *w_], self._gradient(list(v_)), out)
        return self._run([statement], out, **self._named(points), **v_, **w_)

    def hessian(self, points: Sequence[Array], v: Sequence[Array]) -> list[list[Array]]:
        v_ = _numbered("v", v)
        body = self._function
        terms = [
            {"op": "sum", "in": [{"op": "mul", "in": list(pair)}]}
            for pair in zip(body["yield"], v_, strict=True)
        ]
        total = terms[0]
        for each in terms[1:]:
            total = {"op": "add", "in": [total, each]}
        return self._matrix("hessian", {**body, "yield": total}, points, v_)

    def jacobian_of_gradient(
        self, points: Sequence[Array], v: Sequence[Array], mode: str
    ) -> list[list[Array]]:
        v_ = _numbered("v", v)
        return self._matrix("jacobian", self._gradient(list(v_)), points, v_, mode=mode)

    def _matrix(
        self, op: str, body: Json, points: Sequence[Array], more: dict[str, Array], **attrs: Any
    ) -> list[list[Array]]:
        count = len(points)
        out = [f"r{at}" for at in range(count * count)]
        statement = _applied(op, self._made.leaves, body, out, **attrs)
        found = self._run([statement], out, **self._named(points), **more)
        return [found[at * count : (at + 1) * count] for at in range(count)]

    def batched(self, points: Sequence[Array], dims: Sequence[int | None]) -> list[Array]:
        statement, out = self._applied("vmap", [], len(self._yields), in_dims=list(dims), randomness="same")
        return self._run([statement], out, **self._named(points))

    def vjp_of_batch(
        self, points: Sequence[Array], dims: Sequence[int | None], v: Sequence[Array]
    ) -> list[Array]:
        v_ = _numbered("v", v)
        params = [f"q{at}" for at in range(len(points))]
        inner = [f"b{at}" for at in range(len(self._yields))]
        mapped = _applied("vmap", params, self._function, inner, in_dims=list(dims), randomness="same")
        out = [f"r{at}" for at in range(len(points))]
        body = {"params": params, "do": [mapped], "yield": inner}
        statement = _applied("vjp", [*self._made.leaves, *v_], body, out)
        return self._run([statement], out, **self._named(points), **v_)

    @property
    def others(self) -> dict[str, Array]:
        """The inputs that are no points: integers and masks."""
        return {name: each for name, each in self._made.inputs.items() if name not in self._made.leaves}

    def batched_others(self, points: Sequence[Array], others: dict[str, Array]) -> list[Array]:
        """The outputs for a batch of all inputs, `others` too."""
        body = self._function
        renamed = {name: f"o{at}" for at, name in enumerate(others)}
        body = {**body, "params": [*body["params"], *renamed.values()], "do": _renamed(body["do"], renamed)}
        out = [f"r{at}" for at in range(len(self._yields))]
        statement = _applied("vmap", [*self._made.leaves, *others], body, out, randomness="same")
        return self._run([statement], out, **self._named(points), **others)

    def outputs_of(self, points: Sequence[Array], others: dict[str, Array]) -> list[Array]:
        """The outputs for `others` too."""
        return self._run(self._made.graph, self._yields, **self._named(points), **others)

    def batched_vjp(
        self, points: Sequence[Array], dims: Sequence[int | None], v: Sequence[Array]
    ) -> list[Array]:
        v_ = _numbered("v", v)
        body = self._gradient([f"c{at}" for at in range(len(v))])
        body["params"] = [*body["params"], *(f"c{at}" for at in range(len(v)))]
        out = [f"r{at}" for at in range(len(points))]
        in_dims = [*dims, *[0] * len(v)]
        statement = _applied("vmap", [*self._made.leaves, *v_], body, out, in_dims=in_dims, randomness="same")
        return self._run([statement], out, **self._named(points), **v_)


def _applied(op: str, args: list[str], body: Json, out: list[str], **attrs: Any) -> Json:
    return {"out": out, "op": op, "in": args, "body": body, **({"attrs": attrs} if attrs else {})}


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """A statement with other names for its inputs."""
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    if isinstance(value, dict):
        return {key: each if key in ("op", "id") else _renamed(each, names) for key, each in value.items()}
    return names.get(value, value) if isinstance(value, str) else value


def _numbered(letter: str, arrays: Sequence[Array]) -> dict[str, Array]:
    return {f"{letter}{at}": each for at, each in enumerate(arrays)}
