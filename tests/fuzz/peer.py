"""The same programs by torch, where it is installed."""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np

import engine
from tests.fuzz.drawing import Json, Program
from tests.fuzz.running import Answer, cotangents
from tests.oracle.steps import Steps

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]


class NotInTorch(Exception):
    """torch has no op of this name, calls it otherwise, or answers one of many that are right."""


# up to signs, phases and bases, and up to the order of what is equal
FREE = {"svd", "eigh", "eig", "qr", "svd_lowrank", "pca_lowrank", "kthvalue", "topk", "sort", "argsort"}
FREE |= {"median", "nanmedian", "mode", "msort"}


@functools.cache
def _deviating() -> set[str]:
    """The ops that declare where they differ."""
    return {each.name for each in engine.catalogue() if each.deviation}


OTHERWISE: dict[str, Any] = {  # what torch calls in another way
    "getitem": lambda x, *keys: x[tuple(keys)],
    "alias": lambda x: x,
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "H": lambda x: x.H,
    "mH": lambda x: x.mH,
    "slice": lambda *args, **attrs: torch.ops.aten.slice(*args, **attrs),  # noqa: PLW0108  # torch may be None
    "index_put": lambda *args, **attrs: torch.ops.aten.index_put(*args, **attrs),  # noqa: PLW0108
    "clone": lambda x, **_: x.clone(),
    "einsum": lambda *args, equation: torch.einsum(equation, *args),
    "maximum": lambda x, other: torch.maximum(x, torch.as_tensor(other)),
    "minimum": lambda x, other: torch.minimum(x, torch.as_tensor(other)),
}


def _apply(name: str, args: list[Any], attrs: Json) -> Any:
    if name.rpartition(".")[2] in FREE or name in _deviating():
        raise NotInTorch(name)
    if name in OTHERWISE:
        return OTHERWISE[name](*args, **attrs)
    for root in (torch, torch.Tensor):
        try:
            return operator.attrgetter(name)(root)(*args, **attrs)
        except (AttributeError, TypeError):
            continue
    raise NotInTorch(name)


class _Steps(Steps):
    def value(self, arg: Any) -> Any:
        if isinstance(arg, dict) and "slice" in arg:
            return slice(*arg["slice"])
        if isinstance(arg, dict) and "ellipsis" in arg:
            return ...
        if isinstance(arg, dict) and "complex" in arg:
            return complex(*arg["complex"])
        return super().value(arg)

    def _attribute(self, name: str, value: Any) -> Any:
        special = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": -float("inf")}
        if isinstance(value, str) and value in special:
            return special[value]
        return super()._attribute(name, value)


def run(program: Program, outputs: dict[str, Any], seed: int) -> Answer | None:
    """torch's answer; None where it has no such op. `outputs` are the engine's, for their cotangents."""
    given = {
        name: torch.tensor(each.detach().numpy(), requires_grad=each.requires_grad)
        for name, each in program.inputs.items()
    }
    steps = _Steps(torch, _apply, given)
    try:
        steps.run(program.graph)
        wanted = {
            name: torch.tensor(each.numpy())
            for name, each in cotangents(outputs, seed).items()
            if steps.names[name].requires_grad
        }
        if wanted:
            torch.autograd.backward([steps.names[name] for name in wanted], list(wanted.values()))
    except (NotInTorch, RuntimeError, TypeError, IndexError, ValueError, NotImplementedError, KeyError):
        return None
    found = {name: _array(steps.names[name]) for name in program.outputs}
    grads = {name: _array(each.grad) for name, each in given.items() if each.grad is not None}
    return Answer(found, grads)


def _array(tensor: Any) -> Any:
    return np.asarray(tensor.detach().resolve_conj().resolve_neg().numpy(force=True))
