"""The ways to run a stored case of `tests/oracle` through the engine, all with one answer.

Every test of `test_oracle.py` runs over each of its `ROUTES`: define-by-run here, programs in
`program_route.py`. A new way to run ops is one more class with `first`, `second` and `refuse`.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import engine
from engine import random
from engine.eager.factories import FACTORIES
from engine.errors import UnknownOp
from engine.registry import lookup
from tests.oracle import Case, Json, array

NUMBERS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


class Answer(NamedTuple):
    """What a case gives: outputs, the gradient of each leaf that requires one, and the backward graph."""

    outputs: list[engine.Tensor]
    gradients: list[engine.Tensor | None]
    nodes: list[Json]
    roots: list[list[int] | None]


class Second(NamedTuple):
    """Gradients of the sum of <gradient, w>: with respect to the leaves, and to the cotangents."""

    by_leaves: list[engine.Tensor | None]
    by_cotangents: list[engine.Tensor | None]


class Route(Protocol):
    """One way to run a case."""

    name: str

    def first(self, case: Case) -> Answer: ...

    def second(self, case: Case, w: list[Any]) -> Second: ...

    def refuse(self, case: Case) -> None:
        """Run a case that must raise."""


class EagerRun:
    """One evaluation of a case, define-by-run."""

    def __init__(self, case: Json) -> None:
        self.leaves: list[engine.Tensor] = []
        random.manual_seed(case.get("seed") or 0)
        found = self._call(case)
        self.outputs = list(found) if isinstance(found, (tuple, list)) else [found]

    def _call(self, call: Json) -> Any:
        args = [self._argument(arg) for arg in call["in"]]
        attrs = {name: self._attribute(value) for name, value in call.get("attrs", {}).items()}
        try:
            op: Any = FACTORIES.get(call["op"]) or lookup(call["op"])
        except UnknownOp:
            op = getattr(engine.Tensor, call["op"])  # requires_grad_, detach …
        return op(*args, **attrs)

    def _argument(self, arg: Any) -> Any:
        if isinstance(arg, list):
            return [self._argument(each) for each in arg]
        if isinstance(arg, str):
            return NUMBERS[arg]
        if not isinstance(arg, dict):
            return arg
        if "tensor" in arg:
            leaf = engine.Tensor(
                array(arg["tensor"]), requires_grad=arg["tensor"].get("requires_grad", False)
            )
            if leaf.requires_grad:
                self.leaves.append(leaf)
            return leaf
        if "slice" in arg:
            return slice(*arg["slice"])
        if "complex" in arg:
            return complex(*arg["complex"])
        return ... if "ellipsis" in arg else self._call(arg)

    def _attribute(self, value: Any) -> Any:
        if isinstance(value, str):
            return NUMBERS.get(value, value)
        return self._argument(value)


class Eager:
    """Define-by-run: `engine.Tensor` and its backward."""

    name = "eager"

    def first(self, case: Case) -> Answer:
        run = EagerRun(case)
        nodes, roots = trace(run.outputs, run.leaves)
        outputs, v = _with_cotangents(run.outputs, [_tensor(each) for each in case.v])
        gradients: list[Any] = [None] * len(run.leaves)
        if outputs and run.leaves:
            gradients = list(engine.grad(outputs, run.leaves, v, allow_unused=True))
        return Answer(run.outputs, gradients, nodes, roots)

    def second(self, case: Case, w: list[Any]) -> Second:
        run = EagerRun(case)
        v = [None if each is None else engine.Tensor(each, requires_grad=True) for each in case.v]
        outputs, given = _with_cotangents(run.outputs, v)
        first = engine.grad(outputs, run.leaves, given, create_graph=True, allow_unused=True)
        chosen, cotangents = _with_cotangents(list(first), [_tensor(each) for each in w])
        found = list(engine.grad(chosen, [*run.leaves, *given], cotangents, allow_unused=True))
        by_v = iter(found[len(run.leaves) :])
        return Second(found[: len(run.leaves)], [None if each is None else next(by_v) for each in v])

    def refuse(self, case: Case) -> None:
        EagerRun(case)


def _tensor(values: Any) -> engine.Tensor | None:
    return None if values is None else engine.Tensor(values)


def _with_cotangents(outputs: list[Any], cotangents: list[Any]) -> tuple[list[Any], list[Any]]:
    """The outputs that have a cotangent, and those."""
    pairs = [(y, v) for y, v in zip(outputs, cotangents, strict=True) if v is not None]
    return [y for y, _ in pairs], [v for _, v in pairs]


def trace(outputs: list[engine.Tensor], leaves: list[engine.Tensor]) -> tuple[list[Json], list[Any]]:
    """The nodes behind the outputs, youngest first, AccumulateGrad last; [node, output] of each."""
    found: dict[int, Any] = {}
    pending = [y.grad_fn for y in outputs if y.grad_fn is not None]
    while pending:
        node = pending.pop()
        if id(node) not in found:
            found[id(node)] = node
            pending.extend(following for following, _ in node.next_functions if following is not None)
    inner = sorted((n for n in found.values() if not hasattr(n, "variable")), key=lambda n: -n.sequence)
    ends = {id(n): n for each in inner for n, _ in each.next_functions if hasattr(n, "variable")}
    order = [*inner, *ends.values()]
    index = {id(node): at for at, node in enumerate(order)}
    roots = [None if y.grad_fn is None else [index[id(y.grad_fn)], y.output_nr] for y in outputs]
    return [_describe(node, index, leaves) for node in order], roots


def _describe(node: Any, index: dict[int, int], leaves: list[engine.Tensor]) -> Json:
    if hasattr(node, "variable"):
        variable = next(at for at, leaf in enumerate(leaves) if leaf is node.variable)
        return {"name": "AccumulateGrad", "variable": variable, "next_functions": [], "saved": {}}
    names = [name for name in dir(node) if name.startswith("_saved_")]
    return {
        "name": node.name(),
        "next_functions": [n and [index[id(n)], number] for n, number in node.next_functions],
        "saved": {name.removeprefix("_saved_"): plain(getattr(node, name)) for name in names},
    }


def plain(value: Any) -> Any:
    """A saved value as the records hold it: tensors as dtype and shape, dims as the caller gave them."""
    if hasattr(value, "meta"):
        return {"dtype": value.dtype.name, "shape": list(value.shape)}
    if isinstance(value, engine.DType):
        return value.name
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, complex):
        return {"complex": [plain(value.real), plain(value.imag)]}
    if isinstance(value, float) and not abs(value) < float("inf"):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if isinstance(value, int) and not isinstance(value, bool) and value >= 2**63:
        return value - 2**64
    return value
