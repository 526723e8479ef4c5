"""The public ops as a reader meets them: what the reference, the docs and the examples are made from."""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from engine.eager.tensor import Tensor
from engine.op import Call, Op, SampleMaker
from engine.registry import MODULES, REGISTRY, names_of
from engine.signature import MISSING, Param

UNLIKE = "Unlike torch: "  # begins the paragraph that declares a deviation


class Family(NamedTuple):
    """Ops that are defined together."""

    name: str
    title: str


@dataclass(frozen=True)
class Entry:
    """One op: `signature` as torch writes it, `summary` what it computes, `kinks` its derivative where that
    is a choice, `deviation` where it differs from torch, `grad_fns` the names its nodes can have."""

    op: Op
    aliases: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.op.name

    @property
    def kind(self) -> str:
        return self.op.kind

    @property
    def params(self) -> tuple[Param, ...]:
        return self.op.params

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.op.outputs

    @property
    def family(self) -> Family:
        """The ops that it is defined with."""
        return _family(MODULES[self.name])

    @property
    def _paragraphs(self) -> list[str]:
        return [each.replace("\n", " ") for each in self.op.doc.split("\n\n")]

    @property
    def summary(self) -> str:
        """The docstring's first paragraph."""
        return self._paragraphs[0]

    @property
    def kinks(self) -> str:
        """The docstring's second paragraph."""
        return "".join(self._paragraphs[1:2])

    @property
    def deviation(self) -> str:
        """What the docstring says after `Unlike torch:`."""
        return "".join([each.removeprefix(UNLIKE) for each in self._paragraphs if each.startswith(UNLIKE)])

    @property
    def signature(self) -> str:
        """The call, with kinds and defaults."""
        shown: list[str] = []
        for param in self.params:
            if param.keyword_only and "*" not in shown:
                shown.append("*")
            kind = f"{param.kind} | None" if param.optional else param.kind
            shown.append(
                f"{param.name}: {kind}" + ("" if param.default is MISSING else f" = {param.default!r}")
            )
        return f"{self.name}({', '.join(shown)})"

    def samples(self) -> list[Call]:
        """Calls that work, numpy arrays standing for tensors; the same at every run."""
        return list(self.op.samples(SampleMaker(0)))

    @functools.cached_property
    def grad_fns(self) -> tuple[str, ...]:
        """The names of the nodes that its samples make, in the order they first come."""
        names: dict[str, None] = {}
        for call in self.samples():
            found = self.op(
                *map(_leaves, call.args), **{name: _leaves(value) for name, value in call.kwargs.items()}
            )
            for each in found if isinstance(found, tuple) else (found,):
                if each.grad_fn is not None:
                    names[each.grad_fn.name()] = None
        return tuple(names)


def _leaves(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return Tensor(value, requires_grad=value.dtype.kind in "fc")
    return [_leaves(each) for each in value] if isinstance(value, (list, tuple)) else value


@functools.cache
def _family(module: str) -> Family:
    doc = sys.modules[module].__doc__ or ""
    return Family(module.rpartition(".")[2], doc.partition("\n\n")[0].replace("\n", " ").rstrip("."))


@functools.cache
def _entry(name: str) -> Entry:
    return Entry(REGISTRY[name], tuple(names_of(REGISTRY[name])))


def catalogue() -> list[Entry]:
    """Every public op, in name order; names with a leading underscore are internal."""
    return [_entry(name) for name in sorted(REGISTRY) if not REGISTRY[name].short.startswith("_")]
