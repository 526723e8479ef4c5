"""The compositions of derivatives as programs: what the compiled side computes is what torch computes."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

import engine
from tests.engine.building import Json
from tests.engine.composed import expected, stored
from tests.engine.compositions import MODULES, compose, names
from tests.engine.compositions.loops import PROGRAMS, inputs
from tests.engine.harness import assert_equal
from tests.engine.recorder import Unsayable
from tests.engine.recording import Recording, record

UNSAYABLE = {  # by composition, why the statement language has no word for it
    # a loop that Python runs: `loops.PROGRAMS` has it as a statement, tested below
    ("loops", "hessian_through_a_while"): "Python control flow on a value",
}
SAYABLE = [each for each in names(*MODULES) if each not in UNSAYABLE]


@functools.cache
def recorded(module: str, name: str) -> Recording:
    return record(lambda t: compose(module, name, t))


@functools.cache
def answered(module: str, name: str) -> dict[str, engine.Tensor]:
    return recorded(module, name).run()


@pytest.mark.parametrize(("module", "name"), SAYABLE)
def test_composition(module: str, name: str) -> None:
    found, wanted = answered(module, name), expected(module, name)
    assert list(found) == list(wanted)
    for place, tensor in found.items():
        assert_equal(tensor, wanted[place], f"{name} {place}")
        assert tensor.requires_grad == stored()[module][name][place]["requires_grad"], f"{name} {place}"


def same(module: str, name: str, other: Recording) -> None:
    """Another recording of a composition gives the same bits and flags."""
    found, wanted = other.run(), answered(module, name)
    assert list(found) == list(wanted)
    for place, tensor in found.items():
        assert tensor.array.tobytes() == wanted[place].array.tobytes(), place
        assert tensor.requires_grad == wanted[place].requires_grad, place


@pytest.mark.parametrize(("module", "name"), SAYABLE)
def test_canonical_statements_mean_the_same(module: str, name: str) -> None:
    recording = recorded(module, name)
    canonical = recording.rewritten(lambda statements: engine.Program(statements).statements)
    same(module, name, canonical)
    for part, again in zip(canonical.parts, recording.parts, strict=True):
        assert engine.Program(part.statements).statements == part.statements
        for each in (part.statements, again.statements):
            assert json.loads(json.dumps(each, allow_nan=False)) == each


@pytest.mark.parametrize(("module", "name"), SAYABLE)
def test_inputs_as_leaves_of_the_program_mean_the_same(module: str, name: str) -> None:
    recording = recorded(module, name)
    leaves = [{"id": id, "tensor": tensor} for id, tensor in recording.inputs.items()]
    same(module, name, recording.rewritten(lambda statements: leaves + statements)._replace(inputs={}))


@pytest.mark.parametrize(("module", "name"), UNSAYABLE)
def test_what_is_not_recorded(module: str, name: str) -> None:
    with pytest.raises(Unsayable, match=UNSAYABLE[module, name]):
        recorded(module, name)


def derived(kind: str, name: str, given: dict[str, Any], *more: str, **attrs: Any) -> list[engine.Tensor]:
    """The results of a transform whose body is a program of `loops`, at its inputs."""
    program = PROGRAMS[name]
    args = [f"{each}0" for each in program["by"]]
    count = {"hvp": 1, "hessian": len(args), "jacobian": len(program["outputs"])}[kind] * len(args)
    body = {"params": program["by"], "do": program["graph"], "yield": program["outputs"]}
    out = [f"d{number}" for number in range(count)]
    statement: Json = {"op": kind, "in": [*args, *more], "body": body, "out": out, "attrs": attrs}
    at = {f"{each}0": tensor for each, tensor in given.items()}
    return list(engine.Program([statement]).forward(at, out).outputs.values())


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_the_jacobian_of_a_scan_as_a_statement(mode: str) -> None:
    name = "jacobian_of_a_scan"
    found, wanted = derived("jacobian", name, inputs(engine)[name], mode=mode), expected("loops", name)
    for tensor, (place, array) in zip(
        found, [e for e in wanted.items() if e[0].startswith(mode)], strict=True
    ):
        assert_equal(tensor, array, place)


def test_the_hessian_through_a_while_as_a_statement() -> None:
    name, wanted = "hessian_through_a_while", expected("loops", "hessian_through_a_while")
    given = inputs(engine)[name]
    found = derived("hessian", name, given) + derived("hvp", name, given, "x0", "w0")
    places = [place for place in wanted if place.startswith(("hessian", "hvp.1"))]
    for tensor, place in zip(found, places, strict=True):
        assert_equal(tensor, wanted[place], place)


def test_a_recorded_function_is_a_body() -> None:
    recording = record(lambda t: {"slope": t.func.grad(lambda a: t.sin(a) * a)(t.tensor(0.5))})
    sine, product = {"id": "v3", "op": "sin", "in": ["p2"]}, {"id": "v4", "op": "mul", "in": ["v3", "p2"]}
    body = {"params": ["p2"], "do": [sine, product], "yield": ["v4"]}
    assert recording.parts[0].statements == [{"id": "v5", "op": "vjp", "in": ["x1"], "body": body}]
