"""A stand-in for torch that records what a composition calls as the statements of a program.

    recording = record(lambda t: {"slope": t.func.grad(t.sin)(t.tensor(0.5))})
    recording.parts[0].statements   # [{"id": "v4", "op": "vjp", "in": ["x1"], "body": {...}}]
    recording.run()                 # {"slope": tensor(0.8776)}

How a result is computed (`chunk_size`, `vectorize`) is nothing that a program says.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import engine
from engine.autograd import functional
from tests.engine.building import Json
from tests.engine.recorded_functions import Transforms
from tests.engine.recorder import Part, Recorded, Recorder

Call = Callable[..., Any]


class Recording(NamedTuple):
    """A composition as programs, one for each seed, of the same inputs. `places` are its results: where each
    stands, the number of its program and its id there."""

    parts: list[Part]
    inputs: dict[str, engine.Tensor]
    places: dict[str, tuple[int, str]]

    def run(self) -> Json:
        """The results by place."""
        found = {}
        for number, part in enumerate(self.parts):
            wanted = list(dict.fromkeys(id for at, id in self.places.values() if at == number))
            if wanted:
                program = engine.Program(part.statements)
                found[number] = program.forward(self.inputs, wanted, seed=part.seed, trace=False).outputs
        return {place: found[number][id] for place, (number, id) in self.places.items()}

    def rewritten(self, change: Callable[[list[Json]], list[Json]]) -> Recording:
        """The same with other statements."""
        return self._replace(parts=[Part(part.seed, change(part.statements)) for part in self.parts])


def record(compose: Callable[[Any], dict[str, Recorded]]) -> Recording:
    """What a composition calls, as programs."""
    recorder = Recorder()
    results = compose(Torch(recorder))
    places = {place: (recorder.part_of[each.id], each.id) for place, each in results.items()}
    return Recording(recorder.parts, recorder.inputs, places)


class Torch:
    """What stands in for torch."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.func = Transforms(recorder)
        self.autograd = Autograd(recorder, self.func)
        self.manual_seed = recorder.seed

    def __getattr__(self, name: str) -> Any:
        found = getattr(engine, name)
        return found if isinstance(found, engine.DType) else Named(self.recorder, name)

    def tensor(self, data: Any, **settings: Any) -> Recorded:
        """An input of the program."""
        return self.recorder.input(engine.tensor(data, **settings))


class Named:
    """An op, or a namespace of ops, by its path."""

    def __init__(self, recorder: Recorder, path: str) -> None:
        self.recorder, self.path = recorder, path

    def __getattr__(self, name: str) -> Named:
        return Named(self.recorder, f"{self.path}.{name}")

    def __call__(self, *args: Any, **settings: Any) -> Any:
        return self.recorder.call(self.path, operator.attrgetter(self.path)(engine), *args, **settings)


class Autograd:
    """torch.autograd."""

    def __init__(self, recorder: Recorder, transforms: Transforms) -> None:
        self.recorder = recorder
        found = Functional(recorder, transforms)  # compositions compare its functions by `is`
        self.functional = SimpleNamespace(**{name: getattr(found, name) for name in functional.__all__})

    def grad(self, outputs: Any, inputs: Any, grad_outputs: Any = None, **settings: Any) -> tuple[Any, ...]:
        """A statement of the op `grad`."""
        wrt = _tuple(inputs)
        attrs = settings | {"wrt": [each.id for each in wrt]}
        if grad_outputs is not None:
            attrs["grad_outputs"] = grad_outputs
        likes = [each.like for each in wrt]
        if settings.get("is_grads_batched"):
            count = _tuple(grad_outputs)[0].shape[0]
            likes = [engine.stack([each] * count) for each in likes]
        statement = {"op": "grad", "in": list(_tuple(outputs))}
        return tuple(self.recorder.write(statement, attrs, likes))


class Functional:
    """torch.autograd.functional: transforms, in a block without history unless a graph is to be made."""

    def __init__(self, recorder: Recorder, transforms: Transforms) -> None:
        self.recorder, self.func = recorder, transforms

    def jacobian(
        self, func: Call, inputs: Any, create_graph: bool = False, strategy: str = "reverse-mode", **_: Any
    ) -> Any:
        transform = self.func.jacfwd if strategy == "forward-mode" else self.func.jacrev
        with self._history(create_graph):
            return transform(func, _argnums(inputs))(*_tuple(inputs))

    def hessian(
        self,
        func: Call,
        inputs: Any,
        create_graph: bool = False,
        outer_jacobian_strategy: str = "reverse-mode",
        **_: Any,
    ) -> Any:
        by, transform = _argnums(inputs), self.func.hessian
        if outer_jacobian_strategy == "forward-mode":
            transform = lambda f, argnums: self.func.jacfwd(self.func.grad(f, argnums), argnums)  # noqa: E731
        with self._history(create_graph):
            return transform(func, by)(*_tuple(inputs))

    def vjp(self, func: Call, inputs: Any, v: Any = None, create_graph: bool = False) -> Any:
        seeds = [] if v is None else _tuple(v)
        with self._history(create_graph):
            found, output, _ = self.func.pulled(func, _tuple(inputs), seeds, values=True)
        return output, _like(inputs, found)

    def jvp(self, func: Call, inputs: Any, v: Any = None, create_graph: bool = False) -> Any:
        with self._history(create_graph):
            return self.func.jvp(func, _tuple(inputs), () if v is None else _tuple(v))

    def hvp(self, func: Call, inputs: Any, v: Any, create_graph: bool = False) -> Any:
        with self._history(create_graph):
            output, found = self.func.hvp(func, _tuple(inputs), _tuple(v))
        return output, _like(inputs, found)

    def vhp(self, func: Call, inputs: Any, v: Any, create_graph: bool = False) -> Any:
        slope = self.func.grad_and_value(func, tuple(range(len(_tuple(inputs)))))
        with self._history(create_graph):
            found, _, output = self.func.pulled(slope, _tuple(inputs), _tuple(v), has_aux=True, values=True)
        return output, _like(inputs, found)

    def _history(self, kept: bool) -> Any:
        return self.recorder.block("enable_grad" if kept else "no_grad")


def _tuple(given: Any) -> Sequence[Any]:
    return given if isinstance(given, (tuple, list)) else (given,)


def _argnums(inputs: Any) -> Any:
    return tuple(range(len(inputs))) if isinstance(inputs, tuple) else 0


def _like(inputs: Any, found: Sequence[Any]) -> Any:
    return found if isinstance(inputs, tuple) else found[0]
