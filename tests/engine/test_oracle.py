"""Every stored result of torch, through every way the engine runs an op."""

from __future__ import annotations

import builtins
import functools
from typing import Any

import numpy as np
import pytest

from engine.registry import lookup
from tests import oracle
from tests.engine import harness
from tests.engine.program_route import Compiled
from tests.engine.routes import Eager, Route
from tests.oracle import Case, Json

# Where torch has NaN and the mathematics a number: the numbers are compared, torch's NaNs are not.
TORCH_HAS_NAN = {
    "nn.functional.gelu-3": "gelu at -inf is 0; its derivative there 0, at inf 1",
    "nn.functional.gelu-8": "the same for the tanh form",
    "nn.functional.silu-3": "silu at -inf is 0; its derivative there 0, at inf 1",
    "std-23": "where the gradient is taken as 0, so is its derivative by the cotangent",
    "std-39": "the same",
    "linalg.vector_norm-47": "the same",
}
# Where the engine differs on purpose.
DIFFERENT = {
    "div-36": "an explicit rounding_mode of null is the default: DivBackward0, not DivBackward2",
    "where-11": "torch casts the real tensor beside a complex number in a node of its own",
}
DIFFERENT_GRADIENT = {
    "var-15": "over no dims means over all: torch's result, but not its gradient, counts all elements",
    "std-15": "the same",
}
DIFFERENT_SECOND = {
    "nn.functional.softplus-3": "at beta * x == threshold torch's second derivative is not that of its first",
}
# A program's trace is the same whatever its inputs' values: it shows a 0-dim index as a tensor.
_INDEX = {"SelectBackward0": {"index": {"dtype": "int64", "shape": []}}}
_MASK = {"IndexBackward0": {"indices": [{"dtype": "bool", "shape": [1]}]}}
BY_TENSOR: dict[str, Any] = {"getitem-40": _INDEX, "getitem-41": _INDEX, "getitem-82": _INDEX}
BY_TENSOR |= {"getitem-88": _MASK, "getitem-90": _MASK}
ROUTES: tuple[Route, ...] = (Eager(), Compiled())


def stored(kind: str) -> list[Any]:
    try:
        return list(oracle.cases(kind))
    except FileNotFoundError:
        return []


def params(cases: list[Any], name: str = "id") -> list[Any]:
    return [pytest.param(each, id=each[name]) for each in cases]


by_route = pytest.mark.parametrize("route", [pytest.param(each, id=each.name) for each in ROUTES])


@functools.cache
def by_case_id() -> dict[str, Case]:
    return {case.id: case for case in oracle.cases("ops")}


def digits(case: Case) -> int:
    """The bytes of the narrowest real number in a case."""
    named = [str(case["attrs"].get("dtype", "bool"))]
    names = [node["dtype"] for node in [*oracle.tensors(case), *case["out"]]] + named
    found = [np.dtype(name) for name in names]
    return min([harness.width(dtype) for dtype in found if dtype.kind in "fc"], default=8)


@pytest.mark.parametrize("name", sorted(oracle.FAMILY_OF))
def test_op_is_registered(name: str) -> None:
    if name != "requires_grad_":
        assert lookup(name)


def traced_by(route: Route, case: Case) -> list[Json]:
    """The nodes that torch makes, as `route` shows them."""
    shown = BY_TENSOR.get(case.id, {}) if route.name == "program" else {}
    return [{**node, "saved": {**node["saved"], **shown.get(node["name"], {})}} for node in case["trace"]]


@by_route
@pytest.mark.parametrize("case", params(stored("ops")))
def test_op(route: Route, case: Case) -> None:
    answer = route.first(case)
    equal = functools.partial(harness.assert_equal, digits=digits(case), gaps=case.id in TORCH_HAS_NAN)
    assert [y.requires_grad for y in answer.outputs] == [out["requires_grad"] for out in case["out"]]
    for at, (y, expected) in enumerate(zip(answer.outputs, case.out, strict=True)):
        equal(y, expected, f"output {at}")
        assert list(y.stride()) == case["strides"][at], f"strides of output {at}"
    if case.id not in DIFFERENT_GRADIENT:
        for at, (gradient, expected) in enumerate(zip(answer.gradients, case.grads, strict=True)):
            equal(gradient, expected, f"gradient of leaf {at}")
    assert answer.roots == case["roots"]
    assert (answer.nodes == traced_by(route, case)) == (case.id not in DIFFERENT)


@by_route
@pytest.mark.parametrize("record", params(stored("second"), "case"))
def test_second_derivative(route: Route, record: Json) -> None:
    def arrays(name: str) -> list[Any]:
        return [None if each is None else oracle.array(each) for each in record[name]]

    name = record["case"]
    case = by_case_id()[name]
    equal = functools.partial(harness.assert_equal, digits=digits(case), gaps=name in TORCH_HAS_NAN)
    found = route.second(case, arrays("w"))
    for at, (gradient, expected) in enumerate(zip(found.by_cotangents, arrays("grads2_v"), strict=True)):
        equal(gradient, expected, f"gradient of cotangent {at}")
    if name not in DIFFERENT_SECOND:
        for at, (gradient, expected) in enumerate(zip(found.by_leaves, arrays("grads2"), strict=True)):
            equal(gradient, expected, f"second gradient of leaf {at}")


@by_route
@pytest.mark.parametrize("case", params(stored("errors")))
def test_refusal(route: Route, case: Case) -> None:
    kind = getattr(builtins, case["error"], RuntimeError)  # LinAlgError is a RuntimeError
    with pytest.raises(kind) as caught:
        route.refuse(case)
    if kind is not TypeError:  # torch lists its overloads there
        assert str(caught.value) == case["message"]
