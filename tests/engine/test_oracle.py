"""Every stored result of torch, through every way the engine runs an op."""

from __future__ import annotations

import builtins
import functools
from typing import Any

import pytest

from engine.op import lookup
from tests import oracle
from tests.engine.harness import assert_equal
from tests.engine.routes import ROUTES, Route
from tests.oracle import Case, Json


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


@pytest.mark.parametrize("name", sorted(oracle.FAMILY_OF))
def test_op_is_registered(name: str) -> None:
    if name != "requires_grad_":
        assert lookup(name)


@by_route
@pytest.mark.parametrize("case", params(stored("ops")))
def test_op(route: Route, case: Case) -> None:
    answer = route.first(case)
    flags = [out["requires_grad"] for out in case["out"]]
    assert [y.requires_grad for y in answer.outputs] == flags
    for at, (y, expected) in enumerate(zip(answer.outputs, case.out, strict=True)):
        assert_equal(y, expected, f"output {at}")
        assert list(y.stride()) == case["strides"][at], f"strides of output {at}"
    for at, (gradient, expected) in enumerate(zip(answer.gradients, case.grads, strict=True)):
        assert_equal(gradient, expected, f"gradient of leaf {at}")
    assert answer.roots == case["roots"]
    assert answer.nodes == case["trace"]


@by_route
@pytest.mark.parametrize("record", params(stored("second"), "case"))
def test_second_derivative(route: Route, record: Json) -> None:
    def arrays(name: str) -> list[Any]:
        return [None if each is None else oracle.array(each) for each in record[name]]

    found = route.second(by_case_id()[record["case"]], arrays("w"))
    for at, (gradient, expected) in enumerate(zip(found.by_leaves, arrays("grads2"), strict=True)):
        assert_equal(gradient, expected, f"second gradient of leaf {at}")
    for at, (gradient, expected) in enumerate(zip(found.by_cotangents, arrays("grads2_v"), strict=True)):
        assert_equal(gradient, expected, f"gradient of cotangent {at}")


@by_route
@pytest.mark.parametrize("case", params(stored("errors")))
def test_refusal(route: Route, case: Case) -> None:
    kind = getattr(builtins, case["error"], RuntimeError)  # LinAlgError is a RuntimeError
    with pytest.raises(kind) as caught:
        route.refuse(case)
    if kind is not TypeError:  # torch lists its overloads there
        assert str(caught.value) == case["message"]
