"""Calls written down as the statements of a program instead of being computed.

A `Recorded` stands for a tensor: its operators and methods add statements to its `Recorder`. `like` is a
tensor of its shape and dtype (under `vmap` those of one sample), so that a recorded function may ask for a
shape, unpack results and iterate; what it holds means nothing.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import engine
from engine.errors import UnknownOp
from engine.func import trees
from engine.registry import lookup
from tests.engine.building import Json

OPERATORS = ("add", "sub", "mul", "truediv", "pow", "matmul", "neg", "lt", "le", "gt", "ge")
REFLECTED = ("add", "sub", "mul", "truediv")
OPS = {"truediv": "div"}  # where the op has another name than the operator
PROPERTIES = ("T", "mT", "real", "imag")


class Unsayable(Exception):
    """What the statement language has no word for."""


class Recorded:
    """A value of the program that is being written."""

    def __init__(self, recorder: Recorder, name: str, like: engine.Tensor) -> None:
        self.recorder, self.id, self.like = recorder, name, like
        self.shape, self.dtype, self.ndim = like.shape, like.dtype, like.ndim

    def __getattr__(self, name: str) -> Any:
        if name in PROPERTIES:
            return self.recorder.call(name, lambda x: getattr(x, name), self)
        try:
            lookup(name)
        except UnknownOp:
            raise Unsayable(f"a tensor's {name}") from None
        return functools.partial(self.recorder.call, name, getattr(type(self.like), name), self)

    def __getitem__(self, key: Any) -> Any:
        keys = key if isinstance(key, tuple) else (key,)
        return self.recorder.call("getitem", lambda x, *ks: x[ks], self, *keys)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.recorder.call("unbind", engine.unbind, self))

    def __bool__(self) -> bool:
        raise Unsayable("Python control flow on a value")

    def backward(self, gradient: Any = None, **settings: Any) -> None:
        """A statement that accumulates the gradients of leaves."""
        given = [self] if gradient is None else [self, gradient]
        self.recorder.write({"op": "backward", "in": given}, settings)

    @property
    def grad(self) -> Recorded:
        """What backward accumulated."""
        (found,) = self.recorder.write({"op": "read_grad", "in": [self]}, results=[self.like])
        return found


def _operator(name: str, *, reflected: bool = False) -> Callable[..., Any]:
    op, run = OPS.get(name, name), getattr(operator, name)

    def method(self: Recorded, *others: Any) -> Any:
        args = (*others, self) if reflected else (self, *others)
        return self.recorder.call(op, run, *args)

    return method


for _name in OPERATORS:
    setattr(Recorded, f"__{_name}__", _operator(_name))
for _name in REFLECTED:
    setattr(Recorded, f"__r{_name}__", _operator(_name, reflected=True))


class Part(NamedTuple):
    """Statements that run on one stream of random numbers."""

    seed: int
    statements: list[Json]


class Recorder:
    """What was called so far: the statements, in parts, and the inputs, which all parts share."""

    def __init__(self) -> None:
        self.parts = [Part(0, [])]
        self.inputs: dict[str, engine.Tensor] = {}
        self.part_of: dict[str, int] = {}  # by id: the part that defines it
        self._do = self.parts[0].statements
        self._count = 0

    def seed(self, number: int) -> None:
        """Start a part of its own: a program has one seed."""
        self.parts.append(Part(number, []))
        self._do = self.parts[-1].statements

    def input(self, tensor: engine.Tensor) -> Recorded:
        """An input of the program."""
        found = self.new(tensor.detach(), "x")
        self.inputs[found.id] = tensor
        return found

    def new(self, like: engine.Tensor, letter: str = "v") -> Recorded:
        """A value with an id of its own."""
        self._count += 1
        name = f"{letter}{self._count}"
        self.part_of[name] = len(self.parts) - 1
        return Recorded(self, name, like)

    def call(self, op: str, run: Callable[..., Any], *args: Any, **settings: Any) -> Any:
        """A call of an op; `run` is the same for tensors."""
        with engine.no_grad():
            like = run(*_likes(args), **_likes(settings))
        several = isinstance(like, (tuple, list))
        given = list(args)
        if given and isinstance(given[0], str):  # einsum's equation: a string is an attribute
            settings = {lookup(op).params[0].name: given.pop(0), **settings}
        results = self.write({"op": op, "in": given}, settings, like if several else [like], several)
        return tuple(results) if several else results[0]

    def write(
        self,
        statement: Json,
        attrs: Json | None = None,
        results: Sequence[engine.Tensor | None] = (),
        several: bool = False,
    ) -> list[Any]:
        """Append a statement whose results are like `results`; one that is None is dropped."""
        found = [None if like is None else self.new(like) for like in results]
        ids = [None if each is None else each.id for each in found]
        named: Json = {"out": ids} if ids else {}
        if len(ids) == 1 and not several:
            named = {"id": ids[0]}
        said = {"in": [plain(each) for each in statement["in"]]}
        settings = {"attrs": {key: attr(each) for key, each in attrs.items()}} if attrs else {}
        self._do.append(named | statement | said | settings)
        return found

    @contextmanager
    def inside(self) -> Iterator[list[Json]]:
        """Statements written meanwhile stand in the list that this gives."""
        outer, self._do = self._do, []
        try:
            yield self._do
        finally:
            self._do = outer

    @contextmanager
    def block(self, mode: str) -> Iterator[None]:
        """What is written meanwhile stands in a block of this grad mode."""
        with self.inside() as do:
            yield
        self._do.append({"with": mode, "do": do})


def _likes(tree: Any) -> Any:
    return trees.mapped(lambda each: each.like if isinstance(each, Recorded) else each, tree)


def plain(arg: Any) -> Any:
    """An argument as JSON."""
    if isinstance(arg, Recorded):
        return arg.id
    if isinstance(arg, (list, tuple)):
        return [plain(each) for each in arg]
    if isinstance(arg, slice):
        return {"slice": [arg.start, arg.stop, arg.step]}
    if arg is Ellipsis:
        return {"ellipsis": True}
    if isinstance(arg, engine.DType):
        return arg.name
    return arg


def attr(value: Any) -> Any:
    """An attribute as JSON."""
    if isinstance(value, Recorded):
        return {"ref": value.id}
    return [attr(each) for each in value] if isinstance(value, (list, tuple)) else plain(value)
