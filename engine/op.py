"""The record of an op, and the one way to call it.

An op is one definition: signature, docstring, inference of the result's type, numpy kernel, vjp, names for
the trace, samples. Everything else (request validation, catalogue, docs, tests) is read from it.

A rule is `vjp(F, x, y, g, **settings)`: `x` the operands, `y` the result, `g` the cotangent of the result,
`F` the builder (numpy now, or a node appended to a graph). It gives one callable or None per operand, called
only when that operand's cotangent is needed. It may read only the operands and results that `saves` names;
of the others it sees shape and dtype.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.binding import check_tensors, defaults, match, positions, split
from engine.builder import current_builder
from engine.flow import ControlKernel
from engine.kernels import Kernel
from engine.samples import Call, Refusal, SampleMaker, refused, sample
from engine.signature import LISTS, MISSING, SLOTS, Bound, Param, parameters
from engine.types import Type

__all__ = [
    "Batched", "Call", "Kind", "NoDerivative", "Op", "Refusal", "Rule",
    "SampleMaker", "refused", "sample",
]  # fmt: skip

Kind = Literal[
    "elementwise",  # one result element from one element of each broadcast operand
    "view",  # the result may share the operand's memory
    "structural",  # moves, joins or repeats elements
    "reduction",
    "contraction",  # multilinear: matmul and its kin
    "decomposition",  # matrices taken apart by LAPACK
    "index",  # reads or writes at computed places
    "normalisation",  # softmax, layer_norm …: coarse kernels along some dims
    "creation",
    "random",  # draws from the generator: never merged, never dropped
    "control",  # a loop: a record made for one node, with a ControlKernel
    "level",  # an axis becomes a batch level, or a level an axis
    "composite",  # a body over F, expanded where it is called
]
Rule = Callable[..., Sequence[Callable[[], Any] | None]]


# How a kernel runs on arrays with batch axes in front: as it is, or once for each sample.
Batched = Literal["leading", "loop"]


@dataclass(frozen=True, slots=True)
class NoDerivative:
    """The statement that an op has no derivative, with torch's sentence or the reason."""

    reason: str


