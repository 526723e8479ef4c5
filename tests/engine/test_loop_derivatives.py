"""Derivatives of programs with loops are those of the same loops in Python, as torch computed them."""

from typing import Any

import pytest

import engine
from tests.engine.composed import expected
from tests.engine.compositions.loops import PROGRAMS, inputs
from tests.engine.harness import assert_equal


def prepared(name: str, **settings: Any) -> tuple[engine.Program, dict[str, engine.Tensor], dict[str, Any]]:
    """The program of a composition, its inputs, all of which require grad, and the outputs asked for."""
    given = {key: engine.tensor(x, requires_grad=True) for key, x in inputs(engine)[name].items()}
    return engine.Program(PROGRAMS[name]["graph"]), given, {"outputs": PROGRAMS[name]["outputs"], **settings}


def compare(found: dict[str, Any], wanted: dict[str, Any], start: str) -> None:
    """The tensors of a table {row: {column: tensor}}."""
    places = {f"{start}.{row}.{column}": x for row, each in found.items() for column, x in each.items()}
    assert places.keys() == {place for place in wanted if place.startswith(f"{start}.")}
    for place, tensor in places.items():
        assert_equal(tensor, wanted[place], place)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_jacobian_of_a_scan(mode: str) -> None:
    program, given, settings = prepared("jacobian_of_a_scan", mode=mode)
    found = program.jacobian(given, **settings)
    compare(found.derivative, expected("loops", "jacobian_of_a_scan"), mode)


def test_hessian_through_a_while() -> None:
    program, given, settings = prepared("hessian_through_a_while")
    wanted = expected("loops", "hessian_through_a_while")
    compare(program.hessian(given, **settings).derivative, wanted, "hessian")
    product = program.hvp(given, given, **settings).derivative
    for number, name in enumerate(given):
        assert_equal(product[name], wanted[f"hvp.1.{number}"], name)
