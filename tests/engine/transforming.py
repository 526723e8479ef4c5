"""Two ways to transform the samples of the registry: functions of Tensors, and programs.

Both take a sample as a function of its floating arrays ("points") and give its floating outputs, their
tangents, cotangents, second derivatives and batches as arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

import engine
from engine import func
from engine.op import Call
from tests.engine import harness
from tests.engine.building import Json
from tests.engine.harness import Array, Sampled, evaluate, floating_arrays
from tests.engine.sampling import Programmed, programmed

RANDOM = ("nn.functional.dropout", "rand_like", "randn_like", "randint_like")


def in_single(sampled: Sampled) -> Sampled:
    """The same sample in float32 and complex64."""

    def narrow(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return type(value)(narrow(each) for each in value)
        if not harness.is_floating(value):
            return value
        return value.astype({"f": np.float32, "c": np.complex64}[value.dtype.kind])

    call = sampled.call
    kwargs = {name: narrow(each) for name, each in call.kwargs.items()}
    return Sampled(f"{sampled.id}-float32", sampled.op, Call(narrow(call.args), kwargs))


def points_of(sampled: Sampled) -> list[Array]:
    """The floating arrays of a sample."""
    return floating_arrays(sampled.call)


def floating_outputs(sampled: Sampled) -> list[int]:
    """The places of the outputs that can have a derivative."""
    outputs = evaluate(sampled.op, sampled.call, harness.leaves_of(sampled.call))
    return [at for at, each in enumerate(outputs) if each.dtype.differentiable]


class Way(Protocol):
    """One way to transform a sample."""

    def __init__(self, sampled: Sampled) -> None: ...

    def outputs(self, points: Sequence[Array]) -> list[Array]:
        """The floating outputs."""

    def jvp(self, points: Sequence[Array], tangents: Sequence[Array]) -> list[Array]:
        """The tangents of the outputs."""

    def vjp(self, points: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        """The cotangents of the points."""

    def second(self, points: Sequence[Array], v: Sequence[Array], w: Sequence[Array]) -> list[Array]:
        """The derivatives of <w, vjp(points, v)> by the points."""

    def hessian(self, points: Sequence[Array], v: Sequence[Array]) -> list[list[Array]]:
        """The Hessian of <v, outputs>, a row for each point."""

    def jacobian_of_gradient(
        self, points: Sequence[Array], v: Sequence[Array], mode: str
    ) -> list[list[Array]]:
        """The Jacobian of vjp(points, v), a row for each point, in "reverse" or "forward" mode."""

    def batched(self, points: Sequence[Array], dims: Sequence[int | None]) -> list[Array]:
        """The outputs for a batch of some of the points, those that have a dim; random ops draw the same for
        each."""

    def batched_vjp(
        self, points: Sequence[Array], dims: Sequence[int | None], v: Sequence[Array]
    ) -> list[Array]:
        """The cotangents of the points for each sample of a batch, from a cotangent for each."""


class Functions:
    """Define-by-run, by `engine.func`."""

    def __init__(self, sampled: Sampled) -> None:
        self._op, self._call, self._chosen = sampled.op, sampled.call, floating_outputs(sampled)
        self._random = sampled.op.name in RANDOM

    def _run(self, *points: Any) -> tuple[Any, ...]:
        found = evaluate(self._op, self._call, points)
        return tuple(found[at] for at in self._chosen)

    def _paired(self, v: Sequence[Array]) -> Any:
        cotangents = _tensors(v)

        def loss(*points: Any) -> Any:
            pairs = zip(cotangents, self._run(*points), strict=True)
            return sum(engine.sum(engine.mul(one, other)) for one, other in pairs)

        return loss

    def _pulled(self, v: Sequence[Any]) -> Any:
        return lambda *points: func.vjp(self._run, *points)[1](tuple(v))

    def outputs(self, points: Sequence[Array]) -> list[Array]:
        return _arrays(self._run(*_tensors(points)))

    def jvp(self, points: Sequence[Array], tangents: Sequence[Array]) -> list[Array]:
        return _arrays(func.jvp(self._run, _tensors(points), _tensors(tangents))[1])

    def vjp(self, points: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        return _arrays(self._pulled(_tensors(cotangents))(*_tensors(points)))

    def second(self, points: Sequence[Array], v: Sequence[Array], w: Sequence[Array]) -> list[Array]:
        return _arrays(func.vjp(self._pulled(_tensors(v)), *_tensors(points))[1](_tensors(w)))

    def hessian(self, points: Sequence[Array], v: Sequence[Array]) -> list[list[Array]]:
        every = tuple(range(len(points)))
        hessian = func.hessian(self._paired(v), every)
        if self._random:  # which hessian cannot be told to draw the same numbers for
            hessian = func.jacfwd(func.jacrev(self._paired(v), every), every, randomness="same")
        return [_arrays(row) for row in hessian(*_tensors(points))]

    def jacobian_of_gradient(
        self, points: Sequence[Array], v: Sequence[Array], mode: str
    ) -> list[list[Array]]:
        every = tuple(range(len(points)))
        pulled = self._pulled(_tensors(v))
        if mode == "reverse":
            rows = func.jacrev(pulled, every)(*_tensors(points))
        else:
            rows = func.jacfwd(pulled, every, randomness="same")(*_tensors(points))
        return [_arrays(row) for row in rows]

    def batched(self, points: Sequence[Array], dims: Sequence[int | None]) -> list[Array]:
        return _arrays(func.vmap(self._run, tuple(dims), randomness="same")(*_tensors(points)))

    def batched_vjp(
        self, points: Sequence[Array], dims: Sequence[int | None], v: Sequence[Array]
    ) -> list[Array]:
        def pull(given: Any, cotangents: Any) -> Any:
            return self._pulled(cotangents)(*given)

        mapped = func.vmap(pull, (tuple(dims), 0), randomness="same")
        return _arrays(mapped(_tensors(points), _tensors(v)))


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


def _tensors(arrays: Sequence[Array]) -> tuple[engine.Tensor, ...]:
    return tuple(engine.tensor(each) for each in arrays)


def _arrays(tensors: Any) -> list[Array]:
    return [each.detach().numpy() for each in tensors]


def private(made: Programmed) -> bool:
    """Whether a program may not call the op."""
    return made.op.name.startswith("_")