@dataclass(frozen=True, eq=False)
class Op:
    """One op. `infer(*operand types, **settings)` gives its Type (or a tuple of them) before any arithmetic;
    `run` is a Kernel, a numpy function of the operands' arrays, or (composite) a body over F."""

    name: str
    params: tuple[Param, ...]
    doc: str
    kind: Kind
    run: Kernel | Callable[..., Any]
    infer: Callable[..., Any] | None = None
    vjp: Rule | NoDerivative | None = None
    grad_fn: str | Callable[..., str] = ""
    saves: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ("result",)  # () where infer says how many there are
    aliases: tuple[str, ...] = ()
    samples: Callable[[Any], Iterable[Call]] = field(default=lambda make: ())
    refusals: Callable[[Any], Iterable[Refusal]] = field(default=lambda make: ())
    batched: Batched = "leading"

    def __post_init__(self) -> None:
        names = parameters(self.run)
        tensors = [p.kind in ("Tensor", "Tensor | Number") and p.default is MISSING for p in self.params]
        first_setting = next((at for at, p in enumerate(self.params) if not p.is_operand), len(self.params))
        short = self.name.rpartition(".")[2]
        found = {
            "__name__": short,
            "short": short,
            "wants_meta": "meta" in names,
            "wants_lead": "lead" in names,
            "takes_out": "out" in names,
            "has_lists": any(p.kind in LISTS for p in self.params),
            "plain_arity": len(self.params) if all(tensors) else -1,
            "single": len(self.outputs) == 1,
            "is_control": isinstance(self.run, ControlKernel),
            "positions": positions(self.params),
            "kinds": tuple(p.kind for p in self.params if p.is_operand),
            "defaults": defaults(self.params),
            "mixed": any(p.is_operand for p in self.params[first_setting:]),
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)

    short: str = field(init=False)  # the name without its namespace
    wants_meta: bool = field(init=False)
    wants_lead: bool = field(init=False)
    takes_out: bool = field(init=False)  # its kernel writes to memory that it is given
    has_lists: bool = field(init=False)
    plain_arity: int = field(init=False)
    single: bool = field(init=False)
    is_control: bool = field(init=False)  # its kernel answers for itself
    positions: dict[str, int] = field(init=False)  # of the parameters, by their names and synonyms
    kinds: tuple[str, ...] = field(init=False)  # of the operands
    defaults: dict[str, Any] | None = field(init=False)  # the settings of a call with operands alone
    mixed: bool = field(init=False)  # an operand is declared behind a setting

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it through the current builder: numpy now, or a node of the graph being built."""
        return current_builder().apply(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def match(self, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
        """The value of each parameter of a call."""
        found = match(self.short, self.params, args, kwargs)
        if self.kind != "elementwise" or not any(hasattr(value, "meta") for value in found):
            check_tensors(self.short, self.params, found)
        return found

    def expand(self, F: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """A composite's body over `F` for a call."""
        assert callable(self.run)
        if not kwargs and len(args) == self.plain_arity and all(hasattr(each, "meta") for each in args):
            return self.run(F, *args)
        values = self.match(args, kwargs)
        positional = [v for p, v in zip(self.params, values, strict=True) if not p.keyword_only]
        named = {p.name: v for p, v in zip(self.params, values, strict=True) if p.keyword_only}
        return self.run(F, *positional, **named)

    def bind(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Bound:
        """A call split into operands and settings."""
        quick = self.defaults is not None and not kwargs and len(args) == len(self.kinds)
        if quick and all(hasattr(each, "meta") for each in args):
            assert self.defaults is not None
            return Bound(tuple(args), self.defaults, self.defaults)
        return split(self.params, self.match(args, kwargs))

    def infer_types(self, operands: Sequence[Any], attrs: dict[str, Any]) -> tuple[Type, ...]:
        """The types of the outputs, from operands that have `.meta` or are Python scalars."""
        assert self.infer is not None
        found = self.infer(*self.group([getattr(each, "meta", each) for each in operands]), **attrs)
        return (found,) if isinstance(found, Type) else found

    def group(self, flat: Sequence[Any]) -> Sequence[Any]:
        """Flat operands as the parameters have them: those of a list in one tuple."""
        if not self.has_lists:
            return flat
        single = [p.kind for p in self.params if p.is_operand]
        start = next(at for at, kind in enumerate(single) if kind in LISTS)
        stop = len(flat) - (len(single) - 1 - start)
        return [*flat[:start], tuple(flat[start:stop]), *flat[stop:]]

    def execute(
        self, arrays: Sequence[Any], metas: Sequence[Any], out: tuple[Type, ...], attrs: dict[str, Any]
    ) -> Any:
        """Run the kernel now. `metas` are the operands' types or Python scalars."""
        return self.compile(metas, out, attrs)(*arrays)

    def compile(
        self, metas: Sequence[Any], out: tuple[Type, ...], attrs: dict[str, Any], lead: int = 0
    ) -> Callable[..., Any]:
        """A function of the operands' arrays alone (a random op's takes the generator first), with `lead`
        batch axes in front of each; if it `takes_out`, of `out` too, memory for the result."""
        if isinstance(self.run, Kernel):
            return self.run.compile(self.params, metas, out[0], attrs)
        extra = dict(attrs)
        if self.wants_meta:
            extra["meta"] = out[0] if self.single else out
        if self.wants_lead:
            extra["lead"] = lead
        run = self.run
        if self.has_lists or self.mixed:
            names = [p.name for p in self.params if p.is_operand]
            return lambda *arrays: run(**dict(zip(names, self.group(arrays), strict=True)), **extra)
        return functools.partial(run, **extra) if extra else run

    def slots(self, operands: Sequence[Any]) -> list[int]:
        """Positions of the operands that have a place in next_functions, in order."""
        found = []
        kinds = self.operand_kinds(len(operands))
        for position, (kind, operand) in enumerate(zip(kinds, operands, strict=True)):
            if kind == "Tensor | Number":  # a number is of another overload
                if operand is None or hasattr(operand, "meta"):
                    found.append(position)
            elif kind in SLOTS:
                found.append(position)
        return found

    def operand_kinds(self, count: int) -> Sequence[str]:
        """The kind of each flat operand, `count` of them."""
        if not self.has_lists:
            return self.kinds
        kinds: list[str] = []
        for kind in self.kinds:
            kinds.extend([kind] * (count - len(self.kinds) + 1) if kind in LISTS else [kind])
        return kinds

    def node_name(self, operands: Sequence[Any], given: dict[str, Any]) -> str:
        """The name torch gives the grad_fn of this call."""
        return self.grad_fn if isinstance(self.grad_fn, str) else self.grad_fn(operands, given)
