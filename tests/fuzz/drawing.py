"""A program of any ops of the registry, drawn step by step: what an op refuses is drawn again."""

from __future__ import annotations

import functools
import random
import warnings
from typing import Any, NamedTuple

import numpy as np

import engine
from app import sample

Json = dict[str, Any]
LARGEST = 2_000  # elements of a value
TRIES = 6
CONTROL = 0.15  # of the programs: loops and choices, drawn elsewhere
NO_GRAD = 0.08
SCALARS = {  # inputs: shape, dtype
    "a": ((2, 3), "float64"),
    "b": ((3,), "float64"),
    "c": ((2, 1), "float64"),
    "s": ((), "float64"),
    "h": ((3,), "float32"),
    "m": ((3, 3), "float64"),
    "t": ((2, 2, 3), "float64"),
    "e": ((0, 3), "float64"),
    "z": ((3,), "complex128"),
    "i": ((3,), "int64"),
    "k": ((2, 3), "bool"),
}


class Program(NamedTuple):
    """Statements, their inputs, the names that they define, and calls that failed otherwise than by an error
    of the engine's."""

    graph: list[Json]
    inputs: dict[str, engine.Tensor]
    outputs: list[str]
    failed: list[str]


@functools.cache
def callable_ops() -> list[engine.Entry]:
    """The ops that can be called at random: not those that draw numbers, or leave memory as it was."""
    left_out = {"empty", "empty_like", "new_empty"}
    return [op for op in engine.catalogue() if op.name not in left_out and not _draws(op)]


def _draws(op: engine.Entry) -> bool:
    """Whether a sample of it is another one under another seed."""
    for call in op.samples():
        found = []
        for seed in (0, 1):
            engine.manual_seed(seed)
            named = {name: sample.tensors(each) for name, each in call.kwargs.items()}
            result = engine.lookup(op.name)(*map(sample.tensors, call.args), **named)
            found.append([np.asarray(each) for each in (result if isinstance(result, tuple) else (result,))])
        if not all(map(functools.partial(np.array_equal, equal_nan=True), *found)):
            return True
    return False


def inputs(rng: random.Random) -> dict[str, engine.Tensor]:
    """Values to start from; floating and complex ones require grad."""
    numbers = np.random.default_rng(rng.randrange(2**32))
    found = {}
    for name, (shape, dtype) in SCALARS.items():
        data: Any = numbers.uniform(-2, 2, shape)
        data = data + 1j * numbers.uniform(-2, 2, shape) if dtype.startswith("complex") else data
        grad = dtype.startswith(("float", "complex"))
        found[name] = engine.tensor(np.asarray(data).astype(dtype), requires_grad=grad)
    return found


class _Bound(sample.Writer):
    """Writes a sample's call with values of the program in place of most of its arrays."""

    def __init__(self, rng: random.Random, known: dict[str, engine.Tensor]) -> None:
        super().__init__()
        self._rng, self._known = rng, known
        self.made: dict[str, engine.Tensor] = {}

    def named(self, array: np.ndarray[Any, Any], name: str) -> str:
        kind = [at for at, each in self._known.items() if each.dtype.numpy.kind == array.dtype.kind]
        alike = [at for at in kind if tuple(self._known[at].shape) == array.shape]
        for names, share in ((alike, 0.8), (kind, 0.6), (list(self._known), 0.1)):
            if names and self._rng.random() < share:
                return self._rng.choice(names[-6:])
        made = f"{name}_{len(self._known) + len(self.made)}"
        grad = array.dtype.kind in "fc" and self._rng.random() < 0.8
        self.made[made] = engine.tensor(array, requires_grad=grad)
        return made


def draw(rng: random.Random, depth: int, ops: list[engine.Entry]) -> Program:
    """A program of at most `depth` statements."""
    given = inputs(rng)
    known, graph, failed = dict(given), [], list[str]()
    for number in range(rng.randint(1, depth)):
        for _ in range(TRIES):
            op = rng.choice(ops)
            try:
                step = _step(rng, op, known, f"v{number}")
            except Exception as error:  # whatever an op fails with is what is looked for
                failed.append(f"{op.name}: {type(error).__name__}: {error}")
                continue
            if step is not None:
                statement, made, values = step
                given.update(made)
                known.update(made)
                known.update(values)
                graph.append(statement)
                break
    outputs = [name for name in known if name not in given]
    return Program(graph, given, outputs, failed)


def _step(
    rng: random.Random, op: engine.Entry, known: dict[str, engine.Tensor], name: str
) -> tuple[Json, dict[str, engine.Tensor], dict[str, engine.Tensor]] | None:
    """A call of `op`, the inputs that were made for it, and what it gives; None if it is refused."""
    calls = op.samples()
    if not calls:
        return None
    call, writer = rng.choice(calls), _Bound(rng, known)
    try:
        statement = sample.statement(op, writer, call)
        results = sample.names(op, call)
    except sample.Unsayable:
        return None
    results = {"out": [f"{name}_{each}" for each in results["out"]]} if "out" in results else {"id": name}
    names = results.get("out", [name])
    do: Json = {**results, **statement}
    if rng.random() < NO_GRAD:
        do = {"with": "no_grad", "do": [do]}
    values = {**known, **writer.made}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function = engine.Program([do]).function(*values, outputs=names)
            found = function(*values.values())
    except engine.errors.EngineError:
        return None
    tensors = found if isinstance(found, tuple) else (found,)
    if any(each.numel() > LARGEST for each in tensors):
        return None
    return do, writer.made, dict(zip(names, (each.detach() for each in tensors), strict=True))
