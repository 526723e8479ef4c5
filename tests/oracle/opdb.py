"""torch's own OpInfo samples for tier-1 ops, as statements."""

import sys
import types
import unittest
from typing import Any

import numpy as np
import torch

from . import FAMILY_OF, Json
from .record import encode

PER_OP, NUMBERS = 24, 80
RENAMED = {"__getitem__": "getitem", "nn.functional.relu": "relu"}
STRINGS = {"norm": "p", "linalg.norm": "ord", "linalg.vector_norm": "ord"}


def opdb_cases(family: str) -> list[Json]:
    """At most PER_OP calls an op, NUMBERS numbers a call; float64 inputs rounded to four decimals."""
    found = []
    for info in op_db():
        op = RENAMED.get(info.name, info.name)
        if FAMILY_OF.get(op) != family or family == "creation":
            continue
        torch.manual_seed(0)
        calls = []
        for sample in info.sample_inputs("cpu", torch.float64, requires_grad=True):
            try:
                calls.append(statement(op, sample))
            except Skip:
                continue
        found += calls[:: max(1, len(calls) // PER_OP)][:PER_OP]
    return found


def op_db() -> list[Any]:
    stub: Any = types.ModuleType("expecttest")
    stub.TestCase = unittest.TestCase
    sys.modules.setdefault("expecttest", stub)
    from torch.testing._internal.common_methods_invocations import op_db as infos

    return list(infos)


class Skip(Exception):
    """The sample does not fit the statement form, or is too large."""


def statement(op: str, sample: Any) -> Json:
    given, attrs = [sample.input, *sample.args], dict(sample.kwargs)
    if op == "where":
        given = [given[1], given[0], given[2]]
    if op == "einsum":
        attrs["equation"] = given[1]
        given = list(given[0])
    if op == "nn.functional.embedding":
        given = [given[1], given[0]]
    if op == "getitem":
        given = [given[0], *(given[1] if isinstance(given[1], tuple) else [given[1]])]
    if op in ("std", "var") and len(given) == 2 and isinstance(given[1], bool):
        attrs["unbiased"] = given.pop()
    if op in STRINGS and len(given) > 1 and isinstance(given[1], str):
        attrs.update(zip((STRINGS[op], "dim", "keepdim"), given[1:], strict=False))
        given = given[:1]
    if op == "to" or attrs.get("inplace") or {"memory_format", "sparse", "device"} & attrs.keys():
        raise Skip
    attrs.pop("inplace", None)
    count = sum(tensor.numel() for tensor in flat([given, list(attrs.values())]))
    if count > NUMBERS:
        raise Skip
    call = {
        "op": op,
        "in": [plain(arg) for arg in given],
        "attrs": {key: plain(arg, True) for key, arg in attrs.items()},
    }
    return {**call, "seed": 0} if op == "nn.functional.dropout" else call


def flat(arg: Any) -> list[torch.Tensor]:
    if isinstance(arg, torch.Tensor):
        return [arg]
    return [tensor for item in arg for tensor in flat(item)] if isinstance(arg, (list, tuple)) else []


def plain(arg: Any, attribute: bool = False) -> Any:
    """An argument in the statement form."""
    if isinstance(arg, torch.Tensor):
        if arg.layout != torch.strided:
            raise Skip
        rounded = arg.detach()
        if rounded.is_floating_point() or rounded.is_complex():
            rounded = torch.from_numpy(np.asarray(rounded.resolve_conj().numpy().round(4)))
        return {"tensor": {**(encode(rounded) or {}), "requires_grad": arg.requires_grad}}
    if isinstance(arg, (list, tuple)):
        return [plain(item) for item in arg]
    if isinstance(arg, torch.dtype):
        return str(arg)[6:]
    if isinstance(arg, slice):
        return {"slice": [arg.start, arg.stop, arg.step]}
    if arg is Ellipsis:
        return {"ellipsis": True}
    if isinstance(arg, complex):
        return {"complex": [arg.real, arg.imag]}
    if isinstance(arg, float) and not abs(arg) < float("inf"):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(arg)]
    if arg is None or isinstance(arg, (bool, int, float)) or (attribute and isinstance(arg, str)):
        return arg
    raise Skip
