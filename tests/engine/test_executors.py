"""The two executors, define-by-run and compiled, on every sample of the registry and every stored case: the
same kernels in the same order, so the same bits."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest

import engine
from engine.dtypes import DType
from engine.errors import EngineError
from engine.op import NoDerivative
from tests import oracle
from tests.engine import harness, routes
from tests.engine.harness import Problem, Sampled, assert_equal
from tests.engine.program_route import Compiled, plain_trace
from tests.engine.routes import Answer, Eager
from tests.oracle import Case, Json, array

SAMPLES = [pytest.param(each, id=each.id) for each in harness.samples()]
CASES = [pytest.param(each, id=each.id) for each in oracle.cases("ops")]
PROGRAMS = [pytest.param(each, id=each.id) for kind in ("programs", "flow") for each in oracle.cases(kind)]


def assert_same_bits(found: Any, expected: Any, what: str) -> None:
    """Two tensors (or None) agree in type and in every bit, NaNs alike."""
    if found is None or expected is None:
        assert found is None and expected is None, what
        return
    assert found.meta == expected.meta, what
    assert found.array.dtype == expected.array.dtype, what
    assert np.array_equal(found.array, expected.array, equal_nan=found.array.dtype.kind in "fc"), what
    assert np.array_equal(np.signbit(found.array.real), np.signbit(expected.array.real)), what


def assert_same(found: Answer, expected: Answer) -> None:
    for at, (got, wanted) in enumerate(zip(found.outputs, expected.outputs, strict=True)):
        assert_same_bits(got, wanted, f"output {at}")
        assert (got.requires_grad, got.is_leaf) == (wanted.requires_grad, wanted.is_leaf)
        names = [each.grad_fn and each.grad_fn.name() for each in (got, wanted)]
        assert names[0] == names[1]
    for at, (g, v) in enumerate(zip(found.gradients, expected.gradients, strict=True)):
        assert (g is None) == (v is None), f"gradient {at}"
        if g is not None and v is not None:
            assert np.array_equal(g.array, v.array, equal_nan=True), f"gradient {at}"
            assert g.dtype is v.dtype


# -- the registry


class SampleProgram:
    """A sample as a program: its arrays are inputs, in the order that `harness` makes leaves of them."""

    def __init__(self, sampled: Sampled, outputs: int) -> None:
        self.inputs: dict[str, engine.Tensor] = {}
        self.attrs: Json = {}
        params = [p.name for p in sampled.op.params if not p.keyword_only]
        args: list[Any] = []
        by_name = False  # from the first argument on that has no text in "in"
        for position, value in enumerate(sampled.call.args):
            by_name = by_name or isinstance(value, str | DType) or _is_odd(value)
            if by_name:
                self.attrs[params[position]] = self._attribute(value)
                by_name = position > 0  # but what follows a first one, as einsum's equation, stands there
            elif isinstance(value, tuple) and sampled.op.name == "getitem":
                args += [self._argument(each) for each in value]
            else:
                args.append(self._argument(value))
        self.attrs |= {name: self._attribute(value) for name, value in sampled.call.kwargs.items()}
        self.results = [f"y{at}" for at in range(outputs)]
        one = outputs == 1 and sampled.op.outputs == ("result",)
        named: Json = {"id": "y0"} if one else {"out": self.results}
        self.program = engine.Program([{**named, "op": sampled.op.name, "in": args, "attrs": self.attrs}])
        self.leaves = [name for name, given in self.inputs.items() if given.requires_grad]

    def _argument(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            name = f"t{len(self.inputs)}"
            self.inputs[name] = engine.tensor(value, requires_grad=harness.is_floating(value))
            return name
        if isinstance(value, list | tuple):
            return [self._argument(each) for each in value]
        if isinstance(value, slice):
            return {"slice": [value.start, value.stop, value.step]}
        if isinstance(value, complex):
            return {"complex": [value.real, value.imag]}
        return {"ellipsis": True} if value is ... else value

    def _attribute(self, value: Any) -> Any:
        if isinstance(value, DType):
            return value.name
        if _is_odd(value):
            return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
        if isinstance(value, np.ndarray):
            return {"ref": self._argument(value)}
        if isinstance(value, list | tuple):
            return [self._attribute(each) for each in value]
        return value if isinstance(value, str) else self._argument(value)

    def answer(self, v: dict[str, engine.Tensor]) -> tuple[Answer, Json]:
        """Outputs, gradients and trace, with the cotangents `v`."""
        asked: Json = {"gradient": v} if v else {"route": "forward"}
        found = self.program.prepare(self.inputs, outputs=self.results, **asked).run()
        outputs = [found.outputs[name] for name in self.results]
        assert found.trace is not None
        return Answer(outputs, [found.grads.get(name) for name in self.leaves], [], []), found.trace


def _is_odd(value: Any) -> bool:
    """Whether a number has no text in "in"."""
    return isinstance(value, float) and not np.isfinite(value)


@pytest.mark.parametrize("sampled", SAMPLES)
def test_samples_have_the_same_bits(sampled: Sampled) -> None:
    if sampled.op.name.startswith("_") or sampled.op.name == "alias":
        return  # not in programs, or another thing there
    problem = Problem(sampled)
    outputs = problem.outputs(problem.leaves)
    said = SampleProgram(sampled, len(outputs))
    differentiable = not isinstance(sampled.op.vjp, NoDerivative)
    v = dict(zip([said.results[at] for at in problem.differentiable], problem.v, strict=True))
    found, trace = said.answer(v if differentiable else {})
    gradients: list[Any] = [None] * len(problem.leaves)
    nodes, _ = routes.trace(outputs, problem.leaves)
    if v and differentiable:
        gradients = problem.gradients(problem.leaves, problem.v)
    assert_same(found, Answer(outputs, gradients, [], []))
    assert plain_trace(trace, said.leaves) == nodes


@pytest.mark.parametrize("case", CASES)
def test_stored_cases_have_the_same_bits(case: Case) -> None:
    assert_same(Compiled().first(case), Eager().first(case))


# -- whole requests


def given(record: Json) -> engine.Tensor:
    """A tensor of a stored request."""
    return engine.tensor(array(record), requires_grad=record.get("requires_grad", False))


def literal(raw: Any) -> engine.Tensor:
    return given(raw) if isinstance(raw, dict) else engine.tensor(raw)


def answered(request: Json, mode: Any = True) -> engine.Result:
    gradient = request.get("gradient")
    if gradient is not None:
        one = "data" in gradient
        gradient = given(gradient) if one else {name: given(each) for name, each in gradient.items()}
    inputs = {name: given(each) for name, each in request["inputs"].items()}
    program = engine.Program(request["graph"], decode=literal)
    seed = request.get("seed", 0)
    return program.backward(inputs, request.get("outputs"), gradient=gradient, seed=seed, trace=mode)


@pytest.mark.parametrize("case", PROGRAMS)
def test_requests_are_answered_as_torch_answers_them(case: Case) -> None:
    if "error" in case:
        kind = getattr(builtins, case["error"])
        with pytest.raises(EngineError) as caught:
            answered(case["request"])
        assert isinstance(caught.value, kind)
        assert str(caught.value) == case["message"]
        return
    found, expected = answered(case["request"]), case["response"]
    assert list(found.outputs) == list(expected["outputs"])
    for name, wanted in expected["outputs"].items():
        y = found.outputs[name]
        assert_equal(y, array(wanted), f"output {name}")
        flags = (y.requires_grad, y.is_leaf, y.grad_fn and y.grad_fn.name())
        assert flags == (wanted["requires_grad"], wanted["is_leaf"], wanted["grad_fn"])
    assert found.grads.keys() == expected["grads"].keys()
    for name, wanted in expected["grads"].items():
        assert_equal(found.grads[name], None if wanted is None else array(wanted), f"grad of {name}")
    trace: Any = found.trace
    for name, root in expected["trace"]["roots"].items():
        assert trace["roots"][name] == (None if root is None else root[0])
    for node, wanted in zip(trace["nodes"], expected["trace"]["nodes"], strict=True):
        assert {"saved": {}, **{key: each for key, each in node.items() if key != "tensor"}} == wanted


@pytest.mark.parametrize("case", [each for each in PROGRAMS if "error" not in each.values[0]])  # type: ignore[operator]
@pytest.mark.parametrize("mode", [False, "values"])
def test_the_trace_asked_for_changes_no_number(case: Case, mode: Any) -> None:
    found, plain = answered(case["request"], mode), answered(case["request"])
    for name, y in plain.outputs.items():
        assert_same_bits(found.outputs[name], y, name)
    for name, g in plain.grads.items():
        assert_same_bits(found.grads[name], g, name)
    shown: Any = found.trace
    if mode == "values":
        assert [each["name"] for each in shown["nodes"]] == [each["name"] for each in plain.trace["nodes"]]  # type: ignore[index]
        for each in shown["nodes"]:
            if "variable" in each:
                leaf_grad = found.grads[each["variable"]]
                assert_same_bits(each["grad"], leaf_grad, each["variable"])
